/* pg_link.c - the connection to PostgreSQL: connecting, statements in a pipeline, retries. */
#include <poll.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/pg_db.h"

enum { OLDEST = 130000, PAUSE_FIRST_MS = 50, PAUSE_MOST_MS = 2000, CONFLICT_MS = 5 };

/* Writers lock rows, so their waits for others' locks and for vanished clients are bounded. */
#define WRITE_MS "30000"

/* ---- what went wrong ---- */

static bool is(const char *state, const char *start)
{
	return strncmp(state, start, strlen(start)) == 0;
}

/* By SQLSTATE (appendix A of PostgreSQL's manual). */
static enum pg_outcome outcome_of(const char *state)
{
	static const struct {
		const char *start;
		enum pg_outcome outcome;
	} known[] = {
	    {"40", PG_CONFLICT},	       /* serialization failure, deadlock */
	    {"55P03", PG_CONFLICT},	       /* lock not available */
	    {"57014", PG_CONFLICT},	       /* statement_timeout: the row is locked */
	    {"08", PG_LOST}, {"57P", PG_LOST}, /* the server is stopping or starting */
	    {"25P03", PG_LOST},		       /* we were idle in a transaction */
	    {"53300", PG_LOST},		       /* too many connections */
	    {"25006", PG_LOST},		       /* not, or no longer, the primary */
	    {"22", PG_REFUSED},		       /* the data */
	    {"23", PG_REFUSED},		       /* constraints */
	    {"44", PG_REFUSED},		       /* WITH CHECK OPTION */
	    {"54", PG_REFUSED},		       /* too large for an index */
	    {"P0", PG_REFUSED},		       /* RAISE in a user's trigger */
	};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (is(state, known[i].start))
			return known[i].outcome;
	return PG_FAILED;
}

static const char *remedy(const char *state)
{
	static const struct {
		const char *start, *text;
	} known[] = {
	    {"42501", ": the role lacks a privilege; contrib/postgres lists those needed"},
	    {"42P01", ": its tables are not senti's; senti-store migrate makes them"},
	    {"3F000", ": senti-store migrate makes the tables"},
	    {"53100", ": make room and run it again"},
	    {"25006",
		": it is a replica, or default_transaction_read_only is on; name the primary, or all servers with "
		"target_session_attrs=read-write"},
	    {"57014", ": its rows are locked, or it is too slow"},
	};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (is(state, known[i].start))
			return known[i].text;
	return "";
}

/* Joins the lines of libpq's messages. */
static void one_line(struct buf *out, const char *text)
{
	for (const char *p = text; *p; p++)
		if (*p != '\n' && *p != '\t')
			buf_char(out, *p);
		else if (*p == '\n' && p[1])
			buf_add(out, "; ", 2);
	buf_char(out, 0);
}

static void lost(struct pg *s, const char *text, struct err *e)
{
	struct buf line = {0};
	one_line(&line, *text ? text : "the connection is lost");
	err_set(e, ERR_ENV, "cannot %s %s: %s", s->what, s->shown, line.p);
	buf_free(&line);
	s->outcome = PG_LOST;
}

void pg_judge(struct pg *s, const PGresult *r, struct err *e)
{
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);
	const char *words = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
	if (!state || PQstatus(s->conn) == CONNECTION_BAD) {
		lost(s, PQresultErrorMessage(r), e);
		return;
	}
	s->outcome = interrupt_due(s->api.interrupt) ? PG_FAILED : outcome_of(state);
	if (s->outcome == PG_REFUSED)
		err_set(e, ERR_ENV, "%s", words ? words : state);
	else
		err_set(e, ERR_ENV, "cannot %s %s: %s%s", s->what, s->shown, words ? words : state, remedy(state));
}

/* ---- statements ---- */

