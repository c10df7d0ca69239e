/* Entity tags in If-Match and If-None-Match. */
#include "lib/http/conditions.h"

#include "tests/unit/tap.h"

static const struct {
	const char *list;
	bool strong, weak; /* whether it names the tag 7 */
} cases[] = {
    {"\"7\"", true, true},
    {"W/\"7\"", false, true},
    {"\"7-gzip\"", true, true},
    {"W/\"7-gzip\"", false, true},
    {"*", true, true},
    {" * ", true, true},
    {"\"6\", \"7\"", true, true},
    {"\"6\" ,\t\"7\" ", true, true},
    {"\"6,\", \"7\"", true, true},
    {"W/\"7\", \"7\"", true, true},
    {"\"a, \"7\"", false, false},
    {"\"\\\", \"7\"", true, true}, /* a backslash in a tag escapes nothing */
    {"\"77\"", false, false},
    {"\"7-\"", false, false},
    {"\"7-gzip-gzip\"", false, false},
    {"\"\"", false, false},
    {"7", false, false},
    {"7, \"7\"", true, true},
    {"\"7", false, false},
    {"w/\"7\"", false, false},
    {"W/", false, false},
    {"W", false, false},
    {"", false, false},
    {" , ", false, false},
};

int main(void)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str list = str_of(cases[i].list);
		ok(tag_in_list(list, STR("7"), TAG_STRONG) == cases[i].strong, "[%s] by strong comparison",
		    cases[i].list);
		ok(tag_in_list(list, STR("7"), TAG_WEAK) == cases[i].weak, "[%s] by weak comparison", cases[i].list);
	}
	return tap_done();
}
