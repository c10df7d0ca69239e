/* A cache that follows a store, and its comparison with it: what is invalidated, what is marked as seen, and what
 * becomes of failures. On SQLite and a cache in memory. */
#include "tests/unit/tap.h"

#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/stop.h"
#include "lib/data/memory.h"
#include "lib/flow/mem.h"
#include "lib/flow/pump.h"
#include "lib/net/sqlite.h"
#include "lib/score/model.h"
#include "lib/stage/follow.h"
#include "lib/stage/verify.h"

static struct err e;
static struct arena mem;
static struct store *base;
static struct cache *memory;
static uint64_t fine; /* the version of "a" that put_all stored */

/* ---- a store and a cache that fail at given calls ---- */

struct failing {
	struct outbox api;
	size_t changes, seen, fail_changes, fail_seen; /* calls; how many of the next fail */
};

static int some_changes(
    struct outbox *s, const char *reader, struct change *c, size_t max, struct arena *a, struct err *err)
{
	struct failing *f = (struct failing *)s;
	f->changes++;
	if (f->fail_changes && f->fail_changes--)
		return err_set(err, ERR_ENV, "the store is away");
	return base->outbox->changes(base->outbox, reader, c, max, a, err);
}

static int some_seen(struct outbox *s, const char *reader, const struct change *c, size_t n, struct err *err)
{
	struct failing *f = (struct failing *)s;
	f->seen++;
	if (f->fail_seen && f->fail_seen--)
		return err_set(err, ERR_ENV, "the store is away");
	return base->outbox->seen(base->outbox, reader, c, n, err);
}

static struct stop stop;

/* Nothing more to do: the follower is told to stop, as by SIGTERM. */
static int some_wait(struct outbox *s, int timeout_ms, int wake_fd, struct err *err)
{
	(void)s;
	(void)timeout_ms;
	(void)wake_fd;
	(void)err;
	stop_raise(&stop);
	return 0;
}

static struct failing failing = {.api = {.changes = some_changes, .seen = some_seen, .wait = some_wait}};

struct fake_cache {
	struct cache api;
	struct buf invalidated; /* "a:1 b:2 " */
	size_t fail;		/* how many of the next calls fail */
};

static int some_invalidate(struct cache *cache, const struct change *c, size_t n, struct err *err)
{
	struct fake_cache *g = (struct fake_cache *)cache;
	if (g->fail && g->fail--)
		return err_set(err, ERR_ENV, "the cache is unreachable");
	for (size_t i = 0; i < n; i++)
		buf_printf(&g->invalidated, "%.*s ", STR_FMT(c[i].id));
	return memory->invalidate(memory, c, n, err);
}

static int is_there(struct cache *cache, struct str *id, size_t max, struct arena *a, struct err *err)
{
	(void)cache;
	return memory->sample(memory, id, max, a, err);
}

static struct fake_cache fake = {.api = {.invalidate = some_invalidate, .sample = is_there}};

/* ---- runs ---- */

static struct mem_sink out, rejects;
static struct counts counts;

static int run(struct source *source, const struct stage *stage, const void *conf, size_t batch)
{
	struct limits limits = {.records = batch, .bytes = 1 << 20, .max_record = 1 << 20};
	mem_sink_init(&out, LANE_OUT);
	mem_sink_init(&rejects, LANE_REJECTS);
	counts_start(&counts);
	struct step step = {stage, conf};
	struct pump p = {.source = source,
	    .step = &step,
	    .nsteps = 1,
	    .out = &out.port,
	    .rejects = &rejects.port,
	    .limits = limits,
	    .jobs = 1,
	    .counts = &counts};
	int rc = pump(&p, &e);
	struct err ignored;
	source->close(source, &ignored);
	return rc;
}

static int follow(const char *reader, bool once, size_t batch)
{
	struct follow f = {
	    .outbox = &failing.api, .cache = &fake.api, .reader = reader, .once = once, .retry_ms = 300, .stop = &stop};
	buf_clear(&fake.invalidated);
	return run(source_changes(&f), &stage_invalidate, &f, batch);
}

