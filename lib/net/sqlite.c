/* sqlite.c - the SQLite store: the connection, transactions, and the verbs that name messages by id. */
#include "lib/net/sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"

enum { WAIT_MS = 30000 }; /* for other writers */

/* A person's label stays while the text does; so does the result if the new record has none. `excluded` is the record.
 */
#define SAME_TEXT "message.text IS excluded.text"
#define KEEP(column)                                                                                                   \
	column " = CASE WHEN excluded.sentiment IS NULL AND " SAME_TEXT " THEN message." column                        \
	       " ELSE excluded." column " END"

static const char *const sql_of[SQL_COUNT] = {
    [SQL_BEGIN_WRITE] = "BEGIN IMMEDIATE",
    [SQL_BEGIN_READ] = "BEGIN",
    [SQL_COMMIT] = "COMMIT",
    [SQL_ROLLBACK] = "ROLLBACK",
    [SQL_LAST] = "SELECT last FROM sequence",
    [SQL_DATA_VERSION] = "PRAGMA data_version",
    [SQL_UPSERT] =
	"INSERT INTO message (" MESSAGE_COLUMNS ", stored_at, updated_at)"
	" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?11)"
	" ON CONFLICT (id) DO UPDATE SET text = excluded.text, source = excluded.source, time = excluded.time,"
	" extra = excluded.extra, version = excluded.version, updated_at = excluded.updated_at,"
	" label = CASE WHEN " SAME_TEXT " AND (excluded.sentiment IS NULL OR " IS_CORRECTED(
	    "message.") ")"
			" THEN message.label ELSE excluded.label END, " KEEP("score") ", " KEEP("model") ", " KEEP(
			    "sentiment") " WHERE (message.text, message.source, message.time, message.extra)"
					 " IS NOT (excluded.text, excluded.source, excluded.time, excluded.extra)"
					 " OR (excluded.sentiment IS NOT NULL AND ((message.score, message.model, "
					 "message.sentiment)"
					 " IS NOT (excluded.score, excluded.model, excluded.sentiment) OR "
					 "message.label IS NULL))",
    [SQL_STATE] = "SELECT version, label FROM message WHERE id = ?1",
    [SQL_GET] = "SELECT " MESSAGE_COLUMNS " FROM message WHERE id = ?1",
    [SQL_CORRECT] = "UPDATE message SET label = ?2 WHERE id = ?1 AND label IS NOT ?2 AND ?3 IN (0, version)",
    [SQL_DELETE] = "DELETE FROM message WHERE id = ?1 AND ?2 IN (0, version)",
    [SQL_READER_NEW] = "INSERT INTO reader VALUES (?1, (SELECT coalesce(min(seq) - 1, (SELECT last FROM sequence))"
		       " FROM outbox), ?2) ON CONFLICT (name) DO NOTHING",
    [SQL_READER] = "SELECT alive_at < ?2 FROM reader WHERE name = ?1",
    [SQL_READER_ALIVE] = "UPDATE reader SET alive_at = ?2 WHERE name = ?1",
    [SQL_CHANGES] = "SELECT seq, xid, id, version, op FROM outbox"
		    " WHERE seq > (SELECT seq FROM reader WHERE name = ?1) ORDER BY seq LIMIT ?2",
    [SQL_LOG] = "SELECT seq, xid, id, version, op FROM outbox"
		" WHERE seq > iif(?1 > (SELECT last FROM sequence), 0, ?1) ORDER BY seq LIMIT ?2",
    [SQL_LOG_END] = "SELECT coalesce(max(seq), (SELECT last FROM sequence)) FROM outbox",
    [SQL_SEEN] = "UPDATE reader SET seq = ?2, alive_at = ?3 WHERE name = ?1 AND seq < ?2",
};

