/* pg.c - the PostgreSQL store: opening, and the verbs that name messages by id. */
#include "lib/base/redact.h"
#include "lib/base/url.h"
#include "lib/net/pg_db.h"

struct rows_by_id {
	struct message *const *m;
	size_t n;
	struct arena *mem;
};

/* ---- get ---- */

#define GET                                                                                                            \
	"SELECT d.n, " PG_MESSAGE " FROM unnest($1::text[]) WITH ORDINALITY AS d (id, n)"                              \
	" JOIN senti.message m ON m.id = d.id COLLATE \"C\""

static void fill(const PGresult *r, struct message *const *m, size_t n, struct arena *mem)
{
	for (size_t i = 0; i < n; i++)
		m[i]->fate = MESSAGE_MISSING;
	for (int row = 0; row < PQntuples(r); row++)
		pg_message(r, row, 1, m[pg_i64(r, row, 0) - 1], mem);
}

static int get(struct pg *s, void *arg, struct err *e)
{
	const struct rows_by_id *w = arg;
	pg_args_clear(&s->args);
	PG_IDS(&s->args, w->m, w->n);
	pg_queue(s, GET, &s->args);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	fill(r, w->m, w->n, w->mem);
	PQclear(r);
	return pg_end(s, e);
}

static int pg_get(struct store *store, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	return n ? pg_run((struct pg *)store, "read", get, &(struct rows_by_id){m, n, mem}, e) : 0;
}

/* ---- edit ---- */

/* How many messages from here on one statement can edit: of the same kind and with different ids, since it sees each
 * row once. */
static size_t part_of(struct message *const *m, size_t n)
{
	struct map ids = {0};
	size_t i = 0;
	for (bool made = true; i < n && m[i]->remove == m[0]->remove; i++) {
		map_put(&ids, m[i]->id, &made);
		if (!made)
			break;
	}
	map_free(&ids);
	return i;
}

/* Everybody locks rows in the order of their ids, so that there is no deadlock. */
static void lock_rows(struct pg *s, const struct rows_by_id *w)
{
	pg_args_clear(&s->args);
	PG_IDS(&s->args, w->m, w->n);
	pg_queue_skip(s,
	    "SELECT FROM unnest($1::text[]) AS d (id) JOIN senti.message m ON m.id = d.id COLLATE \"C\""
	    " ORDER BY m.id FOR UPDATE OF m",
	    &s->args);
}

/* Two statements: one changes rows, the other reads them. */
static void queue_part(struct pg *s, struct message *const *m, size_t n)
{
	bool removes = m[0]->remove;
	pg_args_clear(&s->args);
	PG_IDS(&s->args, m, n);
	pg_arg_only_versions(&s->args, m, n);
	if (!removes)
		pg_arg_strs(&s->args, PG_TEXT, m, n, offsetof(struct message, label));
	pg_queue(s,
	    removes
		? "DELETE FROM senti.message m USING unnest($1::text[], $2::bigint[]) WITH ORDINALITY"
		  " AS d (id, wanted, n) WHERE m.id = d.id COLLATE \"C\" AND d.wanted IN (0, m.version) RETURNING d.n"
		: "UPDATE senti.message m SET label = d.label"
		  " FROM unnest($1::text[], $2::bigint[], $3::text[]) WITH ORDINALITY AS d (id, wanted, label, n)"
		  " WHERE m.id = d.id COLLATE \"C\" AND m.label IS DISTINCT FROM d.label COLLATE \"C\""
		  " AND d.wanted IN (0, m.version) RETURNING d.n",
	    &s->args);
	s->args.n = 1;
	pg_queue(s, GET, &s->args);
}

/* The fate of a message that was `asked` for and is now filled from its row, if there is one. */
static enum message_fate fate_of(const struct message *asked, const struct message *m, bool edited)
{
	bool there = m->fate == MESSAGE_FOUND;
	if (asked->remove)
		return edited ? MESSAGE_FOUND : there && asked->only_version ? MESSAGE_CHANGED : MESSAGE_MISSING;
	return there && !edited && asked->only_version && asked->only_version != m->version ? MESSAGE_CHANGED : m->fate;
}

