/* cache.c - the rules of lib/data/cache.h, held by every cache: the memory of a process always, Redis where SENTI_REDIS
 * names one (whose database must be empty). */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/data/memory.h"
#include "lib/base/log.h"
#include "lib/net/redis.h"
#include "lib/net/redis_link.h"
#include "tests/unit/tap.h"

/* Short lifetimes, so that no test waits. */
static const struct cache_conf brief = {.ttl_ms = 300, .tombstone_ms = 400, .read_ms = 150, .absent_ms = 200};

static const char *what, *address;
static struct arena mem;
static struct err e;

static struct cache *open_one(const struct cache_conf *conf)
{
	return address ? redis_cache(address, conf, &e) : memory_cache((size_t)64 << 20, conf);
}

static void pause_ms(unsigned ms)
{
	usleep(ms * 1000);
}

static struct str key_of(struct str id)
{
	struct buf b = {0};
	cache_key_message(&b, id);
	struct str key = arena_str(&mem, buf_view(&b));
	buf_free(&b);
	return key;
}

static struct entry entry_of(const char *id)
{
	return (struct entry){.kind = ENTRY_MESSAGE, .key = key_of(str_of(id))};
}

static enum entry_state get(struct cache *c, struct entry *en)
{
	en->value = STR_NONE;
	if (c->get(c, &(struct entry *){en}, 1, &mem, &e) < 0)
		ok(false, "%s: get: %s", what, e.msg);
	return en->state;
}

/* The state after a put; read_at 0: now. */
static enum entry_state put_read(struct cache *c, const char *id, uint64_t version, const char *record, int64_t read_at)
{
	struct entry en = entry_of(id);
	en.version = version;
	en.read_at = read_at;
	en.value = str_of(record);
	if (c->put(c, &(struct entry *){&en}, 1, &e) < 0)
		ok(false, "%s: put: %s", what, e.msg);
	return en.state;
}

static enum entry_state put(struct cache *c, const char *id, uint64_t version, const char *record)
{
	return put_read(c, id, version, record, 0);
}

static int invalidate(struct cache *c, const char *id, uint64_t version)
{
	const struct change ch = {.id = str_of(id), .version = version, .op = CHANGE_UPDATE};
	return c->invalidate(c, &ch, 1, &e);
}

/* What the cache has of a message: "VERSION RECORD", "absent", "" for nothing. */
static struct str shown(struct cache *c, const char *id)
{
	struct entry en = entry_of(id);
	switch (get(c, &en)) {
	case ENTRY_HIT:
		return arena_printf(&mem, "%llu %.*s", (unsigned long long)en.version, STR_FMT(en.value));
	case ENTRY_ABSENT:
		return STR("absent");
	case ENTRY_MISS:
		return STR("");
	default:
		return STR("skipped");
	}
}

#define shows(c, id, want, ...) is_str(shown(c, id), STR(want), __VA_ARGS__)

static void versions(struct cache *c)
{
	ok(put(c, "v", 5, "five") == ENTRY_STORED, "%s: an entry is put", what);
	shows(c, "v", "5 five", "%s: and found", what);
	ok(put(c, "v", 5, "again") == ENTRY_REFUSED, "%s: an entry refuses its own version", what);
	ok(put(c, "v", 4, "older") == ENTRY_REFUSED, "%s: and older ones", what);
	shows(c, "v", "5 five", "%s: and stays as it is", what);
	ok(put(c, "v", 10, "ten") == ENTRY_STORED, "%s: it takes a newer one: 10 is more than 5", what);
	ok(put(c, "v", 9, "nine") == ENTRY_REFUSED, "%s: 9 is less than 10", what);
	ok(put(c, "v", UINT64_MAX - 1, "most") == ENTRY_STORED, "%s: versions have 64 bits", what);
	ok(put(c, "v", UINT64_MAX - 2, "less") == ENTRY_REFUSED, "%s: to the last of them", what);
	ok(put(c, "zero", 0, "submitted") == ENTRY_STORED, "%s: version 0 is a message that is submitted", what);
	ok(put(c, "zero", 0, "twice") == ENTRY_REFUSED, "%s: once", what);
	ok(put(c, "zero", 1, "stored") == ENTRY_STORED, "%s: until it is stored", what);
	ok(put(c, "zero", 0, "late") == ENTRY_REFUSED, "%s: and not after that", what);
}

static void tombstones(struct cache *c)
{
	put(c, "t", 5, "five");
	ok(invalidate(c, "t", 5) == 0, "%s: a change that the entry shows", what);
	shows(c, "t", "5 five", "%s: leaves it", what);
	ok(invalidate(c, "t", 7) == 0, "%s: a newer change", what);
	shows(c, "t", "", "%s: buries it", what);
	ok(put(c, "t", 6, "six") == ENTRY_REFUSED, "%s: a tombstone refuses what is older", what);
	ok(invalidate(c, "t", 6) == 0 && put(c, "t", 6, "six") == ENTRY_REFUSED,
	    "%s: an older change does not lower it", what);
	ok(invalidate(c, "t", 7) == 0, "%s: invalidating twice is harmless", what);
	ok(put(c, "t", 7, "seven") == ENTRY_STORED, "%s: the row of the change itself comes back", what);
	ok(invalidate(c, "t", 6) == 0, "%s: an older change", what);
	shows(c, "t", "7 seven", "%s: does not touch a newer entry", what);
	ok(invalidate(c, "none", 3) == 0 && put(c, "none", 2, "two") == ENTRY_REFUSED,
	    "%s: what is in no cache is invalidated as well", what);
	ok(invalidate(c, "none", 100) == 0 && put(c, "none", 99, "x") == ENTRY_REFUSED,
	    "%s: and a newer change raises the tombstone", what);
}