int sql_fail(struct sqlite *s, const char *what, struct err *e)
{
	int code = sqlite3_extended_errcode(s->db);
	const char *hint = "";
	switch (code & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		hint = ": another program holds it; try again";
		break;
	case SQLITE_NOTADB:
		hint = ": name another file with --store";
		break;
	case SQLITE_CORRUPT:
		hint = ": the file is damaged; restore it from a copy, or see the sqlite3 shell's .recover";
		break;
	case SQLITE_FULL:
		hint = ": make room and run it again";
		break;
	case SQLITE_READONLY:
		hint = ": give write permission on the file and its directory";
		break;
	}
	int system = sqlite3_system_errno(s->db);
	bool tell = system && ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN);
	return err_set(e, ERR_ENV, "cannot %s '%s': %s%s%s%s", what, s->path, sqlite3_errmsg(s->db), tell ? ": " : "",
	    tell ? strerror(system) : "", hint);
}

sqlite3_stmt *sql_prepared(struct sqlite *s, enum sql which, struct err *e)
{
	if (!s->stmt[which] && sqlite3_prepare_v3(s->db, sql_of[which], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[which],
				   NULL) != SQLITE_OK) {
		sql_fail(s, "use", e);
		return NULL;
	}
	return s->stmt[which];
}

int sql_run(struct sqlite *s, enum sql which, const char *what, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, which, e);
	if (!q)
		return -1;
	int rc = sqlite3_step(q) == SQLITE_DONE ? 0 : sql_fail(s, what, e);
	sqlite3_reset(q);
	return rc;
}

int sql_exec(struct sqlite *s, const char *sql, const char *what, struct err *e)
{
	return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_fail(s, what, e);
}

int sql_number(struct sqlite *s, const char *sql, const char *what, uint64_t *out, struct err *e)
{
	sqlite3_stmt *q = NULL;
	int rc = -1;
	if (sqlite3_prepare_v2(s->db, sql, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW) {
		*out = (uint64_t)sqlite3_column_int64(q, 0);
		rc = 0;
	} else {
		sql_fail(s, what, e);
	}
	sqlite3_finalize(q);
	return rc;
}

int sql_prepared_number(struct sqlite *s, enum sql which, const char *what, uint64_t *out, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, which, e);
	if (!q)
		return -1;
	int rc = sqlite3_step(q) == SQLITE_ROW ? 0 : sql_fail(s, what, e);
	if (rc == 0)
		*out = (uint64_t)sqlite3_column_int64(q, 0);
	sqlite3_reset(q);
	return rc;
}

