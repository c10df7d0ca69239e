/* What is SQLite's own: the indexes that queries walk, migrations, other people's triggers, writers that wait. */
#include "tests/unit/tap.h"

#include <pthread.h>
#include <unistd.h>

#include "lib/net/sqlite_db.h"

static struct err e;
static struct arena mem;
static char dir[] = "/tmp/senti-sqlite-XXXXXX";
static char path[64];

static struct store *open_new(void)
{
	char wal[80];
	unlink(path);
	for (const char *const *end = (const char *const[]){"-wal", "-shm", NULL}; *end; end++) {
		snprintf(wal, sizeof wal, "%s%s", path, *end);
		unlink(wal);
	}
	struct store *s = sqlite_open(path, STORE_CREATE, &e);
	if (!s) {
		printf("Bail out! %s\n", e.msg);
		exit(1);
	}
	return s;
}

static void sql(struct store *s, const char *text)
{
	if (sql_exec((struct sqlite *)s, text, "change", &e) < 0)
		ok(false, "%s", e.msg);
}

static bool put(struct store *s, struct message *m, size_t n)
{
	struct message *row[8];
	for (size_t i = 0; i < n; i++)
		row[i] = &m[i];
	return store_put(s, row, n, &mem, &e) == 0;
}

static struct message message(const char *id)
{
	return (struct message){.id = str_of(id), .text = STR("x")};
}

/* Queries */

static void plan_of(struct sqlite *s, sqlite3_stmt *stmt, struct buf *out)
{
	struct buf text = {0};
	sqlite3_stmt *q = NULL;
	buf_printf(&text, "EXPLAIN QUERY PLAN %s", sqlite3_sql(stmt));
	if (sqlite3_prepare_v2(s->db, text.p, -1, &q, NULL) == SQLITE_OK)
		while (sqlite3_step(q) == SQLITE_ROW)
			buf_printf(out, "%s; ", (const char *)sqlite3_column_text(q, 3));
	sqlite3_finalize(q);
	buf_free(&text);
}

/* Both parts of the query walk this index, and sort nothing. */
static void walks(struct store *store, const char *name, const char *index, struct filter f)
{
	struct sqlite *s = (struct sqlite *)store;
	struct message row;
	for (int page = 0; page < 2; page++) {
		struct buf plan = {0};
		ok(store->query(store, &f, &row, 1, 1, &mem, &e) >= 0, "%s: runs", name);
		plan_of(s, s->timed.stmt, &plan);
		if (s->untimed.stmt)
			plan_of(s, s->untimed.stmt, &plan);
		buf_char(&plan, 0);
		const char *first = strstr(plan.p, "SEARCH");
		ok(first && strstr(plan.p, index) && !strstr(plan.p, "TEMP B-TREE") && !strstr(plan.p, "SCAN"),
		    "%s: walks %s (%s)", name, index, plan.p);
		buf_free(&plan);
		f.after = (struct place){.set = true, .has_time = true, .time = 5, .id = STR("k")};
	}
}

static void test_indexes(void)
{
	struct store *s = open_new();
	for (enum order order = ORDER_OLDEST; order <= ORDER_NEWEST; order++) {
		walks(s, "all", "message_time", (struct filter){.order = order});
		walks(s, "label", "message_label", (struct filter){.order = order, .label = STR("neutral")});
		walks(s, "source", "message_source", (struct filter){.order = order, .source = STR("a")});
		walks(s, "model", "message_model", (struct filter){.order = order, .model = STR("a")});
		walks(s, "unscored", "message_unscored", (struct filter){.order = order, .unscored = true});
		walks(s, "corrected", "message_corrected", (struct filter){.order = order, .corrected = true});
		walks(s, "not-model", "message_time", (struct filter){.order = order, .not_model = STR("a")});
		walks(s, "text", "message_time", (struct filter){.order = order, .text = STR("a")});
		struct filter times = {.order = order, .has_since = true, .since = 1, .has_until = true, .until = 9};
		walks(s, "times", "message_time", times);
		times.label = STR("positive");
		walks(s, "label and times", "message_label", times);
	}
	ok(s->close(s, &e) == 0, "closes");
}

/* Triggers that a user adds */

