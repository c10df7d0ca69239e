/* What is PostgreSQL's own: transactions that commit out of order, waking, connections that are cut, a database that
 * has moved. SENTI_TEST_POSTGRES names a database of its own; without it there is nothing to test. */
#include "tests/unit/tap.h"

#include <libpq-fe.h>

#include "lib/base/clock.h"
#include "lib/net/pg.h"

static struct err e;
static struct arena mem;

static void sql(PGconn *c, const char *text)
{
	PGresult *r = PQexec(c, text);
	ExecStatusType status = PQresultStatus(r);
	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
		ok(false, "%s: %s", text, PQerrorMessage(c));
	PQclear(r);
}

static void insert(PGconn *c, const char *id)
{
	char text[100];
	snprintf(text, sizeof text, "INSERT INTO senti.message (id, text) VALUES ('%s', 'x')", id);
	sql(c, text);
}

/* The ids of what a reader is given, at most `max`, each with a comma; `see` marks them as seen. */
static struct str news(struct store *s, size_t max, bool see)
{
	static struct buf out;
	struct change c[16];
	buf_clear(&out);
	int n = s->outbox->changes(s->outbox, "r", c, max, &mem, &e);
	for (int i = 0; i < n; i++) {
		buf_str(&out, c[i].id);
		buf_char(&out, ',');
	}
	if (n < 0 || (see && s->outbox->seen(s->outbox, "r", c, (size_t)n, &e) < 0))
		buf_printf(&out, "(%s)", e.msg);
	buf_reserve(&out, 1);
	return buf_view(&out);
}

static void test_late_commit(struct store *s, PGconn *slow, PGconn *quick)
{
	is_str(news(s, 16, true), STR(""), "nothing yet");
	sql(slow, "BEGIN");
	insert(slow, "late1");
	insert(quick, "a");
	is_str(news(s, 16, true), STR("a,"), "what is committed is given, though an earlier number is not");
	is_str(news(s, 16, true), STR(""), "and not again");
	for (const char *const *id = (const char *const[]){"b", "c", "d", "e", "f", NULL}; *id; id++)
		insert(quick, *id);
	is_str(news(s, 2, true), STR("b,c,"), "a page");
	insert(slow, "late2");
	sql(slow, "COMMIT");
	is_str(news(s, 2, false), STR("d,e,"), "the next page");
	is_str(news(s, 2, true), STR("d,e,"), "comes again until it is seen");
	is_str(news(s, 2, true), STR("f,"), "the last of the pages begun before the commit");
	is_str(news(s, 2, true), STR("late1,late2,"), "then what was committed late");
	is_str(news(s, 2, true), STR(""), "and that was all");
	uint64_t gone;
	ok(s->outbox->prune(s->outbox, 0, &gone, &e) == 0 && gone == 8, "all of it can go");
	sql(slow, "BEGIN");
	insert(slow, "never");
	insert(quick, "g");
	is_str(news(s, 16, true), STR("g,"), "beside one that is running");
	ok(s->outbox->prune(s->outbox, 0, &gone, &e) == 0 && gone == 1, "what was seen goes");
	sql(slow, "ROLLBACK");
	is_str(news(s, 16, true), STR(""), "and is undone");
}

/* Many transactions in flight, committed in any order, while a reader asks all the time. */
static void test_many(struct store *s, const char *url)
{
	enum { N = 12, ROUNDS = 40 };
	PGconn *conn[N];
	bool open[N] = {false};
	unsigned seen[ROUNDS * N] = {0};
	char text[200];
	size_t made = 0, wrong = 0;
	uint32_t x = 1;
	struct change c[64];
	for (int n; (n = s->outbox->changes(s->outbox, "many", c, 64, &mem, &e)) > 0;)
		s->outbox->seen(s->outbox, "many", c, (size_t)n, &e);
	for (size_t i = 0; i < N; i++)
		conn[i] = PQconnectdb(url);
	for (size_t round = 0; round < ROUNDS * 4; round++) {
		x = x * 1664525 + 1013904223;
		size_t i = (x >> 16) % N;
		if (!open[i] && made < COUNT_OF(seen)) {
			snprintf(text, sizeof text, "BEGIN; INSERT INTO senti.message (id, text) VALUES ('m%zu', 'x')",
			    made++);
			sql(conn[i], text);
		} else if (open[i]) {
			sql(conn[i], "COMMIT");
		}
		open[i] = !open[i];
		for (int n; (n = s->outbox->changes(s->outbox, "many", c, 3, &mem, &e)) > 0;) {
			for (int k = 0; k < n; k++)
				if (c[k].id.p[0] == 'm')
					seen[strtoul(c[k].id.p + 1, NULL, 10)]++;
			s->outbox->seen(s->outbox, "many", c, (size_t)n, &e);
		}
		uint64_t gone;
		if (round % 8 == 0 && s->outbox->prune(s->outbox, 0, &gone, &e) < 0)
			wrong++;
	}
	for (size_t i = 0; i < N; i++) {
		if (open[i])
			sql(conn[i], "COMMIT");
		PQfinish(conn[i]);
	}
	for (int n; (n = s->outbox->changes(s->outbox, "many", c, 64, &mem, &e)) > 0;
	     s->outbox->seen(s->outbox, "many", c, (size_t)n, &e))
		for (int k = 0; k < n; k++)
			if (c[k].id.p[0] == 'm')
				seen[strtoul(c[k].id.p + 1, NULL, 10)]++;
	for (size_t i = 0; i < made; i++)
		wrong += seen[i] != 1;
	ok(made > ROUNDS && wrong == 0, "%zu transactions that commit in any order: %zu were missed or came twice",
	    made, wrong);
}