/* What goes into a file that nobody can open any more is lost with the last process that has it open. */
static int check_place(struct sqlite *s, struct err *e)
{
	int moved = 0;
	if (!s->moved && sqlite3_file_control(s->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved)
		s->moved = true;
	return s->moved ? err_set(e, ERR_ENV, "the store '%s' was removed or replaced while it was open", s->path) : 0;
}

int sql_end(struct sqlite *s, int rc, const char *what, struct err *e)
{
	if (rc == 0)
		rc = check_place(s, e);
	if (rc == 0)
		rc = sql_run(s, SQL_COMMIT, what, e);
	struct err ignored; /* *e has the failure; a full disk may have rolled back by itself */
	if (rc != 0 && !sqlite3_get_autocommit(s->db) && sql_run(s, SQL_ROLLBACK, what, &ignored) < 0)
		return -1;
	return rc;
}

void sql_bind(sqlite3_stmt *q, int i, struct str s)
{
	if (s.p)
		sqlite3_bind_text64(q, i, s.p, s.n, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_bind_null(q, i);
}

void sql_bind_time(sqlite3_stmt *q, int i, bool has, int64_t ms)
{
	char time[TIME_LEN];
	if (!has) {
		sqlite3_bind_null(q, i);
		return;
	}
	time_format(ms, time);
	sqlite3_bind_text(q, i, time, TIME_LEN, SQLITE_TRANSIENT);
}

struct str sql_text(sqlite3_stmt *q, int i, struct arena *mem)
{
	const unsigned char *p = sqlite3_column_text(q, i);
	if (!p)
		return STR_NONE;
	size_t n = (size_t)sqlite3_column_bytes(q, i);
	return json_padded(mem, (struct str){(const char *)p, n});
}

size_t sql_message(sqlite3_stmt *q, struct message *m, struct arena *mem)
{
	*m = (struct message){.fate = MESSAGE_FOUND};
	m->id = sql_text(q, 0, mem);
	m->text = sql_text(q, 1, mem);
	m->source = sql_text(q, 2, mem);
	struct str time = {(const char *)sqlite3_column_text(q, 3), (size_t)sqlite3_column_bytes(q, 3)};
	m->has_time = time.p && time_parse(time, &m->time) == 0;
	m->label = sql_text(q, 4, mem);
	m->has_score = sqlite3_column_type(q, 5) != SQLITE_NULL;
	m->score = sqlite3_column_double(q, 5);
	m->model = sql_text(q, 6, mem);
	m->sentiment = sql_text(q, 7, mem);
	m->extra = sql_text(q, 8, mem);
	m->version = (uint64_t)sqlite3_column_int64(q, 9);
	return m->id.n + m->text.n + m->source.n + m->sentiment.n + m->extra.n + sizeof *m;
}

/* ---- put ---- */

/* A refusal is the row's fault and will come again; all else is the environment's. */
static bool is_refusal(int code)
{
	return (code & 0xff) == SQLITE_CONSTRAINT || (code & 0xff) == SQLITE_MISMATCH || (code & 0xff) == SQLITE_TOOBIG;
}

struct sqlite_upsert {
	struct sqlite *s;
	struct arena *mem;
	char now[TIME_LEN];
	uint64_t last; /* the sequence as it should be now */
};

static void refuse(struct sqlite_upsert *p, struct message *m, const char *why)
{
	m->fate = MESSAGE_REFUSED;
	m->why = arena_str(p->mem, str_of(why));
}

/* Reads a row's state: 1, 0 if there is no such row, or -1. */
static int state_of(struct sqlite *s, struct message *m, struct arena *mem, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, SQL_STATE, e);
	if (!q)
		return -1;
	sql_bind(q, 1, m->id);
	int step = sqlite3_step(q), rc = step == SQLITE_ROW ? 1 : step == SQLITE_DONE ? 0 : sql_fail(s, "read", e);
	if (rc == 1) {
		const char *label = (const char *)sqlite3_column_text(q, 1);
		message_put(m, (uint64_t)sqlite3_column_int64(q, 0),
		    (struct str){label, (size_t)sqlite3_column_bytes(q, 1)}, mem);
	}
	sqlite3_reset(q);
	return rc;
}

static void bind_message(const struct sqlite_upsert *p, sqlite3_stmt *q, const struct message *m)
{
	sql_bind(q, 1, m->id);
	sql_bind(q, 2, m->text);
	sql_bind(q, 3, m->source);
	sql_bind_time(q, 4, m->has_time, m->time);
	sql_bind(q, 5, m->label);
	if (m->has_score)
		sqlite3_bind_double(q, 6, m->score);
	else
		sqlite3_bind_null(q, 6);
	sql_bind(q, 7, m->model);
	sql_bind(q, 8, m->sentiment);
	sql_bind(q, 9, m->extra);
	sqlite3_bind_int64(q, 10, (sqlite3_int64)p->last + 1);
	sqlite3_bind_text(q, 11, p->now, TIME_LEN, SQLITE_STATIC);
}

static int put_one(struct sqlite_upsert *p, sqlite3_stmt *q, struct message *m, struct err *e)
{
	struct sqlite *s = p->s;
	bind_message(p, q, m);
	sqlite3_set_last_insert_rowid(s->db, 0);
	int step = sqlite3_step(q);
	if (step != SQLITE_DONE) {
		bool refused = is_refusal(step);
		if (refused)
			refuse(p, m, sqlite3_errmsg(s->db));
		else
			sql_fail(s, "store into", e);
		sqlite3_reset(q);
		return refused ? 0 : -1;
	}
	bool changed = sqlite3_changes64(s->db) > 0, inserted = changed && sqlite3_last_insert_rowid(s->db);
	sqlite3_reset(q);
	m->fate = changed ? MESSAGE_STORED : MESSAGE_UNCHANGED;
	p->last += changed;
	/* A new row is known. RETURNING would show the others, but it builds a table for each row: 8 us of 35. */
	if (inserted)
		message_put(m, p->last, STR_NONE, p->mem);
	int found = inserted ? 1 : state_of(s, m, p->mem, e);
	if (found == 0)
		refuse(p, m, "a trigger of the database ignores the row");
	return found < 0 ? -1 : 0;
}

static int fill(struct sqlite *s, struct message *m, struct arena *mem, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, SQL_GET, e);
	if (!q)
		return -1;
	sql_bind(q, 1, m->id);
	int step = sqlite3_step(q), rc = 0;
	if (step == SQLITE_ROW)
		sql_message(q, m, mem);
	else if (step == SQLITE_DONE)
		m->fate = MESSAGE_MISSING;
	else
		rc = sql_fail(s, "read", e);
	sqlite3_reset(q);
	return rc;
}

