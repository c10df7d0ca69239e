/* graphql_stats.c - Query.stats, terms and status: what stored messages come to. */
#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/serve/feed.h"
#include "lib/serve/health.h"
#include "lib/serve/metrics.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/graphql_internal.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/term_totals.h"

enum { GROUPS_MOST = 10000, TERMS_MOST = 1000 };

/* ---- stats ---- */

struct shown_stat {
	struct str key, start, cursor;
	uint64_t count, positive, neutral, negative;
	bool has_mean;
	double mean, stdev;
};

/* What to group by: true, or false with call->out set. */
static bool read_by(struct gql_call *call, const struct gql_value *by, enum stat_by *out, int64_t *step_ms)
{
	static const struct {
		struct str name;
		enum stat_by by;
	} known[] = {{{"LABEL", 5}, STAT_LABEL}, {{"SOURCE", 6}, STAT_SOURCE}, {{"MODEL", 5}, STAT_MODEL},
	    {{"TIME", 4}, STAT_TIME}, {{"DAY", 3}, STAT_TIME}};
	if (by->n == 1)
		for (size_t i = 0; i < COUNT_OF(known); i++)
			if (str_eq(by->item[0].text, known[i].name)) {
				*out = known[i].by;
				if (str_eq(known[i].name, STR("DAY")))
					*step_ms = INT64_C(86400000);
				return true;
			}
	call->out = graphql_not_supported(call, "stats by anything but one of LABEL, SOURCE, MODEL, TIME and DAY");
	return false;
}

static bool read_stats(struct gql_call *call, struct filter *f, enum stat_by *by, int64_t *step_ms, size_t *first)
{
	const struct gql_value *a = call->args; /* by member filter step tz first after */
	if (graphql_given(&a[3]) && !rest_duration(a[3].text, step_ms)) {
		call->out = graphql_bad_input(call, "step is a duration such as 90s, 15m, 1h, 1d or 1w");
		return false;
	}
	if (graphql_given(&a[4]) && !str_eq(a[4].text, STR("UTC"))) {
		call->out = graphql_not_supported(call, "time zones but UTC");
		return false;
	}
	if (!graphql_filter(call, &a[2], f) || !graphql_first(call, &a[5], GROUPS_MOST, first) ||
	    !read_by(call, &a[0], by, step_ms))
		return false;
	if (f->text.p)
		call->out = graphql_not_supported(call, "stats of messages with q");
	return !f->text.p;
}

static void show_group(struct shown_stat *s, const struct stat_group *g, struct arena *mem)
{
	*s = (struct shown_stat){.key = g->key,
	    .count = g->count,
	    .positive = g->positive,
	    .neutral = g->neutral,
	    .negative = g->negative,
	    .has_mean = g->has_mean,
	    .mean = g->has_mean ? json_round(g->mean, 6) : 0,
	    .stdev = g->has_mean ? json_round(g->stdev, 6) : 0};
	if (g->has_start) {
		char *time = arena_alloc(mem, TIME_LEN);
		time_format(g->start, time);
		s->start = (struct str){time, TIME_LEN};
	}
	struct str place = g->has_start ? s->start : g->key.p ? arena_printf(mem, "=%.*s", STR_FMT(g->key)) : STR("-");
	s->cursor = graphql_cursor(place, mem);
}

/* The number of groups up to the cursor; more than n if there is none of that name. */
static size_t skip_to(const struct shown_stat *s, size_t n, const struct gql_value *after)
{
	if (!graphql_given(after))
		return 0;
	for (size_t i = 0; i < n; i++)
		if (str_eq(s[i].cursor, after->text))
			return i + 1;
	return n + 1;
}

static void list_stats(struct graphql_operation *op, struct gql_call *call)
{
	struct filter f;
	enum stat_by by = STAT_LABEL;
	int64_t step_ms = INT64_C(3600000);
	size_t first = 1000;
	struct err e;
	if (!read_stats(call, &f, &by, &step_ms, &first))
		return;
	struct stat_group *group = arena_alloc(call->mem, GROUPS_MOST * sizeof *group);
	int n = op->db->store->aggregate(op->db->store, &f, by, step_ms, group, GROUPS_MOST, call->mem, &e);
	if (n < 0) {
		graphql_unavailable(op, call, 1, &e);
		return;
	}
	struct shown_stat *shown = arena_alloc(call->mem, (size_t)n * sizeof *shown);
	for (int i = 0; i < n; i++)
		show_group(&shown[i], &group[i], call->mem);
	size_t from = skip_to(shown, (size_t)n, &call->args[6]);
	if (from > (size_t)n) {
		call->out = graphql_bad_input(call, "after is a cursor of the groups before");
		return;
	}
	size_t left = (size_t)n - from;
	call->out = gql_list(call, left < first ? left : first);
	for (size_t i = 0; i < call->out.n; i++)
		call->out.item[i] = gql_object(&shown[from + i]);
}

static void query_stats(struct gql_call *call, size_t n, void *app)
{
	for (size_t i = 0; i < n && gql_may_go_on(&call[i]); i++)
		list_stats(app, &call[i]);
}

