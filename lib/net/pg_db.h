/* pg_db.h - shared by the files of the PostgreSQL store alone.
 *
 * A verb queues statements in libpq's pipeline, sends them at once and reads their results in order:
 *
 *     static int work(struct pg *s, void *arg, struct err *e)
 *     {
 *         pg_begin(s);                      // BEGIN, and the limits of a write
 *         pg_queue(s, "DELETE ...", &args);
 *         pg_queue(s, "COMMIT", NULL);
 *         pg_sync(s);
 *         PGresult *r = pg_result(s, e);    // of the DELETE; NULL: s->outcome says what to do
 *         ...
 *         return pg_end(s, e);              // the other results
 *     }
 *     ... return pg_run(s, "delete from", work, &arg, e);
 *
 * pg_run connects if needed, and runs the work again if that may help. It always leaves the connection without a
 * transaction. A failure to queue shows when results are read.
 */
#ifndef SENTI_PG_DB_H
#define SENTI_PG_DB_H

#include <libpq-fe.h>

#include "lib/base/buf.h"
#include "lib/base/map.h"
#include "lib/net/pg.h"

/* How a try ended. */
enum pg_outcome {
	PG_OK = 0,
	PG_FAILED = -1,	 /* permanently; *e is complete */
	PG_REFUSED = 1,	 /* the rows are at fault; *e has only the database's message */
	PG_CONFLICT = 2, /* another transaction was in the way */
	PG_LOST = 3,	 /* the connection is lost or useless */
};

enum { PG_ARGS = 20 + 2 * FILTER_MEMBERS + 2 * STATS_KEYS };

/* Binary parameters of a statement. */
struct pg_args {
	struct buf bytes;
	size_t at[PG_ARGS];
	int length[PG_ARGS]; /* -1: NULL */
	Oid type[PG_ARGS];
	int n;
};

/* What the last `changes` gave to a reader. */
struct pg_page {
	struct pg_page *next;
	char *reader, *base, *target; /* snapshots */
	bool whole;		      /* nothing else is between the two */
	uint64_t last_xid, last_seq;
};

struct pg {
	struct store api; /* the first member: a struct store * is a struct pg * */
	struct outbox outbox;
	PGconn *conn; /* NULL: not connected; in pipeline mode otherwise */
	char *address, *tool;
	char *shown; /* "database 'x' on localhost:5432" */
	int64_t retry_ms;
	bool retry_first, was_there;
	bool direct, listening;
	const char *what; /* the current action: "store into" */
	enum pg_outcome outcome;
	struct buf queued; /* for each statement up to the next sync 'k' (keep its result) or 's' (skip it) */
	size_t taken;	   /* how many of their results are read */
	bool synced;	   /* the sync is sent and not read yet */
	struct pg_args args;
	struct buf sql;
	struct pg_page *pages;
	/* query */
	struct buf wanted, pattern, folded, scratch; /* the text to find: as given, as a regular expression, folded */
	size_t row_bytes;			     /* average bytes of the rows so far */
};

/* ---- statements ---- */

void pg_begin(struct pg *s); /* a write transaction */
void pg_queue(struct pg *s, const char *sql, const struct pg_args *args);
void pg_queue_skip(
    struct pg *s, const char *sql, const struct pg_args *args); /* its result matters only if it is an error */
void pg_sync(struct pg *s);
/* New: the result of the next statement, in binary; NULL with s->outcome and *e. */
PGresult *pg_result(struct pg *s, struct err *e);
/* The same row by row, in constant memory: pg_rows turns to the next statement (s->outcome); pg_row returns a result of
 * one row, or NULL after the last and on a failure (s->outcome). */
int pg_rows(struct pg *s, struct err *e);
PGresult *pg_row(struct pg *s, struct err *e);
/* Reads the remaining results; returns s->outcome. */
int pg_end(struct pg *s, struct err *e);
/* For an error result: sets s->outcome and fills *e. */
void pg_judge(struct pg *s, const PGresult *r, struct err *e);