static void queue(struct pg *s, const char *sql, const struct pg_args *a, char flag)
{
	const char *value[PG_ARGS];
	int format[PG_ARGS], n = a ? a->n : 0;
	for (int i = 0; i < n; i++) {
		/* An empty value must not be NULL, but an empty buffer may have no address. */
		value[i] = a->length[i] < 0 ? NULL : a->bytes.p ? a->bytes.p + a->at[i] : "";
		format[i] = 1;
	}
	if (PQsendQueryParams(s->conn, sql, n, a ? a->type : NULL, value, a ? a->length : NULL, format, 1))
		buf_char(&s->queued, flag);
	else
		s->outcome = PG_LOST;
}

void pg_queue(struct pg *s, const char *sql, const struct pg_args *args)
{
	queue(s, sql, args, 'k');
}

void pg_queue_skip(struct pg *s, const char *sql, const struct pg_args *args)
{
	queue(s, sql, args, 's');
}

void pg_begin(struct pg *s)
{
	pg_queue_skip(s, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL);
	pg_queue_skip(s,
	    "SELECT set_config('statement_timeout', '" WRITE_MS "', true),"
	    " set_config('idle_in_transaction_session_timeout', '" WRITE_MS "', true)",
	    NULL);
}

void pg_sync(struct pg *s)
{
	if (!PQpipelineSync(s->conn))
		s->outcome = PG_LOST;
	s->synced = true;
}

static void cancel(struct pg *s)
{
	char why[256];
	PGcancel *c = PQgetCancel(s->conn);
	if (c && !PQcancel(c, why, sizeof why))
		log_debug("cannot cancel a read", "error", why, NULL);
	PQfreeCancel(c);
}

/* Waits until the next result can be read without blocking. An interrupted read is cancelled, and its result then says
 * so. */
static void await_result(struct pg *s)
{
	bool cancelled = false;
	while (PQisBusy(s->conn)) {
		struct pollfd p = {.fd = PQsocket(s->conn), .events = POLLIN};
		if (!cancelled && interrupt_due(s->api.interrupt)) {
			cancel(s);
			cancelled = true;
		}
		if (poll(&p, 1, cancelled ? -1 : INTERRUPT_LOOK_MS) > 0 && !PQconsumeInput(s->conn))
			return;
	}
}

/* The next result of the pipeline, maybe an error; NULL with s->outcome if the connection is lost. */
static PGresult *next_result(struct pg *s, struct err *e)
{
	if (s->api.interrupt && s->outcome != PG_LOST)
		await_result(s);
	PGresult *r = s->outcome == PG_LOST ? NULL : PQgetResult(s->conn);
	if (r && PQstatus(s->conn) != CONNECTION_BAD)
		return r;
	lost(s, r ? PQresultErrorMessage(r) : PQerrorMessage(s->conn), e);
	PQclear(r);
	return NULL;
}

/* A NULL follows each statement's result. */
static PGresult *statement_result(struct pg *s, struct err *e)
{
	PGresult *r = next_result(s, e);
	if (!r)
		return NULL;
	s->taken++;
	ExecStatusType status = PQresultStatus(r);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
		PQclear(PQgetResult(s->conn));
		return r;
	}
	pg_judge(s, r, e);
	PQclear(r);
	return NULL;
}

/* Reads the next statements' results while they are to be skipped, or all. False with s->outcome on a failure. */
static bool skip(struct pg *s, bool all, struct err *e)
{
	while (s->taken < s->queued.n && (all || s->queued.p[s->taken] == 's')) {
		PGresult *r = statement_result(s, e);
		if (!r)
			return false;
		PQclear(r);
	}
	return true;
}

PGresult *pg_result(struct pg *s, struct err *e)
{
	return skip(s, false, e) ? statement_result(s, e) : NULL;
}

int pg_rows(struct pg *s, struct err *e)
{
	if (skip(s, false, e) && !PQsetSingleRowMode(s->conn))
		lost(s, PQerrorMessage(s->conn), e);
	return s->outcome;
}

