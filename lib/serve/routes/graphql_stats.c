/* graphql_stats.c - Query.stats, terms and status: what stored messages come to. */
#include <inttypes.h>

#include "lib/base/clock.h"
#include "lib/json/write.h"
#include "lib/serve/feed.h"
#include "lib/serve/health.h"
#include "lib/serve/metrics.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/graphql_internal.h"
#include "lib/serve/term_totals.h"

enum { GROUPS_MOST = 10000, TERMS_MOST = 1000 };

/* ---- stats ---- */

struct shown_stat {
	struct stats_group group;
	struct str key, start, cursor;
	struct str keys[STATS_KEYS];
	size_t nkeys;
};

/* True, or false with call->out set. */
static bool read_by(struct gql_call *call, const struct gql_value *by, struct str member, struct stats_question *q)
{
	static const struct {
		const char *name;
		enum stats_key key;
	} known[] = {{"LABEL", STATS_LABEL}, {"SOURCE", STATS_SOURCE}, {"MODEL", STATS_MODEL}, {"TIME", STATS_TIME},
	    {"DAY", STATS_DAY}, {"WEEK", STATS_WEEK}, {"MONTH", STATS_MONTH}, {"MEMBER", STATS_MEMBER}};
	struct err e;
	for (size_t i = 0; i < by->n; i++)
		for (size_t k = 0; k < COUNT_OF(known); k++) {
			bool of_member = known[k].key == STATS_MEMBER;
			if (!str_eq(by->item[i].text, str_of(known[k].name)))
				continue;
			if (of_member && !member.n) {
				call->out = graphql_bad_input(call, "stats by MEMBER needs the name of one, member");
				return false;
			}
			if (stats_add(q, known[k].key, of_member ? member : STR_NONE, &e) < 0) {
				call->out = graphql_bad_input(call, "by: %s", e.msg);
				return false;
			}
		}
	return true;
}

/* The same; *zone is new. */
static bool read_zone(struct gql_call *call, const struct gql_value *tz, struct zone **zone)
{
	struct err e;
	*zone = NULL;
	if (!graphql_given(tz) || str_eq(tz->text, STR("UTC")) || (*zone = zone_open(tz->text, &e)))
		return true;
	call->out = graphql_bad_input(call, "tz: %s", e.msg);
	return false;
}

static bool read_stats(struct gql_call *call, struct stats_question *q, struct filter *f, size_t *first)
{
	const struct gql_value *a = call->args; /* by member filter step tz first after */
	if (graphql_given(&a[3]) && !stats_step(a[3].text, &q->step_ms)) {
		call->out = graphql_bad_input(call, "step is a duration such as 90s, 15m, 1h, 1d or 1w");
		return false;
	}
	q->filter = f;
	if (!graphql_filter(call, &a[2], f) || !graphql_first(call, &a[5], GROUPS_MOST, first) ||
	    !read_by(call, &a[0], graphql_given(&a[1]) ? a[1].text : STR_NONE, q))
		return false;
	if (!graphql_given(&a[6]) || stats_read_place(q, graphql_cursor_read(a[6].text, call->mem), call->mem))
		return true;
	call->out = graphql_bad_input(call, "after is a cursor of the groups before");
	return false;
}

static void show_group(
    struct shown_stat *s, const struct stats_question *q, const struct stats_group *g, struct arena *mem)
{
	struct buf place = {0};
	size_t period = stats_period(q);
	*s = (struct shown_stat){.group = *g, .nkeys = q->nby};
	memcpy(s->keys, g->key, sizeof s->keys);
	if (period < q->nby) {
		char *time = arena_alloc(mem, TIME_LEN);
		time_format(g->start, time);
		s->start = s->keys[period] = (struct str){time, TIME_LEN};
	} else if (q->nby == 1) {
		s->key = g->key[0];
	}
	if (g->has_mean) {
		s->group.mean = json_round(g->mean, 6);
		s->group.stdev = json_round(g->stdev, 6);
	}
	stats_put_place(&place, q, g);
	s->cursor = graphql_cursor(buf_view(&place), mem);
	buf_free(&place);
}

static void find_stats(struct graphql_operation *op, struct gql_call *call, struct stats_question *q, size_t first)
{
	struct err e;
	struct stats_group *group = arena_alloc(call->mem, first * sizeof *group);
	int n = store_groups(op->db->store, q, group, first, call->mem, &e);
	if (n < 0) {
		if (e.kind == ERR_USAGE)
			call->out = graphql_bad_input(call, "%s", e.msg);
		else
			graphql_unavailable(op, call, 1, &e);
		return;
	}
	struct shown_stat *shown = arena_alloc(call->mem, (size_t)n * sizeof *shown);
	call->out = gql_list(call, (size_t)n);
	for (int i = 0; i < n; i++) {
		show_group(&shown[i], q, &group[i], call->mem);
		call->out.item[i] = gql_object(&shown[i]);
	}
}

static void list_stats(struct graphql_operation *op, struct gql_call *call)
{
	struct filter f;
	struct stats_question q = {0};
	struct zone *zone = NULL;
	size_t first = 1000;
	if (read_zone(call, &call->args[4], &zone)) {
		q.zone = zone;
		if (read_stats(call, &q, &f, &first))
			find_stats(op, call, &q, first);
	}
	zone_free(zone);
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
		if (s->group.has_mean)
			call[i].out = gql_number(s->group.mean);
	}
}

static void stat_keys(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct shown_stat *s = call[i].parent;
		call[i].out = gql_list(&call[i], s->nkeys);
		for (size_t k = 0; k < s->nkeys; k++)
			call[i].out.item[k] = gql_text(s->keys[k]);
	}
}

static void stat_stdev(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct shown_stat *s = call[i].parent;
		if (s->group.has_mean)
			call[i].out = gql_number(s->group.stdev);
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
    {"Stat", "count", graphql_count, GRAPHQL_MEMBER(struct shown_stat, group.count)},
    {"Stat", "mean", stat_mean, NULL},
    {"Stat", "stdev", stat_stdev, NULL},
    {"Stat", "positive", graphql_count, GRAPHQL_MEMBER(struct shown_stat, group.positive)},
    {"Stat", "neutral", graphql_count, GRAPHQL_MEMBER(struct shown_stat, group.neutral)},
    {"Stat", "negative", graphql_count, GRAPHQL_MEMBER(struct shown_stat, group.negative)},
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
