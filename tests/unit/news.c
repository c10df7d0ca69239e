/* What those who wait for news are told: listeners, who have the ring or read the past, and callers who expect a result; on a store that the test
 * moves by hand, and connections that are a flag each. */
#include "lib/serve/news.h"

#include <poll.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "tests/unit/tap.h"

enum { MOST = 10000, PATIENCE_MS = 20000 };

/* ---- the store: one row an entry ---- */

static struct {
	pthread_mutex_t lock;
	struct row {
		char id[24];
		const char *text, *source;
	} row[MOST];
	uint64_t n;
	bool away, no_rows;
	unsigned looks;
	uint64_t told; /* up to this entry */
} db = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void put(const char *id, const char *text, const char *source)
{
	pthread_mutex_lock(&db.lock);
	struct row *r = &db.row[db.n++];
	snprintf(r->id, sizeof r->id, "%s", id);
	r->text = text;
	r->source = source;
	pthread_mutex_unlock(&db.lock);
}

static void set_away(bool away)
{
	pthread_mutex_lock(&db.lock);
	db.away = away;
	pthread_mutex_unlock(&db.lock);
}

static int db_log(struct outbox *s, uint64_t *after, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	int n = 0;
	(void)s;
	(void)mem;
	pthread_mutex_lock(&db.lock);
	if (db.away)
		n = err_set(e, ERR_ENV, "away");
	else if (*after == LOG_END)
		*after = db.n;
	else {
		db.told = *after;
		for (; *after < db.n && (size_t)n < max; n++) {
			uint64_t seq = ++*after;
			out[n] = (struct change){.seq = seq, .version = seq, .id = str_of(db.row[seq - 1].id)};
		}
	}
	pthread_mutex_unlock(&db.lock);
	return n;
}

/* The newest row of each id. */
static int db_get(struct store *s, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	static const char sentiment[64] = "{\"label\":\"neutral\",\"score\":0,\"model\":\"m@1\"}";
	int rc = 0;
	(void)s;
	(void)mem;
	pthread_mutex_lock(&db.lock);
	db.looks++;
	if (db.away || db.no_rows)
		rc = err_set(e, ERR_ENV, "away");
	for (size_t i = 0; i < n && rc == 0; i++) {
		m[i]->fate = MESSAGE_MISSING;
		for (uint64_t at = db.n; at-- > 0;)
			if (str_eq(str_of(db.row[at].id), m[i]->id)) {
				*m[i] = (struct message){.id = m[i]->id,
				    .text = str_of(db.row[at].text),
				    .source = str_of(db.row[at].source),
				    .label = STR("neutral"),
				    .sentiment = {sentiment, strlen(sentiment)},
				    .version = at + 1,
				    .fate = MESSAGE_FOUND};
				break;
			}
	}
	pthread_mutex_unlock(&db.lock);
	return rc;
}

static int db_wait(struct outbox *s, int timeout_ms, int wake_fd, struct err *e)
{
	struct pollfd f = {.fd = wake_fd, .events = POLLIN};
	(void)s;
	(void)e;
	poll(&f, 1, timeout_ms < 2 ? timeout_ms : 2);
	return 1;
}