/* Reads the results of queue_part into `row`. */
static int read_part(struct pg *s, struct message **row, size_t n, struct arena *mem, struct err *e)
{
	PGresult *edits = pg_result(s, e), *there = edits ? pg_result(s, e) : NULL;
	if (there) {
		struct message *asked = arena_alloc(mem, n * sizeof *asked);
		bool *edited = arena_alloc(mem, n);
		memset(edited, 0, n);
		for (int k = 0; k < PQntuples(edits); k++)
			edited[pg_i64(edits, k, 0) - 1] = true;
		for (size_t i = 0; i < n; i++)
			asked[i] = *row[i];
		fill(there, row, n, mem);
		for (size_t i = 0; i < n; i++)
			row[i]->fate = fate_of(&asked[i], row[i], edited[i]);
	}
	PQclear(edits);
	PQclear(there);
	return there ? PG_OK : s->outcome;
}

static int edit(struct pg *s, void *arg, struct err *e)
{
	const struct rows_by_id *w = arg;
	pg_begin(s);
	lock_rows(s, w);
	for (size_t i = 0, part; i < w->n; i += part) {
		part = part_of(w->m + i, w->n - i);
		queue_part(s, w->m + i, part);
	}
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	/* Results are kept apart until the commit, since another try needs the ids and labels again. */
	struct message *copy = arena_alloc(w->mem, w->n * sizeof *copy);
	struct message **row = arena_alloc(w->mem, w->n * sizeof *row);
	for (size_t i = 0; i < w->n; i++) {
		copy[i] = *w->m[i];
		row[i] = &copy[i];
	}
	for (size_t i = 0, part; i < w->n; i += part) {
		part = part_of(w->m + i, w->n - i);
		if (read_part(s, row + i, part, w->mem, e) != PG_OK)
			return s->outcome;
	}
	if (pg_end(s, e) != PG_OK)
		return s->outcome;
	for (size_t i = 0; i < w->n; i++)
		*w->m[i] = copy[i];
	return PG_OK;
}

static int pg_edit(struct store *store, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	return n ? pg_run((struct pg *)store, "change", edit, &(struct rows_by_id){m, n, mem}, e) : 0;
}

/* ---- stats ---- */

static int stats(struct pg *s, void *arg, struct err *e)
{
	struct store_stats *out = arg;
	uint64_t *const number[] = {&out->messages, &out->positive, &out->neutral, &out->negative, &out->unscored,
	    &out->corrected, &out->outbox, &out->readers, &out->version, &out->schema};
	pg_limit_time(s);
	pg_queue(s,
	    "SELECT l.*, (SELECT count(*) FROM senti.message WHERE sentiment IS NULL),"
	    " (SELECT count(*) FROM senti.message WHERE " PG_CORRECTED(
		"") "), (SELECT count(*) FROM senti.outbox), (SELECT count(*) FROM senti.reader),"
		    " (SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM senti.version),"
		    " (SELECT max(number)::bigint FROM senti.migration)"
		    " FROM (SELECT coalesce(sum(n), 0)::bigint, coalesce(sum(n) FILTER (WHERE label = 'positive'), "
		    "0)::bigint,"
		    " coalesce(sum(n) FILTER (WHERE label = 'neutral'), 0)::bigint,"
		    " coalesce(sum(n) FILTER (WHERE label = 'negative'), 0)::bigint"
		    " FROM (SELECT label, count(*) AS n FROM senti.message GROUP BY label) AS g) AS l",
	    NULL);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	for (size_t i = 0; i < COUNT_OF(number); i++)
		*number[i] = (uint64_t)pg_i64(r, 0, (int)i);
	PQclear(r);
	return pg_end(s, e);
}

static int pg_stats(struct store *store, struct store_stats *out, struct err *e)
{
	return interrupt_check(store->interrupt, e) < 0 ? -1 : pg_run((struct pg *)store, "read", stats, out, e);
}

/* ---- writable ---- */

struct only_reads {
	bool replica, setting;
};

