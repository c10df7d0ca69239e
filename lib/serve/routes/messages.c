/* messages.c - GET /v1/messages: pages of stored messages. */
#include <math.h>

#include "lib/base/clock.h"
#include "lib/serve/db_context.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"

enum { PAGE = 20, PAGE_MOST = 1000, PAGE_BYTES = 4 << 20 };
/* No number of a place is beyond it: a double holds all integers up to here. */
#define PLACE_MOST 9007199254740992.0

struct page {
	struct rest_filter asked;
	uint64_t limit;
};

static bool by_score(enum order order)
{
	return order == ORDER_SCORE_UP || order == ORDER_SCORE_DOWN;
}

/* A place in the order as the client sends it back: MS:ID, in an order of scores SCORE:ID; -:ID for a message without
 * one. */
static bool parse_place(struct str v, enum order order, struct place *p)
{
	const char *colon = memchr(v.p, ':', v.n);
	size_t n = colon ? (size_t)(colon - v.p) : 0;
	char number[32], *end = NULL;
	if (!n || n >= sizeof number)
		return false;
	snprintf(number, sizeof number, "%.*s", (int)n, v.p);
	*p = (struct place){.set = true, .id = {colon + 1, v.n - n - 1}};
	if (strcmp(number, "-") == 0)
		return true;
	double value = strspn(number, "-+.e0123456789") == n ? strtod(number, &end) : 0;
	if (end != number + n || fabs(value) > PLACE_MOST)
		return false;
	p->has_score = by_score(order);
	p->has_time = !by_score(order);
	p->score = value;
	p->time = (int64_t)value;
	return p->has_score || time_in_range(p->time);
}

static bool read_place(struct request *r, enum order order, struct place *p)
{
	struct str v = request_query(r, "after");
	if (!v.p || parse_place(v, order, p))
		return true;
	request_problem(r, 400, "bad_query", "after is what a page's rel=\"next\" link says, not '%.*s'", STR_FMT(v));
	return false;
}

static bool read_order(struct request *r, enum order *order)
{
	static const struct {
		const char *name;
		enum order order;
	} known[] = {{"oldest", ORDER_OLDEST}, {"newest", ORDER_NEWEST}, {"score", ORDER_SCORE_UP},
	    {"-score", ORDER_SCORE_DOWN}};
	struct str v = request_query(r, "order");
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (!v.p || str_eq(v, str_of(known[i].name))) {
			*order = known[i].order;
			return true;
		}
	request_problem(r, 400, "bad_query", "order is oldest, newest, score or -score, not '%.*s'", STR_FMT(v));
	return false;
}

static bool read_filter(struct request *r, struct page *p)
{
	struct filter *f = &p->asked.filter;
	p->limit = PAGE;
	return read_order(r, &f->order) && rest_query_filter(r, &p->asked) &&
	       rest_query_number(r, "limit", 1, PAGE_MOST, &p->limit) && read_place(r, f->order, &f->after);
}

static void set_next(struct request *r, const struct message *last, const struct page *p)
{
	bool scores = by_score(p->asked.filter.order);
	struct buf link = {0};
	buf_printf(&link, "</v1/messages?limit=%llu", (unsigned long long)p->limit);
	rest_put_filter(&link, r);
	rest_put_query(&link, r, "order");
	if (scores && last->has_score)
		buf_printf(&link, "&after=%.17g:", last->score);
	else if (!scores && last->has_time)
		buf_printf(&link, "&after=%lld:", (long long)last->time);
	else
		buf_str(&link, STR("&after=-:"));
	percent_encode(&link, last->id);
	request_set(r, "Link", "%.*s>; rel=\"next\"", (int)link.n, link.p);
	buf_free(&link);
}

/* Measures a page as the store does. */
static size_t bytes_of(const struct message *m, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += m[i].id.n + m[i].text.n + m[i].source.n + m[i].sentiment.n + m[i].extra.n + sizeof *m;
	return bytes;
}

static void list(struct db_context *c, struct request *r)
{
	struct page *p = r->state;
	struct err e;
	/* one more than asked for shows whether there is a next page */
	struct message *row = arena_alloc(&c->mem, (p->limit + 1) * sizeof *row);
	int n = c->store->query(c->store, &p->asked.filter, row, p->limit + 1, PAGE_BYTES, &c->mem, &e);
	if (n < 0) {
		db_scan_failed(c, r, &e);
		return;
	}
	size_t shown = (size_t)n > p->limit ? p->limit : (size_t)n;
	bool more = (size_t)n > p->limit || bytes_of(row, (size_t)n) >= PAGE_BYTES;
	buf_str(&r->out, STR("{\"items\":["));
	bool first = true;
	for (size_t i = 0; i < shown; i++) {
		size_t at = r->out.n;
		if (!first)
			buf_char(&r->out, ',');
		if (message_write(&row[i], &r->out, &c->scan) < 0)
			r->out.n = at; /* a row that only SQL can have made; GET names it */
		else
			first = false;
	}
	buf_str(&r->out, STR("]}\n"));
	if (more)
		set_next(r, &row[shown - 1], p);
	request_answer(r, 200, MEDIA_JSON);
}

static void list_all(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		list(c, r[i]);
}

void messages_list(struct request *r, void *app)
{
	struct page *p = xcalloc(1, sizeof *p);
	r->state = p;
	r->drop = free;
	if (read_filter(r, p))
		db_pool_do(((const struct messages_conf *)app)->scans, r, list_all);
}
