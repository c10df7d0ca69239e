/* sqlite_db.h - shared by the files of the SQLite store alone. */
#ifndef SENTI_SQLITE_DB_H
#define SENTI_SQLITE_DB_H

#include <sqlite3.h>

#include "lib/base/clock.h"
#include "lib/net/sqlite.h"

/* Statements prepared once. */
enum sql {
	SQL_BEGIN_WRITE,
	SQL_BEGIN_READ,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_LAST,
	SQL_DATA_VERSION,
	SQL_UPSERT,
	SQL_STATE,
	SQL_GET,
	SQL_CORRECT,
	SQL_DELETE,
	SQL_READER,
	SQL_READER_NEW,
	SQL_READER_ALIVE,
	SQL_CHANGES,
	SQL_SEEN,
	SQL_LOG,
	SQL_LOG_END,
	SQL_COUNT,
};

/* A page statement of a query, and its text. */
struct page_statement {
	sqlite3_stmt *stmt;
	struct buf sql;
};

struct sqlite {
	struct store api; /* the first member: a struct store * is a struct sqlite * */
	struct outbox outbox;
	sqlite3 *db;
	char *path;
	enum store_mode mode;
	bool moved;  /* the file was removed or replaced; sql_in_place opens what stands there now */
	bool erases; /* something was deleted: what it said must not stay in the file */
	sqlite3_stmt *stmt[SQL_COUNT];
	struct page_statement timed, untimed;
	uint64_t written;  /* for sqlite_wait: the state of the database at the last look for changes */
	struct buf sql;	   /* scratch: the text of a page statement */
	struct buf folded; /* the text that a query looks for */
	struct buf scratch;
	struct json_scan scan;		       /* for senti_member */
	const struct stats_question *question; /* for senti_period */
	struct arena members;
};

/* Fills *e from SQLite's own error and returns -1: "cannot store into 'senti.db': database or disk is full (...)". */
int sql_fail(struct sqlite *s, const char *what, struct err *e);
/* A prepared statement, reset and unbound; NULL and *e on failure. */
sqlite3_stmt *sql_prepared(struct sqlite *s, enum sql which, struct err *e);
/* Steps a statement that gives no rows, then resets it: 0 or -1. */
int sql_run(struct sqlite *s, enum sql which, const char *what, struct err *e);
/* Runs statements given as text: 0 or -1. */
int sql_exec(struct sqlite *s, const char *sql, const char *what, struct err *e);
/* The number in the only row of a query given as text. */
int sql_number(struct sqlite *s, const char *sql, const char *what, uint64_t *out, struct err *e);
/* The same for a prepared statement without parameters. */
int sql_prepared_number(struct sqlite *s, enum sql which, const char *what, uint64_t *out, struct err *e);
/* Called before a transaction begins, or a query outside of one. Fails once if the file was removed or replaced since
 * it was opened, so that nobody takes what is in it for stored; after that it opens what stands there now, or fails. */
int sql_in_place(struct sqlite *s, struct err *e);
/* Ends a transaction: commits if rc is 0, else rolls back. Returns rc, or -1 if the commit fails. */
int sql_end(struct sqlite *s, int rc, const char *what, struct err *e);

void sql_bind(sqlite3_stmt *q, int i, struct str s); /* NULL if absent; lent until the statement has run */
void sql_bind_time(sqlite3_stmt *q, int i, bool has, int64_t ms);
/* A column's text, copied into the arena with JSON_PAD bytes after it. */
struct str sql_text(sqlite3_stmt *q, int i, struct arena *mem);

/* The columns of a message, and a function that reads them from a row; it returns their size in bytes. */
#define MESSAGE_COLUMNS "id, text, source, time, label, score, model, sentiment, extra, version"
size_t sql_message(sqlite3_stmt *q, struct message *m, struct arena *mem);

/* Parameters of a filter; not all occur in each statement. */
enum {
	BIND_LABEL = 1,
	BIND_SOURCE,
	BIND_MODEL,
	BIND_NOT_MODEL,
	BIND_TEXT,
	BIND_FROM,
	BIND_TO,
	BIND_TIME,
	BIND_ID,
	BIND_LIMIT,
	BIND_LEAST = 13,
	BIND_MOST,
	BIND_SCORE,
	BIND_MEMBERS, /* a name and a value each */
	BIND_END = BIND_MEMBERS + 2 * FILTER_MEMBERS,
};

/* sqlite_query.c */
int sqlite_query(struct store *store, const struct filter *f, struct message *out, size_t max, size_t max_bytes,
    struct arena *mem, struct err *e);
int sqlite_query_open(struct sqlite *s, struct err *e);
void sqlite_query_close(struct sqlite *s);
/* Appends the conditions of a filter but for its place, with AND before each; binds its parameters; prepares to look
 * for its text. */
void sqlite_write_filter(struct buf *sql, const struct filter *f);
void sqlite_bind_filter(sqlite3_stmt *q, const struct filter *f, size_t max);
void sqlite_look_for(struct sqlite *s, const struct filter *f);
/* The text of a function's argument. */
struct str sql_argument(sqlite3_value *v);
/* sqlite_stats.c */
int sqlite_sample(
    struct store *store, const struct filter *f, struct str *id, size_t max, struct arena *mem, struct err *e);
int sqlite_stats_open(struct sqlite *s, struct err *e);
int sqlite_aggregate(struct store *store, const struct stats_question *q, struct stats_group *out, size_t max,
    struct arena *mem, struct err *e);
/* Around statements that may take long: watches the interrupt. */
void sql_watch(struct sqlite *s);
void sql_unwatch(struct sqlite *s);
/* SQL: true if a person has set the label. */
#define IS_CORRECTED(t)                                                                                                \
	"(" t "label IS NOT NULL AND (" t "label IS NOT json_extract(" t "sentiment, '$.label')"                       \
	" OR json_extract(" t "sentiment, '$.corrected') IS 1))"

extern const struct outbox sqlite_outbox; /* sqlite_outbox.c: the functions; each handle has a copy */

/* sqlite_schema.c */
int sqlite_migrate(struct store *store, struct err *e);
/* What sqlite_migrate would find, without writing; -1, also where the file belongs to another program. */
enum { SCHEMA_CURRENT, SCHEMA_UNSTAMPED, SCHEMA_OLD };
int sqlite_check_schema(struct sqlite *s, struct err *e);

#endif
