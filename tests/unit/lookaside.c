/* Reading through the cache: the answers, single flight, and readers so slow that a change overtakes them. On SQLite
 * and a cache in memory. */
#include "tests/unit/tap.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/data/lookaside.h"
#include "lib/data/memory.h"
#include "lib/net/sqlite.h"

static struct err e;
static struct arena mem;
static char dir[] = "/tmp/senti-lookaside-XXXXXX";
static char path[64];
static struct store *base; /* for changes and for the main thread's reads */
static struct cache *cache;

/* ---- a store that can be stopped between its answer and whoever asked ---- */

struct gated {
	struct store api;
	struct store *real;
	void (*answered)(void);
	bool fails;
};

static atomic_int store_reads;

static int gated_get(struct store *s, struct message *const *m, size_t n, struct arena *a, struct err *err)
{
	struct gated *g = (struct gated *)s;
	atomic_fetch_add(&store_reads, (int)n);
	int rc = g->fails ? err_set(err, ERR_ENV, "the store is away") : g->real->get(g->real, m, n, a, err);
	if (g->answered)
		g->answered();
	return rc;
}

static struct gated gate(struct store *real, void (*answered)(void))
{
	return (struct gated){.api = {.get = gated_get}, .real = real, .answered = answered};
}

/* ---- a cache that counts, and that can be away ---- */

struct counted {
	struct cache api;
	struct cache *real;
	bool away;
	atomic_int asked, puts;
};

static int counted_get(struct cache *c, struct entry *const *x, size_t n, struct arena *a, struct err *err)
{
	struct counted *k = (struct counted *)c;
	for (size_t i = 0; k->away && i < n; i++)
		x[i]->state = ENTRY_SKIPPED;
	int rc = k->away ? 0 : k->real->get(k->real, x, n, a, err);
	atomic_fetch_add(&k->asked, 1);
	return rc;
}

static int counted_put(struct cache *c, struct entry *const *x, size_t n, struct err *err)
{
	struct counted *k = (struct counted *)c;
	atomic_fetch_add(&k->puts, 1);
	return k->real->put(k->real, x, n, err);
}

static struct counted counted;

/* ---- changes ---- */

static uint64_t change(const char *id, const char *text)
{
	struct message m = {.id = str_of(id), .text = str_of(text)}, *const one = &m;
	if (store_put(base, &one, 1, &mem, &e) < 0)
		ok(false, "%s", e.msg);
	return m.version;
}

static uint64_t erase(const char *id)
{
	struct message m = {.id = str_of(id), .remove = true}, *const one = &m;
	if (base->edit(base, &one, 1, &mem, &e) < 0)
		ok(false, "%s", e.msg);
	return m.version;
}

/* What a follower does. */
static void follow(void)
{
	struct change c[16];
	int n = base->outbox->changes(base->outbox, "test", c, 16, &mem, &e);
	if (n < 0 || cache->invalidate(cache, c, (size_t)n, &e) < 0 ||
	    (n && base->outbox->seen(base->outbox, "test", c, (size_t)n, &e) < 0))
		ok(false, "%s", e.msg);
}

static struct look look(struct lookaside *l, const char *id)
{
	struct look k = {.id = str_of(id)};
	if (look_aside(l, &k, 1, &mem, &e) < 0)
		k.state = LOOK_PENDING;
	return k;
}

static void test_answers(struct lookaside *l)
{
	struct look k = look(l, "a");
	ok(k.state == LOOK_ABSENT && !k.hit && k.stored, "what the store does not have is absent, and kept so");
	ok(look(l, "a").state == LOOK_ABSENT && look(l, "a").hit, "the cache then knows it");
	uint64_t v = change("a", "fine");
	follow();
	k = look(l, "a");
	ok(k.state == LOOK_FOUND && !k.hit && k.stored && k.version == v, "a change makes it known");
	char want[80];
	snprintf(want, sizeof want, "{\"id\":\"a\",\"text\":\"fine\",\"version\":%llu}", (unsigned long long)v);
	is_str(k.record, str_of(want), "as senti-store get prints it");
	k = look(l, "a");
	ok(k.hit && k.version == v, "then the cache answers");
	is_str(k.record, str_of(want), "the same record");
	uint64_t w = change("a", "finer");
	ok(look(l, "a").version == v, "until the change is followed the old row is read");
	follow();
	k = look(l, "a");
	ok(!k.hit && k.version == w, "then the new one");
	erase("a");
	follow();
	k = look(l, "a");
	ok(k.state == LOOK_ABSENT && !k.hit, "a deleted message is absent");
	ok(!k.stored && !look(l, "a").hit, "and its tombstone keeps the marker out");
}

