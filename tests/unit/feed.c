/* What the feed brings: to subscribers, who read the ring or the past, and to callers who await a result; on a store
 * that the test moves by hand, and connections that are a flag each. */
#include "lib/serve/feed.h"

#include <poll.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/event.h"
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
	uint64_t told;	/* up to this entry */
	uint64_t given; /* numbers that were given out to what is not committed yet */
	unsigned ages;
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

static int db_age(struct outbox *s, struct outbox_age *out, struct err *e)
{
	(void)s;
	(void)e;
	pthread_mutex_lock(&db.lock);
	*out = (struct outbox_age){.identity = 1, .newest = db.n + db.given};
	db.ages++;
	pthread_mutex_unlock(&db.lock);
	return 0;
}

static int db_close(struct store *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

static struct outbox outbox = {.log = db_log, .wait = db_wait, .age = db_age};
static struct store store = {.outbox = &outbox, .get = db_get, .close = db_close};

static struct store *open_store(void *arg, struct err *e)
{
	(void)arg;
	(void)e;
	return &store;
}

static struct ends ends = {.store = open_store};
static struct subscribers *subscribers;
static struct await *await;
static struct feed *feed;

/* ---- connections ---- */

struct client {
	atomic_bool asleep, cut;
	struct subscriber *s;
	uint64_t from;
	bool over;
	size_t events;
	struct buf got; /* a line an event */
};

static void pause_client(void *arg)
{
	((struct client *)arg)->asleep = true;
}

static void resume_client(void *arg)
{
	((struct client *)arg)->asleep = false;
}

static void cut_client(void *arg)
{
	((struct client *)arg)->cut = true;
}

static void listen_from(struct client *c, const char *source, uint64_t after)
{
	*c = (struct client){0};
	const struct subscriber_conf conf = {.source = source ? str_of(source) : STR_NONE,
	    .after = after,
	    .arg = c,
	    .pause = pause_client,
	    .resume = resume_client,
	    .cut = cut_client};
	c->s = subscribe(subscribers, &conf, &c->from);
}

/* Reads what there is: false once the stream has ended. */
static bool read_some(struct client *c)
{
	struct feed_event *ev;
	while (!c->asleep && !c->over) {
		enum subscriber_next next = subscriber_next(c->s, &ev);
		c->over = next == SUBSCRIBER_END || next == SUBSCRIBER_CUT;
		if (next != SUBSCRIBER_EVENT)
			continue;
		buf_printf(&c->got, "%llu %.*s\n", (unsigned long long)ev->seq, STR_FMT(ev->record));
		c->events++;
		feed_event_release(ev);
	}
	return !c->over;
}

/* Reads until there are n events: how many there are, or fewer when that never happens. */
static size_t read_events(struct client *c, size_t n)
{
	int64_t end = clock_mono_ms() + PATIENCE_MS;
	while (read_some(c) && c->events < n && clock_mono_ms() < end)
		usleep(1000);
	return c->events;
}

static void leave(struct client *c)
{
	while (!c->asleep && read_some(c))
		;
	subscriber_leave(c->s);
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

static void test_subscribers(void)
{
	struct client now, rare, past, slow;
	listen_from(&now, NULL, LOG_END);
	listen_from(&rare, "rare", LOG_END);
	listen_from(&slow, NULL, LOG_END);
	ok(read_some(&now) && now.asleep && now.events == 0, "nothing has happened");
	is_u64(now.from, 0, "and a client knows from where on it is told");
	read_some(&rare);
	put("a", "t", "s");
	is_u64(read_events(&now, 1), 1, "an event is told");
	ok(strncmp(now.got.p, "1 {\"id\":\"a\",", 12) == 0, "with its place and the record");
	/* Beyond the ring: now reads along, slow does not, nothing is for rare. */
	for (int i = 0; i < 6; i++) {
		put_many(1000, "many");
		read_events(&now, 1 + 1000 * ((size_t)i + 1));
	}
	is_u64(now.events, 6001, "who reads has all");
	ok(slow.cut && !now.cut && !rare.cut, "who does not read is cut, and no other");
	ok(!read_some(&slow) && slow.events == 0, "its stream is over");
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
	is_u64(subscribers_count(subscribers), 0, "all have left");
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

static void wait_for(struct answer *a, size_t item, const char *id, const char *text, int64_t ms)
{
	bool waits = await_add(await, str_of(id), str_of(text), clock_mono_ms() + ms, on_result, a, item);
	ok(waits, "there is memory to wait in");
}

static bool answered(struct answer *a)
{
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !a->calls && clock_mono_ms() < end;)
		usleep(1000);
	return a->calls == 1;
}

static void test_await(void)
{
	enum { MANY = 1000, HOUR = 3600000 };
	static struct answer a[MANY];
	put("old", "text", "s");
	wait_for(a, 0, "old", "text", HOUR);
	ok(answered(&a[0]) && strstr(a[0].record, "\"id\":\"old\""), "what is there already");
	wait_for(a, 6, "old", "text", HOUR);
	wait_for(a, 7, "old", "text", HOUR);
	ok(answered(&a[6]) && answered(&a[7]) && strstr(a[7].record, "\"id\":\"old\""), "told to both who wait");
	wait_for(a, 1, "old", "another", HOUR);
	wait_for(a, 2, "old", "another", HOUR);
	put("old", "another", "s");
	ok(answered(&a[1]) && answered(&a[2]) && strstr(a[1].record, "another"), "another text, told to both who wait");
	wait_for(a, 3, "never", "t", 1);
	ok(answered(&a[3]) && !a[3].record[0], "the time is over");
	/* Stored, and looked for while the store does not answer. */
	set_away(true);
	put("while", "away", "s");
	struct client c;
	listen_from(&c, NULL, LOG_END);
	wait_for(a, 4, "while", "away", HOUR);
	wait_for(a, 5, "late", "t", 1);
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
		wait_for(a, i, id, "t", HOUR);
		if (i % 2 == 0)
			put(id, "t", "s");
	}
	for (size_t i = 0; i < MANY; i++)
		all = answered(&a[i]) && a[i].record[0] && all;
	ok(all, "many, stored before and after");
	memset(a, 0, sizeof a);
	wait_for(a, 0, "no", "t", HOUR);
	await_end(await);
	wait_for(a, 1, "nor", "t", HOUR);
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
	wait_for(a, 0, "quiet", "t", 3600000);
	ok(is(looked_again) && a->calls == 0, "a row is looked for, and the store fails");
	pthread_mutex_lock(&db.lock);
	db.no_rows = false;
	pthread_mutex_unlock(&db.lock);
	ok(answered(a) && a->record[0], "it is looked for again");
}

static void set_given(uint64_t n)
{
	pthread_mutex_lock(&db.lock);
	db.given = n;
	db.ages = 0;
	pthread_mutex_unlock(&db.lock);
}

static bool looked_at_age(void)
{
	bool looked = false;
	for (int64_t end = clock_mono_ms() + PATIENCE_MS; !looked && clock_mono_ms() < end; usleep(1000)) {
		pthread_mutex_lock(&db.lock);
		looked = db.ages > 0;
		pthread_mutex_unlock(&db.lock);
	}
	return looked;
}

/* Another server takes over, and does not know the numbers that were not committed. It has an entry before anybody has
 * looked. */
static void test_failover(void)
{
	struct client c;
	listen_from(&c, NULL, LOG_END);
	set_given(10);
	ok(looked_at_age(), "the numbers given out are seen");
	set_away(true);
	pthread_mutex_lock(&db.lock);
	snprintf(db.row[db.n].id, sizeof db.row->id, "next");
	db.row[db.n].text = db.row[db.n].source = "s";
	db.n++;
	db.given = db.ages = 0;
	uint64_t n = db.n;
	pthread_mutex_unlock(&db.lock);
	ok(looked_at_age(), "the other one is looked at");
	set_away(false);
	is_u64(read_events(&c, 1), 1, "what it has stored is told");
	put("more", "t", "s");
	is_u64(read_events(&c, 2), 2, "and what it stores then");
	char first[32];
	int len = snprintf(first, sizeof first, "%llu {\"id\":\"next\",", (unsigned long long)n);
	ok(c.got.n && strncmp(c.got.p, first, (size_t)len) == 0, "each once");
	leave(&c);
}

static void test_end(void)
{
	struct client c, stuck;
	listen_from(&c, NULL, LOG_END);
	listen_from(&stuck, NULL, 5);
	read_some(&c);
	subscribers_end(subscribers);
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
	int event = event_open();
	await = await_new(event, NULL);
	subscribers = subscribers_new(event, NULL);
	feed = feed_start(&(struct feed_conf){&ends, await, subscribers, event}, &e);
	if (!ok(feed != NULL, "it starts"))
		return tap_done();
	test_subscribers();
	test_looked_for_again();
	test_await();
	test_failover();
	test_end();
	feed_stop(feed);
	subscribers_free(subscribers);
	await_free(await);
	close(event);
	return tap_done();
}
