/* reader.c - the readers and the follower of the consistency test, over the same code that the tools and the server
 * use, with shorter times.
 *
 *     reader read STORE CACHE SECONDS SEED [broken RULE]    prints each read: BEGAN ENDED ID VERSION|- hit|stored|left
 *     reader follow STORE CACHE NAME [broken RULE]          follows until it is killed
 *     reader behind STORE NAME                              exits 0 if that reader has seen all changes, else 1
 *
 * Times are nanoseconds of CLOCK_MONOTONIC. Tombstones live 2 s and reads are good for 1 s (60 and 30 in earnest). Six
 * readers read k0 to k59, and sometimes pause between their look into the store and their put. Two crawl over c0 to
 * c29, which nobody else reads, and always pause, for up to 3 s: longer than a tombstone lives. A rule can be broken on
 * purpose, to see the checker fail: `tombstones` vanish at once, `reads` are good for ever, `versions` of puts are made
 * the newest.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/sig.h"
#include "lib/data/lookaside.h"
#include "lib/flow/mem.h"
#include "lib/flow/pump.h"
#include "lib/net/pg.h"
#include "lib/net/redis.h"
#include "lib/stage/follow.h"

enum { READERS = 6, CRAWLERS = 2, BATCH = 8, KEYS = 60, CRAWLED = 30, RETRY_MS = 30000 };

static struct cache_conf times = {.ttl_ms = 600000, .tombstone_ms = 2000, .read_ms = 1000, .absent_ms = 170};
static bool false_versions;

static void die(const struct err *e)
{
	log_error(e->msg, NULL);
	exit(3);
}

static void usage(void)
{
	fputs("reader read|follow|behind ...: see the head of tests/live/lib/reader.c\n", stderr);
	exit(2);
}

static uint64_t number(const char *s)
{
	uint64_t n;
	if (str_u64(str_of(s), &n) < 0)
		usage();
	return n;
}

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static struct store *open_store(const char *address)
{
	struct err e;
	struct pg_conf conf = {.address = address, .tool = "reader", .retry_ms = RETRY_MS, .retry_first = true};
	struct store *s = pg_open(&conf, STORE_EXISTING, &e);
	if (!s)
		die(&e);
	return s;
}

static struct cache *open_cache(const char *address)
{
	struct err e;
	struct cache *c = redis_cache(address, &times, &e);
	if (!c)
		die(&e);
	return c;
}

/* ---- one reader, whose store sleeps between its answer and its return ---- */

struct reader {
	struct store api;
	struct store *store;
	struct cache *cache;
	struct cache lying; /* `versions` broken: puts pretend to be the newest */
	struct flights *flights;
	pthread_t thread;
	uint64_t random;
	size_t crawler; /* 1, 2, ...; 0: a reader */
	int64_t ends_ms;
};

static const char *store_address, *cache_address;

/* xorshift64* */
static uint64_t draw(struct reader *r, uint64_t below)
{
	r->random ^= r->random >> 12;
	r->random ^= r->random << 25;
	r->random ^= r->random >> 27;
	return (r->random * 0x2545f4914f6cdd1d >> 33) % below;
}

static void sleep_ms(uint64_t ms)
{
	struct timespec t = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&t, NULL);
}

static void pause_of(struct reader *r)
{
	uint64_t luck = draw(r, 100);
	if (r->crawler)
		sleep_ms(1500 + draw(r, 1500));
	else if (luck < 5)
		sleep_ms(100 + draw(r, 700));
	else if (luck < 15)
		sleep_ms(draw(r, 30));
}

static int slow_get(struct store *s, struct message *const *m, size_t n, struct arena *mem, struct err *e)
{
	struct reader *r = (struct reader *)s;
	int rc = r->store->get(r->store, m, n, mem, e);
	pause_of(r);
	return rc;
}

static struct reader *of_lying(struct cache *c)
{
	return (struct reader *)((char *)c - offsetof(struct reader, lying));
}

static int honest_get(struct cache *c, struct entry *const *x, size_t n, struct arena *mem, struct err *e)
{
	struct cache *real = of_lying(c)->cache;
	return real->get(real, x, n, mem, e);
}

static int lying_put(struct cache *c, struct entry *const *x, size_t n, struct err *e)
{
	struct cache *real = of_lying(c)->cache;
	for (size_t i = 0; i < n; i++)
		if (x[i]->value.p)
			x[i]->version = (uint64_t)now_ns();
	return real->put(real, x, n, e);
}

static void print(const struct look *k, int64_t began, int64_t ended)
{
	/* The record's own version: the entry's may be a lie. */
	static const char name[] = ",\"version\":";
	const char *version = k->record.p ? memmem(k->record.p, k->record.n, name, sizeof name - 1) : NULL;
	printf("%lld %lld %.*s %.*s %s\n", (long long)began, (long long)ended, STR_FMT(k->id),
	    version ? (int)(k->record.p + k->record.n - 1 - version - (sizeof name - 1)) : 1,
	    version ? version + sizeof name - 1 : "-",
	    k->hit	? "hit"
	    : k->stored ? "stored"
			: "left");
}

/* Readers ask for some keys; crawlers for all of their own, so they soon see what their slow puts have brought
 * about. */