/* A user's triggers may have changed rows and taken versions: then each is read back whole. */
static int check_rows(struct sqlite_upsert *p, struct message *const *m, size_t n, struct err *e)
{
	uint64_t last;
	if (sql_prepared_number(p->s, SQL_LAST, "read", &last, e) < 0)
		return -1;
	for (size_t i = 0; last != p->last && i < n; i++) {
		struct message row = {.id = m[i]->id};
		if (m[i]->fate == MESSAGE_REFUSED)
			continue;
		if (fill(p->s, &row, p->mem, e) < 0 || state_of(p->s, m[i], p->mem, e) < 0)
			return -1;
		if (row.fate == MESSAGE_FOUND)
			message_take_row(m[i], &row);
	}
	return 0;
}

/* Puts all rows that are not refused yet: 0, STORE_REFUSED if one of them undid the transaction (RAISE(ROLLBACK)), or
 * -1. */
static int put_rows(struct sqlite_upsert *p, struct message *const *m, size_t n, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(p->s, SQL_UPSERT, e);
	if (!q || sql_prepared_number(p->s, SQL_LAST, "read", &p->last, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (m[i]->fate == MESSAGE_REFUSED)
			continue;
		if (put_one(p, q, m[i], e) < 0)
			return -1;
		if (unlikely(sqlite3_get_autocommit(p->s->db)))
			return STORE_REFUSED;
	}
	return check_rows(p, m, n, e);
}

static int commit_put(struct sqlite *s, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, SQL_COMMIT, e);
	if (!q || check_place(s, e) < 0)
		return -1;
	int step = sqlite3_step(q);
	int rc = step == SQLITE_DONE ? 0 : sql_fail(s, "store into", e);
	sqlite3_reset(q);
	return rc < 0 && is_refusal(step) ? STORE_REFUSED : rc;
}

static int sqlite_put(struct store *store, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	struct sqlite_upsert p = {.s = (struct sqlite *)store, .mem = mem};
	time_format(clock_wall_ms(), p.now);
	for (size_t i = 0; i < n; i++)
		m[i]->fate = MESSAGE_PENDING;
	int rc;
	if (sql_in_place(p.s, e) < 0)
		return -1;
	do {
		if (sql_run(p.s, SQL_BEGIN_WRITE, "store into", e) < 0)
			return -1;
		rc = put_rows(&p, m, n, e);
		/* The row that undid the transaction is now refused; the others are put again. */
	} while (rc == STORE_REFUSED);
	if (rc == 0)
		rc = commit_put(p.s, e);
	return rc == 0 ? 0 : sql_end(p.s, rc, "store into", e);
}

