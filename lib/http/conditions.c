/* conditions.c - entity tags. */
#include "lib/http/conditions.h"

static bool is_tag(struct str named, struct str tag)
{
	struct str rest = {named.p + tag.n, named.n - tag.n};
	return named.n >= tag.n && memcmp(named.p, tag.p, tag.n) == 0 &&
	       (rest.n == 0 || str_eq(rest, STR(TAG_COMPRESSED)));
}

/* Cuts one member off the list: its text without W/ and quotes; p is NULL if it is not a tag. A backslash escapes
 * nothing here, unlike in a quoted string. */
static struct str next_tag(const char **at, const char *end, bool *weak)
{
	const char *p = *at;
	*weak = end - p > 2 && p[0] == 'W' && p[1] == '/';
	p += *weak ? 2 : 0;
	const char *quote = *p == '"' ? memchr(p + 1, '"', (size_t)(end - p - 1)) : NULL;
	const char *comma = memchr(quote ? quote : p, ',', (size_t)(end - (quote ? quote : p)));
	*at = comma ? comma : end;
	return quote ? (struct str){p + 1, (size_t)(quote - p - 1)} : STR_NONE;
}

bool tag_in_list(struct str list, struct str tag, enum tag_comparison how)
{
	if (!list.n)
		return false;
	const char *p = list.p, *end = list.p + list.n;
	for (;;) {
		bool weak;
		while (p < end && (*p == ',' || *p == ' ' || *p == '\t'))
			p++;
		if (p == end)
			return false;
		if (*p == '*')
			return true;
		struct str named = next_tag(&p, end, &weak);
		if (named.p && !(weak && how == TAG_STRONG) && is_tag(named, tag))
			return true;
	}
}