static void test_wait(struct store *s, PGconn *other)
{
	ok(s->outbox->wait(s->outbox, 1000, -1, &e) == 1, "the first wait may have missed something, and says so");
	is_str(news(s, 16, true), STR(""), "it has not");
	ok(s->outbox->wait(s->outbox, 20, -1, &e) == 0, "time goes by");
	insert(other, "w1");
	ok(s->outbox->wait(s->outbox, 10000, -1, &e) == 1, "a commit wakes");
	is_str(news(s, 16, true), STR("w1,"), "by then it is there");
	sql(other, "BEGIN");
	insert(other, "w2");
	ok(s->outbox->wait(s->outbox, 20, -1, &e) == 0, "before the commit nobody is woken");
	sql(other, "COMMIT");
	ok(s->outbox->wait(s->outbox, 10000, -1, &e) == 1, "then they are");
	is_str(news(s, 16, true), STR("w2,"), "and see it");
}

static void cut(PGconn *other)
{
	sql(other, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
		   " WHERE pid <> pg_backend_pid() AND datname = current_database() AND application_name = 'tests'");
}

static void test_cut(struct store *s, PGconn *other)
{
	struct message m = {.id = STR("cut"), .text = STR("x")}, *const one = &m;
	cut(other);
	ok(store_put(s, &one, 1, &mem, &e) == 0 && m.fate == MESSAGE_STORED, "a put over a connection that was cut");
	cut(other);
	is_str(news(s, 16, true), STR("cut,"), "a look as well");
	ok(s->outbox->wait(s->outbox, 20, -1, &e) == 1, "a wait over a new connection listens anew");
	cut(other);
	ok(s->outbox->wait(s->outbox, 10000, -1, &e) == 1, "one that is cut while it waits says so");
	insert(other, "after");
	is_str(news(s, 16, true), STR("after,"), "and nothing is missed");
}

static void test_moved(struct store *s, PGconn *other)
{
	sql(other,
	    "UPDATE senti.reader SET base = '9000000000:9000000000:'; UPDATE senti.outbox SET xid = '8000000000'");
	insert(other, "moved");
	struct str all = news(s, 16, true);
	ok(memmem(all.p, all.n, "moved,", 6) && memmem(all.p, all.n, "after,", 6),
	    "numbers of another server: all that is left is given again (%.*s)", STR_FMT(all));
	is_str(news(s, 16, true), STR(""), "once");
	insert(other, "here");
	is_str(news(s, 16, true), STR("here,"), "and from then on as ever");
}

/* What raw SQL leaves in the outbox. */
static void test_triggers(struct store *s, PGconn *other)
{
	sql(other, "TRUNCATE senti.message");
	news(s, 16, true);
	news(s, 16, true);
	sql(other, "INSERT INTO senti.message (id, text, version) VALUES ('t1', 'x', 7), ('t2', 'y', 7)");
	is_str(news(s, 16, true), STR("t1,t2,"), "rows of one statement, whatever version they bring");
	sql(other, "UPDATE senti.message SET label = label");
	is_str(news(s, 16, true), STR(""), "nothing for an update that changes nothing");
	sql(other, "UPDATE senti.message SET version = 5 WHERE id = 't1'");
	struct message m = {.id = STR("t1")}, *const one = &m;
	ok(s->get(s, &one, 1, &mem, &e) == 0 && m.version > 7, "nobody makes up a version");
	is_str(news(s, 16, true), STR("t1,"), "who tries makes a change");
	sql(other, "UPDATE senti.message SET id = 't3' WHERE id = 't2'");
	struct str both = news(s, 16, true);
	ok(both.n == 6 && memmem(both.p, both.n, "t2,", 3) && memmem(both.p, both.n, "t3,", 3), "a new id changes two");
	sql(other, "TRUNCATE senti.message");
	is_u64(news(s, 16, true).n, 6, "TRUNCATE deletes row by row");
}

int main(void)
{
	const char *url = env_get("SENTI_TEST_POSTGRES");
	if (!url) {
		printf("1..0 # SKIP SENTI_TEST_POSTGRES names no database\n");
		return 0;
	}
	PGconn *a = PQconnectdb(url), *b = PQconnectdb(url);
	const struct pg_conf conf = {.address = url, .tool = "tests", .retry_ms = 10000};
	struct store *s = pg_open(&conf, STORE_CREATE, &e);
	if (!ok(s != NULL && PQstatus(a) == CONNECTION_OK && PQstatus(b) == CONNECTION_OK, "opens: %s", s ? "" : e.msg))
		return tap_done();
	test_late_commit(s, a, b);
	test_wait(s, b);
	test_cut(s, b);
	test_moved(s, b);
	test_triggers(s, b);
	test_many(s, url);
	ok(s->close(s, &e) == 0, "closes");
	PQfinish(a);
	PQfinish(b);
	arena_free(&mem);
	return tap_done();
}
