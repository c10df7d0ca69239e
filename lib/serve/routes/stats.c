/* stats.c - GET /v1/stats: counts and means of the stored messages, by label, source, model or time. */
#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/serve/db_context.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"

enum { MOST = 10000, MEAN_DIGITS = 6 };

struct question {
	struct rest_filter asked;
	enum stat_by by;
	int64_t step_ms;
};

static bool read_by(struct request *r, enum stat_by *by)
{
	static const char *const name[] = {
	    [STAT_LABEL] = "label", [STAT_SOURCE] = "source", [STAT_MODEL] = "model", [STAT_TIME] = "time"};
	struct str v = request_query(r, "by");
	if (!v.p)
		return true;
	for (size_t i = 0; i < COUNT_OF(name); i++)
		if (str_eq(v, str_of(name[i]))) {
			*by = (enum stat_by)i;
			return true;
		}
	request_problem(r, 400, "bad_query", "by is label, source, model or time, not '%.*s'", STR_FMT(v));
	return false;
}

static bool read_step(struct request *r, int64_t *ms)
{
	struct str v = request_query(r, "step");
	if (!v.p || rest_duration(v, ms))
		return true;
	request_problem(
	    r, 400, "bad_query", "step is a duration such as 90s, 15m, 1h, 1d or 1w, not '%.*s'", STR_FMT(v));
	return false;
}

static void put_group(struct buf *out, const struct stat_group *g)
{
	buf_char(out, '{');
	if (g->has_start) {
		char time[TIME_LEN];
		time_format(g->start, time);
		json_put_name(out, STR("start"));
		json_put_string(out, (struct str){time, TIME_LEN});
	} else {
		json_put_name(out, STR("key"));
		if (g->key.p)
			json_put_string(out, g->key);
		else
			buf_str(out, STR("null"));
	}
	buf_printf(out, ",\"count\":%llu,\"mean\":", (unsigned long long)g->count);
	if (g->has_mean)
		json_put_fixed(out, g->mean, MEAN_DIGITS);
	else
		buf_str(out, STR("null"));
	buf_printf(out, ",\"positive\":%llu,\"neutral\":%llu,\"negative\":%llu}", (unsigned long long)g->positive,
	    (unsigned long long)g->neutral, (unsigned long long)g->negative);
}

static void aggregate(struct db_context *c, struct request *r)
{
	const struct question *q = r->state;
	struct stat_group *group = arena_alloc(&c->mem, MOST * sizeof *group);
	struct err e;
	int n = c->store->aggregate(c->store, &q->asked.filter, q->by, q->step_ms, group, MOST, &c->mem, &e);
	if (n < 0) {
		db_scan_failed(c, r, &e);
		return;
	}
	buf_str(&r->out, STR("{\"items\":["));
	for (int i = 0; i < n; i++) {
		if (i)
			buf_char(&r->out, ',');
		put_group(&r->out, &group[i]);
	}
	buf_str(&r->out, STR("]}\n"));
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
	q->step_ms = INT64_C(3600000);
	r->state = q;
	r->drop = free;
	if (read_by(r, &q->by) && read_step(r, &q->step_ms) && rest_query_filter(r, &q->asked))
		db_pool_do(app, r, aggregate_all);
}
