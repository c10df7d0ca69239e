/* pg_stats.c - groups of messages: each page is a statement that groups what a subquery has found; and samples.
 *
 * Periods of a time zone come from a table of its clocks (lib/base/zone.h) that goes with the statement, so that they
 * are the same as everywhere, whatever zones the server knows:
 *
 *     SELECT ... FROM (SELECT ..., sec, width_bucket(sec, $1) AS span FROM ...) ...   sec + $2[span] is local
 */
#include "lib/net/group_sql.h"
#include "lib/net/pg_db.h"

struct group_page {
	const struct stats_question *question;
	struct stats_group *out;
	size_t n, max;
	struct arena *mem;
};

static void write_key(struct pg *s, const struct stats_question *q, size_t i)
{
	static const char *const column[] = {
	    [STATS_LABEL] = "m.label", [STATS_SOURCE] = "m.source", [STATS_MODEL] = "m.model"};
	enum stats_key key = q->by[i].key;
	if (key >= STATS_TIME)
		return;
	if (key != STATS_MEMBER) {
		buf_printf(&s->sql, ", %s AS k%zu", column[key], i);
		return;
	}
	int name = pg_arg_str(&s->args, q->by[i].member);
	buf_printf(&s->sql,
	    ", CASE WHEN json_typeof(m.extra -> $%d) NOT IN ('object', 'array') THEN m.extra ->> $%d END COLLATE \"C\" "
	    "AS k%zu",
	    name, name, i);
}

/* The messages, with their keys but the period. */
static void write_messages(struct pg *s, const struct stats_question *q)
{
	bool period = stats_period(q) < q->nby;
	buf_str(&s->sql, STR("SELECT m.label, m.score"));
	for (size_t i = 0; i < q->nby; i++)
		write_key(s, q, i);
	if (period)
		buf_str(&s->sql, STR(", floor(extract(epoch FROM m.time) * 1000)::bigint AS ms"
				     ", floor(extract(epoch FROM m.time))::bigint AS sec"));
	buf_str(&s->sql, STR(" FROM senti.message m WHERE true"));
	pg_write_filter(s, q->filter);
	if (period)
		buf_str(&s->sql, STR(" AND m.time IS NOT NULL"));
}

/* Parameters that hold the zone: when its spans begin, and their offsets. */
struct zone_args {
	int from, offset;
};

#define FLOOR(x, by) "floor((" x ")::float8 / " by ")::bigint"
#define IN_HOUR "((%s) %% 3600 + 3600) %% 3600"

/* The number of the period, as stats_period_at has it; `local` is the local second. */
static void write_period(struct buf *sql, const struct stats_question *q, const char *local, const struct zone_args *a)
{
	switch (q->by[stats_period(q)].key) {
	case STATS_HOUR:
		/* Clocks may have changed within the hour. */
		if (q->zone)
			buf_printf(sql, "sec - least(" IN_HOUR ", folded - ($%d)[span])", local, a->from);
		else
			buf_printf(sql, "sec - " IN_HOUR, local);
		break;
	case STATS_DAY:
		buf_printf(sql, FLOOR("%s", "86400"), local);
		break;
	case STATS_WEEK: /* 1970-01-01 was a Thursday */
		buf_printf(sql, FLOOR("%s + 259200", "604800"), local);
		break;
	case STATS_MONTH:
		buf_printf(sql,
		    "(extract(year FROM date '1970-01-01' + " FLOOR(
			"%s", "86400") "::int) * 12 + "
				       "extract(month FROM date '1970-01-01' + " FLOOR(
					   "%s", "86400") "::int))::bigint - 23641",
		    local, local);
		break;
	default:
		buf_printf(sql, FLOOR("ms", "%lld"), (long long)stats_step_of(q));
	}
}

static void write_columns(struct pg *s, const struct stats_question *q, const struct zone_args *a)
{
	char local[40] = "sec";
	if (q->zone)
		snprintf(local, sizeof local, "sec + ($%d)[span]", a->offset);
	for (size_t i = 0; i < q->nby; i++) {
		if (q->by[i].key >= STATS_TIME)
			write_period(&s->sql, q, local, a);
		else
			buf_printf(&s->sql, "k%zu", i);
		buf_printf(&s->sql, " AS k%zu, ", i);
	}
	buf_str(&s->sql, STR("count(*) AS n, avg(score), count(*) FILTER (WHERE label = 'positive'),"
			     " count(*) FILTER (WHERE label = 'neutral'), count(*) FILTER (WHERE label = 'negative'),"
			     " stddev_pop(score)"));
}

static int write_place(struct pg *s, const struct stats_question *q)
{
	int first = pg_arg_i64(&s->args, stats_period(q) < q->nby ? stats_period_at(q, q->after.start) : 0);
	pg_arg_i64(&s->args, (int64_t)q->after.count);
	for (size_t i = 0; i < q->nby; i++)
		pg_arg_str(&s->args, q->after.key[i]);
	return first;
}