static void erasing(struct cache *c)
{
	put(c, "e", 5, "five");
	ok(invalidate(c, "e", 0) == 0, "%s: a change of which nothing is known", what);
	shows(c, "e", "", "%s: erases the entry", what);
	ok(put(c, "e", 4, "four") == ENTRY_REFUSED, "%s: leaves its version to refuse older ones", what);
	ok(put(c, "e", 5, "five") == ENTRY_STORED, "%s: and takes the same again", what);
	ok(invalidate(c, "nobody", 0) == 0, "%s: nothing to erase", what);
	shows(c, "nobody", "", "%s: nothing is made", what);
	put(c, "nobody", 0, NULL);
	ok(invalidate(c, "nobody", 0) == 0, "%s: an absence", what);
	shows(c, "nobody", "", "%s: is erased too", what);
	ok(invalidate(c, "e", 9) == 0 && invalidate(c, "e", 0) == 0 && put(c, "e", 8, "x") == ENTRY_REFUSED,
	    "%s: a tombstone stays", what);
}

static void absence(struct cache *c)
{
	ok(put(c, "a", 0, NULL) == ENTRY_STORED, "%s: that there is no such message is kept", what);
	shows(c, "a", "absent", "%s: and told", what);
	ok(put(c, "a", 0, NULL) == ENTRY_REFUSED, "%s: only where no key is: no absence", what);
	ok(put(c, "a", 3, "three") == ENTRY_STORED, "%s: a message replaces it", what);
	ok(put(c, "a", 0, NULL) == ENTRY_REFUSED, "%s: no entry", what);
	shows(c, "a", "3 three", "%s: the message stays", what);
	invalidate(c, "a", 4);
	ok(put(c, "a", 0, NULL) == ENTRY_REFUSED, "%s: no tombstone", what);
	put(c, "b", 0, NULL);
	invalidate(c, "b", 6);
	shows(c, "b", "", "%s: a change ends an absence", what);
	ok(put(c, "b", 5, "five") == ENTRY_REFUSED, "%s: and leaves a tombstone", what);
	put(c, "z", 0, NULL);
	ok(put(c, "z", 0, "submitted") == ENTRY_STORED, "%s: version 0 replaces an absence", what);
}

static void readers(struct cache *c)
{
	struct entry en = entry_of("r");
	ok(get(c, &en) == ENTRY_MISS && en.read_at > 0, "%s: a miss tells the time", what);
	ok(put_read(c, "r", 1, "one", en.read_at) == ENTRY_STORED, "%s: with which a put is taken", what);
	int64_t now = c->clock(c);
	ok(now >= en.read_at, "%s: the clock is the same", what);
	ok(put_read(c, "r", 2, "two", now) == ENTRY_STORED, "%s: it serves as well", what);
	ok(put_read(c, "r", 3, "three", -1) == ENTRY_REFUSED, "%s: no time: refused", what);
	ok(put_read(c, "r", 3, "three", now + 60000) == ENTRY_REFUSED, "%s: a time to come: refused", what);
	ok(put_read(c, "r", 3, "three", now - CACHE_READ_S * 1000 - 1000) == ENTRY_REFUSED,
	    "%s: a read of long ago: refused", what);
	ok(put_read(c, "none", 0, NULL, now - CACHE_READ_S * 1000 - 1000) == ENTRY_REFUSED, "%s: an absence as well",
	    what);
	shows(c, "r", "2 two", "%s: all that changed nothing", what);
}

/* True once so much time has gone by that what should still live may be over: a busy machine is not a failure. */
static bool late(int64_t since, int64_t ms)
{
	return clock_mono_ms() - since >= ms;
}

/* With lifetimes of a fraction of a second. */
static void lifetimes(void)
{
	struct cache *c = open_one(&brief);
	int64_t began = clock_mono_ms(), then = c->clock(c);
	ok(put_read(c, "slow", 1, "one", then) == ENTRY_STORED || late(began, brief.read_ms),
	    "%s: a quick reader's put is taken", what);
	put(c, "kept", 1, "one");
	put(c, "gone", 0, NULL);
	int64_t invalidated = clock_mono_ms();
	invalidate(c, "invalidated", 5);
	pause_ms(160);
	ok(put_read(c, "slow", 2, "two", then) == ENTRY_REFUSED, "%s: a slow reader's is refused", what);
	ok(put_read(c, "slower", 0, NULL, then) == ENTRY_REFUSED, "%s: and its absence", what);
	int64_t again = clock_mono_ms();
	ok(put_read(c, "slow", 2, "two", c->clock(c)) == ENTRY_STORED || late(again, brief.read_ms),
	    "%s: a new read's is taken", what);
	pause_ms(60);
	shows(c, "gone", "", "%s: an absence ends first", what);
	ok(put(c, "invalidated", 4, "four") == ENTRY_REFUSED || late(invalidated, brief.tombstone_ms),
	    "%s: a tombstone lives on", what);
	pause_ms(90);
	shows(c, "kept", "", "%s: entries end", what);
	pause_ms(100);
	invalidate(c, "invalidated", 6); /* whatever became of it */
	pause_ms(410);
	ok(put(c, "invalidated", 5, "five") == ENTRY_STORED, "%s: tombstones too", what);
	c->close(c);
}

