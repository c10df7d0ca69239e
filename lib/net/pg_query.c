/* pg_query.c - pages of a query: each is its own statement, starting after the last row of the previous page.
 *
 * Rows with a time come first, in either direction, then those without. Each part walks an index in its order, so
 * nothing is sorted and late pages cost no more:
 *
 *     ... WHERE label = $1 AND time IS NOT NULL AND (time, id) > ($2, $3) ORDER BY time, id LIMIT 1000
 *     ... WHERE label = $1 AND time IS NULL AND id > $2 ORDER BY time, id LIMIT 1000
 *
 * In the order of ids there is one part; orders of scores have two, for which rows are sorted. No transaction is open
 * between pages. Rows are read one by one, and no more are asked for than a page may have room for, so memory holds one
 * page.
 *
 * A text is found by a regular expression, which an index of pg_trgm can serve; fold_contains has the last word.
 */
#include "lib/data/fold.h"
#include "lib/net/pg_db.h"

enum {
	ROW_BYTES = 800, /* a guess until rows have been read */
};

/* Characters of a text that a pattern has if rows are compared themselves; most bytes if they are not. */
enum { PATTERN = 64, TEXT_MOST = 1000 };
enum { PAGE_MS = 600000 }; /* a page may read many rows to find a few */

struct page_room {
	const struct filter *filter;
	struct message *out;
	size_t n, max, bytes, max_bytes;
	struct arena *mem;
	struct place after; /* the last row that was read, wanted or not */
};

static bool is_full(const struct page_room *r)
{
	return r->n == r->max || r->bytes >= r->max_bytes;
}

/* ---- the statement ---- */

void pg_limit_time(struct pg *s)
{
	char sql[96];
	snprintf(sql, sizeof sql, "SELECT set_config('statement_timeout', '%lld', true)",
	    (long long)interrupt_left(s->api.interrupt, PAGE_MS));
	pg_queue_skip(s, sql, NULL);
}

static void condition(struct buf *sql, const char *before, int parameter, const char *after)
{
	buf_printf(sql, " AND %s$%d%s", before, parameter, after);
}

static void write_conditions(struct pg *s, const struct filter *f)
{
	struct pg_args *a = &s->args;
	struct buf *sql = &s->sql;
	if (f->label.p)
		condition(sql, "m.label = ", pg_arg_str(a, f->label), " COLLATE \"C\"");
	if (f->source.p)
		condition(sql, "m.source = ", pg_arg_str(a, f->source), " COLLATE \"C\"");
	if (f->model.p)
		condition(sql, "m.model = ", pg_arg_str(a, f->model), " COLLATE \"C\"");
	if (f->not_model.p)
		condition(sql, "m.model IS DISTINCT FROM ", pg_arg_str(a, f->not_model), " COLLATE \"C\"");
	if (f->unscored)
		buf_str(sql, STR(" AND m.sentiment IS NULL"));
	if (f->scored)
		buf_str(sql, STR(" AND m.sentiment IS NOT NULL"));
	if (f->corrected)
		buf_str(sql, STR(" AND " PG_CORRECTED("m.")));
	if (f->not_corrected)
		buf_str(sql, STR(" AND " PG_CORRECTED("m.") " IS NOT TRUE"));
	if (f->has_least)
		condition(sql, "m.score >= ", pg_arg_f64(a, f->least), "");
	if (f->has_most)
		condition(sql, "m.score <= ", pg_arg_f64(a, f->most), "");
	for (size_t i = 0; i < f->nwhere; i++) {
		int name = pg_arg_str(a, f->where[i].name), value = pg_arg_str(a, f->where[i].value);
		buf_printf(sql,
		    " AND json_typeof(m.extra -> $%d) NOT IN ('object', 'array') AND m.extra ->> $%d = $%d COLLATE "
		    "\"C\"",
		    name, name, value);
	}
	if (f->text.n)
		condition(sql, "m.text ~ ", pg_arg_str(a, buf_view(&s->pattern)), "");
}

static void write_times(struct pg *s, bool since, bool until, const struct filter *f)
{
	if (since)
		condition(&s->sql, "m.time >= ", pg_arg_time(&s->args, f->since), "");
	if (until)
		condition(&s->sql, "m.time < ", pg_arg_time(&s->args, f->until), "");
}

