/* store.c - what all stores share: a put that isolates the messages that the database refuses. */
#include "lib/data/store.h"

#include <inttypes.h>

#include "lib/base/clock.h"

enum { GROUPS_AT_ONCE = 100 };

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

static bool by_score(enum order order)
{
	return order == ORDER_SCORE_UP || order == ORDER_SCORE_DOWN;
}

void place_put(struct buf *out, const struct message *m, enum order order)
{
	if (by_score(order) && m->has_score)
		buf_printf(out, "s%.17g:", m->score);
	else if (by_score(order))
		buf_str(out, STR("s-:"));
	else if (m->has_time)
		buf_printf(out, "%" PRId64 ":", m->time);
	else
		buf_str(out, STR("-:"));
	buf_str(out, m->id);
}

static bool read_time(const char *text, struct place *p)
{
	const char *digits = text + (*text == '-');
	p->has_time = *digits && strlen(digits) < 16 && strspn(digits, "0123456789") == strlen(digits);
	p->time = p->has_time ? strtoll(text, NULL, 10) : 0;
	return p->has_time && time_in_range(p->time);
}

bool place_read(struct str text, enum order order, struct place *p)
{
	char number[40];
	bool scores = by_score(order);
	const char *colon = text.n ? memchr(text.p, ':', text.n) : NULL;
	if (!colon || (*text.p == 's') != scores)
		return false;
	size_t n = (size_t)(colon - text.p) - scores;
	if (n == 0 || n >= sizeof number)
		return false;
	memcpy(number, text.p + scores, n);
	number[n] = 0;
	*p = (struct place){.set = true, .id = {colon + 1, text.n - (size_t)(colon + 1 - text.p)}};
	if (strcmp(number, "-") == 0)
		return true;
	if (!scores)
		return read_time(number, p);
	p->has_score = filter_read_score((struct str){number, n}, &p->score);
	return p->has_score;
}

/* Looks for the group of a place that was shortened: 0, or -1 with *e. */
static int find_place(struct store *s, struct stats_question *q, struct arena *mem, struct err *e)
{
	struct stats_question from = *q;
	struct stats_group *g = arena_alloc(mem, GROUPS_AT_ONCE * sizeof *g);
	int n;
	do {
		n = s->aggregate(s, &from, g, GROUPS_AT_ONCE, mem, e);
		for (int i = 0, at = 0; i < n && at == 0; i++) {
			at = stats_at_place(q, &g[i]);
			if (at > 0)
				q->after = g[i];
			if (at)
				return 0;
		}
		if (n > 0)
			from.after = g[n - 1];
	} while (n == GROUPS_AT_ONCE);
	return n < 0 ? -1 : 0;
}

int store_groups(
    struct store *s, struct stats_question *q, struct stats_group *out, size_t max, struct arena *mem, struct err *e)
{
	if (q->has_after && q->after_hash.n && find_place(s, q, mem, e) < 0)
		return -1;
	return s->aggregate(s, q, out, max, mem, e);
}