/* ---- get and edit ---- */

static int sqlite_get(struct store *store, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	if (sql_in_place(s, e) < 0 || sql_run(s, SQL_BEGIN_READ, "read", e) < 0)
		return -1;
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = fill(s, m[i], mem, e);
	return sql_end(s, rc, "read", e);
}

static int correct_one(struct sqlite *s, struct message *m, struct arena *mem, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, SQL_CORRECT, e);
	if (!q)
		return -1;
	uint64_t only = m->only_version;
	sql_bind(q, 1, m->id);
	sql_bind(q, 2, m->label);
	sqlite3_bind_int64(q, 3, (sqlite3_int64)only);
	if (sql_run(s, SQL_CORRECT, "correct in", e) < 0)
		return -1;
	bool changed = sqlite3_changes64(s->db) > 0;
	/* Not by RETURNING, which does not see what triggers do after it. */
	if (fill(s, m, mem, e) < 0)
		return -1;
	if (only && !changed && m->fate == MESSAGE_FOUND && m->version != only)
		m->fate = MESSAGE_CHANGED;
	return 0;
}

static int remove_one(struct sqlite *s, struct message *m, struct arena *mem, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, SQL_DELETE, e);
	if (!q)
		return -1;
	sql_bind(q, 1, m->id);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)m->only_version);
	if (sql_run(s, SQL_DELETE, "delete from", e) < 0)
		return -1;
	m->fate = sqlite3_changes64(s->db) ? MESSAGE_FOUND : MESSAGE_MISSING;
	if (m->fate == MESSAGE_FOUND || !m->only_version)
		return 0;
	/* The row has another version, or is missing. */
	struct message row = *m;
	int there = state_of(s, &row, mem, e);
	if (there > 0) {
		m->fate = MESSAGE_CHANGED;
		m->version = row.version;
	}
	return there < 0 ? -1 : 0;
}

/* What is deleted is overwritten with zeros, also in pages that become free. */
static int erase(struct sqlite *s, struct err *e)
{
	if (!s->erases && sql_exec(s, "PRAGMA secure_delete = ON", "delete", e) < 0)
		return -1;
	s->erases = true;
	return 0;
}

/* The log still holds pages as they were; it is emptied unless others use it, whose last one empties it. */
static void empty_log(struct sqlite *s)
{
	sqlite3_busy_timeout(s->db, 1000);
	sqlite3_exec(s->db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL);
}

static int sqlite_edit(struct store *store, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	if (n == 0)
		return 0;
	if (sql_in_place(s, e) < 0 || (m[0]->remove && erase(s, e) < 0) || sql_run(s, SQL_BEGIN_WRITE, "change", e) < 0)
		return -1;
	int rc = 0;
	for (size_t i = 0; i < n && rc == 0; i++)
		rc = m[i]->remove ? remove_one(s, m[i], mem, e) : correct_one(s, m[i], mem, e);
	return sql_end(s, rc, "change", e);
}

static int sqlite_stats(struct store *store, struct store_stats *out, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	const struct {
		const char *sql;
		uint64_t *to;
	} number[] = {
	    {"SELECT count(*) FROM message", &out->messages},
	    {"SELECT count(*) FROM message WHERE label = 'positive'", &out->positive},
	    {"SELECT count(*) FROM message WHERE label = 'neutral'", &out->neutral},
	    {"SELECT count(*) FROM message WHERE label = 'negative'", &out->negative},
	    {"SELECT count(*) FROM message WHERE sentiment IS NULL", &out->unscored},
	    {"SELECT count(*) FROM message WHERE " IS_CORRECTED(""), &out->corrected},
	    {"SELECT count(*) FROM outbox", &out->outbox},
	    {"SELECT count(*) FROM reader", &out->readers},
	    {"SELECT last FROM sequence", &out->version},
	    {"SELECT max(number) FROM migration", &out->schema},
	};
	if (interrupt_check(s->api.interrupt, e) < 0 || sql_in_place(s, e) < 0 ||
	    sql_run(s, SQL_BEGIN_READ, "read", e) < 0)
		return -1;
	int rc = 0;
	sql_watch(s);
	for (size_t i = 0; i < COUNT_OF(number) && rc == 0; i++)
		rc = sql_number(s, number[i].sql, "read", number[i].to, e);
	sql_unwatch(s);
	return sql_end(s, rc, "read", e);
}

