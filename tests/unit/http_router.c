/* Routing: a table, a method and a path decide alone. */
#include "lib/http/router.h"

#include "tests/unit/tap.h"

static const struct route table[] = {
    {"POST", "/things", 0, NULL, NULL, NULL, NULL, false, NULL},
    {"GET", "/things", 1, NULL, NULL, NULL, NULL, false, NULL},
    {"GET", "/things/{id}", 2, NULL, NULL, NULL, NULL, false, NULL},
    {"DELETE", "/things/{id}", 3, NULL, NULL, NULL, NULL, false, NULL},
    {"GET", "/things/{id}/parts", 4, NULL, NULL, NULL, NULL, false, NULL},
    {"PATCH", "/only", 5, NULL, NULL, NULL, NULL, false, NULL},
    {"GET", "/", 6, NULL, NULL, NULL, NULL, false, NULL},
    {0},
};

enum { NONE = 99 };

static const struct {
	const char *method, *path;
	enum routing result;
	unsigned access; /* names the route */
	const char *segment;
} cases[] = {
    {"GET", "/", ROUTE_FOUND, 6, NULL},
    {"HEAD", "/", ROUTE_FOUND, 6, NULL},
    {"POST", "/things", ROUTE_FOUND, 0, NULL},
    {"GET", "/things", ROUTE_FOUND, 1, NULL},
    {"GET", "/things/a", ROUTE_FOUND, 2, "a"},
    {"HEAD", "/things/a", ROUTE_FOUND, 2, "a"},
    {"DELETE", "/things/a%2Fb", ROUTE_FOUND, 3, "a%2Fb"},
    {"GET", "/things/{id}", ROUTE_FOUND, 2, "{id}"},
    {"GET", "/things/a/parts", ROUTE_FOUND, 4, "a"},
    {"GET", "/things/", ROUTE_NO_PATH, NONE, NULL},
    {"GET", "/things//parts", ROUTE_NO_PATH, NONE, NULL},
    {"GET", "/things/a/", ROUTE_NO_PATH, NONE, NULL},
    {"GET", "/things/a/b", ROUTE_NO_PATH, NONE, NULL},
    {"GET", "/thing", ROUTE_NO_PATH, NONE, NULL},
    {"GET", "/thingsa", ROUTE_NO_PATH, NONE, NULL},
    {"GET", "", ROUTE_NO_PATH, NONE, NULL},
    {"PUT", "/things/a", ROUTE_NO_METHOD, NONE, NULL},
    {"OPTIONS", "/things/a", ROUTE_NO_METHOD, NONE, NULL},
    {"get", "/things", ROUTE_NO_METHOD, NONE, NULL},
    {"HEAD", "/only", ROUTE_NO_METHOD, NONE, NULL},
    {"PUT", "/nowhere", ROUTE_NO_PATH, NONE, NULL},
};

static void methods_are(const char *path, const char *want)
{
	struct buf out = {0};
	route_methods(table, path, &out);
	is_str(buf_view(&out), str_of(want), "methods of %s", path);
	buf_free(&out);
}

int main(void)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct route *found;
		struct str segment;
		enum routing result = route_find(table, cases[i].method, cases[i].path, &found, &segment);
		ok(result == cases[i].result && (found ? found->access : NONE) == cases[i].access, "%s %s",
		    cases[i].method, cases[i].path);
		is_str(segment, cases[i].segment ? str_of(cases[i].segment) : STR_NONE, "its segment");
	}
	methods_are("/things", "POST, GET, HEAD, OPTIONS");
	methods_are("/things/a", "GET, HEAD, DELETE, OPTIONS");
	methods_are("/only", "PATCH, OPTIONS");
	return tap_done();
}