static int db_close(struct store *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

static struct outbox outbox = {.log = db_log, .wait = db_wait};
static struct store store = {.outbox = &outbox, .get = db_get, .close = db_close};

static struct store *open_store(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return &store;
}

static struct service service = {.ends = {.store = open_store}};
static struct news *news;

/* ---- connections: as http.h promises, but for the network ---- */

struct client {
	struct request x; /* first */
	atomic_bool asleep, cut;
	struct listener *l;
	struct buf got;
};

void request_pause(struct request *x)
{
	((struct client *)x)->asleep = true;
}

void request_resume(struct request *x)
{
	((struct client *)x)->asleep = false;
}

void request_cut(struct request *x)
{
	((struct client *)x)->cut = true;
}

static void listen_from(struct client *c, const char *source, uint64_t after)
{
	*c = (struct client){0};
	struct news_filter f = {.source = source ? str_of(source) : STR_NONE};
	c->l = news_listen(news, &c->x, &f, after);
}

/* Reads what there is: false once the stream has ended. */
static bool read_some(struct client *c)
{
	char piece[700];
	ssize_t n = 0;
	while (!c->asleep && (n = news_read(&c->x, c->l, piece, sizeof piece)) > 0)
		buf_add(&c->got, piece, (size_t)n);
	return n >= 0;
}

static size_t events(struct client *c)
{
	size_t n = 0;
	*buf_reserve(&c->got, 1) = 0;
	for (const char *p = c->got.p; (p = strstr(p, "event: scored\n")); p++)
		n++;
	return n;
}

/* Reads until there are n events: how many there are, or fewer when that never happens. */
static size_t read_events(struct client *c, size_t n)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	while (read_some(c) && events(c) < n && clock_mono_ms() < end)
		usleep(1000);
	return events(c);
}

static void leave(struct client *c)
{
	while (!c->asleep && read_some(c))
		;
	news_leave(c->l);
	buf_free(&c->got);
}

/* ---- checks ---- */

static void put_many(size_t n, const char *source)
{
	for (size_t i = 0; i < n; i++) {
		char id[24];
		snprintf(id, sizeof id, "%s%zu", source, i);
		put(id, "t", source);
	}
}

static void test_listeners(void)
{
	struct client now, rare, past, slow;
	listen_from(&now, NULL, LOG_END);
	listen_from(&rare, "rare", LOG_END);
	listen_from(&slow, NULL, LOG_END);
	ok(read_some(&now) && now.asleep && events(&now) == 0, "nothing has happened");
	is_str(buf_view(&now.got), STR("retry: 1000\nid: 0\n\n"), "and a client knows from where on it is told");
	read_some(&rare);
	put("a", "t", "s");
	is_u64(read_events(&now, 1), 1, "an event is told");
	ok(strstr(now.got.p, "id: 1\ndata: {\"id\":\"a\",") != NULL, "with its place and the record");
	/* Beyond the ring: now reads along, slow does not, nothing is for rare. */
	for (int i = 0; i < 6; i++) {
		put_many(1000, "many");
		read_events(&now, 1 + 1000 * ((size_t)i + 1));
	}
	is_u64(events(&now), 6001, "who reads has all");
	ok(slow.cut && !now.cut && !rare.cut, "who does not read is cut, and no other");
	ok(!read_some(&slow) && events(&slow) == 0, "its stream is over");
	put("b", "t", "rare");
	is_u64(read_events(&rare, 1), 1, "a filter that let nothing through for long has missed nothing");
	listen_from(&past, NULL, 0);
	/* Of those whose rows have changed since, a later entry tells. */
	is_u64(read_events(&past, 1002), 1002, "who begins at the start has each row once");
	put("c", "t", "s");
	is_u64(read_events(&past, 1003), 1003, "and what comes then");
	leave(&past);
	leave(&now);
	leave(&rare);
	leave(&slow);
	is_u64(news_listeners(news), 0, "all have left");
}

struct answer {
	atomic_int calls;
	char record[200];
};

static void on_result(void *caller, size_t item, struct str record)
{
	struct answer *a = (struct answer *)caller + item;
	snprintf(a->record, sizeof a->record, "%.*s", (int)record.n, record.p ? record.p : "");
	atomic_fetch_add(&a->calls, 1);
}

static void expect(struct answer *a, size_t item, const char *id, const char *text, int64_t ms)
{
	news_expect(news, str_of(id), str_of(text), clock_mono_ms() + ms, on_result, a, item);
}

static bool answered(struct answer *a)
{
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !a->calls && clock_mono_ms() < end;)
		usleep(1000);
	return a->calls == 1;
}