static void write_statement(struct pg *s, const struct stats_question *q, size_t max)
{
	const struct zone *z = stats_period(q) < q->nby ? q->zone : NULL;
	struct zone_args a = {0};
	pg_args_clear(&s->args);
	buf_clear(&s->sql);
	if (z) {
		a.from = pg_arg_i64s(&s->args, &z->span[0].from, z->n, sizeof *z->span);
		a.offset = pg_arg_i64s(&s->args, &z->span[0].offset, z->n, sizeof *z->span);
	}
	int first = q->has_after ? write_place(s, q) : 0;
	buf_str(&s->sql, STR("SELECT * FROM (SELECT "));
	write_columns(s, q, &a);
	buf_str(&s->sql, STR(" FROM ("));
	if (z)
		buf_printf(&s->sql,
		    "SELECT *, width_bucket(folded, $%d) AS span FROM (SELECT *, CASE WHEN sec < %lld THEN sec "
		    "ELSE sec - ((sec - %lld) / %lld + 1) * %lld END AS folded FROM (",
		    a.from, (long long)z->end, (long long)z->end, (long long)ZONE_CYCLE, (long long)ZONE_CYCLE);
	write_messages(s, q);
	buf_str(&s->sql, z ? STR(") AS m) AS m) AS m") : STR(") AS m"));
	for (size_t i = 0; i < q->nby; i++)
		buf_printf(&s->sql, i ? ", %zu" : " GROUP BY %zu", i + 1);
	buf_str(&s->sql, STR(") AS g WHERE "));
	group_sql_after(&s->sql, q, '$', first);
	group_sql_order(&s->sql, q);
	buf_printf(&s->sql, " LIMIT %zu", max);
	buf_char(&s->sql, 0);
}

static void take_group(void *arg, const PGresult *r, int row)
{
	struct group_page *g = arg;
	const struct stats_question *q = g->question;
	struct stats_group *to = &g->out[g->n++];
	int at = (int)q->nby;
	*to = (struct stats_group){.count = (uint64_t)pg_i64(r, row, at),
	    .has_mean = !PQgetisnull(r, row, at + 1),
	    .positive = (uint64_t)pg_i64(r, row, at + 2),
	    .neutral = (uint64_t)pg_i64(r, row, at + 3),
	    .negative = (uint64_t)pg_i64(r, row, at + 4)};
	for (int i = 0; i < at; i++)
		if (q->by[i].key >= STATS_TIME)
			to->start = stats_period_start(q, pg_i64(r, row, i));
		else if (!PQgetisnull(r, row, i))
			to->key[i] = arena_str(g->mem, pg_str(r, row, i));
	if (!to->has_mean)
		return;
	to->mean = pg_f64(r, row, at + 1);
	to->stdev = pg_f64(r, row, at + 5);
}

/* Runs the statement of s->sql and gives each row to `take`. */
static int each_row(struct pg *s, void (*take)(void *arg, const PGresult *, int row), void *arg, struct err *e)
{
	pg_limit_time(s);
	pg_queue(s, s->sql.p, &s->args);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	for (int row = 0; row < PQntuples(r); row++)
		take(arg, r, row);
	PQclear(r);
	return pg_end(s, e);
}

static int aggregate(struct pg *s, void *arg, struct err *e)
{
	struct group_page *g = arg;
	g->n = 0;
	write_statement(s, g->question, g->max);
	return each_row(s, take_group, g, e);
}

int pg_aggregate(struct store *store, const struct stats_question *q, struct stats_group *out, size_t max,
    struct arena *mem, struct err *e)
{
	struct group_page g = {.question = q, .out = out, .max = max, .mem = mem};
	if (interrupt_check(store->interrupt, e) < 0 || pg_look_for((struct pg *)store, q->filter, e) < 0)
		return -1;
	return pg_run((struct pg *)store, "query", aggregate, &g, e) < 0 ? -1 : (int)g.n;
}

struct drawn {
	const struct filter *filter;
	struct str *id;
	size_t n, max;
	struct arena *mem;
};

static void take_id(void *arg, const PGresult *r, int row)
{
	struct drawn *d = arg;
	d->id[d->n++] = arena_str(d->mem, pg_str(r, row, 0));
}

static int draw(struct pg *s, void *arg, struct err *e)
{
	struct drawn *d = arg;
	d->n = 0;
	pg_args_clear(&s->args);
	buf_clear(&s->sql);
	buf_str(&s->sql, STR("SELECT m.id FROM senti.message m WHERE true"));
	pg_write_filter(s, d->filter);
	buf_printf(&s->sql, " ORDER BY random() LIMIT %zu", d->max);
	buf_char(&s->sql, 0);
	return each_row(s, take_id, d, e);
}

int pg_sample(struct store *store, const struct filter *f, struct str *id, size_t max, struct arena *mem, struct err *e)
{
	struct drawn d = {.filter = f, .id = id, .max = max, .mem = mem};
	if (interrupt_check(store->interrupt, e) < 0 || pg_look_for((struct pg *)store, f, e) < 0)
		return -1;
	return pg_run((struct pg *)store, "query", draw, &d, e) < 0 ? -1 : (int)d.n;
}
