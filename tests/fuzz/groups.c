/* groups.c - log patterns: any expression is refused with a reason or gives groups that lie within the line. The
 * first line is the pattern, the others are lines of a log. */
#include "lib/base/utf8.h"
#include "lib/ingest/groups.h"
#include "tests/fuzz/lib/check.h"

static void match(struct groups *g, struct str given)
{
	const struct str *name;
	const char *why = NULL;
	size_t n = groups_names(g, &name);
	struct str *group = xcalloc(n, sizeof *group);
	char *copy = fuzz_copy(given);
	struct str line = {copy, given.n};
	CHECK(n > 0);
	if (utf8_valid_prefix(line) == line.n) { /* no other line gets as far */
		if (!groups_match(g, line, group, &why))
			CHECK(why && *why);
		else
			for (size_t i = 0; i < n; i++)
				CHECK(name[i].n && (!group[i].p || (group[i].p >= line.p &&
								       group[i].p + group[i].n <= line.p + line.n)));
	}
	free(copy);
	free(group);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size);
	struct err e = {0};
	char *pattern = fuzz_cstr(fuzz_line(&in));
	if (!pattern)
		return 0;
	struct groups *g = groups_new(pattern, &e);
	CHECK(g || (e.kind == ERR_USAGE && e.msg[0]));
	while (g && in.n)
		match(g, fuzz_line(&in));
	groups_free(g);
	free(pattern);
	return 0;
}
