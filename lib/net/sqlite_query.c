/* sqlite_query.c - pages of a query: each is its own statement, starting after the last row of the previous page.
 *
 * Rows with a time come first, in either direction, then those without. Each part walks an index in its order, so
 * nothing is sorted and late pages cost no more:
 *
 *     ... WHERE label = ? AND time IS NOT NULL AND (time, id) > (?, ?) ORDER BY time, id LIMIT ?
 *     ... WHERE label = ? AND time IS NULL AND id > ? ORDER BY id LIMIT ?
 *
 * In the order of ids there is one part; orders of scores have two, for which rows are sorted.
 *
 * No transaction is open between pages: a slow reader blocks neither writers nor checkpoints.
 */
#include "lib/data/fold.h"
#include "lib/net/sqlite_db.h"

enum { PROGRESS_STEPS = 1000 }; /* of SQLite's virtual machine, between two looks at the interrupt */

static void sql_contains(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	struct sqlite *s = sqlite3_user_data(ctx);
	const char *p = (const char *)sqlite3_value_text(v[0]);
	struct str text = {p, p ? (size_t)sqlite3_value_bytes(v[0]) : 0};
	sqlite3_result_int(ctx, p && fold_contains(text, buf_view(&s->folded), &s->scratch));
}

struct str sql_argument(sqlite3_value *v)
{
	const char *p = (const char *)sqlite3_value_text(v);
	return (struct str){p, p ? (size_t)sqlite3_value_bytes(v) : 0};
}

/* senti_member(extra, name) */
static void sql_member(sqlite3_context *ctx, int n, sqlite3_value **v)
{
	(void)n;
	struct sqlite *s = sqlite3_user_data(ctx);
	struct str extra = sql_argument(v[0]);
	arena_reset(&s->members);
	if (extra.p)
		extra = message_member(json_padded(&s->members, extra), sql_argument(v[1]), &s->scan, &s->members);
	if (extra.p)
		sqlite3_result_text(ctx, extra.p, (int)extra.n, SQLITE_TRANSIENT);
}

int sqlite_query_open(struct sqlite *s, struct err *e)
{
	if (sqlite3_create_function_v2(s->db, "senti_contains", 1, SQLITE_UTF8, s, sql_contains, NULL, NULL, NULL) !=
		SQLITE_OK ||
	    sqlite3_create_function_v2(s->db, "senti_member", 2, SQLITE_UTF8, s, sql_member, NULL, NULL, NULL) !=
		SQLITE_OK)
		return sql_fail(s, "open", e);
	return sqlite_stats_open(s, e);
}

static void page_close(struct page_statement *p)
{
	sqlite3_finalize(p->stmt);
	buf_free(&p->sql);
}

void sqlite_query_close(struct sqlite *s)
{
	page_close(&s->timed);
	page_close(&s->untimed);
}

static void add(struct buf *sql, bool wanted, const char *text)
{
	if (wanted)
		buf_str(sql, str_of(text));
}

static void write_conditions(struct buf *sql, const struct filter *f)
{
	add(sql, f->label.p, " AND label = ?1");
	add(sql, f->source.p, " AND source = ?2");
	add(sql, f->model.p, " AND model = ?3");
	add(sql, f->not_model.p, " AND model IS NOT ?4");
	add(sql, f->unscored, " AND sentiment IS NULL");
	add(sql, f->scored, " AND sentiment IS NOT NULL");
	add(sql, f->corrected, " AND " IS_CORRECTED(""));
	add(sql, f->not_corrected, " AND NOT " IS_CORRECTED(""));
	add(sql, f->has_least, " AND score >= ?13");
	add(sql, f->has_most, " AND score <= ?14");
	for (size_t i = 0; i < f->nwhere; i++)
		buf_printf(
		    sql, " AND senti_member(extra, ?%zu) = ?%zu", BIND_MEMBERS + 2 * i, BIND_MEMBERS + 2 * i + 1);
	add(sql, f->text.p, " AND senti_contains(text)");
}

void sqlite_write_filter(struct buf *sql, const struct filter *f)
{
	write_conditions(sql, f);
	add(sql, f->has_since, " AND time >= ?6");
	add(sql, f->has_until, " AND time < ?7");
}