static void test_users_triggers(void)
{
	struct store *s = open_new();
	sql(s, "CREATE TRIGGER no BEFORE INSERT ON message WHEN NEW.id = 'abort' BEGIN SELECT RAISE(ABORT, 'not "
	       "this'); END;"
	       "CREATE TRIGGER no2 AFTER INSERT ON message WHEN NEW.id = 'undo' BEGIN SELECT RAISE(ROLLBACK, 'nor "
	       "this'); END;"
	       "CREATE TRIGGER no3 BEFORE INSERT ON message WHEN NEW.id = 'skip' BEGIN SELECT RAISE(IGNORE); END;");
	struct message m[] = {
	    message("a"), message("abort"), message("b"), message("undo"), message("skip"), message("c")};
	ok(put(s, m, 6), "a batch with refused rows is put");
	ok(m[0].fate == MESSAGE_STORED && m[2].fate == MESSAGE_STORED && m[5].fate == MESSAGE_STORED,
	    "the good are stored");
	is_str(m[1].why, STR("not this"), "a trigger's words are the reason");
	is_str(m[3].why, STR("nor this"), "also where it undoes the transaction");
	ok(m[4].fate == MESSAGE_REFUSED && m[4].why.n, "a row that a trigger ignores is refused");
	uint64_t n;
	ok(sql_number((struct sqlite *)s, "SELECT count(*) FROM outbox", "count", &n, &e) == 0 && n == 3,
	    "the outbox has the stored ones alone");
	sql(s, "CREATE TRIGGER more AFTER INSERT ON message WHEN NEW.id = 'd' BEGIN"
	       " UPDATE message SET extra = '{}' WHERE id = 'a'; END;");
	struct message d[] = {message("d"), message("e")};
	ok(put(s, d, 2), "a trigger that changes another row");
	struct message got[] = {message("a"), message("d"), message("e")}, *const row[] = {&got[0], &got[1], &got[2]};
	ok(s->get(s, row, 3, &mem, &e) == 0 && got[1].version == d[0].version && got[2].version == d[1].version,
	    "versions are those of the rows all the same");
	ok(got[0].version != got[1].version && got[1].version != got[2].version && got[0].version > m[0].version,
	    "each its own");
	sql(s,
	    "CREATE TABLE t (id text REFERENCES message (id) DEFERRABLE INITIALLY DEFERRED); PRAGMA foreign_keys = ON;"
	    "CREATE TRIGGER later AFTER INSERT ON message WHEN NEW.id = 'f' BEGIN INSERT INTO t VALUES ('nobody'); "
	    "END;");
	struct message f[] = {message("e1"), message("f"), message("g")};
	ok(put(s, f, 3) && f[0].fate == MESSAGE_STORED && f[1].fate == MESSAGE_REFUSED && f[2].fate == MESSAGE_STORED,
	    "a refusal at the commit is found by halving");
	ok(s->close(s, &e) == 0, "closes");
}

/* Migrations */

static void refused_as(const char *change, const char *words)
{
	struct store *s = open_new();
	sql(s, change);
	ok(s->close(s, &e) == 0, "closes");
	s = sqlite_open(path, STORE_CREATE, &e);
	ok(!s && e.kind == ERR_ENV && strstr(e.msg, words), "%s: %s", change, e.msg);
}

static void test_schema(void)
{
	refused_as("INSERT INTO migration VALUES (3, 'later', 'x', 'now')", "newer");
	refused_as("UPDATE migration SET checksum = 'x'", "checksum");
	refused_as("DROP TABLE migration", "already exists");
	ok(!sqlite_open("/nonexistent/x.db", STORE_CREATE, &e) && e.kind == ERR_ENV, "no directory: %s", e.msg);
	ok(!sqlite_open(dir, STORE_EXISTING, &e) && e.kind == ERR_ENV, "a directory: %s", e.msg);
}

/* Rows of the first schema that no record can be, which SQL may have made: mended when the schema is brought up to
 * date. */

static void test_mended(void)
{
	struct store *s = open_new();
	sql(s, "DROP TRIGGER message_insert; DROP TRIGGER message_update; DELETE FROM migration WHERE number = 2;"
	       "INSERT INTO message (id, text, score, version) VALUES (x'61', 'a blob', 0.5, 1), ('a', 'has its name', "
	       "9e999, 2),"
	       " (x'62', x'74657874', 'much', 3), ('c' || char(0) || 'd', 'NUL', -1, 4), ('e', 'x' || char(0) || 'y', "
	       "1, 5);"
	       "UPDATE sequence SET last = 5");
	ok(s->close(s, &e) == 0, "closes");
	s = sqlite_open(path, STORE_EXISTING, &e);
	if (!ok(s != NULL, "rows that no record can be are mended (%s)", e.msg))
		return;
	struct filter f = {.order = ORDER_ID};
	struct buf ids = {0}, text = {0};
	struct json_scan scan = {0};
	struct message m;
	size_t n = 0, valid = 0, scores = 0;
	while (n < 20 && s->query(s, &f, &m, 1, 1 << 20, &mem, &e) == 1) {
		n++;
		buf_printf(&ids, "%.*s ", STR_FMT(m.id));
		buf_clear(&text);
		if (message_write(&m, &text, &scan) == 0) {
			json_pad(&text);
			valid += json_scan(&scan, buf_view(&text)) == 0;
		}
		scores += m.has_score;
		f.after = (struct place){.set = true, .id = m.id};
	}
	is_str(buf_view(&ids), STR("a b blob-61 blob-630064 e "),
	    "each has an id that can be asked for, and a query ends");
	is_u64(valid, 5, "each is shown as a record");
	is_u64(scores, 3, "what is not a score is gone");
	sql(s, "UPDATE message SET text = 'changed' WHERE id = 'b'");
	static const char *const refused[] = {"INSERT INTO message (id, text) VALUES (x'61', 'x')",
	    "INSERT INTO message (id, text) VALUES ('x' || char(0), 'x')",
	    "UPDATE message SET id = x'61' WHERE id = 'b'", "UPDATE message SET text = x'61'",
	    "UPDATE message SET source = x'61'", "UPDATE message SET model = x'61'",
	    "UPDATE message SET extra = x'7b7d'", "UPDATE message SET sentiment = x'7b7d'",
	    "UPDATE message SET score = 9e999", "UPDATE message SET score = -1.01",
	    "UPDATE message SET score = 'much'"};
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		ok(sql_exec((struct sqlite *)s, refused[i], "change", &e) < 0 && strstr(e.msg, "not blobs"), "%s: %s",
		    refused[i], e.msg);
	sql(s, "UPDATE message SET score = NULL, source = NULL; UPDATE message SET score = 1, source = 's'");
	json_scan_free(&scan);
	buf_free(&ids);
	buf_free(&text);
	ok(s->close(s, &e) == 0, "closes");
}