static int ask_writable(struct pg *s, void *arg, struct err *e)
{
	struct only_reads *out = arg;
	pg_queue(s,
	    "SELECT pg_is_in_recovery()::int::bigint, (current_setting('transaction_read_only') = 'on')::int::bigint",
	    NULL);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	*out = (struct only_reads){.replica = pg_i64(r, 0, 0), .setting = pg_i64(r, 0, 1)};
	PQclear(r);
	return pg_end(s, e);
}

static int pg_writable(struct store *store, struct err *e)
{
	struct pg *s = (struct pg *)store;
	struct only_reads only;
	if (pg_run(s, "read", ask_writable, &only, e) < 0)
		return -1;
	if (only.replica)
		return err_set(e, ERR_ENV,
		    "%s is a replica, which only reads: name the primary, or all servers with "
		    "target_session_attrs=read-write",
		    s->shown);
	if (only.setting)
		return err_set(e, ERR_ENV, "%s only reads: default_transaction_read_only is on", s->shown);
	return 0;
}

/* ---- open and close ---- */

static int pg_close(struct store *store, struct err *e)
{
	struct pg *s = (struct pg *)store;
	(void)e;
	pg_drop(s);
	pg_pages_free(s);
	free(s->address);
	free(s->tool);
	free(s->shown);
	buf_free(&s->args.bytes);
	buf_free(&s->queued);
	buf_free(&s->sql);
	buf_free(&s->wanted);
	buf_free(&s->pattern);
	buf_free(&s->folded);
	buf_free(&s->scratch);
	free(s);
	return 0;
}

/* libpq's own message about an address may show parts of a password. */
static int check_address(const char *address, struct err *e)
{
	const char *start = strstr(address, "://") + 3, *end = start + strcspn(start, "/?#");
	const char *at = memchr(start, '@', (size_t)(end - start));
	if (at && memchr(at + 1, '@', (size_t)(end - at - 1)))
		return err_set(
		    e, ERR_USAGE, "the store's address has two '@' before its path: write one in a password as %%40");
	if (!at && memchr(end, '@', strcspn(end, "?#")))
		return err_set(e, ERR_USAGE,
		    "the store's address has a '/', '?' or '#' before its '@': write them in a password as %%2F, %%3F, "
		    "%%23");
	PQconninfoOption *option = PQconninfoParse(address, NULL);
	PQconninfoFree(option);
	if (option)
		return 0;
	char *shown = redact(address);
	shown[strcspn(shown, "?")] = 0;
	err_set(e, ERR_USAGE,
	    "'%s' is not an address that libpq understands; it is postgresql://user@host:port/database, other "
	    "characters "
	    "as %%XX",
	    shown);
	free(shown);
	return -1;
}

static int open_schema(struct pg *s, enum store_mode mode, struct err *e)
{
	bool made;
	int left;
	if (pg_check_schema(s, &made, &left, e) < 0)
		return -1;
	if (!made && mode != STORE_CREATE)
		return err_set(e, ERR_ENV,
		    "%s has no messages of senti's (senti-store put and migrate make the tables)", s->shown);
	if (left && mode == STORE_READ)
		return err_set(
		    e, ERR_ENV, "%s has an older schema; senti-store migrate brings it up to date", s->shown);
	return left && pg_migrate(&s->api, e) < 0 ? -1 : 0;
}

struct store *pg_open(const struct pg_conf *conf, enum store_mode mode, struct err *e)
{
	if (check_address(conf->address, e) < 0)
		return NULL;
	struct pg *s = xcalloc(1, sizeof *s);
	s->outbox = pg_outbox;
	s->api = (struct store){
	    .outbox = &s->outbox,
	    .put = pg_put,
	    .get = pg_get,
	    .query = pg_query,
	    .aggregate = pg_aggregate,
	    .edit = pg_edit,
	    .sample = pg_sample,
	    .stats = pg_stats,
	    .writable = pg_writable,
	    .migrate = pg_migrate,
	    .close = pg_close,
	};
	s->address = xstrdup(conf->address);
	s->tool = xstrdup(conf->tool);
	s->shown = xstrdup("the database");
	s->retry_ms = conf->retry_ms;
	s->retry_first = conf->retry_first;
	if (open_schema(s, mode, e) == 0)
		return &s->api;
	struct err ignored;
	pg_close(&s->api, &ignored);
	return NULL;
}