/* Where the rows with a time begin and end. An index takes one bound a side: the tighter of the place and the filter's.
 */
struct range {
	bool from, to, after;
};

static struct range range_of(const struct filter *f)
{
	bool newest = f->order == ORDER_NEWEST;
	bool beyond = newest ? f->has_until && f->after.time >= f->until : f->has_since && f->after.time < f->since;
	bool after = f->after.set && f->after.has_time && !beyond;
	return (struct range){
	    .from = f->has_since && (newest || !after), .to = f->has_until && (!newest || !after), .after = after};
}

static void write_timed(struct buf *sql, const struct filter *f)
{
	struct range r = range_of(f);
	bool newest = f->order == ORDER_NEWEST;
	add(sql, true, "SELECT " MESSAGE_COLUMNS " FROM message WHERE time IS NOT NULL");
	write_conditions(sql, f);
	add(sql, r.from, " AND time >= ?6");
	add(sql, r.to, " AND time < ?7");
	add(sql, r.after, newest ? " AND (time, id) < (?8, ?9)" : " AND (time, id) > (?8, ?9)");
	add(sql, true, newest ? " ORDER BY time DESC, id DESC LIMIT ?10" : " ORDER BY time, id LIMIT ?10");
}

static void write_untimed(struct buf *sql, const struct filter *f)
{
	bool newest = f->order == ORDER_NEWEST;
	add(sql, true, "SELECT " MESSAGE_COLUMNS " FROM message WHERE time IS NULL");
	write_conditions(sql, f);
	add(sql, f->after.set && !f->after.has_time, newest ? " AND id < ?9" : " AND id > ?9");
	add(sql, true, newest ? " ORDER BY id DESC LIMIT ?10" : " ORDER BY id LIMIT ?10");
}

static void write_by_id(struct buf *sql, const struct filter *f)
{
	add(sql, true, "SELECT " MESSAGE_COLUMNS " FROM message WHERE true");
	sqlite_write_filter(sql, f);
	add(sql, f->after.set, " AND id > ?9");
	add(sql, true, " ORDER BY id LIMIT ?10");
}

static void write_scored(struct buf *sql, const struct filter *f)
{
	bool down = f->order == ORDER_SCORE_DOWN;
	add(sql, true, "SELECT " MESSAGE_COLUMNS " FROM message WHERE score IS NOT NULL");
	sqlite_write_filter(sql, f);
	add(sql, f->after.set, down ? " AND (score, id) < (?15, ?9)" : " AND (score, id) > (?15, ?9)");
	add(sql, true, down ? " ORDER BY score DESC, id DESC LIMIT ?10" : " ORDER BY score, id LIMIT ?10");
}

static void write_unscored(struct buf *sql, const struct filter *f)
{
	bool down = f->order == ORDER_SCORE_DOWN;
	add(sql, true, "SELECT " MESSAGE_COLUMNS " FROM message WHERE score IS NULL");
	sqlite_write_filter(sql, f);
	add(sql, f->after.set && !f->after.has_score, down ? " AND id < ?9" : " AND id > ?9");
	add(sql, true, down ? " ORDER BY id DESC LIMIT ?10" : " ORDER BY id LIMIT ?10");
}

/* The statement of the text in s->sql; the last page's is reused if it is the same. */
static sqlite3_stmt *prepared_page(struct sqlite *s, struct page_statement *p, struct err *e)
{
	if (p->stmt && str_eq(buf_view(&p->sql), buf_view(&s->sql)))
		return p->stmt;
	sqlite3_finalize(p->stmt);
	p->stmt = NULL;
	buf_clear(&p->sql);
	buf_str(&p->sql, buf_view(&s->sql));
	if (sqlite3_prepare_v2(s->db, s->sql.p, (int)s->sql.n, &p->stmt, NULL) != SQLITE_OK)
		sql_fail(s, "query", e);
	return p->stmt;
}

