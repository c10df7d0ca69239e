/* router.c - matching of methods and paths. */
#include "lib/http/router.h"

/* True if the path matches the pattern; what matches the braces goes to *segment. */
static bool matches(const char *pattern, const char *path, struct str *segment)
{
	*segment = STR_NONE;
	for (;;) {
		if (*pattern == '{') {
			size_t n = strcspn(path, "/");
			if (n == 0)
				return false;
			*segment = (struct str){path, n};
			path += n;
			pattern = strchr(pattern, '}') + 1;
		} else if (*pattern != *path) {
			return false;
		} else if (!*pattern) {
			return true;
		} else {
			pattern++;
			path++;
		}
	}
}

enum routing route_find(
    const struct route *table, const char *method, const char *path, const struct route **found, struct str *segment)
{
	enum routing result = ROUTE_NO_PATH;
	if (strcmp(method, "HEAD") == 0)
		method = "GET";
	for (const struct route *r = table; r->path; r++) {
		if (!matches(r->path, path, segment))
			continue;
		if (strcmp(r->method, method) == 0) {
			*found = r;
			return ROUTE_FOUND;
		}
		result = ROUTE_NO_METHOD;
	}
	*found = NULL;
	*segment = STR_NONE;
	return result;
}

void route_methods(const struct route *table, const char *path, struct buf *out)
{
	struct str ignored;
	for (const struct route *r = table; r->path; r++)
		if (matches(r->path, path, &ignored))
			buf_printf(out, "%s, %s", r->method, strcmp(r->method, "GET") == 0 ? "HEAD, " : "");
	buf_str(out, STR("OPTIONS"));
}