static void stat_mean(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct shown_stat *s = call[i].parent;
		if (s->has_mean)
			call[i].out = gql_number(s->mean);
	}
}

static void stat_keys(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct shown_stat *s = call[i].parent;
		call[i].out = gql_list(&call[i], 1);
		call[i].out.item[0] = gql_text(s->start.p ? s->start : s->key);
	}
}

static void stat_stdev(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct shown_stat *s = call[i].parent;
		if (s->has_mean)
			call[i].out = gql_number(s->stdev);
	}
}

/* ---- terms ---- */

static void list_terms(struct graphql_operation *op, struct gql_call *call)
{
	struct filter f;
	struct term_totals t;
	struct err e;
	size_t first = 20;
	if (!graphql_filter(call, &call->args[0], &f) || !graphql_first(call, &call->args[1], TERMS_MOST, &first))
		return;
	const struct model *model = models_for(op->g->conf.models, f.model);
	if (term_totals_find(&t, op->db->store, model, &f, TERMS_SAMPLE, call->mem, &e) < 0) {
		graphql_unavailable(op, call, 1, &e);
	} else {
		call->out = gql_list(call, t.n < first ? t.n : first);
		struct term_total *kept = arena_alloc(call->mem, call->out.n * sizeof *kept);
		for (size_t i = 0; i < call->out.n; i++) {
			kept[i] = t.term[i];
			call->out.item[i] = gql_object(&kept[i]);
		}
	}
	term_totals_free(&t);
}

static void query_terms(struct gql_call *call, size_t n, void *app)
{
	for (size_t i = 0; i < n && gql_may_go_on(&call[i]); i++)
		list_terms(app, &call[i]);
}

static void term_contribution(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_number(json_round(((const struct term_total *)call[i].parent)->contribution, 6));
}

/* ---- status ---- */

static void query_status(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_object(op);
}

/* Without a queue the messages that wait are rows. */
static void status_depth(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	struct store_stats stats;
	struct queue_depth queue;
	struct err e;
	int64_t depth;
	if (op->g->conf.await) {
		depth = health_queue(op->g->conf.health, &queue, &e) < 0 ? -1 : queue.messages;
	} else if (op->db->store->stats(op->db->store, &stats, &e) < 0) {
		graphql_unavailable(op, call, n, &e);
		return;
	} else {
		depth = (int64_t)stats.unscored;
	}
	for (size_t i = 0; i < n && depth >= 0; i++)
		call[i].out = gql_integer(depth);
}

static void status_dead(struct gql_call *call, size_t n, void *app)
{
	const struct graphql_operation *op = app;
	struct queue_depth queue;
	struct err e;
	if (!op->g->conf.await || health_queue(op->g->conf.health, &queue, &e) < 0 || queue.dead < 0)
		return;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_integer(queue.dead);
}

static void status_lag(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_integer(feed_lag_ms(op->g->conf.feed));
}

static void status_cache(struct gql_call *call, size_t n, const struct graphql_operation *op, enum cache_answer answer)
{
	for (size_t i = 0; i < n && op->db->cache; i++)
		call[i].out = gql_integer((int64_t)series_total(op->g->conf.answers[answer]));
}

static void status_hits(struct gql_call *call, size_t n, void *app)
{
	status_cache(call, n, app, CACHE_HIT);
}

static void status_misses(struct gql_call *call, size_t n, void *app)
{
	status_cache(call, n, app, CACHE_MISS);
}

const struct graphql_binding graphql_stats_fields[] = {
    {"Query", "stats", query_stats, NULL},
    {"Query", "terms", query_terms, NULL},
    {"Query", "status", query_status, NULL},
    {"Stat", "key", graphql_text, GRAPHQL_MEMBER(struct shown_stat, key)},
    {"Stat", "keys", stat_keys, NULL},
    {"Stat", "start", graphql_text, GRAPHQL_MEMBER(struct shown_stat, start)},
    {"Stat", "count", graphql_count, GRAPHQL_MEMBER(struct shown_stat, count)},
    {"Stat", "mean", stat_mean, NULL},
    {"Stat", "stdev", stat_stdev, NULL},
    {"Stat", "positive", graphql_count, GRAPHQL_MEMBER(struct shown_stat, positive)},
    {"Stat", "neutral", graphql_count, GRAPHQL_MEMBER(struct shown_stat, neutral)},
    {"Stat", "negative", graphql_count, GRAPHQL_MEMBER(struct shown_stat, negative)},
    {"Stat", "cursor", graphql_text, GRAPHQL_MEMBER(struct shown_stat, cursor)},
    {"Term", "word", graphql_text, GRAPHQL_MEMBER(struct term_total, word)},
    {"Term", "count", graphql_count, GRAPHQL_MEMBER(struct term_total, count)},
    {"Term", "contribution", term_contribution, NULL},
    {"Status", "queueDepth", status_depth, NULL},
    {"Status", "deadLetters", status_dead, NULL},
    {"Status", "cacheHits", status_hits, NULL},
    {"Status", "cacheMisses", status_misses, NULL},
    {"Status", "lagMs", status_lag, NULL},
    {0},
};
