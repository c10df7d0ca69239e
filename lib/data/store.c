/* store.c - what all stores share: a put that isolates the messages that the database refuses. */
#include "lib/data/store.h"

int store_put(struct store *s, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	if (n == 0)
		return 0;
	int rc = s->put(s, m, n, mem, e);
	if (rc != STORE_REFUSED)
		return rc;
	if (n == 1) {
		m[0]->fate = MESSAGE_REFUSED;
		m[0]->why = arena_str(mem, str_of(e->msg));
		return 0;
	}
	size_t half = n / 2;
	if (store_put(s, m, half, mem, e) < 0)
		return -1;
	return store_put(s, m + half, n - half, mem, e);
}

bool filter_read_score(struct str text, double *score)
{
	char number[64], *end = NULL;
	if (!text.n || text.n >= sizeof number)
		return false;
	snprintf(number, sizeof number, "%.*s", STR_FMT(text));
	if (strspn(number, "0123456789+-.eE") == text.n)
		*score = strtod(number, &end);
	return end == number + text.n && *score >= -1 && *score <= 1;
}

bool filter_read_member(struct str text, struct member_is *member)
{
	const char *is = text.n ? memchr(text.p, '=', text.n) : NULL;
	size_t n = is ? (size_t)(is - text.p) : 0;
	if (!n)
		return false;
	*member = (struct member_is){{text.p, n}, {is + 1, text.n - n - 1}};
	return true;
}