static void test_batch(struct lookaside *l)
{
	change("b1", "x");
	change("b2", "x");
	follow();
	look(l, "b1");
	struct look k[5] = {
	    {.id = STR("b1")}, {.id = STR("b2")}, {.id = STR("none")}, {.id = STR("b2")}, {.id = STR("b1")}};
	int before = store_reads;
	ok(look_aside(l, k, 5, &mem, &e) == 0, "a batch");
	ok(k[0].hit && k[0].state == LOOK_FOUND && k[4].hit && k[4].state == LOOK_FOUND, "of hits");
	ok(!k[1].hit && k[1].state == LOOK_FOUND && k[2].state == LOOK_ABSENT, "and misses");
	ok(k[3].state == LOOK_FOUND && k[3].version == k[1].version, "an id that stands there twice is answered twice");
	is_u64((uint64_t)(store_reads - before), 2, "and read from the store once");
	ok(look_aside(l, k, 0, &mem, &e) == 0, "an empty batch");
}

static void test_away(void)
{
	struct gated g = gate(base, NULL);
	struct flights *f = flights_new();
	struct lookaside *l = lookaside_new(&counted.api, &g.api, f);
	struct lookaside *alone = lookaside_new(NULL, &g.api, NULL);
	uint64_t v = change("w", "x");
	counted.away = true;
	int puts = counted.puts;
	struct look k = look(l, "w");
	ok(k.state == LOOK_FOUND && k.version == v && !k.hit && !k.stored, "with the cache away the store answers");
	ok(look(l, "nobody").state == LOOK_ABSENT, "also that there is none");
	ok(counted.puts == puts, "and nothing is put, since nobody knows the cache's time of the read");
	counted.away = false;
	ok(look(alone, "w").version == v && !look(alone, "w").hit, "without a cache it is the same");
	g.fails = true;
	ok(look(l, "w2").state == LOOK_PENDING && strcmp(e.msg, "the store is away") == 0,
	    "a store that fails is an error");
	g.fails = false;
	ok(look(l, "w2").state == LOOK_ABSENT && !look(l, "w2").waited, "and leaves no claim behind");
	lookaside_free(alone);
	lookaside_free(l);
	flights_free(f);
}

/* A submitted message, as a server puts it. */
static void submit(const char *id)
{
	struct buf key = {0};
	cache_key_message(&key, str_of(id));
	struct entry en = {.kind = ENTRY_MESSAGE, .key = buf_view(&key), .value = STR("{\"pending\":true}")};
	struct entry *const one = &en;
	if (cache->put(cache, &one, 1, &e) < 0)
		ok(false, "%s", e.msg);
	buf_free(&key);
}

static void test_pending(struct lookaside *l)
{
	submit("p");
	struct look k = look(l, "p");
	ok(k.state == LOOK_FOUND && k.hit && k.version == 0, "a submitted message is shown");
	is_str(k.record, STR("{\"pending\":true}"), "as it was submitted");
	uint64_t v = change("p", "stored");
	k = look(l, "p");
	ok(k.state == LOOK_FOUND && !k.hit && k.stored && k.version == v && strstr(k.record.p, "stored"),
	    "but not once a row is stored, whether or not anybody follows");
	ok(look(l, "p").hit && look(l, "p").version == v, "which then is in the cache");
	follow();
	submit("p");
	ok(look(l, "p").version == v, "and stays there");
}

static void test_broken(struct lookaside *l)
{
	sqlite3 *db;
	sqlite3_open(path, &db);
	sqlite3_exec(db, "INSERT INTO message (id, text, extra) VALUES ('broken', 'x', 'no JSON')", NULL, NULL, NULL);
	sqlite3_close(db);
	ok(look(l, "broken").state == LOOK_BROKEN && look(l, "broken").state == LOOK_BROKEN,
	    "a row that is not a record is told");
	ok(!look(l, "broken").hit && !look(l, "broken").stored, "and never cached");
}

/* ---- a change overtakes a reader ---- */

static void change_meanwhile(void)
{
	change("slow", "new");
	follow();
}

static void delete_meanwhile(void)
{
	erase("slow");
	follow();
}

static void test_overtaken(struct lookaside *l)
{
	void (*const meanwhile[])(void) = {change_meanwhile, delete_meanwhile};
	for (size_t i = 0; i < COUNT_OF(meanwhile); i++) {
		change("slow", "old");
		follow();
		struct gated g = gate(base, meanwhile[i]);
		struct lookaside *slow = lookaside_new(cache, &g.api, NULL);
		struct look k = look(slow, "slow");
		ok(k.state == LOOK_FOUND && !k.stored, "a row that was changed after it was read is not put");
		k = look(l, "slow");
		ok(!k.hit && (i ? k.state == LOOK_ABSENT : strstr(k.record.p, "\"new\"") != NULL),
		    "and the next reader sees the change");
		lookaside_free(slow);
	}
}

/* A marker for a missing message does not outlive the message's arrival either. */
static void come_meanwhile(void)
{
	change("late", "here");
	follow();
}