static size_t choose(struct reader *r, struct look *look, struct arena *mem)
{
	size_t n = r->crawler ? CRAWLED / CRAWLERS : 1 + draw(r, BATCH);
	for (size_t i = 0; i < n; i++) {
		unsigned key = (unsigned)(r->crawler ? i * CRAWLERS + r->crawler - 1 : draw(r, KEYS));
		look[i] = (struct look){.id = arena_printf(mem, "%c%u", r->crawler ? 'c' : 'k', key)};
	}
	return n;
}

static void read_some(struct reader *r, struct lookaside *l, struct arena *mem)
{
	struct look look[CRAWLED];
	struct err e;
	size_t n = choose(r, look, mem);
	int64_t began = now_ns();
	if (look_aside(l, look, n, mem, &e) < 0)
		die(&e);
	int64_t ended = now_ns();
	for (size_t i = 0; i < n; i++)
		print(&look[i], began, ended);
	arena_reset(mem);
}

static const struct stop *stop;

static void *run_reader(void *arg)
{
	struct reader *r = arg;
	struct arena mem = {0};
	struct lookaside *l = lookaside_new(false_versions ? &r->lying : r->cache, &r->api, r->flights);
	while (clock_mono_ms() < r->ends_ms && !stop_raised(stop)) {
		read_some(r, l, &mem);
		sleep_ms(1 + draw(r, 4));
	}
	lookaside_free(l);
	arena_free(&mem);
	return NULL;
}

static int do_read(uint64_t seconds, uint64_t seed)
{
	static struct reader reader[READERS + CRAWLERS];
	struct flights *flights = flights_new();
	struct err e;
	for (size_t i = 0; i < COUNT_OF(reader); i++)
		reader[i] = (struct reader){.api = {.get = slow_get},
		    .store = open_store(store_address),
		    .cache = open_cache(cache_address),
		    .lying = {.get = honest_get, .put = lying_put},
		    .flights = flights,
		    .random = (seed + i + 1) * 0x9e3779b97f4a7c15,
		    .crawler = i < READERS ? 0 : i - READERS + 1,
		    .ends_ms = clock_mono_ms() + (int64_t)seconds * 1000};
	for (size_t i = 0; i < COUNT_OF(reader); i++)
		pthread_create(&reader[i].thread, NULL, run_reader, &reader[i]);
	for (size_t i = 0; i < COUNT_OF(reader); i++) {
		pthread_join(reader[i].thread, NULL);
		reader[i].cache->close(reader[i].cache);
		reader[i].store->close(reader[i].store, &e);
	}
	flights_free(flights);
	return fflush(stdout) == 0 ? 0 : 3;
}

/* ---- the follower, and how far it is ---- */

static int do_follow(const char *name)
{
	struct store *store = open_store(store_address);
	struct follow f = {
	    .outbox = store->outbox, .cache = open_cache(cache_address), .reader = name, .retry_ms = RETRY_MS};
	struct limits limits = {.records = 1000, .bytes = 1 << 20, .max_record = 1 << 20};
	struct source *source = source_changes(&f);
	struct step step = {&stage_invalidate, &f};
	struct counts counts;
	struct mem_sink out, rejects;
	struct err e;
	mem_sink_init(&out, LANE_OUT);
	mem_sink_init(&rejects, LANE_REJECTS);
	counts_start(&counts);
	struct pump p = {.source = source,
	    .step = &step,
	    .nsteps = 1,
	    .out = &out.port,
	    .rejects = &rejects.port,
	    .limits = limits,
	    .jobs = 1,
	    .counts = &counts};
	if (pump(&p, &e) < 0)
		die(&e);
	source->close(source, &e);
	mem_sink_free(&out);
	mem_sink_free(&rejects);
	f.cache->close(f.cache);
	store->close(store, &e);
	return 0;
}

static int do_behind(const char *name)
{
	struct store *s = open_store(store_address);
	struct arena mem = {0};
	struct change one;
	struct err e;
	int n = s->outbox->changes(s->outbox, name, &one, 1, &mem, &e);
	if (n < 0)
		die(&e);
	arena_free(&mem);
	s->close(s, &e);
	return n > 0;
}

static void break_rule(const char *rule)
{
	if (strcmp(rule, "tombstones") == 0)
		times.tombstone_ms = 1;
	else if (strcmp(rule, "reads") == 0)
		times.read_ms = 3600000;
	else if (strcmp(rule, "versions") == 0)
		false_versions = true;
	else
		usage();
}

int main(int argc, char **argv)
{
	log_init("reader", LOG_ERROR, LOG_PLAIN);
	stop = sig_init(10);
	if (argc < 4)
		usage();
	if (argc > 5 && strcmp(argv[argc - 2], "broken") == 0) {
		break_rule(argv[argc - 1]);
		argc -= 2;
	}
	store_address = argv[2];
	cache_address = argv[3];
	if (strcmp(argv[1], "read") == 0 && argc == 6)
		return do_read(number(argv[4]), number(argv[5]));
	if (strcmp(argv[1], "follow") == 0 && argc == 5)
		return do_follow(argv[4]);
	if (strcmp(argv[1], "behind") == 0 && argc == 4)
		return do_behind(argv[3]);
	usage();
}
