/* sqlite_outbox.c - readers of the outbox, and its trimming. There is one writer at a time, so entries appear in the
 * order of seq, and a cursor is a number. */
#include "lib/net/sqlite_db.h"

#include <poll.h>
#include <sys/stat.h>

enum {
	ALIVE_MS = 60000,    /* how often an idle reader shows that it lives */
	LOOK_MS = 10,	     /* how often a waiting reader checks the file: about 3 us each */
	PRUNE_CHUNK = 10000, /* entries deleted in one transaction, so that writers need not wait long */
};

static struct sqlite *sqlite_of(struct outbox *outbox)
{
	return (struct sqlite *)((char *)outbox - offsetof(struct sqlite, outbox));
}

/* Finds the statement that registers the reader or shows that it lives, if needed: most calls write nothing, so polling
 * takes no lock. */
static int find_reader(struct sqlite *s, struct str reader, int64_t now, enum sql *todo, struct err *e)
{
	sqlite3_stmt *q = sql_prepared(s, SQL_READER, e);
	if (!q)
		return -1;
	sql_bind(q, 1, reader);
	sql_bind_time(q, 2, true, now - ALIVE_MS);
	int step = sqlite3_step(q), rc = 0;
	if (step == SQLITE_ROW)
		*todo = sqlite3_column_int(q, 0) ? SQL_READER_ALIVE : SQL_COUNT;
	else if (step == SQLITE_DONE)
		*todo = SQL_READER_NEW;
	else
		rc = sql_fail(s, "follow", e);
	sqlite3_reset(q);
	return rc;
}

static int show_alive(struct sqlite *s, struct str reader, struct err *e)
{
	int64_t now = clock_wall_ms();
	enum sql todo;
	if (find_reader(s, reader, now, &todo, e) < 0)
		return -1;
	if (todo == SQL_COUNT)
		return 0;
	sqlite3_stmt *q = sql_prepared(s, todo, e);
	if (!q)
		return -1;
	sql_bind(q, 1, reader);
	sql_bind_time(q, 2, true, now);
	return sql_run(s, todo, "follow", e);
}

/* A number that changes with any write. SQLite's own counts only other connections, so this one's changes are added. */
static int written(struct sqlite *s, uint64_t *out, struct err *e)
{
	uint64_t others;
	if (sql_in_place(s, e) < 0 || sql_prepared_number(s, SQL_DATA_VERSION, "follow", &others, e) < 0)
		return -1;
	*out = others << 32 ^ (uint64_t)sqlite3_total_changes64(s->db);
	return 0;
}

static int sqlite_wait(struct outbox *outbox, int timeout_ms, int wake_fd, struct err *e)
{
	struct sqlite *s = sqlite_of(outbox);
	struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
	int64_t end = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
	for (;;) {
		uint64_t now;
		if (written(s, &now, e) < 0)
			return -1;
		if (now != s->written) {
			s->written = now;
			return 1;
		}
		int64_t left = end - clock_mono_ms();
		if (left <= 0 || poll(&wake, 1, left < LOOK_MS ? (int)left : LOOK_MS) > 0)
			return 0;
	}
}

/* Reads the entries of a statement, then resets it. */
static int take_changes(
    struct sqlite *s, sqlite3_stmt *q, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	size_t n = 0;
	int step = SQLITE_ROW;
	while (n < max && (step = sqlite3_step(q)) == SQLITE_ROW) {
		struct change *c = &out[n++];
		c->seq = (uint64_t)sqlite3_column_int64(q, 0);
		c->xid = (uint64_t)sqlite3_column_int64(q, 1);
		c->id = sql_text(q, 2, mem);
		c->version = (uint64_t)sqlite3_column_int64(q, 3);
		c->op = change_op_parse(sql_text(q, 4, mem));
	}
	int rc = step == SQLITE_DONE || step == SQLITE_ROW ? (int)n : sql_fail(s, "follow", e);
	sqlite3_reset(q);
	return rc;
}