static void done(void)
{
	mem_sink_free(&out);
	mem_sink_free(&rejects);
}

static struct str invalidated(void)
{
	buf_reserve(&fake.invalidated, 1);
	return buf_view(&fake.invalidated);
}

static uint64_t change(const char *id, const char *text)
{
	struct message m = {.id = str_of(id), .text = str_of(text)}, *const one = &m;
	if (store_put(base, &one, 1, &mem, &e) < 0)
		ok(false, "%s", e.msg);
	return m.version;
}

static void erase(const char *id)
{
	struct message m = {.id = str_of(id), .remove = true}, *const one = &m;
	if (base->edit(base, &one, 1, &mem, &e) < 0)
		ok(false, "%s", e.msg);
}

static void test_once(void)
{
	ok(follow("r", true, 10) == 0 && counts.in == 0, "an empty outbox is soon worked off");
	done();
	fine = change("a", "fine");
	change("b", "x");
	erase("b");
	ok(follow("r", true, 10) == 0, "changes are followed");
	is_str(invalidated(), STR("a b b "), "each is invalidated, in the order of the outbox");
	ok(counts.out == 3 && counts.counter[COUNTER_BURIED] == 3, "and counted");
	char want[200];
	snprintf(want, sizeof want,
	    "{\"id\":\"a\",\"version\":%llu,\"op\":\"insert\",\"seq\":1}\n{\"id\":\"b\",\"version\":2,\"op\":"
	    "\"insert\",\"seq\":2}\n"
	    "{\"id\":\"b\",\"version\":3,\"op\":\"delete\",\"seq\":3}\n",
	    (unsigned long long)fine);
	is_str(buf_view(&out.flushed), str_of(want), "and comes out as a record");
	done();
	ok(follow("r", true, 10) == 0 && counts.in == 0, "none comes twice");
	done();
	ok(follow("other", true, 2) == 0 && counts.in == 3 && counts.batches == 2,
	    "another reader has its own cursor; its batches are as large as it wants");
	done();
}

static void test_failures_once(void)
{
	change("a", "two");
	fake.fail = 1;
	ok(follow("r", true, 10) < 0 && strcmp(e.msg, "the cache is unreachable") == 0,
	    "with --once a cache that is away is an error");
	ok(out.flushed.n == 0 && counts.counter[COUNTER_BURIED] == 0, "nothing comes out");
	done();
	failing.fail_seen = 1;
	ok(follow("r", true, 10) < 0, "so is a store that cannot mark what was seen");
	is_str(invalidated(), STR("a "), "after the invalidation");
	done();
	failing.fail_changes = 1;
	ok(follow("r", true, 10) < 0, "and one that is away");
	done();
	ok(follow("r", true, 10) == 0, "then all is well");
	is_str(invalidated(), STR("a "), "and the change comes again, for nothing had marked it as seen");
	done();
}

/* What verify finds wrong, as its rejects' messages. */
static bool verified(const struct verify *v, const char *want_out, const char *want_reject)
{
	int rc = run(source_sample(memory, 100), &stage_verify, v, 10);
	buf_char(&out.flushed, 0);
	buf_char(&rejects.flushed, 0);
	bool good = rc == 0 && strcmp(out.flushed.p, want_out) == 0 &&
		    (want_reject ? strstr(rejects.flushed.p, want_reject) != NULL : rejects.flushed.n == 1);
	if (!good)
		printf("# %s# %s\n", out.flushed.p, rejects.flushed.p);
	done();
	return good;
}

static void cache_row(const char *id, const char *record, uint64_t version)
{
	struct buf key = {0};
	cache_key_message(&key, str_of(id));
	struct entry x = {.kind = ENTRY_MESSAGE, .key = buf_view(&key), .value = str_of(record), .version = version};
	struct entry *one = &x;
	if (memory->put(memory, &one, 1, &e) < 0 || x.state != ENTRY_STORED)
		ok(false, "'%s' is not put", id);
	buf_free(&key);
}

/* Forgets all that is known of the ids of the tests, with a tombstone that refuses nothing: a fresh cache. */
static void fresh_cache(void)
{
	memory->close(memory);
	memory = memory_cache(1 << 20, NULL);
}