static void results(struct cache *c)
{
	struct buf one = {0}, two = {0}, other = {0};
	cache_key_result(&one, STR("vader-3.3.2@1"), STR("fine"));
	cache_key_result(&two, STR("vader-3.3.2@1"), STR("Fine"));
	cache_key_result(&other, STR("plus-1@1"), STR("fine"));
	struct entry a = {.kind = ENTRY_RESULT, .key = buf_view(&one), .value = STR("{\"label\":\"positive\"}")};
	struct entry b = {.kind = ENTRY_RESULT, .key = buf_view(&two), .value = STR("{\"label\":\"neutral\"}")};
	struct entry same = a, third = {.kind = ENTRY_RESULT, .key = buf_view(&other)}, message = entry_of("mixed");
	put(c, "mixed", 4, "four");
	struct entry *all[] = {&a, &message, &third, &b, &same};
	ok(c->put(c, (struct entry *[]){&a, &b}, 2, &e) == 0 && a.state == ENTRY_STORED && b.state == ENTRY_STORED,
	    "%s: results are put", what);
	ok(c->put(c, (struct entry *[]){&a}, 1, &e) == 0 && a.state == ENTRY_STORED, "%s: and put again", what);
	for (size_t i = 0; i < COUNT_OF(all); i++)
		all[i]->value = STR_NONE;
	ok(c->get(c, all, COUNT_OF(all), &mem, &e) == 0, "%s: both kinds are asked for at once", what);
	is_str(a.value, STR("{\"label\":\"positive\"}"), "%s: a result", what);
	is_str(b.value, STR("{\"label\":\"neutral\"}"), "%s: of another text", what);
	is_str(same.value, a.value, "%s: a key that stands there twice", what);
	is_str(message.value, STR("four"), "%s: a message between them", what);
	ok(third.state == ENTRY_MISS && !third.value.p, "%s: another model's result is another one", what);
	is_u64(message.version, 4, "%s: its version", what);
	buf_free(&one);
	buf_free(&two);
	buf_free(&other);
}

static void hostile(struct cache *c)
{
	static const struct str ids[] = {{"", 0}, {"a b\r\n*1\r\n$8\r\nFLUSHALL\r\n", 24}, {"\0x", 2}, {"{tag}", 5},
	    {"' .. os.exit() .. '", 19}, {"\xff\xfe", 2}, {"absent", 6}, {"%s%n*?[a]", 9}, {"senti:m:", 8}};
	struct entry in[COUNT_OF(ids)], *list[COUNT_OF(ids)];
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		in[i] = (struct entry){.kind = ENTRY_MESSAGE, .key = key_of(ids[i]), .version = i + 1};
		in[i].value = arena_printf(&mem, "%zu \r\n$-1\r\n", i);
		list[i] = &in[i];
	}
	in[2].value = (struct str){"\0\r\n\0", 4};
	in[6].value = STR("absent");
	c->put(c, list, COUNT_OF(ids), &e);
	for (size_t i = 0; i < COUNT_OF(ids); i++) {
		struct str want = in[i].value;
		ok(in[i].state == ENTRY_STORED, "%s: hostile id %zu is put", what, i);
		ok(get(c, &in[i]) == ENTRY_HIT, "%s: and found", what);
		is_str(in[i].value, want, "%s: with its bytes", what);
		is_u64(in[i].version, i + 1, "%s: and version", what);
	}
	struct change ch[COUNT_OF(ids)];
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ch[i] = (struct change){.id = ids[i], .version = 100};
	ok(c->invalidate(c, ch, COUNT_OF(ids), &e) == 0, "%s: hostile ids are invalidated", what);
	c->get(c, list, COUNT_OF(ids), &mem, &e);
	for (size_t i = 0; i < COUNT_OF(ids); i++)
		ok(in[i].state == ENTRY_MISS, "%s: id %zu has gone", what, i);
}

static void big(struct cache *c)
{
	enum { SIZE = 3 << 20 };
	char *p = xmalloc(SIZE + 1);
	for (size_t i = 0; i < SIZE; i++)
		p[i] = (char)('a' + i % 26);
	p[SIZE] = 0;
	ok(put(c, "big", 2, p) == ENTRY_STORED, "%s: a value of 3 MiB", what);
	struct entry en = entry_of("big");
	ok(get(c, &en) == ENTRY_HIT && en.value.n == SIZE && memcmp(en.value.p, p, SIZE) == 0, "%s: comes back whole",
	    what);
	free(p);
}

enum { MANY = 5000 };

