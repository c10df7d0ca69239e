/* stats.c - GET /v1/stats: counts and means of the stored messages, in groups. */
#include "lib/data/stats.h"

#include "lib/serve/db_context.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"

enum { LIMIT = 10000 };

struct question {
	struct rest_filter asked;
	struct stats_question stats;
	struct zone *zone;
	uint64_t limit;
	struct arena mem; /* of the place to go on after */
};

static void drop(void *state)
{
	struct question *q = state;
	zone_free(q->zone);
	arena_free(&q->mem);
	free(q);
}

static bool read_by(struct request *r, struct stats_question *q)
{
	struct str by = request_query(r, "by");
	struct err e;
	if (stats_by(q, by.p ? by : STR("label"), &e) == 0)
		return true;
	request_problem(r, 400, "bad_query", "by: %s", e.msg);
	return false;
}

static bool read_step(struct request *r, int64_t *ms)
{
	struct str v = request_query(r, "step");
	if (!v.p || stats_step(v, ms))
		return true;
	request_problem(
	    r, 400, "bad_query", "step is a duration such as 90s, 15m, 1h, 1d or 1w, not '%.*s'", STR_FMT(v));
	return false;
}

static bool read_zone(struct request *r, struct question *q)
{
	struct str v = request_query(r, "tz");
	struct err e;
	if (v.p && !(q->zone = zone_open(v, &e))) {
		request_problem(r, 400, "bad_query", "tz: %s", e.msg);
		return false;
	}
	q->stats.zone = q->zone;
	return true;
}

static bool read_place(struct request *r, struct question *q)
{
	struct str v = request_query(r, "after");
	if (!v.p || stats_read_place(&q->stats, v, &q->mem))
		return true;
	request_problem(r, 400, "bad_query", "after is what a page's rel=\"next\" link says, not '%.*s'", STR_FMT(v));
	return false;
}

static void set_next(struct request *r, const struct question *q, const struct stats_group *last)
{
	static const char *const name[] = {"by", "step", "tz"};
	struct buf link = {0}, place = {0};
	buf_printf(&link, "</v1/stats?limit=%llu", (unsigned long long)q->limit);
	for (size_t i = 0; i < COUNT_OF(name); i++)
		rest_put_query(&link, r, name[i]);
	rest_put_filter(&link, r);
	stats_put_place(&place, &q->stats, last);
	buf_str(&link, STR("&after="));
	percent_encode(&link, buf_view(&place));
	request_set(r, "Link", "%.*s>; rel=\"next\"", (int)link.n, link.p);
	buf_free(&link);
	buf_free(&place);
}

static void aggregate(struct db_context *c, struct request *r)
{
	struct question *q = r->state;
	struct err e;
	/* one more than asked for shows whether there is a next page */
	struct stats_group *group = arena_alloc(&c->mem, (q->limit + 1) * sizeof *group);
	int n = store_groups(c->store, &q->stats, group, q->limit + 1, &c->mem, &e);
	if (n < 0) {
		if (e.kind == ERR_USAGE)
			request_problem(r, 400, "bad_query", "%s", e.msg);
		else
			db_scan_failed(c, r, &e);
		return;
	}
	bool more = (uint64_t)n > q->limit;
	size_t shown = more ? q->limit : (size_t)n;
	buf_str(&r->out, STR("{\"items\":["));
	for (size_t i = 0; i < shown; i++) {
		if (i)
			buf_char(&r->out, ',');
		stats_put(&r->out, &q->stats, &group[i]);
	}
	buf_str(&r->out, STR("]}\n"));
	if (more)
		set_next(r, q, &group[shown - 1]);
	request_answer(r, 200, MEDIA_JSON);
}

static void aggregate_all(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		aggregate(c, r[i]);
}

void stats_get(struct request *r, void *app)
{
	struct question *q = xcalloc(1, sizeof *q);
	r->state = q;
	r->drop = drop;
	q->stats.filter = &q->asked.filter;
	q->limit = LIMIT;
	if (read_by(r, &q->stats) && read_step(r, &q->stats.step_ms) && read_zone(r, q) && read_place(r, q) &&
	    rest_query_number(r, "limit", 1, LIMIT, &q->limit) && rest_query_filter(r, &q->asked))
		db_pool_do(app, r, aggregate_all);
}