typedef int pg_work(struct pg *s, void *arg, struct err *e);
/* `what` completes "cannot ... database 'x'". 0, -1, or STORE_REFUSED. */
int pg_try(struct pg *s, const char *what, pg_work *work, void *arg, struct err *e);
/* The same, with a refusal an error like any other. */
int pg_run(struct pg *s, const char *what, pg_work *work, void *arg, struct err *e);
void pg_drop(struct pg *s); /* the connection */

/* ---- parameters: lent until the statement is queued ---- */

void pg_args_clear(struct pg_args *a);
int pg_arg_str(struct pg_args *a, struct str s); /* NULL if absent. All return the parameter's number */
int pg_arg_i64(struct pg_args *a, int64_t v);
int pg_arg_time(struct pg_args *a, int64_t ms);
int pg_arg_f64(struct pg_args *a, double v);
/* An array of n numbers, each `stride` bytes after the one before. */
int pg_arg_i64s(struct pg_args *a, const int64_t *v, size_t n, size_t stride);
/* Arrays, one element a message. */
int pg_arg_strs(struct pg_args *a, Oid element, struct message *const *m, size_t n, size_t member);
int pg_arg_times(struct pg_args *a, struct message *const *m, size_t n);
int pg_arg_only_versions(struct pg_args *a, struct message *const *m, size_t n);
int pg_arg_scores(struct pg_args *a, struct message *const *m, size_t n);

enum { PG_TEXT = 25, PG_JSON = 114, PG_INT8 = 20, PG_FLOAT8 = 701, PG_TIMESTAMPTZ = 1184 };
#define PG_IDS(a, m, n) pg_arg_strs(a, PG_TEXT, m, n, offsetof(struct message, id))

/* ---- results ---- */

struct str pg_str(const PGresult *r, int row, int column); /* lent by the result; p NULL if NULL */
int64_t pg_i64(const PGresult *r, int row, int column);	   /* bigint, xid8 */
double pg_f64(const PGresult *r, int row, int column);
bool pg_bool(const PGresult *r, int row, int column);
/* The columns of a message, from the table named m, and a function that reads them from a row, beginning at `column`;
 * it returns their size in bytes. */
#define PG_MESSAGE "m.id, m.text, m.source, m.time, m.label, m.score, m.model, m.sentiment, m.extra, m.version"
size_t pg_message(const PGresult *r, int row, int column, struct message *m, struct arena *mem);
/* SQL: true if a person has set the label; as in the index message_corrected. */
#define PG_CORRECTED(t)                                                                                                \
	"(" t "label IS NOT NULL AND (" t "label IS DISTINCT FROM " t "sentiment ->> 'label' OR " t                    \
	"sentiment ->> 'corrected' = 'true'))"

/* ---- the files ---- */

int pg_put(struct store *store, struct message *const *m, size_t n, struct arena *mem, struct err *e);
int pg_query(struct store *store, const struct filter *f, struct message *out, size_t max, size_t max_bytes,
    struct arena *mem, struct err *e);
/* Queues a limit on the time of what follows in the transaction: that of the interrupt, or a long one. */
void pg_limit_time(struct pg *s);
extern const struct outbox pg_outbox; /* the functions; each handle has a copy */
int pg_sample(
    struct store *store, const struct filter *f, struct str *id, size_t max, struct arena *mem, struct err *e);
int pg_aggregate(struct store *store, const struct stats_question *q, struct stats_group *out, size_t max,
    struct arena *mem, struct err *e);
void pg_pages_free(struct pg *s);
int pg_migrate(struct store *store, struct err *e);
/* Checks without writing what pg_migrate would do: s->outcome, and in *left the number of steps. */
int pg_check_schema(struct pg *s, bool *made, int *left, struct err *e);
/* Appends a PostgreSQL regular expression for the texts that contain the first `most` characters of `folded` once
 * folded. */
void pg_pattern(struct buf *out, struct str folded, size_t most);
/* Appends the conditions of a filter but for its place, with AND before each, for the table named m. Its text is that
 * of pg_look_for, which takes it whole: 0, or -1 with *e (ERR_USAGE) if it is too long for that. */
void pg_write_filter(struct pg *s, const struct filter *f);
MUST_USE int pg_look_for(struct pg *s, const struct filter *f, struct err *e);

#endif