static void test_verify(void)
{
	struct verify v = {.cache = memory, .store = base, .patience_ms = 200};
	fresh_cache();
	v.cache = memory;
	uint64_t a = change("va", "x"), b = change("vb", "x"), c = change("vc", "x");
	char ra[80], rb[80];
	snprintf(ra, sizeof ra, "{\"id\":\"va\",\"text\":\"x\",\"version\":%llu}", (unsigned long long)a);
	snprintf(rb, sizeof rb, "{\"id\":\"vb\",\"text\":\"x\",\"version\":%llu}", (unsigned long long)b);
	cache_row("va", ra, a);
	cache_row("vb", rb, b);
	cache_row("submitted", "{\"id\":\"submitted\",\"text\":\"x\"}", 0);
	ok(verified(&v, "{\"checked\":3,\"gone\":0,\"stale\":0}\n", NULL),
	    "what is equal is right; so is what was submitted");
	change("va", "changed");
	ok(verified(&v, "{\"checked\":3,\"gone\":0,\"stale\":1}\n", "message 'va' is stale: the cache shows version "),
	    "an older row is stale");
	ok(counts.rejected == 1 && counts.held == 2, "and rejected");
	erase("va");
	ok(verified(&v, "{\"checked\":3,\"gone\":0,\"stale\":1}\n", "the store none"), "so is one that was deleted");
	fresh_cache();
	v.cache = memory;
	cache_row("vb", "{\"id\":\"vb\",\"text\":\"other\"}", b);
	ok(verified(&v, "{\"checked\":1,\"gone\":0,\"stale\":1}\n", "with another content"), "and another content");
	fresh_cache();
	v.cache = memory;
	cache_row("vc", "{\"id\":\"vc\",\"text\":\"x\"}", c + 1000);
	ok(verified(&v, "{\"checked\":1,\"gone\":0,\"stale\":1}\n", "vc"), "and a row that is newer than the store's");
	fresh_cache();
	v.cache = memory;
	ok(verified(&v, "{\"checked\":0,\"gone\":0,\"stale\":0}\n", NULL), "an empty cache is right");
}

/* A follower that is on its way is given the time that it needs. */
static int invalidated_late;
static int late_get(struct store *s, struct message *const *m, size_t n, struct arena *a, struct err *err)
{
	(void)s;
	int rc = base->get(base, m, n, a, err);
	/* Between this look and the next the change arrives. */
	if (invalidated_late++ == 0) {
		struct change c[8];
		int got = base->outbox->changes(base->outbox, "late", c, 8, &mem, err);
		if (got < 0 || memory->invalidate(memory, c, (size_t)got, err) < 0)
			return -1;
	}
	return rc;
}

static void test_verify_race(void)
{
	struct store late = {.get = late_get};
	struct verify v = {.cache = memory, .store = &late};
	struct change c[64];
	int n = base->outbox->changes(base->outbox, "late", c, 64, &mem, &e);
	ok(n > 0 && base->outbox->seen(base->outbox, "late", c, (size_t)n, &e) == 0, "a follower");
	uint64_t old = change("race", "old");
	n = base->outbox->changes(base->outbox, "late", c, 64, &mem, &e);
	ok(n == 1 && base->outbox->seen(base->outbox, "late", c, 1, &e) == 0, "that knows the old row");
	char row[80];
	snprintf(row, sizeof row, "{\"id\":\"race\",\"text\":\"old\",\"version\":%llu}", (unsigned long long)old);
	cache_row("race", row, old);
	change("race", "new");
	ok(verified(&v, "{\"checked\":1,\"gone\":0,\"stale\":0}\n", NULL),
	    "is not a false alarm while it is on its way to the new one");
}