static void many(struct cache *c)
{
	struct entry *en = xcalloc(MANY, sizeof *en), **list = xcalloc(MANY, sizeof *list);
	for (size_t i = 0; i < MANY; i++) {
		struct str id =
		    arena_printf(&mem, "many-%zu", i % (MANY - 1000)); /* the last thousand stand there twice */
		en[i] = (struct entry){.kind = ENTRY_MESSAGE, .key = key_of(id), .version = i + 1, .value = id};
		list[i] = &en[i];
	}
	c->put(c, list, MANY, &e);
	size_t stored = 0, good = 0;
	for (size_t i = 0; i < MANY; i++)
		stored += en[i].state == ENTRY_STORED;
	is_u64(stored, MANY, "%s: five thousand entries at once", what);
	c->get(c, list, MANY, &mem, &e);
	for (size_t i = 0; i < MANY; i++)
		good += en[i].state == ENTRY_HIT && en[i].version == (i < 1000 ? i + MANY - 1000 + 1 : i + 1);
	is_u64(good, MANY, "%s: are all found, of two of one id the newer", what);
	struct str id[MANY];
	int n = c->sample(c, id, MANY, &mem, &e);
	ok(n >= MANY - 1000, "%s: a sample may be all of them (%d)", what, n);
	ok(c->sample(c, id, 10, &mem, &e) == 10, "%s: or some", what);
	struct cache_stats s;
	int rc = c->stats(c, &s, &e);
	ok(rc == 0 && s.messages >= MANY - 1000 && s.entries >= s.messages && s.bytes > 0 && s.hits > 0 && s.policy,
	    "%s: its figures (%llu messages)", what, (unsigned long long)s.messages);
	free(en);
	free(list);
}

static void jitter(void)
{
	struct cache_conf c = cache_conf_of(&(struct cache_conf){.ttl_ms = 1000});
	const struct entry result = {.kind = ENTRY_RESULT, .value = STR("{}")},
			   message = {.kind = ENTRY_MESSAGE, .value = STR("{}"), .version = 1},
			   pending = {.kind = ENTRY_MESSAGE, .value = STR("{}")}, absent = {.kind = ENTRY_MESSAGE};
	uint64_t random = 1;
	int64_t least = INT64_MAX, most = 0;
	for (int i = 0; i < 10000; i++) {
		int64_t t = cache_ttl(&c, &result, &random);
		least = t < least ? t : least;
		most = t > most ? t : most;
	}
	ok(least >= 900 && least < 905 && most <= 1000 && most > 995,
	    "lifetimes lie between 90 and 100 %% (%lld to %lld)", (long long)least, (long long)most);
	c.ttl_ms = 1;
	is_u64((uint64_t)cache_ttl(&c, &result, &random), 1, "the least lifetime is no nothing");
	is_u64((uint64_t)cache_ttl(&c, &message, &random), (uint64_t)c.read_ms + 1,
	    "a message lives for longer than a read may take");
	c.pending_ms = 7;
	is_u64((uint64_t)cache_ttl(&c, &pending, &random), 7, "but for one that is not known to be stored");
	is_u64((uint64_t)cache_ttl(&c, &absent, &random), (uint64_t)c.absent_ms, "or is absent");
	c = cache_conf_of(NULL);
	ok(c.pending_ms == 900000, "a quarter of an hour");
	ok(c.ttl_ms == 86400000 && c.tombstone_ms == 60000 && c.read_ms == 30000 && c.absent_ms == 5000, "defaults");
}

/* The entry has taken the tombstone's place, so it must be there for as long as somebody may bring an older row. */
static void short_lived(void)
{
	struct cache_conf conf = brief;
	conf.ttl_ms = 1;
	struct cache *c = open_one(&conf);
	struct entry en = entry_of("short");
	get(c, &en);
	invalidate(c, "short", 2);
	put(c, "short", 2, "two");
	pause_ms(20);
	ok(put_read(c, "short", 1, "one", en.read_at) == ENTRY_REFUSED, "%s: the shortest lifetime lets no old row in",
	    what);
	c->close(c);
}

/* Two handles, as two processes have them: what one buries the other does not read, and what one puts the other
 * reads. */
static void two_handles(struct cache *a)
{
	struct cache *b = open_one(NULL);
	struct entry en = entry_of("two");
	get(b, &en);
	put(a, "two", 1, "one");
	shows(b, "two", "1 one", "%s: another handle reads what one put", what);
	invalidate(a, "two", 2);
	shows(b, "two", "", "%s: nor reads what one has invalidated", what);
	ok(put_read(b, "two", 1, "one", en.read_at) == ENTRY_REFUSED, "%s: nor puts back what it has read before",
	    what);
	b->close(b);
}

/* All connections but the one that says so are cut, as by a server that starts again. */
static void cut_connections(void)
{
	struct redis_link l;
	if (redis_link_init(&l, address, &e) < 0 || redis_ready(&l, true, &e) < 0)
		abort();
	redis_begin(&l.wire);
	redis_command(&l.wire, 6);
	static const char *const word[] = {"CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"};
	for (size_t i = 0; i < COUNT_OF(word); i++)
		redis_word(&l.wire, str_of(word[i]));
	int rc = redis_call(&l, &mem, &e);
	const struct redis_reply *r = l.wire.reply;
	ok(rc == 0 && r->type == REDIS_REPLY_INTEGER && r->n > 0, "redis: connections are cut");
	redis_link_free(&l);
}

/* What was read before may be older than tombstones that a server has lost in between. */
static void earlier_connections(struct cache *c)
{
	struct entry en = entry_of("cut");
	get(c, &en);
	cut_connections();
	ok(put_read(c, "cut", 1, "one", en.read_at) == ENTRY_REFUSED,
	    "redis: a read over an earlier connection is refused");
	pause_ms(2); /* of the same millisecond it cannot tell */
	ok(put_read(c, "cut", 1, "one", c->clock(c)) == ENTRY_STORED, "redis: one over this is not");
	cut_connections();
	shows(c, "cut", "1 one", "redis: a connection that was cut is made again unseen");
	cut_connections();
	ok(invalidate(c, "cut", 2) == 0, "redis: by invalidate too");
}