PGresult *pg_row(struct pg *s, struct err *e)
{
	PGresult *r = next_result(s, e);
	if (!r)
		return NULL;
	ExecStatusType status = PQresultStatus(r);
	if (status == PGRES_SINGLE_TUPLE)
		return r;
	s->taken++;
	if (status == PGRES_TUPLES_OK)
		PQclear(PQgetResult(s->conn));
	else
		pg_judge(s, r, e);
	PQclear(r);
	return NULL;
}

int pg_end(struct pg *s, struct err *e)
{
	PGresult *r = skip(s, true, e) ? next_result(s, e) : NULL;
	if (!r)
		return s->outcome;
	if (PQresultStatus(r) != PGRES_PIPELINE_SYNC)
		pg_judge(s, r, e);
	PQclear(r);
	s->synced = false;
	s->taken = 0;
	buf_clear(&s->queued);
	return s->outcome;
}

/* ---- the connection ---- */

void pg_drop(struct pg *s)
{
	PQfinish(s->conn);
	s->conn = NULL;
	s->listening = s->direct = s->synced = false;
	s->taken = 0;
	buf_clear(&s->queued);
}

/* Reads up to the pipeline's end; two NULLs in a row mean that nothing is left. */
static void drain(struct pg *s)
{
	for (int nulls = 0; nulls < 2;) {
		PGresult *r = PQgetResult(s->conn);
		bool end = PQresultStatus(r) == PGRES_PIPELINE_SYNC;
		nulls = r ? 0 : nulls + 1;
		PQclear(r);
		if (end)
			break;
	}
	s->synced = false;
	s->taken = 0;
	buf_clear(&s->queued);
}

/* Leaves no transaction open after a failed try. */
static void clean(struct pg *s)
{
	if (!s->conn)
		return;
	if (s->outcome != PG_LOST && PQpipelineStatus(s->conn) != PQ_PIPELINE_OFF) {
		if (s->queued.n && !s->synced)
			pg_sync(s);
		if (s->synced)
			drain(s);
		if (PQtransactionStatus(s->conn) != PQTRANS_IDLE) {
			pg_queue_skip(s, "ROLLBACK", NULL);
			pg_sync(s);
			drain(s);
		}
		if (PQtransactionStatus(s->conn) == PQTRANS_IDLE)
			return;
	}
	pg_drop(s);
}

static void on_notice(void *arg, const char *text)
{
	struct buf line = {0};
	(void)arg;
	one_line(&line, text);
	log_debug("the database says", "notice", line.p, NULL);
	buf_free(&line);
}

static void name_database(struct pg *s)
{
	const char *db = PQdb(s->conn), *host = PQhost(s->conn), *port = PQport(s->conn);
	struct buf b = {0};
	buf_printf(&b, "database '%s' on %s:%s", db && *db ? db : "", host && *host ? host : "localhost",
	    port && *port ? port : "5432");
	buf_char(&b, 0);
	free(s->shown);
	s->shown = b.p;
}

static const char *password_remedy(struct pg *s)
{
	if (PQconnectionNeedsPassword(s->conn))
		return ": set PGPASSWORD, or write it to ~/.pgpass";
	return PQconnectionUsedPassword(s->conn) ? ": is the password right (PGPASSWORD, ~/.pgpass)?" : "";
}

static int check_server(struct pg *s, struct err *e)
{
	int version = PQserverVersion(s->conn);
	if (version < OLDEST) {
		s->outcome = PG_FAILED;
		return err_set(e, ERR_ENV, "the server of %s is PostgreSQL %d; senti needs 13 or newer", s->shown,
		    version / 10000);
	}
	const char *encoding = PQparameterStatus(s->conn, "server_encoding");
	if (encoding && strcmp(encoding, "UTF8") != 0) {
		s->outcome = PG_FAILED;
		return err_set(e, ERR_ENV,
		    "%s has the encoding %s, which does not hold every text; make one with "
		    "CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0",
		    s->shown, encoding);
	}
	return 0;
}