static void test_expectations(void)
{
	enum { MANY = 1000, HOUR = 3600000 };
	static struct answer a[MANY];
	put("old", "text", "s");
	expect(a, 0, "old", "text", HOUR);
	ok(answered(&a[0]) && strstr(a[0].record, "\"id\":\"old\""), "what is there already");
	expect(a, 1, "old", "another", HOUR);
	expect(a, 2, "old", "another", HOUR);
	put("old", "another", "s");
	ok(answered(&a[1]) && answered(&a[2]) && strstr(a[1].record, "another"), "another text, told to both who wait");
	expect(a, 3, "never", "t", 1);
	ok(answered(&a[3]) && !a[3].record[0], "the time is over");
	/* Stored, and looked for while the store does not answer. */
	set_away(true);
	put("while", "away", "s");
	struct client c;
	listen_from(&c, NULL, LOG_END);
	expect(a, 4, "while", "away", HOUR);
	expect(a, 5, "late", "t", 1);
	ok(answered(&a[5]) && a[4].calls == 0, "who waits for a store that is away is told in time");
	set_away(false);
	ok(answered(&a[4]) && a[4].record[0], "and what was stored is found once it is back");
	leave(&c);
	memset(a, 0, sizeof a);
	bool all = true;
	for (size_t i = 0; i < MANY; i++) {
		char id[24];
		snprintf(id, sizeof id, "m%zu", i);
		if (i % 2)
			put(id, "t", "s");
		expect(a, i, id, "t", HOUR);
		if (i % 2 == 0)
			put(id, "t", "s");
	}
	for (size_t i = 0; i < MANY; i++)
		all = answered(&a[i]) && a[i].record[0] && all;
	ok(all, "many, stored before and after");
	memset(a, 0, sizeof a);
	expect(a, 0, "no", "t", HOUR);
	news_end_waits(news);
	expect(a, 1, "nor", "t", HOUR);
	ok(answered(&a[0]) && answered(&a[1]), "the end answers all");
}

static bool is(bool (*what)(void))
{
	bool good = false;
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !good && clock_mono_ms() < end; usleep(1000)) {
		pthread_mutex_lock(&db.lock);
		good = what();
		pthread_mutex_unlock(&db.lock);
	}
	return good;
}

static bool all_told(void)
{
	return db.told == db.n;
}

static unsigned looks_before;

static bool looked_again(void)
{
	return db.looks > looks_before;
}

/* No entry of the log tells of it any more. */
static void test_looked_for_again(void)
{
	static struct answer a[1];
	put("quiet", "t", "s");
	ok(is(all_told), "the log has been read");
	pthread_mutex_lock(&db.lock);
	db.no_rows = true;
	looks_before = db.looks;
	pthread_mutex_unlock(&db.lock);
	expect(a, 0, "quiet", "t", 3600000);
	ok(is(looked_again) && a->calls == 0, "a row is looked for, and the store fails");
	pthread_mutex_lock(&db.lock);
	db.no_rows = false;
	pthread_mutex_unlock(&db.lock);
	ok(answered(a) && a->record[0], "it is looked for again");
}

static void test_end(void)
{
	struct client c, stuck;
	listen_from(&c, NULL, LOG_END);
	listen_from(&stuck, NULL, 5);
	read_some(&c);
	news_end_streams(news);
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; (c.asleep || !stuck.cut) && clock_mono_ms() < end;)
		usleep(1000);
	ok(!c.asleep && !read_some(&c), "the end wakes who sleeps");
	ok(stuck.cut, "and cuts who does not read");
	leave(&c);
	leave(&stuck);
}

int main(void)
{
	struct err e;
	news = news_start(&service, &e);
	if (!ok(news != NULL, "it starts"))
		return tap_done();
	test_listeners();
	test_looked_for_again();
	test_expectations();
	test_end();
	news_stop(news);
	return tap_done();
}