/* SENTI_FAILOVER is a command that has another server take over, and the first one again when it is called again. What
 * was put before is not read (a change may have been invalidated meanwhile), and what was read before is not put. */
static void failovers(struct cache *c, const char *command)
{
	struct entry en = entry_of("over");
	pause_ms(2);
	get(c, &en);
	ok(put_read(c, "over", 1, "one", en.read_at) == ENTRY_STORED, "failover: put before");
	static const char *const id[] = {"first", "second"};
	for (int i = 0; i < 2; i++) {
		struct entry before = entry_of(id[i]);
		get(c, &before);
		ok(before.read_at > 0 && system(command) == 0, "failover: the %s", id[i]);
		while (c->clock(c) < 0) /* until it is connected again */
			pause_ms(20);
		shows(c, "over", "", "failover: what another server has accepted is not read");
		ok(put_read(c, id[i], 1, "one", before.read_at) == ENTRY_REFUSED,
		    "failover: a read that began before is refused");
		pause_ms(2); /* of the same millisecond it cannot tell */
		ok(put_read(c, id[i], 1, "one", c->clock(c)) == ENTRY_STORED, "failover: one that began after is not");
		shows(c, id[i], "1 one", "failover: it is read");
		ok(invalidate(c, id[i], 2) == 0, "failover: changes are invalidated");
		shows(c, id[i], "", "failover: in the new server");
	}
}

static void suite(struct cache *c)
{
	versions(c);
	tombstones(c);
	erasing(c);
	absence(c);
	readers(c);
	results(c);
	hostile(c);
	big(c);
	many(c);
	lifetimes();
	short_lived();
	ok(c->get(c, NULL, 0, &mem, &e) == 0 && c->put(c, NULL, 0, &e) == 0 && c->invalidate(c, NULL, 0, &e) == 0,
	    "%s: nothing to do", what);
}

/* ---- the memory's own ---- */

static void bounded(void)
{
	struct cache *c = memory_cache(1 << 20, NULL);
	struct cache_stats s;
	char id[32], value[1000];
	memset(value, 'x', sizeof value - 1);
	value[sizeof value - 1] = 0;
	put(c, "first", 1, "kept by being asked for");
	for (int i = 0; i < 10000; i++) {
		snprintf(id, sizeof id, "fill-%d", i);
		put(c, id, 1, value);
		shown(c, "first");
		arena_reset(&mem);
	}
	c->stats(c, &s, &e);
	ok(s.bytes <= 1 << 20 && s.bytes > 900 << 10 && s.entries > 700 && s.evicted > 9000,
	    "memory: stays within its bytes (%llu of %llu)", (unsigned long long)s.bytes, (unsigned long long)s.limit);
	shows(c, "first", "1 kept by being asked for", "memory: what is asked for stays");
	shows(c, "fill-0", "", "memory: what is not goes");
	char *huge = xmalloc(2 << 20);
	memset(huge, 'h', (2 << 20) - 1);
	huge[(2 << 20) - 1] = 0;
	put(c, "first", 2, huge);
	shows(c, "first", "", "memory: what never fits is not kept, nor what it replaces");
	ok(shown(c, "fill-9999").n > 0, "memory: and it drives nothing else out");
	free(huge);
	c->close(c);
}

/* A tombstone that has to go takes along the puts of reads that began before. */
static void full_of_tombstones(void)
{
	struct cache *c = memory_cache(MEMORY_LEAST, NULL);
	int64_t then = c->clock(c);
	char id[32];
	invalidate(c, "row", 2);
	for (int i = 0; i < 2000; i++) {
		snprintf(id, sizeof id, "tombstone-%d", i);
		invalidate(c, id, 1);
	}
	ok(put_read(c, "row", 1, "old", then) == ENTRY_REFUSED,
	    "memory: a tombstone that was evicted still keeps old rows away");
	pause_ms(2);
	ok(put_read(c, "row", 2, "new", c->clock(c)) == ENTRY_STORED, "memory: and new ones come in");
	c->close(c);
}

/* So does an entry that has taken a tombstone's place. */
static void full_of_entries(void)
{
	struct cache *c = memory_cache(MEMORY_LEAST, NULL);
	int64_t then = c->clock(c);
	char id[32];
	invalidate(c, "row", 2);
	put(c, "row", 2, "new");
	for (int i = 0; i < 2000; i++) {
		snprintf(id, sizeof id, "fill-%d", i);
		put(c, id, 1, "x");
	}
	shows(c, "row", "", "memory: an entry is evicted");
	ok(put_read(c, "row", 1, "old", then) == ENTRY_REFUSED, "memory: and still keeps old rows away");
	c->close(c);
}

/* What is too large to be kept leaves the tombstone that stands there. */
static void too_large(void)
{
	struct cache *c = memory_cache(MEMORY_LEAST, NULL);
	int64_t then = c->clock(c);
	static char huge[MEMORY_LEAST];
	memset(huge, 'h', sizeof huge - 1);
	invalidate(c, "row", 2);
	ok(put(c, "row", 2, huge) == ENTRY_SKIPPED, "memory: what is too large is not kept");
	ok(put_read(c, "row", 1, "old", then) == ENTRY_REFUSED, "memory: and lets no old row in");
	c->close(c);
}

struct work {
	struct cache *c;
	int number;
	int wrong;
};

