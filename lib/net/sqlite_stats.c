/* sqlite_stats.c - groups of messages: each page is a statement over a subquery that groups; and samples. */
#include <math.h>

#include "lib/net/group_sql.h"
#include "lib/net/sqlite_db.h"

/* Parameters after those of the filter. */
enum { BIND_NAMES = BIND_END, BIND_PLACE = BIND_NAMES + STATS_KEYS };

/* senti_period(time) */
static void sql_period(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	const struct sqlite *s = sqlite3_user_data(ctx);
	int64_t ms;
	if (s->question && time_parse(sql_argument(v[0]), &ms) == 0)
		sqlite3_result_int64(ctx, stats_period_at(s->question, ms));
}

int sqlite_stats_open(struct sqlite *s, struct err *e)
{
	return sqlite3_create_function_v2(s->db, "senti_period", 1, SQLITE_UTF8, s, sql_period, NULL, NULL, NULL) ==
		       SQLITE_OK
		   ? 0
		   : sql_fail(s, "open", e);
}

static void write_key(struct buf *sql, const struct stats_question *q, size_t i)
{
	static const char *const column[] = {
	    [STATS_LABEL] = "label", [STATS_SOURCE] = "source", [STATS_MODEL] = "model"};
	enum stats_key key = q->by[i].key;
	if (key >= STATS_TIME)
		buf_printf(sql, "senti_period(time) AS k%zu, ", i);
	else if (key == STATS_MEMBER)
		buf_printf(sql, "senti_member(extra, ?%d) AS k%zu, ", BIND_NAMES + (int)i, i);
	else
		buf_printf(sql, "%s AS k%zu, ", column[key], i);
}

static void write_statement(struct sqlite *s, const struct stats_question *q)
{
	const struct filter *f = q->filter;
	struct buf *sql = &s->sql;
	buf_clear(sql);
	buf_str(sql, STR("SELECT * FROM (SELECT "));
	for (size_t i = 0; i < q->nby; i++)
		write_key(sql, q, i);
	buf_str(sql, STR("count(*) AS n, avg(score), sum(label IS 'positive'), sum(label IS 'neutral'),"
			 " sum(label IS 'negative'), avg(score * score) FROM message WHERE true"));
	if (stats_period(q) < q->nby)
		buf_str(sql, STR(" AND time IS NOT NULL"));
	sqlite_write_filter(sql, f);
	for (size_t i = 0; i < q->nby; i++)
		buf_printf(sql, i ? ", %zu" : " GROUP BY %zu", i + 1);
	buf_str(sql, STR(") WHERE "));
	group_sql_after(sql, q, '?', BIND_PLACE);
	group_sql_order(sql, q);
	buf_str(sql, STR(" LIMIT ?10"));
}

static void bind_question(sqlite3_stmt *stmt, const struct stats_question *q, size_t max)
{
	size_t period = stats_period(q);
	struct filter f = *q->filter;
	f.after = (struct place){0};
	sqlite_bind_filter(stmt, &f, max);
	for (size_t i = 0; i < q->nby; i++)
		sql_bind(stmt, BIND_NAMES + (int)i, q->by[i].member);
	if (!q->has_after)
		return;
	if (period < q->nby)
		sqlite3_bind_int64(stmt, BIND_PLACE, stats_period_at(q, q->after.start));
	sqlite3_bind_int64(stmt, BIND_PLACE + 1, (sqlite3_int64)q->after.count);
	for (size_t i = 0; i < q->nby; i++)
		sql_bind(stmt, BIND_PLACE + 2 + (int)i, q->after.key[i]);
}

static void take_group(sqlite3_stmt *stmt, const struct stats_question *q, struct stats_group *g, struct arena *mem)
{
	int at = (int)q->nby;
	*g = (struct stats_group){.count = (uint64_t)sqlite3_column_int64(stmt, at)};
	for (int i = 0; i < at; i++)
		if (q->by[i].key >= STATS_TIME)
			g->start = stats_period_start(q, sqlite3_column_int64(stmt, i));
		else
			g->key[i] = sql_text(stmt, i, mem);
	g->has_mean = sqlite3_column_type(stmt, at + 1) != SQLITE_NULL;
	g->mean = sqlite3_column_double(stmt, at + 1);
	g->positive = (uint64_t)sqlite3_column_int64(stmt, at + 2);
	g->neutral = (uint64_t)sqlite3_column_int64(stmt, at + 3);
	g->negative = (uint64_t)sqlite3_column_int64(stmt, at + 4);
	g->stdev = sqrt(fmax(sqlite3_column_double(stmt, at + 5) - g->mean * g->mean, 0));
}

int sqlite_aggregate(struct store *store, const struct stats_question *q, struct stats_group *out, size_t max,
    struct arena *mem, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	sqlite3_stmt *stmt = NULL;
	size_t n = 0;
	int step = SQLITE_DONE;
	if (interrupt_check(s->api.interrupt, e) < 0 || sql_in_place(s, e) < 0)
		return -1;
	sqlite_look_for(s, q->filter);
	write_statement(s, q);
	if (sqlite3_prepare_v2(s->db, s->sql.p, (int)s->sql.n, &stmt, NULL) != SQLITE_OK)
		return sql_fail(s, "query", e);
	bind_question(stmt, q, max);
	s->question = q;
	sql_watch(s);
	while (n < max && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		take_group(stmt, q, &out[n++], mem);
	int rc = step == SQLITE_ROW || step == SQLITE_DONE ? (int)n : sql_fail(s, "query", e);
	sql_unwatch(s);
	s->question = NULL;
	sqlite3_finalize(stmt);
	return rc;
}

int sqlite_sample(
    struct store *store, const struct filter *f, struct str *id, size_t max, struct arena *mem, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	sqlite3_stmt *stmt = NULL;
	struct filter all = *f;
	size_t n = 0;
	int step = SQLITE_DONE;
	if (interrupt_check(s->api.interrupt, e) < 0 || sql_in_place(s, e) < 0)
		return -1;
	all.after = (struct place){0};
	sqlite_look_for(s, f);
	buf_clear(&s->sql);
	buf_str(&s->sql, STR("SELECT id FROM message WHERE true"));
	sqlite_write_filter(&s->sql, f);
	buf_str(&s->sql, STR(" ORDER BY random() LIMIT ?10"));
	if (sqlite3_prepare_v2(s->db, s->sql.p, (int)s->sql.n, &stmt, NULL) != SQLITE_OK)
		return sql_fail(s, "query", e);
	sqlite_bind_filter(stmt, &all, max);
	sql_watch(s);
	while (n < max && (step = sqlite3_step(stmt)) == SQLITE_ROW)
		id[n++] = sql_text(stmt, 0, mem);
	int rc = step == SQLITE_ROW || step == SQLITE_DONE ? (int)n : sql_fail(s, "query", e);
	sql_unwatch(s);
	sqlite3_finalize(stmt);
	return rc;
}