void pg_write_filter(struct pg *s, const struct filter *f)
{
	write_conditions(s, f);
	write_times(s, f->has_since, f->has_until, f);
}

/* An index takes one bound a side: the tighter of the place and the filter's. */
static void write_timed(struct pg *s, const struct filter *f, const struct place *at)
{
	bool newest = f->order == ORDER_NEWEST;
	bool beyond = newest ? f->has_until && at->time >= f->until : f->has_since && at->time < f->since;
	bool after = at->set && at->has_time && !beyond;
	buf_str(&s->sql, STR(" AND m.time IS NOT NULL"));
	write_times(s, f->has_since && (newest || !after), f->has_until && (!newest || !after), f);
	if (after) {
		int time = pg_arg_time(&s->args, at->time), id = pg_arg_str(&s->args, at->id);
		buf_printf(&s->sql, " AND (m.time, m.id) %c ($%d, $%d COLLATE \"C\")", newest ? '<' : '>', time, id);
	}
	buf_str(&s->sql, newest ? STR(" ORDER BY m.time DESC, m.id DESC") : STR(" ORDER BY m.time, m.id"));
}

static void write_untimed(struct pg *s, const struct filter *f, const struct place *at)
{
	bool newest = f->order == ORDER_NEWEST;
	buf_str(&s->sql, STR(" AND m.time IS NULL"));
	if (at->set && !at->has_time)
		condition(&s->sql, newest ? "m.id < " : "m.id > ", pg_arg_str(&s->args, at->id), " COLLATE \"C\"");
	/* time, the same in all rows, names the index's order. */
	buf_str(&s->sql, newest ? STR(" ORDER BY m.time DESC, m.id DESC") : STR(" ORDER BY m.time, m.id"));
}

static void write_scored(struct pg *s, const struct filter *f, const struct place *at)
{
	bool down = f->order == ORDER_SCORE_DOWN;
	buf_str(&s->sql, STR(" AND m.score IS NOT NULL"));
	write_times(s, f->has_since, f->has_until, f);
	if (at->set) {
		int score = pg_arg_f64(&s->args, at->score), id = pg_arg_str(&s->args, at->id);
		buf_printf(&s->sql, " AND (m.score, m.id) %c ($%d, $%d COLLATE \"C\")", down ? '<' : '>', score, id);
	}
	buf_str(&s->sql, down ? STR(" ORDER BY m.score DESC, m.id DESC") : STR(" ORDER BY m.score, m.id"));
}

static void write_unscored(struct pg *s, const struct filter *f, const struct place *at)
{
	bool down = f->order == ORDER_SCORE_DOWN;
	buf_str(&s->sql, STR(" AND m.score IS NULL"));
	write_times(s, f->has_since, f->has_until, f);
	if (at->set && !at->has_score)
		condition(&s->sql, down ? "m.id < " : "m.id > ", pg_arg_str(&s->args, at->id), " COLLATE \"C\"");
	buf_str(&s->sql, down ? STR(" ORDER BY m.id DESC") : STR(" ORDER BY m.id"));
}

static void write_by_id(struct pg *s, const struct filter *f, const struct place *at)
{
	write_times(s, f->has_since, f->has_until, f);
	if (at->set)
		condition(&s->sql, "m.id > ", pg_arg_str(&s->args, at->id), " COLLATE \"C\"");
	buf_str(&s->sql, STR(" ORDER BY m.id"));
}

typedef void write_part(struct pg *s, const struct filter *f, const struct place *at);

/* ---- a page ---- */

/* How many rows to ask for. */
static size_t wanted_rows(const struct pg *s, const struct page_room *room)
{
	size_t left = room->max - room->n, fit = (room->max_bytes - room->bytes) / s->row_bytes + 1;
	return fit < left ? fit : left;
}

static void take_row(struct pg *s, const PGresult *r, struct page_room *room)
{
	struct message *m = &room->out[room->n];
	size_t bytes = pg_message(r, 0, 0, m, room->mem);
	/* Each new row weighs half, so that one page of large rows is enough to ask for fewer. */
	s->row_bytes = (s->row_bytes + bytes) / 2;
	room->after = place_after(m);
	if (room->filter->text.n && !fold_contains(m->text, buf_view(&s->folded), &s->scratch))
		return;
	room->n++;
	room->bytes += bytes;
}