static void *work(void *arg)
{
	struct work *w = arg;
	struct arena own = {0};
	struct err err;
	for (int i = 0; i < 20000; i++) {
		struct buf key = {0};
		char id[16], value[32];
		snprintf(id, sizeof id, "id-%d", i % 50);
		cache_key_message(&key, str_of(id));
		snprintf(value, sizeof value, "%s %d", id, i);
		struct entry en = {.kind = ENTRY_MESSAGE,
				 .key = buf_view(&key),
				 .value = str_of(value),
				 .version = (uint64_t)i},
			     *one = &en;
		if (i % 3 == w->number % 3)
			w->c->put(w->c, &one, 1, &err);
		else if (i % 17 == 0)
			w->c->invalidate(w->c, &(struct change){.id = str_of(id), .version = (uint64_t)i}, 1, &err);
		en.value = STR_NONE;
		w->c->get(w->c, &one, 1, &own, &err);
		w->wrong +=
		    en.state == ENTRY_HIT && (en.value.n < strlen(id) || memcmp(en.value.p, id, strlen(id)) != 0);
		buf_free(&key);
		arena_reset(&own);
	}
	arena_free(&own);
	return NULL;
}

static void threads(void)
{
	struct cache *c = memory_cache(MEMORY_LEAST, NULL);
	struct work w[4];
	pthread_t t[4];
	int wrong = 0;
	for (int i = 0; i < 4; i++) {
		w[i] = (struct work){.c = c, .number = i};
		if (pthread_create(&t[i], NULL, work, &w[i]) != 0)
			abort();
	}
	for (int i = 0; i < 4; i++) {
		pthread_join(t[i], NULL);
		wrong += w[i].wrong;
	}
	is_u64((uint64_t)wrong, 0, "memory: four threads share it");
	c->close(c);
}

/* ---- Redis' own ---- */

static void refuses_address(const char *bad, const char *because)
{
	struct cache *c = redis_cache(bad, NULL, &e);
	ok(!c && e.kind == ERR_USAGE && strstr(e.msg, because) && !strstr(e.msg, "geheim"), "address %s: %s", bad,
	    c ? "taken" : e.msg);
	if (c)
		c->close(c);
}

static void bad_addresses(void)
{
	refuses_address("http://host", "not a Redis address");
	refuses_address("redis+cluster://host", "not a Redis address");
	refuses_address("redis://host/one", "database");
	refuses_address("redis://:geheim@host/one", "database");
	refuses_address("redis://host:0", "port");
	refuses_address("redis://host?db=1", "arguments");
	refuses_address("redis://host?cacertfile=x", "rediss://");
	refuses_address("redis+sentinel://host/x?certfile=x", "rediss://");
	refuses_address("rediss://:geheim@host?cafile=geheim", "cacertfile");
	refuses_address("rediss://:geheim@host?certfile=x", "keyfile");
	refuses_address("unix:", "path");
	refuses_address("unix:/x?password=geheim", "arguments");
	refuses_address("redis://alice@host", "REDISCLI_AUTH");
	refuses_address("redis+sentinel://alice@host/x", "REDISCLI_AUTH");
	refuses_address("redis+sentinel://host", "name of their primary");
	refuses_address("redis+sentinel://host/", "name of their primary");
	refuses_address("redis+sentinel://:geheim@host//1", "name of their primary");
	refuses_address("redis+sentinel://host/a b", "name of their primary");
	refuses_address("redis+sentinel://:geheim@host/x/one", "database");
	refuses_address("redis+sentinel://:geheim@a,,b/x", "empty");
	refuses_address("redis+sentinel:///x", "empty");
	refuses_address("redis+sentinel:x", "empty");
	refuses_address("redis+sentinel://a,b:x/x", "port");
	refuses_address("redis+sentinel://a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a/x", "at most 16");
}

/* What is understood, as it is shown and as it is: user, password, TLS files. */
static void good_addresses(void)
{
	static const struct {
		const char *given, *shown;
	} good[] = {
	    {"redis://", "redis://127.0.0.1:6379"},
	    {"redis://host", "redis://host:6379"},
	    {"redis://host:7000/3", "redis://host:7000/3"},
	    {"redis://a:geheim@host", "redis://host:6379"},
	    {"redis://:geheim@[::1]:7000/?timeout=5", "redis://[::1]:7000"},
	    {"rediss://a:geheim@host/2?cacertfile=%2fx", "rediss://host:6379/2"},
	    {"unix:/x", "unix:/x"},
	    {"unix:relative?db=2", "unix:relative?db=2"},
	    {"redis+sentinel://one/x", "redis+sentinel://one:26379/x"},
	    {"redis+sentinel://a:geheim@one:1,[::1],[::2]:3/my.name-1/4?timeout=5",
		"redis+sentinel://one:1,[::1]:26379,[::2]:3/my.name-1/4"},
	    {"rediss+sentinel://one,two/x?certfile=c&keyfile=k", "rediss+sentinel://one:26379,two:26379/x"},
	};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		struct redis_address a;
		int rc = redis_address_parse(&a, good[i].given, &e);
		is_str(str_of(rc == 0 ? a.shown : e.msg), str_of(good[i].shown), "address %s", good[i].given);
		if (rc == 0)
			redis_address_free(&a);
	}
}