/* The address overrides the parameters before `dbname`, not those after it. The keepalives notice a vanished server. */
static void connect_now(struct pg *s)
{
	const char *const name[] = {"fallback_application_name", "keepalives_idle", "keepalives_interval",
	    "keepalives_count", "tcp_user_timeout", env_get("PGCONNECT_TIMEOUT") ? "keepalives" : "connect_timeout",
	    "dbname", "client_encoding", NULL};
	const char *const value[] = {
	    s->tool, "20", "5", "4", "40000", env_get("PGCONNECT_TIMEOUT") ? "1" : "10", s->address, "UTF8", NULL};
	s->conn = PQconnectdbParams(name, value, 1);
}

static int reach(struct pg *s, struct err *e)
{
	connect_now(s);
	if (!s->conn) {
		s->outcome = PG_FAILED;
		return err_set(e, ERR_ENV, "out of memory");
	}
	name_database(s);
	PQsetNoticeProcessor(s->conn, on_notice, NULL);
	if (PQstatus(s->conn) == CONNECTION_OK && check_server(s, e) < 0)
		return -1;
	if (PQstatus(s->conn) == CONNECTION_OK && PQenterPipelineMode(s->conn)) {
		s->was_there = true;
		return 0;
	}
	struct buf line = {0};
	one_line(&line, PQerrorMessage(s->conn));
	err_set(e, ERR_ENV, "cannot reach %s: %s%s", s->shown, line.p, password_remedy(s));
	buf_free(&line);
	s->outcome = PG_LOST;
	return -1;
}

/* ---- trying again ---- */

struct pg_tries {
	int64_t since; /* of the first failure; -1: none */
	unsigned n;
};

/* Grows, and differs between processes, so that conflicting ones come apart. */
static int pause_of(const struct pg *s, const struct pg_tries *t)
{
	if (t->n == 0 && s->outcome == PG_LOST)
		return 0; /* an idle connection was cut: the server is up */
	return (int)backoff_spread(
	    backoff_ms(t->n, s->outcome == PG_CONFLICT ? CONFLICT_MS : PAUSE_FIRST_MS, PAUSE_MOST_MS));
}

/* True after a pause; false once the time is up. */
static bool again(struct pg *s, struct pg_tries *t, const struct err *why)
{
	int64_t now = clock_mono_ms();
	if (s->outcome == PG_LOST && !s->was_there && !s->retry_first)
		return false;
	if (t->since < 0)
		t->since = now;
	int64_t left = t->since + s->retry_ms - now;
	if (left <= 0)
		return false;
	if (t->n == 1 && s->outcome == PG_LOST)
		log_warn("the database is unreachable; trying again", "error", why->msg, NULL);
	else
		log_info("trying again", "error", why->msg, NULL);
	int pause = pause_of(s, t);
	poll(NULL, 0, pause < left ? pause : (int)left);
	t->n++;
	return true;
}

int pg_try(struct pg *s, const char *what, pg_work *work, void *arg, struct err *e)
{
	struct pg_tries t = {.since = -1};
	for (;;) {
		s->what = what;
		s->outcome = PG_OK;
		if (s->conn || reach(s, e) == 0)
			s->outcome = (enum pg_outcome)work(s, arg, e);
		if (s->outcome == PG_OK)
			break;
		clean(s);
		if (s->outcome == PG_REFUSED)
			return STORE_REFUSED;
		if (s->outcome == PG_FAILED || !again(s, &t, e))
			return -1;
	}
	if (t.n > 1)
		log_info("the database answers again", NULL);
	return 0;
}

int pg_run(struct pg *s, const char *what, pg_work *work, void *arg, struct err *e)
{
	int rc = pg_try(s, what, work, arg, e);
	if (rc != STORE_REFUSED)
		return rc;
	struct err words = *e;
	return err_set(e, ERR_ENV, "cannot %s %s: %s", what, s->shown, words.msg);
}