/* Writers */

enum { THREADS = 8, ROWS = 40 };

static void *write_some(void *arg)
{
	const char *name = arg;
	struct err why;
	struct arena own = {0};
	struct store *s = sqlite_open(path, STORE_CREATE, &why);
	bool good = s != NULL;
	for (int i = 0; good && i < ROWS; i++) {
		char shared[20], mine[20];
		snprintf(shared, sizeof shared, "shared%d", i);
		snprintf(mine, sizeof mine, "%s%d", name, i);
		struct message m[] = {message(shared), message(mine)};
		struct message *const row[] = {&m[i % 2], &m[1 - i % 2]};
		good = store_put(s, row, 2, &own, &why) == 0 && m[0].fate != MESSAGE_REFUSED &&
		       m[1].fate == MESSAGE_STORED;
	}
	if (s && s->close(s, &why) < 0)
		good = false;
	arena_free(&own);
	return good ? arg : NULL;
}

static void test_writers(void)
{
	static char name[THREADS][4];
	pthread_t thread[THREADS];
	struct store *s = open_new();
	ok(s->close(s, &e) == 0 && unlink(path) == 0, "no file yet");
	size_t good = 0;
	for (size_t i = 0; i < THREADS; i++) {
		snprintf(name[i], sizeof name[i], "t%zu-", i);
		pthread_create(&thread[i], NULL, write_some, name[i]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		void *done;
		pthread_join(thread[i], &done);
		good += done != NULL;
	}
	is_u64(good, THREADS, "writers that open a new database at once all succeed");
	s = sqlite_open(path, STORE_EXISTING, &e);
	uint64_t rows, entries, versions;
	ok(s && sql_number((struct sqlite *)s, "SELECT count(*) FROM message", "count", &rows, &e) == 0 &&
		sql_number((struct sqlite *)s, "SELECT count(*) FROM outbox", "count", &entries, &e) == 0 &&
		sql_number((struct sqlite *)s, "SELECT count(DISTINCT version) FROM message", "count", &versions, &e) ==
		    0,
	    "counts");
	is_u64(rows, (THREADS + 1) * ROWS, "each row is there once");
	is_u64(entries, rows, "with one entry in the outbox");
	is_u64(versions, rows, "and its own version");
	ok(s->close(s, &e) == 0, "closes");
}

/* Reads that end early */

/* Nobody has gone, but from now on it is too late. */
static bool expire(void *arg)
{
	struct interrupt *i = arg;
	i->deadline = 1;
	return false;
}

static void test_interrupt(void)
{
	struct store *s = open_new();
	struct message m[10];
	struct stats_group g[10];
	struct filter f = {.text = STR("no such text")};
	struct stats_question q = {.filter = &f};
	sql(s, "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)"
	       " INSERT INTO message (id, text, version, stored_at, updated_at)"
	       " SELECT 'm' || i, 'x', i, '2024-01-01T00:00:00.000Z', '2024-01-01T00:00:00.000Z' FROM n");
	for (int groups = 0; groups < 2; groups++) {
		struct interrupt i = {.gone = expire};
		i.arg = &i;
		s->interrupt = &i;
		int rc = groups ? s->aggregate(s, &q, g, COUNT_OF(g), &mem, &e)
				: s->query(s, &f, m, COUNT_OF(m), 1 << 20, &mem, &e);
		ok(rc < 0 && i.why == INTERRUPT_DEADLINE, "a statement is ended while it runs");
		s->interrupt = NULL;
		ok(s->query(s, &(struct filter){0}, m, 10, 1 << 20, &mem, &e) == 10, "and the handle serves on");
	}
	ok(s->close(s, &e) == 0, "closes");
}

int main(void)
{
	if (!mkdtemp(dir))
		return 3;
	snprintf(path, sizeof path, "%s/db", dir);
	test_indexes();
	test_users_triggers();
	test_schema();
	test_mended();
	test_writers();
	test_interrupt();
	ok(unlink(path) == 0 && rmdir(dir) == 0, "closing leaves one file");
	arena_free(&mem);
	return tap_done();
}