/* What the environment adds; it is as before afterwards. */
static void address_parts(void)
{
	static const char *const variable[] = {"SENTI_REDIS_CACERT", "SENTI_SENTINEL_AUTH", "REDISCLI_AUTH"};
	char *before[COUNT_OF(variable)];
	for (size_t i = 0; i < COUNT_OF(variable); i++)
		before[i] = env_get(variable[i]) ? xstrdup(env_get(variable[i])) : NULL;
	struct redis_address a;
	setenv("SENTI_REDIS_CACERT", "from-env", 1);
	setenv("SENTI_SENTINEL_AUTH", "watcher:sesame:x", 1);
	setenv("REDISCLI_AUTH", "other", 1);
	ok(redis_address_parse(&a, "rediss+sentinel://u:p%40w@one,two:5/x/3?timeout=7&certfile=c&keyfile=k", &e) == 0,
	    "an address with everything");
	ok(a.nhosts == 2 && a.host[0].port == 26379 && a.host[1].port == 5, "its hosts have their ports");
	is_str(str_of(a.host[1].name), STR("two"), "and their names");
	is_str(str_of(a.primary), STR("x"), "the primary's name");
	ok(a.tls && a.db == 3 && a.timeout_ms == 7, "TLS, database and timeout");
	is_str(str_of(a.user), STR("u"), "its user");
	is_str(str_of(a.password), STR("p@w"), "its password");
	is_str(str_of(a.cacert), STR("from-env"), "a file from the environment");
	is_str(str_of(a.cert), STR("c"), "and one from the address");
	is_str(str_of(a.certkey), STR("k"), "with its key");
	is_str(str_of(a.sentinel_user), STR("watcher"), "the Sentinels' user");
	is_str(str_of(a.sentinel_password), STR("sesame:x"), "and password");
	redis_address_free(&a);
	setenv("SENTI_SENTINEL_AUTH", "sesame", 1);
	ok(redis_address_parse(&a, "redis+sentinel://one/x", &e) == 0 && !a.sentinel_user && !a.cacert, "less");
	is_str(str_of(a.sentinel_password), STR("sesame"), "a password alone");
	is_str(str_of(a.password), STR("other"), "the password from the environment");
	redis_address_free(&a);
	for (size_t i = 0; i < COUNT_OF(variable); i++) {
		if (before[i])
			setenv(variable[i], before[i], 1);
		else
			unsetenv(variable[i]);
		free(before[i]);
	}
}

/* Nothing listens there: best effort is quick, and what promises something fails. */
static void away(void)
{
	struct cache *c = redis_cache("unix:/nonexistent/redis.sock", NULL, &e);
	struct entry en = entry_of("x");
	ok(get(c, &en) == ENTRY_SKIPPED && en.read_at == -1, "away: get is skipped");
	ok(put(c, "x", 1, "one") == ENTRY_SKIPPED, "away: put is skipped");
	ok(c->clock(c) == -1, "away: no clock");
	ok(invalidate(c, "x", 1) == -1 && e.kind == ERR_ENV, "away: invalidate fails: %s", e.msg);
	struct cache_stats s;
	struct str id;
	ok(c->stats(c, &s, &e) == -1 && c->sample(c, &id, 1, &mem, &e) == -1, "away: so do stats and sample");
	c->close(c);
}

/* ---- Sentinels ---- */

static void elections(void)
{
#define VOTES(name, epoch, count)                                                                                      \
	{                                                                                                              \
		{name, 1, epoch}, count                                                                                \
	}
	static const struct redis_place place[] = {{"a", 1, 1}, {"b", 1, 2}, {"c", 1, 2}};
	static const struct {
		const char *what;
		struct sentinel_vote vote[3];
		size_t n, sentinels;
		const char *known, *elected;
	} cases[] = {
	    {"the only one", {VOTES("a", 1, 1)}, 1, 3, NULL, "a"},
	    {"of as many votes the later epoch", {VOTES("a", 1, 1), VOTES("b", 2, 1)}, 2, 3, NULL, "b"},
	    {"in whatever order", {VOTES("b", 2, 1), VOTES("a", 1, 1)}, 2, 3, NULL, "b"},
	    {"although the earlier one is known", {VOTES("a", 1, 1), VOTES("b", 2, 1)}, 2, 3, "a", "b"},
	    {"of one epoch the known one", {VOTES("b", 2, 1), VOTES("c", 2, 1)}, 2, 3, "c", "c"},
	    {"in whatever order too", {VOTES("c", 2, 1), VOTES("b", 2, 1)}, 2, 3, "c", "c"},
	    {"of one epoch the first, if neither is known", {VOTES("c", 2, 1), VOTES("b", 2, 1)}, 2, 3, NULL, "c"},
	    {"the most votes", {VOTES("a", 1, 2), VOTES("b", 2, 1)}, 2, 5, "a", "a"},
	    {"an earlier epoch does not win by few votes", {VOTES("a", 1, 1)}, 1, 3, "b", "b"},
	    {"nor by more than another has", {VOTES("a", 1, 2), VOTES("c", 2, 1)}, 2, 5, "b", "c"},
	    {"but by more than half of all", {VOTES("a", 1, 2)}, 1, 3, "b", "a"},
	    {"also of five", {VOTES("b", 2, 1), VOTES("a", 1, 3)}, 2, 5, "b", "a"},
	    {"half of all is not enough", {VOTES("a", 1, 2)}, 1, 4, "b", "b"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct redis_place *known = cases[i].known ? &place[*cases[i].known - 'a'] : NULL;
		is_str(str_of(sentinels_elect(cases[i].vote, cases[i].n, cases[i].sentinels, known)->host),
		    str_of(cases[i].elected), "Sentinels: %s", cases[i].what);
	}
}

/* A Sentinel that is played: it names `says`, or hangs up at once if that is 0. */
static atomic_int says, spoken_to;

enum { LONG_MS = 20000 };

static int listening(struct sentinels **s)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof in;
	char text[64];
	struct redis_address a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(fd, (struct sockaddr *)&in, len) < 0 || listen(fd, 8) < 0 ||
	    getsockname(fd, (struct sockaddr *)&in, &len) < 0)
		abort();
	snprintf(text, sizeof text, "redis+sentinel://127.0.0.1:%u/x", ntohs(in.sin_port));
	if (redis_address_parse(&a, text, &e) < 0)
		abort();
	*s = sentinels_join(&a);
	redis_address_free(&a);
	return fd;
}