static void test_verify_results(void)
{
	static const char love[9 + JSON_PAD + 1] = "I love it";
	struct model_conf conf = {.spec = "vader"};
	struct model *m = model_load(&conf, &e);
	fresh_cache();
	struct verify v = {.cache = memory, .store = base, .model = m, .patience_ms = 200};
	uint64_t version = change("vr", "I love it");
	char row[80];
	snprintf(
	    row, sizeof row, "{\"id\":\"vr\",\"text\":\"I love it\",\"version\":%llu}", (unsigned long long)version);
	cache_row("vr", row, version);
	ok(verified(&v, "{\"checked\":1,\"gone\":0,\"stale\":0,\"results\":0,\"wrong\":0}\n", NULL),
	    "no result is cached");
	struct buf key = {0}, value = {0};
	cache_key_result(&key, str_of(m->name), STR("I love it"));
	struct scratch *scratch = scratch_new(m);
	struct result result;
	m->engine->score(m, scratch, (struct str){love, strlen(love)}, &result, NULL);
	result_put(&value, m, &result, NULL, STR_NONE);
	m->engine->scratch_free(scratch);
	struct entry x = {.kind = ENTRY_RESULT, .key = buf_view(&key), .value = buf_view(&value)}, *one = &x;
	ok(memory->put(memory, &one, 1, &e) == 0, "one is");
	ok(verified(&v, "{\"checked\":1,\"gone\":0,\"stale\":0,\"results\":1,\"wrong\":0}\n", NULL), "the right one");
	value.p[value.n - 3] ^= 1;
	x.value = buf_view(&value);
	fresh_cache();
	v.cache = memory;
	cache_row("vr", row, version);
	ok(memory->put(memory, &one, 1, &e) == 0, "another is");
	ok(verified(&v, "{\"checked\":1,\"gone\":0,\"stale\":0,\"results\":1,\"wrong\":1}\n", "not what vader"),
	    "a wrong one");
	buf_free(&key);
	buf_free(&value);
	model_free(m);
}

/* Without --once failures are outlived. These end by a stop, which cannot be taken back, so they come last. */
static void test_failures(void)
{
	change("a", "three");
	failing.fail_changes = 2;
	fake.fail = 2;
	failing.fail_seen = 1;
	size_t seen = failing.seen;
	ok(follow("r", false, 100) == 0, "a follower outlives failures of both, and ends at a stop");
	ok(failing.seen - seen == 2 && counts.in % 2 == 0 && counts.in == counts.counter[COUNTER_BURIED],
	    "what could not be marked is invalidated again");
	done();
	change("a", "four");
	ok(follow("r", false, 100) == 0 && counts.in == 0, "once it is told to stop it takes nothing more");
	done();
	ok(follow("r", true, 100) == 0 && counts.in == 0, "also with --once");
	done();
}

static void test_store_gone(void)
{
	failing.fail_changes = 1000;
	ok(follow("r", false, 10) < 0 && strcmp(e.msg, "the store is away") == 0,
	    "a store that stays away is an error");
	ok(failing.fail_changes < 999, "after some tries");
	failing.fail_changes = 0;
	done();
}

static void test_names(void)
{
	char *a = follow_reader("redis://user:secret@cache:7000/2"), *b = follow_reader("redis://cache:7000/2");
	char *c = follow_reader("redis://cache"), *d = follow_reader("unix:/run/redis.sock");
	ok(strcmp(a, b) == 0 && !strstr(a, "secret"), "a reader's name does not hold the password: %s", a);
	ok(strcmp(a, c) != 0 && strcmp(c, d) != 0, "and differs from cache to cache");
	free(a);
	free(b);
	free(c);
	free(d);
}

int main(void)
{
	char dir[] = "/tmp/senti-follow-XXXXXX", path[64], command[80];
	if (!mkdtemp(dir))
		return 1;
	log_init("test", LOG_ERROR, LOG_PLAIN);
	stop_init(&stop);
	snprintf(path, sizeof path, "%s/senti.db", dir);
	base = sqlite_open(path, STORE_CREATE, &e);
	memory = memory_cache(1 << 20, NULL);
	test_names();
	test_once();
	test_failures_once();
	test_store_gone();
	test_verify();
	test_verify_race();
	test_verify_results();
	test_failures();
	memory->close(memory);
	base->close(base, &e);
	buf_free(&fake.invalidated);
	arena_free(&mem);
	snprintf(command, sizeof command, "rm -r %s", dir);
	return system(command) == 0 ? tap_done() : 1;
}
