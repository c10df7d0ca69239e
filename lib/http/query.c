/* query.c - percent-encoding, and the parameters of a query. */
#include "lib/http/query.h"

#include <ctype.h>

#include "lib/base/utf8.h"

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, tolower((unsigned char)c)) : NULL;
	return at ? (int)(at - digits) : -1;
}

bool percent_decode(struct str in, bool plus, struct arena *mem, struct str *out)
{
	char *to = arena_alloc(mem, in.n + 1);
	size_t n = 0;
	for (size_t i = 0; i < in.n; i++) {
		char c = in.p[i];
		if (c == '%') {
			int high = i + 2 < in.n ? hex_value(in.p[i + 1]) : -1;
			int low = high >= 0 ? hex_value(in.p[i + 2]) : -1;
			if (low < 0 || high + low == 0)
				return false;
			c = (char)(high << 4 | low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		to[n++] = c;
	}
	to[n] = 0;
	*out = (struct str){to, n};
	arena_trim(mem, to, n + 1);
	return utf8_valid_prefix(*out) == n;
}

void percent_encode(struct buf *out, struct str text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] && strchr(plain, text.p[i]))
			buf_char(out, text.p[i]);
		else
			buf_printf(out, "%%%02X", (unsigned char)text.p[i]);
}

bool query_parse(const char *query, struct arena *mem, struct param **list)
{
	bool good = true;
	*list = NULL;
	while (*query) {
		size_t n = strcspn(query, "&"), name = strcspn(query, "=&");
		struct str value = name < n ? (struct str){query + name + 1, n - name - 1} : STR("");
		struct param *p = arena_alloc(mem, sizeof *p);
		*p = (struct param){.next = *list};
		if (n == 0) /* as in "a=1&&b=2" */
			;
		else if (percent_decode((struct str){query, name}, true, mem, &p->name) &&
			 percent_decode(value, true, mem, &p->value))
			*list = p;
		else
			good = false;
		query += n + (query[n] == '&');
	}
	return good;
}

static bool is_among(struct str name, const char *names)
{
	for (size_t n; (n = strcspn(names, " ")); names += n + 1)
		if (str_eq(name, (struct str){names, n}))
			return true;
	return false;
}

const struct param *query_unknown(const struct param *list, const char *names)
{
	const struct param *found = NULL;
	for (const struct param *p = list; p; p = p->next)
		if (!is_among(p->name, names))
			found = p; /* the last in the list is the first of the query */
	return found;
}

struct str query_get(const struct param *list, const char *name)
{
	struct str want = str_of(name);
	for (const struct param *p = list; p; p = p->next)
		if (str_eq(p->name, want))
			return p->value;
	return STR_NONE;
}