static void *play_sentinel(void *listener)
{
	for (int fd; (fd = accept(*(int *)listener, NULL, NULL)) >= 0; close(fd)) {
		int name = atomic_load(&says);
		char said[80], c;
		int n = snprintf(said, sizeof said,
		    "*2\r\n$1\r\n%c\r\n$1\r\n1\r\n*2\r\n$12\r\nconfig-epoch\r\n$1\r\n%d\r\n", name, name - '`');
		atomic_store(&spoken_to, fd);
		if (!name || send(fd, said, (size_t)n, MSG_NOSIGNAL) != n)
			continue;
		while (recv(fd, &c, 1, 0) > 0)
			;
	}
	return NULL;
}

/* Asks one that names "a", and is silent from then on. */
static struct redis_place ask_once(struct sentinels *s)
{
	struct redis_place at = {0};
	unsigned moves;
	int64_t now = clock_mono_ms();
	atomic_store(&says, 'a');
	ok(sentinels_ask(s, now, now + LONG_MS, &at, &moves, &e) == 0, "Sentinels: asked");
	is_str(str_of(at.host), STR("a"), "Sentinels: what it says");
	atomic_store(&says, 0);
	shutdown(atomic_load(&spoken_to), SHUT_RDWR);
	return at;
}

static void silent_sentinel(void)
{
	static const struct redis_place other = {"c", 1, 3};
	struct sentinels *s;
	pthread_t t;
	int listener = listening(&s);
	pthread_create(&t, NULL, play_sentinel, &listener);
	struct redis_place at = ask_once(s);
	ok(sentinels_confirm(s, &at, LONG_MS), "Sentinels: silence confirms what they have said last");
	ok(!sentinels_confirm(s, &other, LONG_MS), "Sentinels: and nothing else");
	sentinels_leave(s);
	shutdown(listener, SHUT_RD);
	pthread_join(t, NULL);
	close(listener);
}

/* Silence towards one that has little time is none towards one that has more. */
static void short_silence(void)
{
	struct sentinels *s;
	pthread_t t;
	int listener = listening(&s);
	pthread_create(&t, NULL, play_sentinel, &listener);
	struct redis_place at = ask_once(s);
	sentinels_confirm(s, &at, 1000);
	atomic_store(&says, 'b');
	ok(!sentinels_confirm(s, &at, LONG_MS), "Sentinels: who has more time asks again");
	sentinels_leave(s);
	shutdown(listener, SHUT_RD);
	pthread_join(t, NULL);
	close(listener);
}

static void *ask_long(void *s)
{
	struct redis_place at;
	unsigned moves;
	struct err why = {0};
	int64_t now = clock_mono_ms();
	return sentinels_ask(s, now, now + LONG_MS, &at, &moves, &why) < 0 && !strstr(why.msg, "in time") ? s : NULL;
}

/* Another thread asks until its connection is closed. */
static void others_ask(void)
{
	struct sentinels *s;
	struct redis_place at;
	unsigned moves;
	pthread_t t;
	void *closed;
	int listener = listening(&s);
	pthread_create(&t, NULL, ask_long, s);
	int fd = accept(listener, NULL, NULL);
	int64_t now = clock_mono_ms();
	ok(sentinels_ask(s, now, now + 50, &at, &moves, &e) < 0 && strstr(e.msg, "no answer in time"),
	    "Sentinels: nobody waits for another thread after its own limit: %s", e.msg);
	ok(!sentinels_confirm(s, &at, 50), "Sentinels: nor confirms what nobody has said");
	sentinels_look(s, LONG_MS);
	close(listener);
	close(fd);
	pthread_join(t, &closed);
	ok(closed == s, "Sentinels: the other thread was still asking");
	sentinels_leave(s);
}

int main(void)
{
	log_init("cache", LOG_ERROR, LOG_PLAIN);
	what = "memory";
	struct cache *c = open_one(NULL);
	suite(c);
	c->close(c);
	bounded();
	full_of_tombstones();
	full_of_entries();
	too_large();
	threads();
	jitter();
	bad_addresses();
	good_addresses();
	address_parts();
	away();
	elections();
	silent_sentinel();
	short_silence();
	others_ask();
	address = env_get("SENTI_REDIS");
	if (address && *address) {
		what = "redis";
		c = redis_cache(address, NULL, &e);
		ok(c != NULL, "redis: %s", address);
		suite(c);
		two_handles(c);
		earlier_connections(c);
		if (env_get("SENTI_FAILOVER"))
			failovers(c, env_get("SENTI_FAILOVER"));
		c->close(c);
	}
	arena_free(&mem);
	return tap_done();
}