static int sqlite_changes(
    struct outbox *outbox, const char *reader, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	struct sqlite *s = sqlite_of(outbox);
	if (written(s, &s->written, e) < 0 || show_alive(s, str_of(reader), e) < 0)
		return -1;
	sqlite3_stmt *q = sql_prepared(s, SQL_CHANGES, e);
	if (!q)
		return -1;
	sql_bind(q, 1, str_of(reader));
	sqlite3_bind_int64(q, 2, (sqlite3_int64)max);
	return take_changes(s, q, out, max, mem, e);
}

static int sqlite_log(
    struct outbox *outbox, uint64_t *after, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	struct sqlite *s = sqlite_of(outbox);
	if (written(s, &s->written, e) < 0)
		return -1;
	if (*after == LOG_END)
		return sql_prepared_number(s, SQL_LOG_END, "follow", after, e);
	sqlite3_stmt *q = sql_prepared(s, SQL_LOG, e);
	if (!q)
		return -1;
	sqlite3_bind_int64(q, 1, (sqlite3_int64)*after);
	sqlite3_bind_int64(q, 2, (sqlite3_int64)max);
	int n = take_changes(s, q, out, max, mem, e);
	if (n > 0)
		*after = out[n - 1].seq;
	return n;
}

/* One writer at a time: whatever is visible is settled. */
static int sqlite_unsettled(struct outbox *outbox, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	(void)outbox;
	(void)out;
	(void)max;
	(void)mem;
	(void)e;
	return 0;
}

static int sqlite_seen(struct outbox *outbox, const char *reader, const struct change *c, size_t n, struct err *e)
{
	struct sqlite *s = sqlite_of(outbox);
	sqlite3_stmt *q = sql_prepared(s, SQL_SEEN, e);
	if (!q)
		return -1;
	uint64_t last = 0;
	for (size_t i = 0; i < n; i++)
		last = c[i].seq > last ? c[i].seq : last;
	sql_bind(q, 1, str_of(reader));
	sqlite3_bind_int64(q, 2, (sqlite3_int64)last);
	sql_bind_time(q, 3, true, clock_wall_ms());
	return sql_run(s, SQL_SEEN, "follow", e);
}

/* Deletes one chunk. Returns how many entries went, or -1. Each chunk looks at the readers anew. */
static int64_t prune_chunk(struct sqlite *s, struct err *e)
{
	char sql[400];
	snprintf(sql, sizeof sql,
	    "DELETE FROM outbox WHERE seq <= coalesce((SELECT min(seq) FROM reader), (SELECT last FROM sequence))"
	    " AND seq < (SELECT min(seq) FROM outbox) + %d",
	    PRUNE_CHUNK);
	if (sql_exec(s, sql, "prune", e) < 0)
		return -1;
	return sqlite3_changes64(s->db);
}

static int sqlite_prune(struct outbox *outbox, int64_t dead_before, uint64_t *gone, struct err *e)
{
	struct sqlite *s = sqlite_of(outbox);
	char sql[100], time[TIME_LEN];
	time_format(dead_before, time);
	snprintf(sql, sizeof sql, "DELETE FROM reader WHERE alive_at < '%.*s'", TIME_LEN, time);
	*gone = 0;
	if (sql_exec(s, sql, "prune", e) < 0)
		return -1;
	for (;;) {
		int64_t n = prune_chunk(s, e);
		if (n <= 0)
			return (int)n;
		*gone += (uint64_t)n;
	}
}

static int sqlite_age(struct outbox *outbox, struct outbox_age *out, struct err *e)
{
	struct sqlite *s = sqlite_of(outbox);
	struct stat st;
	*out = (struct outbox_age){.identity = stat(s->path, &st) == 0 ? (uint64_t)st.st_ino : 0};
	if (sql_in_place(s, e) < 0)
		return -1;
	return sql_prepared_number(s, SQL_LAST, "follow", &out->newest, e);
}

const struct outbox sqlite_outbox = {
    .changes = sqlite_changes,
    .seen = sqlite_seen,
    .wait = sqlite_wait,
    .log = sqlite_log,
    .unsettled = sqlite_unsettled,
    .prune = sqlite_prune,
    .age = sqlite_age,
};