static void test_late_marker(struct lookaside *l)
{
	struct gated g = gate(base, come_meanwhile);
	struct lookaside *slow = lookaside_new(cache, &g.api, NULL);
	struct look k = look(slow, "late");
	ok(k.state == LOOK_ABSENT && !k.stored, "a message that came after it was missed is not marked as missing");
	ok(look(l, "late").state == LOOK_FOUND, "and the next reader finds it");
	lookaside_free(slow);
}

/* ---- threads ---- */

enum { THREADS = 8 };

struct reader {
	pthread_t thread;
	struct store *store;
	struct gated gated;
	struct flights *flights;
	struct arena mem;
	struct look look;
	const char *id;
};

static void *read_one(void *arg)
{
	struct reader *r = arg;
	struct err err;
	struct lookaside *l = lookaside_new(&counted.api, &r->gated.api, r->flights);
	r->look = (struct look){.id = str_of(r->id)};
	if (look_aside(l, &r->look, 1, &r->mem, &err) < 0)
		r->look.state = LOOK_PENDING;
	lookaside_free(l);
	return NULL;
}

static void start(struct reader *r, const char *id, struct flights *f, void (*answered)(void))
{
	arena_reset(&r->mem);
	r->store = sqlite_open(path, STORE_EXISTING, &e);
	r->gated = gate(r->store, answered);
	r->flights = f;
	r->id = id;
	pthread_create(&r->thread, NULL, read_one, r);
}

static void finish(struct reader *r)
{
	pthread_join(r->thread, NULL);
	r->store->close(r->store, &e);
}

static int asked_wanted;

/* Holds the first fetcher until all have asked the cache, and a little longer. */
static void wait_for_all(void)
{
	while (counted.asked < asked_wanted)
		usleep(1000);
	usleep(20000);
}

/* Whether a thread that has missed is quick enough to see the claim is luck; that all are, often enough, is not. */
static void test_single_flight(void)
{
	static struct reader r[THREADS];
	struct flights *f = flights_new();
	bool alone = false, right = true;
	for (int round = 0; round < 20 && !alone; round++) {
		change("hot", round % 2 ? "odd" : "even");
		follow();
		int before = store_reads;
		asked_wanted = counted.asked + THREADS;
		for (size_t i = 0; i < THREADS; i++)
			start(&r[i], "hot", f, wait_for_all);
		for (size_t i = 0; i < THREADS; i++) {
			finish(&r[i]);
			right = right && r[i].look.state == LOOK_FOUND &&
				strstr(r[i].look.record.p, round % 2 ? "odd" : "even");
		}
		alone = store_reads - before == 1;
	}
	ok(right, "%d threads that miss the same message all get it", THREADS);
	ok(alone, "and one of them fetches it");
	for (size_t i = 0; i < THREADS; i++)
		arena_free(&r[i].mem);
	flights_free(f);
}

static atomic_bool held, open_gate;

static void hold(void)
{
	held = true;
	while (!open_gate)
		usleep(1000);
}

/* The one that fetches hangs, with the old row in its hands: those that wait go on by themselves, and see the
 * change. */
static void test_hanging_flight(void)
{
	static struct reader first, second, third;
	struct flights *f = flights_new();
	uint64_t old = change("hang", "old");
	follow();
	held = open_gate = false;
	start(&first, "hang", f, hold);
	while (!held)
		usleep(1000);
	uint64_t new = change("hang", "new");
	follow();
	start(&second, "hang", f, NULL);
	finish(&second);
	ok(second.look.state == LOOK_FOUND && second.look.waited, "a thread waits no longer than it must");
	is_u64(second.look.version, new, "and does not get what was read before it came");
	open_gate = true;
	finish(&first);
	ok(first.look.version == old && !first.look.stored,
	    "the late one has the row of its time, and does not put it");
	start(&third, "hang", f, NULL);
	finish(&third);
	is_u64(third.look.version, new, "readers after it see the change");
	struct reader *all[] = {&first, &second, &third};
	for (size_t i = 0; i < COUNT_OF(all); i++)
		arena_free(&all[i]->mem);
	flights_free(f);
}

int main(void)
{
	if (!mkdtemp(dir))
		return 1;
	snprintf(path, sizeof path, "%s/senti.db", dir);
	base = sqlite_open(path, STORE_CREATE, &e);
	cache = memory_cache(1 << 20, NULL);
	counted.api = (struct cache){.get = counted_get, .put = counted_put};
	counted.real = cache;
	struct gated g = gate(base, NULL);
	struct flights *f = flights_new();
	struct lookaside *l = lookaside_new(cache, &g.api, f);
	test_answers(l);
	test_batch(l);
	test_away();
	test_broken(l);
	test_pending(l);
	test_overtaken(l);
	test_late_marker(l);
	test_single_flight();
	test_hanging_flight();
	lookaside_free(l);
	flights_free(f);
	cache->close(cache);
	base->close(base, &e);
	arena_free(&mem);
	char command[80];
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command) == 0 ? tap_done() : 1;
}