/* ---- the connection ---- */

static void forget_statements(struct sqlite *s)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		sqlite3_finalize(s->stmt[i]);
	memset(s->stmt, 0, sizeof s->stmt);
	sqlite_query_close(s);
}

static int sqlite_close(struct store *store, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	forget_statements(s);
	if (s->erases)
		empty_log(s);
	int rc = sqlite3_close(s->db) == SQLITE_OK ? 0 : sql_fail(s, "close", e);
	free(s->path);
	buf_free(&s->sql);
	buf_free(&s->folded);
	buf_free(&s->scratch);
	json_scan_free(&s->scan);
	arena_free(&s->members);
	free(s);
	return rc;
}

/* Waits for another writer: briefly at first, for quick commits, then up to 50 ms. */
static int on_busy(void *arg, int tries)
{
	(void)arg;
	int64_t ms = tries < 6 ? 1 + tries * 2 : 50, waited = tries < 6 ? 0 : (int64_t)(tries - 6) * 50;
	if (waited >= WAIT_MS)
		return 0;
	usleep((useconds_t)(ms * 1000));
	return 1;
}

/* Switching a new file to WAL needs exclusive access and ignores on_busy, so it is retried here. */
static int use_wal(struct sqlite *s, struct err *e)
{
	for (int tries = 0;; tries++) {
		int rc = sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
		if (rc == SQLITE_OK)
			return 0;
		if ((rc & 0xff) != SQLITE_BUSY || !on_busy(NULL, tries))
			return sql_fail(s, "open", e);
	}
}

static int configure(struct sqlite *s, struct err *e)
{
	sqlite3_extended_result_codes(s->db, 1);
	sqlite3_busy_handler(s->db, on_busy, NULL);
	/* A larger cache and rarer checkpoints than SQLite's defaults: ids come in any order, so a batch touches pages
	 * all over the indexes. */
	if (sql_exec(s,
		"PRAGMA synchronous = FULL; PRAGMA cache_size = -8192; PRAGMA wal_autocheckpoint = 8000;"
		" PRAGMA journal_size_limit = 67108864",
		"open", e) < 0)
		return -1;
	return sqlite_query_open(s, e);
}

static int open_schema(struct sqlite *s, enum store_mode mode, struct err *e)
{
	bool read_only = mode == STORE_READ || sqlite3_db_readonly(s->db, "main") == 1;
	/* Before anything is written: the file may be another program's. */
	int left = sqlite_check_schema(s, e);
	if (left < 0)
		return -1;
	if (read_only && left == SCHEMA_OLD)
		return err_set(e, ERR_ENV,
		    "the database '%s' has an older schema or none; senti-store migrate brings it up to date", s->path);
	if (read_only)
		return 0;
	if (use_wal(s, e) < 0)
		return -1;
	return left != SCHEMA_CURRENT && sqlite_migrate(&s->api, e) < 0 ? -1 : 0;
}

/* Settings of the process, of which only the first call counts.
 *
 * A statement's journal stays in memory. By default it moves to a file at 64 KiB and stays there for the rest of the
 * transaction: 20 writes a row. It must move in one piece that SQLite's unixWrite can write at once, below 128 KiB:
 * with more, deleting a huge row fails as if the disk were full. SQLite counts its memory only where it has a limit,
 * since that takes a lock for each allocation, 90 a row. */
static void configure_library(bool limited)
{
	sqlite3_config(SQLITE_CONFIG_STMTJRNL_SPILL, (128 << 10) - 1);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, limited);
}