/* Reads the rows of one statement; *rows counts all, even those without room. */
static int read_rows(struct pg *s, struct page_room *room, size_t *rows, struct err *e)
{
	PGresult *r;
	*rows = 0;
	if (pg_rows(s, e) != PG_OK)
		return s->outcome;
	while ((r = pg_row(s, e))) {
		if (!is_full(room))
			take_row(s, r, room);
		++*rows;
		PQclear(r);
	}
	return s->outcome == PG_OK ? pg_end(s, e) : s->outcome;
}

static int ask(struct pg *s, struct page_room *room, write_part *part, size_t limit, size_t *rows, struct err *e)
{
	pg_args_clear(&s->args);
	buf_clear(&s->sql);
	buf_str(&s->sql, STR("SELECT " PG_MESSAGE " FROM senti.message m WHERE true"));
	write_conditions(s, room->filter);
	part(s, room->filter, &room->after);
	buf_printf(&s->sql, " LIMIT %zu", limit);
	buf_char(&s->sql, 0);
	pg_limit_time(s);
	pg_queue(s, s->sql.p, &s->args);
	pg_sync(s);
	return read_rows(s, room, rows, e);
}

/* Reads until the page is full or the part ends. */
static int read_part(struct pg *s, struct page_room *room, write_part *part, struct err *e)
{
	while (!is_full(room)) {
		size_t limit = wanted_rows(s, room), rows;
		if (ask(s, room, part, limit, &rows, e) != PG_OK)
			return s->outcome;
		if (rows < limit)
			break;
	}
	return PG_OK;
}

/* After a failure, the next try continues after the page's last row. */
static int page(struct pg *s, void *arg, struct err *e)
{
	struct page_room *room = arg;
	const struct filter *f = room->filter;
	if (f->order == ORDER_ID)
		return read_part(s, room, write_by_id, e);
	if (f->order == ORDER_SCORE_UP || f->order == ORDER_SCORE_DOWN)
		return (!room->after.set || room->after.has_score) && read_part(s, room, write_scored, e) != PG_OK
			   ? s->outcome
			   : read_part(s, room, write_unscored, e);
	if ((!room->after.set || room->after.has_time) && read_part(s, room, write_timed, e) != PG_OK)
		return s->outcome;
	return f->has_since || f->has_until ? PG_OK : read_part(s, room, write_untimed, e);
}

static void prepare_text(struct pg *s, struct str text)
{
	if (s->folded.n && str_eq(text, buf_view(&s->wanted)))
		return;
	buf_clear(&s->wanted);
	buf_clear(&s->folded);
	buf_clear(&s->pattern);
	buf_str(&s->wanted, text);
	fold_text(&s->folded, text);
	pg_pattern(&s->pattern, buf_view(&s->folded), PATTERN);
}

int pg_look_for(struct pg *s, const struct filter *f, struct err *e)
{
	buf_clear(&s->wanted);
	buf_clear(&s->folded);
	buf_clear(&s->pattern);
	if (f->text.n > TEXT_MOST)
		return err_set(e, ERR_USAGE, "a text of at most %d bytes can be looked for here", TEXT_MOST);
	if (f->text.n)
		fold_text(&s->folded, f->text);
	pg_pattern(&s->pattern, buf_view(&s->folded), SIZE_MAX);
	buf_clear(&s->folded); /* the next query folds its own */
	return 0;
}

int pg_query(struct store *store, const struct filter *f, struct message *out, size_t max, size_t max_bytes,
    struct arena *mem, struct err *e)
{
	struct pg *s = (struct pg *)store;
	struct page_room room = {
	    .filter = f, .out = out, .max = max, .max_bytes = max_bytes, .mem = mem, .after = f->after};
	if (interrupt_check(s->api.interrupt, e) < 0)
		return -1;
	if (s->row_bytes == 0)
		s->row_bytes = ROW_BYTES;
	if (f->text.n)
		prepare_text(s, f->text);
	return pg_run(s, "query", page, &room, e) < 0 ? -1 : (int)room.n;
}
