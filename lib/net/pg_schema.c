/* pg_schema.c - the tables as numbered, built-in migrations with checksums.
 *
 * A transaction's advisory lock lets one process apply them; the others then find them applied. It works through a
 * pooler, and a killed process does not keep it.
 */
#include "lib/base/embed.h"
#include "lib/net/pg_db.h"
#include "lib/text/hash.h"

EMBED(pg_schema_1, "lib/net/pg_schema_1.sql")
EMBED(pg_schema_2, "lib/net/pg_schema_2.sql")

static const struct pg_migration {
	const char *name;
	struct str (*sql)(void);
} migrations[] = {
    {"messages, outbox, readers", pg_schema_1},
    {"scores from -1 to 1", pg_schema_2},
};

static void checksum(const struct pg_migration *m, char out[HASH_HEX])
{
	hash_text_xxh3(m->sql(), out);
}

/* Compares an applied migration with the built-in one. */
static int check_step(struct pg *s, const PGresult *r, int row, struct err *e)
{
	int64_t number = pg_i64(r, row, 0);
	if (number < 1 || number > (int64_t)COUNT_OF(migrations))
		return err_set(e, ERR_ENV, "%s has schema %lld, this senti knows %zu: use the newer senti that made it",
		    s->shown, (long long)number, COUNT_OF(migrations));
	char sum[HASH_HEX];
	checksum(&migrations[number - 1], sum);
	struct str theirs = pg_str(r, row, 1);
	if (!str_eq(theirs, (struct str){sum, HASH_HEX}))
		return err_set(e, ERR_ENV,
		    "migration %lld of %s is not the one of this senti (checksum %.*s, here %.32s): "
		    "use the senti that made it, or export it there and put it into a new store",
		    (long long)number, s->shown, STR_FMT(theirs), sum);
	return 0;
}

/* Counts the rows' migrations, all of which must be known here; or -1. */
static int check_steps(struct pg *s, const PGresult *r, struct err *e)
{
	for (int row = 0; row < PQntuples(r); row++)
		if (check_step(s, r, row, e) < 0)
			return -1;
	return PQntuples(r);
}

/* Without touching the table, which may not be there. */
#define MADE                                                                                                           \
	"SELECT EXISTS (SELECT FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"    \
	" WHERE n.nspname = 'senti' AND c.relname = 'migration')"
#define APPLIED "SELECT number::bigint, checksum FROM senti.migration ORDER BY number"

/* ---- looking ---- */

struct found {
	bool made;
	int applied;
};

static int look(struct pg *s, void *arg, struct err *e)
{
	struct found *f = arg;
	pg_queue(s, MADE, NULL);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	*f = (struct found){.made = pg_bool(r, 0, 0)};
	PQclear(r);
	if (pg_end(s, e) != PG_OK || !f->made)
		return s->outcome;
	pg_queue(s, APPLIED, NULL);
	pg_sync(s);
	r = pg_result(s, e);
	if (!r)
		return s->outcome;
	f->applied = check_steps(s, r, e);
	PQclear(r);
	struct err other;
	return pg_end(s, &other) == PG_OK && f->applied < 0 ? PG_FAILED : s->outcome;
}

int pg_check_schema(struct pg *s, bool *made, int *left, struct err *e)
{
	struct found f;
	if (pg_run(s, "open", look, &f, e) < 0)
		return -1;
	*made = f.made;
	*left = (int)COUNT_OF(migrations) - f.applied;
	return 0;
}

/* ---- applying ---- */

/* Outside of pipeline mode, so that one call may have several statements. */
static PGresult *script(struct pg *s, const char *sql, struct err *e)
{
	PGresult *r = PQexec(s->conn, sql);
	ExecStatusType status = PQresultStatus(r);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return r;
	pg_judge(s, r, e);
	PQclear(r);
	return NULL;
}

static int run_script(struct pg *s, const char *sql, struct err *e)
{
	PGresult *r = script(s, sql, e);
	PQclear(r);
	return r ? 0 : -1;
}

static int apply(struct pg *s, size_t i, struct err *e)
{
	struct buf sql = {0};
	char sum[HASH_HEX];
	checksum(&migrations[i], sum);
	buf_str(&sql, migrations[i].sql());
	buf_printf(
	    &sql, "\nINSERT INTO senti.migration VALUES (%zu, '%s', '%.*s')", i + 1, migrations[i].name, HASH_HEX, sum);
	buf_char(&sql, 0);
	int rc = run_script(s, sql.p, e);
	buf_free(&sql);
	return rc;
}

static const char *const setup = "CREATE SCHEMA IF NOT EXISTS senti;"
				 "CREATE TABLE IF NOT EXISTS senti.migration (number integer PRIMARY KEY, name text "
				 "NOT NULL, checksum text NOT NULL,"
				 " applied_at timestamptz NOT NULL DEFAULT now())";

static int applied(struct pg *s, struct err *e)
{
	/* Binary, as in all of this file. */
	PGresult *r = PQexecParams(s->conn, APPLIED, 0, NULL, NULL, NULL, NULL, 1);
	if (PQresultStatus(r) != PGRES_TUPLES_OK) {
		pg_judge(s, r, e);
		PQclear(r);
		return -1;
	}
	int n = check_steps(s, r, e);
	if (n < 0)
		s->outcome = PG_FAILED;
	PQclear(r);
	return n;
}

/* Runs in a transaction with the lock. Returns how many steps were applied. */
static int apply_all(struct pg *s, struct err *e)
{
	if (run_script(s, "SELECT pg_advisory_xact_lock(hashtextextended('senti.migration', 0))", e) < 0)
		return -1;
	/* Look first: a role that may not create tables may find that there is nothing to do. */
	PGresult *r = script(s, MADE, e);
	if (!r)
		return -1;
	bool made = *PQgetvalue(r, 0, 0) == 't';
	PQclear(r);
	if (!made && run_script(s, setup, e) < 0)
		return -1;
	int n = applied(s, e);
	for (size_t i = n < 0 ? COUNT_OF(migrations) : (size_t)n; i < COUNT_OF(migrations); i++)
		if (apply(s, i, e) < 0)
			return -1;
	return n < 0 ? -1 : (int)COUNT_OF(migrations) - n;
}

static int migrate(struct pg *s, void *arg, struct err *e)
{
	int *steps = arg;
	/* A step, or another process' step, may take long. */
	if (!PQexitPipelineMode(s->conn))
		return s->outcome = PG_LOST;
	if (run_script(s,
		"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = 0; SET LOCAL "
		"lock_timeout = 0",
		e) < 0)
		return s->outcome;
	*steps = apply_all(s, e);
	if (*steps < 0 || run_script(s, "COMMIT", e) < 0)
		return s->outcome;
	return s->outcome = PQenterPipelineMode(s->conn) ? PG_OK : PG_LOST;
}

int pg_migrate(struct store *store, struct err *e)
{
	int steps = 0;
	return pg_run((struct pg *)store, "migrate", migrate, &steps, e) < 0 ? -1 : steps;
}