/* A store holds texts, so a new one is readable by its owner alone; SQLite gives the files beside it the same mode. An
 * existing file keeps its mode. A dangling link is refused: whoever planted it would choose where the texts go. */
static int create_private(const char *path, struct err *e)
{
	struct stat st;
	if (!*path || strcmp(path, ":memory:") == 0)
		return 0;
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd >= 0)
		return io_close(fd, path, e);
	if (errno != EEXIST)
		return err_sys(e, "cannot make the store '%s'", path);
	if (stat(path, &st) == 0)
		return 0;
	return err_set(e, ERR_ENV, "cannot open the store '%s': it is a symbolic link to nothing", path);
}

static int open_file(struct sqlite *s, enum store_mode mode, struct err *e)
{
	if (mode != STORE_CREATE && strcmp(s->path, ":memory:") != 0 && access(s->path, F_OK) < 0)
		return err_set(e, ERR_ENV, "cannot open the store '%s': %s (senti-store put and migrate make one)",
		    s->path, strerror(errno));
	if (mode == STORE_CREATE && create_private(s->path, e) < 0)
		return -1;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == STORE_CREATE ? SQLITE_OPEN_CREATE : 0);
	if (sqlite3_open_v2(s->path, &s->db, flags, NULL) != SQLITE_OK)
		return s->db ? sql_fail(s, "open", e) : err_set(e, ERR_ENV, "out of memory");
	return 0;
}

static int connect_to(struct sqlite *s, enum store_mode mode, struct err *e)
{
	return open_file(s, mode, e) < 0 || configure(s, e) < 0 ? -1 : open_schema(s, mode, e);
}

int sql_in_place(struct sqlite *s, struct err *e)
{
	if (!s->moved)
		return check_place(s, e);
	sqlite3 *old = s->db;
	forget_statements(s);
	s->db = NULL;
	s->moved = false;
	if (connect_to(s, s->mode == STORE_CREATE ? STORE_EXISTING : s->mode, e) == 0) {
		sqlite3_close(old);
		s->written = 0;
		return 0;
	}
	forget_statements(s);
	sqlite3_close(s->db);
	s->db = old;
	s->moved = true;
	return -1;
}

/* Whether SQLite may write a file shows when it is opened. A disk may become read-only later. */
static int sqlite_writable(struct store *store, struct err *e)
{
	struct sqlite *s = (struct sqlite *)store;
	if (check_place(s, e) < 0)
		return -1;
	if (sqlite3_db_readonly(s->db, "main") == 1)
		return err_set(e, ERR_ENV, "the store '%s' is read-only", s->path);
	if (strcmp(s->path, ":memory:") == 0 || faccessat(AT_FDCWD, s->path, W_OK, AT_EACCESS) == 0)
		return 0;
	return err_sys(e, "cannot write the store '%s'", s->path);
}

struct store *sqlite_open(const char *path, enum store_mode mode, struct err *e)
{
	struct sqlite *s = xcalloc(1, sizeof *s);
	s->outbox = sqlite_outbox;
	s->api = (struct store){
	    .outbox = &s->outbox,
	    .put = sqlite_put,
	    .get = sqlite_get,
	    .query = sqlite_query,
	    .aggregate = sqlite_aggregate,
	    .edit = sqlite_edit,
	    .sample = sqlite_sample,
	    .stats = sqlite_stats,
	    .writable = sqlite_writable,
	    .migrate = sqlite_migrate,
	    .close = sqlite_close,
	};
	s->path = xstrdup(path);
	configure_library(false);
	s->mode = mode;
	if (connect_to(s, mode, e) == 0)
		return &s->api;
	struct err ignored;
	sqlite_close(&s->api, &ignored);
	return NULL;
}

void sqlite_share_memory(int64_t bytes)
{
	configure_library(true);
	sqlite3_soft_heap_limit64(bytes);
}
