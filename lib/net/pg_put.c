/* pg_put.c - the upsert of a batch: one INSERT ... ON CONFLICT over arrays, its rows in the order of their ids.
 *
 * All processes use this order, so those that put the same messages wait for each other without deadlock. An equal row
 * is locked but not touched, and RETURNING omits it; its version is read back in the same transaction, where it cannot
 * change.
 *
 * COPY to a staging table and a merge were measured and are not faster for any batch size: the time goes into indexes
 * and triggers, and staging writes every row twice.
 */
#include "lib/net/pg_db.h"

#define STATE "m.version, m.label"
#define SAME_TEXT "m.text = excluded.text"
#define KEEP(column)                                                                                                   \
	column " = CASE WHEN excluded.sentiment IS NULL AND " SAME_TEXT " THEN m." column " ELSE excluded." column     \
	       " END"

/* A person's label stays while the text does; so does the result if the new record has none. */
static const char upsert[] =
    "INSERT INTO senti.message AS m (id, text, source, time, label, score, model, sentiment, extra)"
    " SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::float8[], $7::text[],"
    " $8::json[], $9::json[])"
    " ON CONFLICT (id) DO UPDATE SET text = excluded.text, source = excluded.source, time = excluded.time,"
    " extra = excluded.extra, label = CASE WHEN " SAME_TEXT
    " AND (excluded.sentiment IS NULL OR " PG_CORRECTED("m.") ") THEN m.label ELSE excluded.label END, " KEEP(
	"score") ", " KEEP("model") ", " KEEP("sentiment") " WHERE (m.text, m.source, m.time, m.extra::text)"
							   " IS DISTINCT FROM (excluded.text, excluded.source, "
							   "excluded.time, excluded.extra::text)"
							   " OR (excluded.sentiment IS NOT NULL AND ((m.score, "
							   "m.model, m.sentiment::text)"
							   " IS DISTINCT FROM (excluded.score, excluded.model, "
							   "excluded.sentiment::text) OR m.label IS NULL))"
							   " RETURNING m.id, " STATE;

struct pg_upsert {
	struct message **m; /* in the order of their ids */
	size_t n;
	struct message **rest; /* those that RETURNING omits */
	size_t nrest;
	struct arena *mem;
};

static int by_id(const void *a, const void *b)
{
	return str_cmp((*(struct message *const *)a)->id, (*(struct message *const *)b)->id);
}

static void queue_upsert(struct pg *s, const struct pg_upsert *p)
{
	struct pg_args *a = &s->args;
	pg_args_clear(a);
	PG_IDS(a, p->m, p->n);
	pg_arg_strs(a, PG_TEXT, p->m, p->n, offsetof(struct message, text));
	pg_arg_strs(a, PG_TEXT, p->m, p->n, offsetof(struct message, source));
	pg_arg_times(a, p->m, p->n);
	pg_arg_strs(a, PG_TEXT, p->m, p->n, offsetof(struct message, label));
	pg_arg_scores(a, p->m, p->n);
	pg_arg_strs(a, PG_TEXT, p->m, p->n, offsetof(struct message, model));
	pg_arg_strs(a, PG_JSON, p->m, p->n, offsetof(struct message, sentiment));
	pg_arg_strs(a, PG_JSON, p->m, p->n, offsetof(struct message, extra));
	pg_queue(s, upsert, a);
}

static void take_state(const PGresult *r, int row, int column, struct message *m, struct arena *mem)
{
	message_put(m, (uint64_t)pg_i64(r, row, column), pg_str(r, row, column + 1), mem);
}

/* Merges both in their common order. */
static void take_versions(struct pg_upsert *p, const PGresult *r)
{
	int row = 0, rows = PQntuples(r);
	for (size_t i = 0; i < p->n; i++) {
		struct message *m = p->m[i];
		if (row < rows && str_eq(pg_str(r, row, 0), m->id)) {
			take_state(r, row++, 1, m, p->mem);
			m->fate = MESSAGE_STORED;
		} else {
			m->fate = MESSAGE_REFUSED; /* unless its row is found below */
			p->rest[p->nrest++] = m;
		}
	}
}

/* A user's AFTER trigger may have changed rows after RETURNING: then each is read back whole. */
static bool has_other_triggers(const PGresult *r)
{
	return pg_bool(r, 0, 0);
}

#define BACK(columns)                                                                                                  \
	"SELECT d.n, " STATE columns " FROM unnest($1::text[]) WITH ORDINALITY AS d (id, n)"                           \
	" JOIN senti.message m ON m.id = d.id COLLATE \"C\""

static int read_back(struct pg *s, struct pg_upsert *p, bool whole, struct err *e)
{
	struct message *const *m = whole ? p->m : p->rest;
	pg_args_clear(&s->args);
	PG_IDS(&s->args, m, whole ? p->n : p->nrest);
	pg_queue(s, whole ? BACK(", " PG_MESSAGE) : BACK(""), &s->args);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	for (int row = 0; row < PQntuples(r); row++) {
		struct message *found = m[pg_i64(r, row, 0) - 1], all;
		take_state(r, row, 1, found, p->mem);
		if (whole) {
			pg_message(r, row, 3, &all, p->mem);
			message_take_row(found, &all);
		}
		if (found->fate == MESSAGE_REFUSED)
			found->fate = MESSAGE_UNCHANGED;
	}
	PQclear(r);
	for (size_t i = 0; i < p->nrest; i++)
		if (p->rest[i]->fate == MESSAGE_REFUSED)
			p->rest[i]->why = arena_str(p->mem, STR("a trigger of the database ignores the row"));
	return pg_end(s, e);
}

static int put(struct pg *s, void *arg, struct err *e)
{
	struct pg_upsert *p = arg;
	p->nrest = 0;
	pg_begin(s);
	pg_queue(s,
	    "SELECT EXISTS (SELECT FROM pg_catalog.pg_trigger WHERE tgrelid = 'senti.message'::regclass AND NOT "
	    "tgisinternal"
	    " AND tgname NOT LIKE 'senti\\_%')",
	    NULL);
	queue_upsert(s, p);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	bool others = has_other_triggers(r);
	PQclear(r);
	r = pg_result(s, e);
	if (!r)
		return s->outcome;
	take_versions(p, r);
	PQclear(r);
	if (pg_end(s, e) != PG_OK)
		return s->outcome;
	if (others || p->nrest)
		return read_back(s, p, others, e);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	return pg_end(s, e);
}

int pg_put(struct store *store, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	struct pg_upsert p = {.n = n, .mem = mem};
	p.m = arena_alloc(mem, n * sizeof *p.m);
	p.rest = arena_alloc(mem, n * sizeof *p.rest);
	memcpy(p.m, m, n * sizeof *p.m);
	sort(p.m, n, sizeof *p.m, by_id);
	return pg_try((struct pg *)store, "store into", put, &p, e);
}