void sqlite_bind_filter(sqlite3_stmt *q, const struct filter *f, size_t max)
{
	/* Binding a parameter that the statement lacks fails harmlessly. */
	sql_bind(q, BIND_LABEL, f->label);
	sql_bind(q, BIND_SOURCE, f->source);
	sql_bind(q, BIND_MODEL, f->model);
	sql_bind(q, BIND_NOT_MODEL, f->not_model);
	sql_bind_time(q, BIND_FROM, f->has_since, f->since);
	sql_bind_time(q, BIND_TO, f->has_until, f->until);
	sql_bind_time(q, BIND_TIME, f->after.set && f->after.has_time, f->after.time);
	sql_bind(q, BIND_ID, f->after.set ? f->after.id : STR_NONE);
	sqlite3_bind_int64(q, BIND_LIMIT, (sqlite3_int64)max);
	sqlite3_bind_double(q, BIND_LEAST, f->least);
	sqlite3_bind_double(q, BIND_MOST, f->most);
	sqlite3_bind_double(q, BIND_SCORE, f->after.score);
	for (size_t i = 0; i < f->nwhere; i++) {
		sql_bind(q, BIND_MEMBERS + 2 * (int)i, f->where[i].name);
		sql_bind(q, BIND_MEMBERS + 2 * (int)i + 1, f->where[i].value);
	}
}

struct page_rows {
	struct message *out;
	size_t n, max, bytes, max_bytes;
	struct arena *mem;
};

static bool is_full(const struct page_rows *r)
{
	return r->n == r->max || r->bytes >= r->max_bytes;
}

static int on_progress(void *arg)
{
	return interrupt_due(arg);
}

void sql_watch(struct sqlite *s)
{
	if (s->api.interrupt)
		sqlite3_progress_handler(s->db, PROGRESS_STEPS, on_progress, s->api.interrupt);
}

void sql_unwatch(struct sqlite *s)
{
	if (s->api.interrupt)
		sqlite3_progress_handler(s->db, 0, NULL, NULL);
}

static int run_page(
    struct sqlite *s, struct page_statement *p, const struct filter *f, struct page_rows *room, struct err *e)
{
	sqlite3_stmt *q = prepared_page(s, p, e);
	if (!q)
		return -1;
	sqlite_bind_filter(q, f, room->max - room->n);
	int step = SQLITE_ROW;
	sql_watch(s);
	while (!is_full(room) && (step = sqlite3_step(q)) == SQLITE_ROW)
		room->bytes += sql_message(q, &room->out[room->n++], room->mem);
	int rc = step == SQLITE_ROW || step == SQLITE_DONE ? 0 : sql_fail(s, "query", e);
	sql_unwatch(s);
	sqlite3_reset(q);
	return rc;
}

void sqlite_look_for(struct sqlite *s, const struct filter *f)
{
	buf_clear(&s->folded);
	if (f->text.p)
		fold_text(&s->folded, f->text);
}

int sqlite_query(struct store *store, const struct filter *f, struct message *out, size_t max, size_t max_bytes,
    struct arena *mem, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	struct page_rows room = {.out = out, .max = max, .max_bytes = max_bytes, .mem = mem};
	if (interrupt_check(s->api.interrupt, e) < 0 || sql_in_place(s, e) < 0)
		return -1;
	sqlite_look_for(s, f);
	buf_clear(&s->sql);
	if (f->order == ORDER_ID) {
		write_by_id(&s->sql, f);
		return run_page(s, &s->timed, f, &room, e) < 0 ? -1 : (int)room.n;
	}
	bool scores = f->order == ORDER_SCORE_UP || f->order == ORDER_SCORE_DOWN;
	if (!f->after.set || (scores ? f->after.has_score : f->after.has_time)) {
		(scores ? write_scored : write_timed)(&s->sql, f);
		if (run_page(s, &s->timed, f, &room, e) < 0)
			return -1;
	}
	if (!is_full(&room) && (scores || (!f->has_since && !f->has_until))) {
		buf_clear(&s->sql);
		(scores ? write_unscored : write_untimed)(&s->sql, f);
		if (run_page(s, &s->untimed, f, &room, e) < 0)
			return -1;
	}
	return (int)room.n;
}
