/* redis.c - a cache in Redis.
 *
 * Each call is one round trip, for any number of entries. A get is TIME, so that its time is before the read, then
 * MGETs. Results are SET; all that depends on the present entry is a script, which Redis runs atomically:
 *
 *     what is there     put of N                      change to N                 put of "absent"
 *     nothing           N RECORD                      N                           absent
 *     M RECORD          N RECORD where N > M          N where N > M               -
 *     M  (tombstone)    N RECORD where N >= M         N where N >= M              -
 *     absent            N RECORD                      N                           -
 *
 * A record left by an earlier run of the server is not read (redis.h); for a put it is a tombstone.
 */
#include "lib/net/redis.h"

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/net/redis_link.h"

enum { KEYS_PER_MGET = 128, SCAN_COUNT = 1000, SCAN_ROUNDS = 20 };

struct script {
	const char *text;
	char sha[64]; /* empty: not loaded yet, or refused */
	bool asked;
};

struct redis {
	struct cache port;
	struct cache_conf conf;
	struct redis_link link;
	struct trouble reading, writing; /* error replies; the link has lost connections */
	struct script put, invalidate;
	struct buf key, value;
	uint64_t random;
	char policy[32];
	bool warned;
};

/* Versions are compared as text: whole numbers without leading zeros, of more digits than Lua's numbers hold. */
#define LUA_ENTRY                                                                                                      \
	"local old = redis.call('GETRANGE', KEYS[1], 0, 31) "                                                          \
	"local had, run, live = string.match(old, '^(%d+)@?([%w-]*)( ?)') "                                            \
	"local function newer(a, b) return #a > #b or (#a == #b and a > b) end "

/* KEYS[1]; ARGV: version (empty: absent), when the read began (0: now), how old it may be, lifetime, value, run. 1:
 * done, 0: refused. */
static const char lua_put[] =
    LUA_ENTRY "if ARGV[2] ~= '0' then "
	      "  local t = redis.call('TIME') "
	      "  local age = t[1] * 1000 + math.floor(t[2] / 1000) - ARGV[2] "
	      "  if age < 0 or age > tonumber(ARGV[3]) then return 0 end "
	      "end "
	      "if ARGV[1] == '' then "
	      "  if old ~= '' then return 0 end "
	      "elseif had and (newer(had, ARGV[1]) or "
	      "  (had == ARGV[1] and live == ' ' and (run == ARGV[6] or ARGV[6] == '-'))) then return 0 end "
	      "redis.call('SET', KEYS[1], ARGV[5], 'PX', ARGV[4]) "
	      "return 1";

/* KEYS[1]; ARGV: version (0: not known), lifetime of the tombstone. */
static const char lua_invalidate[] =
    LUA_ENTRY "local new = ARGV[1] "
	      "if new == '0' then "
	      "  if live ~= ' ' then "
	      "    if old == 'absent' then redis.call('DEL', KEYS[1]) end "
	      "    return 0 "
	      "  end "
	      "  new = had "
	      "elseif had and (newer(had, new) or (had == new and live == ' ')) then return 0 end "
	      "redis.call('SET', KEYS[1], new, 'PX', ARGV[2]) "
	      "return 1";

static struct notice away = {"the cache is unreachable, going on without it", "the cache is back", 0};
static struct notice unread = {"the cache does not answer, going on without it", "the cache answers again", 0};
static struct notice unwritten = {"the cache stores nothing, going on without it", "the cache stores entries again", 0};

static struct redis *redis_of(struct cache *c)
{
	return (struct redis *)c;
}

static void lost(struct redis *r, const struct err *why)
{
	trouble_failed(&r->link.away, &away, why);
	if (r->port.watch)
		atomic_store(&r->port.watch->away, true);
}

/* Connects; a server that is not the primary does if only results are `read`. */
static int ready_to(struct redis *r, bool read, bool force, struct err *e)
{
	r->link.call_ms = r->port.call_ms;
	if (redis_ready(&r->link, force, e) < 0)
		return -1;
	if (!r->link.replica || read)
		return 0;
	redis_leave(&r->link);
	return err_set(e, ERR_ENV, "%s: it is a read-only replica; name the primary", r->link.address.shown);
}

/* A connection for a best-effort verb: false if there is none now. */
static bool ready(struct redis *r, bool read)
{
	struct err e;
	if (r->port.watch && atomic_load(&r->port.watch->away))
		return false;
	bool paused = !r->link.wire.context && trouble_pause(&r->link.away);
	if (ready_to(r, read, false, &e) == 0) {
		trouble_over(&r->link.away, &away, &r->link);
		return true;
	}
	if (!paused)
		lost(r, &e);
	return false;
}

static bool call(struct redis *r, struct arena *mem)
{
	struct err e;
	if (redis_call(&r->link, mem, &e) == 0)
		return true;
	lost(r, &e);
	return false;
}

static void set_all(struct entry *const *entry, size_t n, enum entry_state state)
{
	for (size_t i = 0; i < n; i++) {
		entry[i]->state = state;
		entry[i]->read_at = state == ENTRY_SKIPPED ? -1 : 0;
	}
}

static size_t chunk_of(size_t n, size_t from)
{
	return n - from < KEYS_PER_MGET ? n - from : KEYS_PER_MGET;
}

/* ---- get ---- */

/* How many digits a message's value begins with. */
static size_t version_of(struct str value, uint64_t *version)
{
	size_t n = 0;
	while (n < value.n && n < 20 && value.p[n] >= '0' && value.p[n] <= '9')
		n++;
	return str_u64((struct str){value.p, n}, version) == 0 ? n : 0;
}

/* The length of "VERSION@RUN ", 0 if the value has none or another run's. An unknown run accepts any. */
static size_t head_of(struct str value, size_t digits, struct str run)
{
	const char *p = value.p + digits, *end = memchr(p, ' ', value.n - digits);
	if (!end || *p != '@')
		return 0;
	struct str its = {p + 1, (size_t)(end - p) - 1};
	return str_eq(its, run) || str_eq(run, STR("-")) ? (size_t)(end + 1 - value.p) : 0;
}

/* A value that is not an entry of ours counts as absent. */
static void read_entry(struct entry *en, const struct redis_reply *r, int64_t now, struct str run)
{
	en->state = ENTRY_MISS;
	en->read_at = now;
	if (r->type != REDIS_REPLY_STRING)
		return;
	if (en->kind == ENTRY_RESULT) {
		en->value = r->text;
		en->state = ENTRY_HIT;
		return;
	}
	size_t digits = version_of(r->text, &en->version);
	size_t head = digits ? head_of(r->text, digits, run) : 0;
	if (head) {
		en->value = (struct str){r->text.p + head, r->text.n - head};
		en->state = ENTRY_HIT;
	} else if (str_eq(r->text, STR("absent"))) {
		en->state = ENTRY_ABSENT;
	}
}

static void ask(struct redis *r, struct entry *const *entry, size_t n, bool messages)
{
	struct redis_wire *w = &r->link.wire;
	redis_begin(w);
	if (messages) {
		redis_command(w, 1);
		redis_word(w, STR("TIME"));
	}
	for (size_t from = 0; from < n; from += KEYS_PER_MGET) {
		size_t many = chunk_of(n, from);
		redis_command(w, many + 1);
		redis_word(w, STR("MGET"));
		for (size_t i = from; i < from + many; i++)
			redis_word(w, entry[i]->key);
	}
}

/* False with *e if Redis has refused some; those entries are skipped. */
static bool answers(struct redis *r, struct entry *const *entry, size_t n, bool messages, struct err *e)
{
	const struct redis_reply *a = r->link.wire.reply;
	int64_t now = messages ? reply_time(a) : 0;
	bool good = now >= 0;
	if (!good)
		redis_refused(&r->link, a, e);
	if (messages)
		a = reply_next(a);
	r->link.given_ms = now > r->link.given_ms ? now : r->link.given_ms;
	for (size_t from = 0; from < n; from += KEYS_PER_MGET) {
		size_t many = chunk_of(n, from);
		if (now < 0 || a->type != REDIS_REPLY_ARRAY || a->n != (int64_t)many) {
			set_all(entry + from, many, ENTRY_SKIPPED);
			if (good)
				redis_refused(&r->link, a, e);
			good = false;
		} else {
			for (size_t i = 0; i < many; i++)
				read_entry(entry[from + i], &a[1 + i], now, str_of(r->link.run));
		}
		a = reply_next(a);
	}
	return good;
}

static int redis_get(struct cache *c, struct entry *const *entry, size_t n, struct arena *mem, struct err *e)
{
	struct redis *r = redis_of(c);
	bool messages = false;
	struct err why;
	(void)e;
	if (!n)
		return 0;
	for (size_t i = 0; i < n; i++)
		messages = messages || entry[i]->kind == ENTRY_MESSAGE;
	set_all(entry, n, ENTRY_SKIPPED);
	bool old = messages && r->port.watch && cache_is_behind(r->port.watch);
	if (old || trouble_pause(&r->reading) || !ready(r, !messages))
		return 0;
	ask(r, entry, n, messages);
	if (!call(r, mem))
		return 0;
	if (answers(r, entry, n, messages, &why))
		trouble_over(&r->reading, &unread, &r->link);
	else
		trouble_failed(&r->reading, &unread, &why);
	return 0;
}

static int64_t redis_clock(struct cache *c)
{
	struct redis *r = redis_of(c);
	struct arena mem = {0};
	int64_t now = -1;
	if (ready(r, false)) {
		redis_begin(&r->link.wire);
		redis_command(&r->link.wire, 1);
		redis_word(&r->link.wire, STR("TIME"));
		if (call(r, &mem))
			now = reply_time(r->link.wire.reply);
	}
	arena_free(&mem);
	r->link.given_ms = now > r->link.given_ms ? now : r->link.given_ms;
	return now;
}

/* ---- scripts ---- */

/* Loads the script and gets its hash, once a handle. If that is refused, the whole text is sent each time. */
static int load(struct redis *r, struct script *s, struct err *e)
{
	struct arena mem = {0};
	if (s->asked)
		return 0;
	redis_begin(&r->link.wire);
	redis_command(&r->link.wire, 3);
	redis_word(&r->link.wire, STR("SCRIPT"));
	redis_word(&r->link.wire, STR("LOAD"));
	redis_word(&r->link.wire, str_of(s->text));
	int rc = redis_call(&r->link, &mem, e);
	const struct redis_reply *a = r->link.wire.reply;
	if (rc == 0 && a->type == REDIS_REPLY_STRING && a->text.n < sizeof s->sha) {
		memcpy(s->sha, a->text.p, a->text.n);
		s->sha[a->text.n] = 0;
	}
	s->asked = rc == 0;
	arena_free(&mem);
	return rc;
}

static bool is_unknown_script(const struct redis_reply *r)
{
	return r->type == REDIS_REPLY_ERROR && r->text.n >= 8 && memcmp(r->text.p, "NOSCRIPT", 8) == 0;
}

/* The head of a call of a script with one key and `args` arguments after it. `whole`: send its text, because Redis does
 * not know it. */
static void run_script(struct redis *r, const struct script *s, bool whole, struct str key, size_t args)
{
	bool by_name = s->sha[0] && !whole;
	redis_command(&r->link.wire, 4 + args);
	redis_word(&r->link.wire, by_name ? STR("EVALSHA") : STR("EVAL"));
	redis_word(&r->link.wire, str_of(by_name ? s->sha : s->text));
	redis_word(&r->link.wire, STR("1"));
	redis_word(&r->link.wire, key);
}

/* ---- put ---- */

static void put_result(struct redis *r, const struct entry *en)
{
	redis_command(&r->link.wire, 5);
	redis_word(&r->link.wire, STR("SET"));
	redis_word(&r->link.wire, en->key);
	redis_word(&r->link.wire, en->value);
	redis_word(&r->link.wire, STR("PX"));
	redis_number(&r->link.wire, cache_ttl(&r->conf, en, &r->random));
}

static void put_message(struct redis *r, const struct entry *en, bool whole)
{
	char version[24 + REDIS_RUN + 2];
	int digits = snprintf(version, sizeof version, "%llu", (unsigned long long)en->version);
	int n = digits + snprintf(version + digits, sizeof version - (size_t)digits, "@%s ", r->link.run);
	bool absent = !en->value.p;
	run_script(r, &r->put, whole, en->key, 6);
	redis_word(&r->link.wire, absent ? STR("") : (struct str){version, (size_t)digits});
	redis_number(&r->link.wire, en->read_at);
	redis_number(&r->link.wire, r->conf.read_ms);
	redis_number(&r->link.wire, cache_ttl(&r->conf, en, &r->random));
	buf_clear(&r->value);
	buf_add(&r->value, version, absent ? 0 : (size_t)n);
	buf_str(&r->value, absent ? STR("absent") : en->value);
	redis_word(&r->link.wire, buf_view(&r->value));
	redis_word(&r->link.wire, str_of(r->link.run));
}

/* True if the read began before this connection (redis_link.h). */
static bool too_old(const struct redis *r, const struct entry *en)
{
	return en->kind == ENTRY_MESSAGE && en->read_at && en->read_at < r->link.floor_ms;
}

static void ask_to_keep(struct redis *r, struct entry *const *entry, size_t n, bool whole)
{
	redis_begin(&r->link.wire);
	for (size_t i = 0; i < n; i++) {
		if (entry[i]->state != ENTRY_PENDING)
			continue;
		if (entry[i]->kind == ENTRY_RESULT)
			put_result(r, entry[i]);
		else
			put_message(r, entry[i], whole);
	}
}

struct kept {
	size_t unknown; /* pending, because Redis does not know the script */
	bool refused;	/* by an error, in `why` */
	struct err why;
};

static void what_was_kept(struct redis *r, struct entry *const *entry, size_t n, struct kept *k)
{
	const struct redis_reply *a = r->link.wire.reply;
	k->unknown = 0;
	for (size_t i = 0; i < n; i++) {
		if (entry[i]->state != ENTRY_PENDING)
			continue;
		if (is_unknown_script(a)) {
			k->unknown++;
		} else if (a->type == REDIS_REPLY_ERROR) {
			entry[i]->state = ENTRY_SKIPPED;
			if (!k->refused)
				redis_refused(&r->link, a, &k->why);
			k->refused = true;
		} else {
			entry[i]->state = a->type == REDIS_REPLY_INTEGER && a->n == 0 ? ENTRY_REFUSED : ENTRY_STORED;
		}
		a = reply_next(a);
	}
}

/* Warns about a Redis that evicts nothing, so fills up or takes all memory. */
static void check_policy(struct redis *r)
{
	if (!r->link.fresh)
		return;
	r->link.fresh = false;
	struct str policy = info_value(buf_view(&r->link.info), "maxmemory_policy");
	struct str limit = info_value(buf_view(&r->link.info), "maxmemory");
	if (r->warned || !str_eq(policy, STR("noeviction")))
		return;
	r->warned = true;
	bool unlimited = str_eq(limit, STR("0"));
	log_warn(
	    unlimited
		? "Redis has no memory limit and evicts nothing; set maxmemory, and maxmemory-policy to allkeys-lfu"
		: "Redis evicts nothing and will refuse entries when it is full; set maxmemory-policy to allkeys-lfu",
	    "cache", r->link.address.shown, NULL);
}

static void skip_pending(struct entry *const *entry, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (entry[i]->state == ENTRY_PENDING)
			entry[i]->state = ENTRY_SKIPPED;
}

/* Marks entries that are not sent; true if a message is left. */
static bool choose(struct redis *r, struct entry *const *entry, size_t n)
{
	bool messages = false;
	for (size_t i = 0; i < n; i++) {
		entry[i]->state = too_old(r, entry[i]) ? ENTRY_REFUSED : ENTRY_PENDING;
		messages = messages || (entry[i]->kind == ENTRY_MESSAGE && entry[i]->state == ENTRY_PENDING);
	}
	return messages;
}

static void put_all(struct redis *r, struct entry *const *entry, size_t n)
{
	struct kept k = {0};
	struct arena mem = {0};
	bool messages = choose(r, entry, n);
	if (messages && load(r, &r->put, &k.why) < 0) {
		lost(r, &k.why);
		return;
	}
	for (bool whole = false;; whole = true) {
		ask_to_keep(r, entry, n, whole);
		if (!r->link.wire.commands || !call(r, &mem))
			goto out;
		what_was_kept(r, entry, n, &k);
		arena_reset(&mem);
		if (!k.unknown || whole)
			break;
	}
	if (k.refused)
		trouble_failed(&r->writing, &unwritten, &k.why);
	else
		trouble_over(&r->writing, &unwritten, &r->link);
out:
	arena_free(&mem);
}

static int redis_put(struct cache *c, struct entry *const *entry, size_t n, struct err *e)
{
	struct redis *r = redis_of(c);
	(void)e;
	for (size_t i = 0; i < n; i++)
		entry[i]->state = ENTRY_PENDING;
	if (n && !trouble_pause(&r->writing) && ready(r, false)) {
		check_policy(r);
		put_all(r, entry, n);
	}
	skip_pending(entry, n);
	return 0;
}

/* ---- invalidate ---- */

static void ask_to_invalidate(struct redis *r, const struct change *c, size_t n, const bool *done, bool whole)
{
	redis_begin(&r->link.wire);
	for (size_t i = 0; i < n; i++) {
		if (done[i])
			continue;
		char version[24];
		int digits = snprintf(version, sizeof version, "%llu", (unsigned long long)c[i].version);
		buf_clear(&r->key);
		cache_key_message(&r->key, c[i].id);
		run_script(r, &r->invalidate, whole, buf_view(&r->key), 2);
		redis_word(&r->link.wire, (struct str){version, (size_t)digits});
		redis_number(&r->link.wire, r->conf.tombstone_ms);
	}
}

/* Returns how many are left because Redis does not know the script, or -1. */
static int what_was_invalidated(struct redis *r, size_t n, bool *done, struct err *e)
{
	const struct redis_reply *a = r->link.wire.reply;
	int unknown = 0;
	for (size_t i = 0; i < n; i++) {
		if (done[i])
			continue;
		if (is_unknown_script(a))
			unknown++;
		else if (a->type != REDIS_REPLY_INTEGER)
			return redis_refused(&r->link, a, e);
		else
			done[i] = true;
		a = reply_next(a);
	}
	return unknown;
}

/* All of them, over one connection, for the next one may be to another server. */
static int invalidate_once(struct redis *r, const struct change *c, size_t n, struct err *e)
{
	struct arena mem = {0};
	bool *done = xcalloc(n, sizeof *done);
	int left = ready_to(r, false, true, e) < 0 || load(r, &r->invalidate, e) < 0 ? -1 : 1;
	for (int round = 0; left > 0 && round < 2; round++) {
		ask_to_invalidate(r, c, n, done, round > 0);
		left = redis_call(&r->link, &mem, e) < 0 ? -1 : what_was_invalidated(r, n, done, e);
		arena_reset(&mem);
	}
	arena_free(&mem);
	free(done);
	if (left > 0)
		return err_set(e, ERR_ENV, "%s forgets its scripts at once", r->link.address.shown);
	return left < 0 ? -1 : redis_confirm(&r->link, e);
}

static int redis_invalidate(struct cache *c, const struct change *change, size_t n, struct err *e)
{
	struct redis *r = redis_of(c);
	struct cache_watch *w = r->port.watch;
	if (!n)
		return 0;
	if (w && atomic_load(&w->away)) {
		atomic_fetch_add(&w->failed, 1);
		return err_set(e, ERR_ENV, "%s is unreachable", r->link.address.shown);
	}
	int64_t until = clock_mono_ms() + r->port.call_ms;
	int rc = invalidate_once(r, change, n, e);
	/* A broken connection is worth another, unless it has cost the time: invalidating twice is harmless. */
	if (rc < 0 && !r->link.wire.context && (!r->port.call_ms || clock_mono_ms() < until))
		rc = invalidate_once(r, change, n, e);
	if (rc == 0)
		trouble_over(&r->link.away, &away, &r->link);
	else if (w)
		atomic_fetch_add(&w->failed, 1);
	if (rc < 0 && w && !r->link.wire.context)
		atomic_store(&w->away, true);
	return rc;
}

/* ---- stats, sample and forget ---- */

static int one_call(struct redis *r, struct arena *mem, struct err *e)
{
	if (redis_call(&r->link, mem, e) < 0)
		return -1;
	for (size_t i = 0; i < r->link.wire.nreplies; i++)
		if (r->link.wire.reply[i].type == REDIS_REPLY_ERROR)
			return redis_refused(&r->link, &r->link.wire.reply[i], e);
	return 0;
}

static uint64_t number_of(struct str info, const char *name)
{
	uint64_t n = 0;
	struct str s = info_value(info, name);
	return s.p && str_u64(s, &n) == 0 ? n : 0;
}

/* One round of SCAN from *cursor on: *many replies with keys, or NULL with *e. */
static const struct redis_reply *scan(
    struct redis *r, uint64_t *cursor, struct str pattern, size_t *many, struct arena *mem, struct err *e)
{
	char from[24];
	int n = snprintf(from, sizeof from, "%llu", (unsigned long long)*cursor);
	redis_begin(&r->link.wire);
	redis_command(&r->link.wire, 6);
	redis_word(&r->link.wire, STR("SCAN"));
	redis_word(&r->link.wire, (struct str){from, (size_t)n});
	redis_word(&r->link.wire, STR("MATCH"));
	redis_word(&r->link.wire, pattern);
	redis_word(&r->link.wire, STR("COUNT"));
	redis_number(&r->link.wire, SCAN_COUNT);
	if (one_call(r, mem, e) < 0)
		return NULL;
	const struct redis_reply *a = r->link.wire.reply;
	bool good = r->link.wire.nreplies >= 3 && a[0].type == REDIS_REPLY_ARRAY && str_u64(a[1].text, cursor) == 0 &&
		    a[2].type == REDIS_REPLY_ARRAY;
	*many = good ? (size_t)a[2].n : 0;
	for (size_t i = 0; i < *many; i++)
		good = good && a[3 + i].type == REDIS_REPLY_STRING;
	if (good)
		return a + 3;
	redis_refused(&r->link, a, e);
	return NULL;
}

static bool begins(struct str s, struct str with)
{
	return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

/* Counts kinds among the keys of some rounds of SCAN, and extrapolates to all keys. */
static int count_kinds(struct redis *r, struct cache_stats *out, struct arena *mem, struct err *e)
{
	uint64_t cursor = 0, seen = 0;
	for (int round = 0; round == 0 || (cursor && round < SCAN_ROUNDS); round++) {
		size_t many;
		const struct redis_reply *key = scan(r, &cursor, STR("*"), &many, mem, e);
		if (!key)
			return -1;
		for (size_t i = 0; i < many; i++) {
			out->results += begins(key[i].text, STR(CACHE_RESULT));
			out->messages += begins(key[i].text, STR(CACHE_MESSAGE));
		}
		seen += many;
		arena_reset(mem);
	}
	if (cursor && seen) {
		double share = (double)out->entries / (double)seen;
		out->results = (uint64_t)((double)out->results * share);
		out->messages = (uint64_t)((double)out->messages * share);
	}
	return 0;
}

static int read_stats(struct redis *r, struct cache_stats *out, struct arena *mem, struct err *e)
{
	redis_begin(&r->link.wire);
	redis_command(&r->link.wire, 1);
	redis_word(&r->link.wire, STR("INFO"));
	redis_command(&r->link.wire, 1);
	redis_word(&r->link.wire, STR("DBSIZE"));
	if (one_call(r, mem, e) < 0)
		return -1;
	const struct redis_reply *a = r->link.wire.reply;
	struct str info = a[0].text, policy = info_value(info, "maxmemory_policy");
	snprintf(r->policy, sizeof r->policy, "%.*s", (int)policy.n, policy.p ? policy.p : "");
	*out = (struct cache_stats){
	    .entries = (uint64_t)a[1].n,
	    .bytes = number_of(info, "used_memory"),
	    .limit = number_of(info, "maxmemory"),
	    .evicted = number_of(info, "evicted_keys"),
	    .expired = number_of(info, "expired_keys"),
	    .hits = number_of(info, "keyspace_hits"),
	    .misses = number_of(info, "keyspace_misses"),
	    .policy = r->policy,
	};
	arena_reset(mem);
	return count_kinds(r, out, mem, e);
}

static int redis_stats(struct cache *c, struct cache_stats *out, struct err *e)
{
	struct redis *r = redis_of(c);
	struct arena mem = {0};
	int rc = redis_ready(&r->link, true, e) < 0 ? -1 : read_stats(r, out, &mem, e);
	arena_free(&mem);
	return rc;
}

/* SCAN takes any number for a cursor, so the first pass begins anywhere, and the second at the start, for the rest. */
static int redis_sample(struct cache *c, struct str *id, size_t max, struct arena *mem, struct err *e)
{
	struct redis *r = redis_of(c);
	struct arena keys = {0};
	struct map known = {0};
	size_t n = 0, prefix = sizeof CACHE_MESSAGE - 1;
	int rc = redis_ready(&r->link, true, e);
	uint64_t cursor = cache_random(&r->random) >> 32;
	for (int pass = 0; rc == 0 && pass < 2 && n < max; pass++, cursor = 0) {
		do {
			size_t many;
			const struct redis_reply *key = scan(r, &cursor, STR(CACHE_MESSAGE "*"), &many, &keys, e);
			if (!key) {
				rc = -1;
				break;
			}
			for (size_t i = 0; i < many && n < max; i++) {
				if (!begins(key[i].text, STR(CACHE_MESSAGE)) || map_get(&known, key[i].text))
					continue;
				struct str copy = arena_str(mem, key[i].text);
				map_put(&known, copy, NULL);
				id[n++] = (struct str){copy.p + prefix, copy.n - prefix};
			}
			arena_reset(&keys);
		} while (cursor && n < max);
	}
	map_free(&known);
	arena_free(&keys);
	return rc < 0 ? -1 : (int)n;
}

static int delete_keys(struct redis *r, const struct redis_reply *key, size_t n, struct arena *mem, struct err *e)
{
	if (n == 0)
		return 0;
	redis_begin(&r->link.wire);
	redis_command(&r->link.wire, n + 1);
	redis_word(&r->link.wire, STR("DEL"));
	for (size_t i = 0; i < n; i++)
		redis_word(&r->link.wire, key[i].text);
	return one_call(r, mem, e);
}

static int redis_forget(struct cache *c, struct err *e)
{
	struct redis *r = redis_of(c);
	struct arena mem = {0};
	uint64_t cursor = 0;
	redis_leave_all();
	int rc = ready_to(r, false, true, e);
	while (rc == 0) {
		size_t many;
		const struct redis_reply *key = scan(r, &cursor, STR(CACHE_MESSAGE "*"), &many, &mem, e);
		rc = key ? delete_keys(r, key, many, &mem, e) : -1;
		arena_reset(&mem);
		if (!cursor)
			break;
	}
	arena_free(&mem);
	return rc < 0 ? -1 : redis_confirm(&r->link, e);
}

/* A failing call is not repeated: Redis may have done it. */
static int redis_claim(struct cache *c, struct str name, int64_t ms, struct err *e)
{
	struct redis *r = redis_of(c);
	struct arena mem = {0};
	int rc = -1;
	if (!ready(r, false))
		return err_set(e, ERR_ENV, "%s: it is unreachable", r->link.address.shown);
	redis_begin(&r->link.wire);
	redis_command(&r->link.wire, 6);
	redis_word(&r->link.wire, STR("SET"));
	redis_word(&r->link.wire, arena_printf(&mem, CACHE_CLAIM "%.*s", STR_FMT(name)));
	redis_word(&r->link.wire, STR("1"));
	redis_word(&r->link.wire, STR("NX"));
	redis_word(&r->link.wire, STR("PX"));
	redis_number(&r->link.wire, ms);
	if (!call(r, &mem))
		err_set(e, ERR_ENV, "%s: it does not answer", r->link.address.shown);
	else if (r->link.wire.reply->type == REDIS_REPLY_STATUS)
		rc = redis_confirm(&r->link, e) < 0 ? -1 : 1;
	else if (r->link.wire.reply->type == REDIS_REPLY_NIL)
		rc = 0;
	else
		redis_refused(&r->link, r->link.wire.reply, e);
	arena_free(&mem);
	return rc;
}

static void redis_close(struct cache *c)
{
	struct redis *r = redis_of(c);
	trouble_end(&r->link.away, &away);
	trouble_end(&r->reading, &unread);
	trouble_end(&r->writing, &unwritten);
	redis_link_free(&r->link);
	buf_free(&r->key);
	buf_free(&r->value);
	free(r);
}

struct cache *redis_cache(const char *address, const struct cache_conf *conf, struct err *e)
{
	struct redis *r = xcalloc(1, sizeof *r);
	if (redis_link_init(&r->link, address, e) < 0) {
		free(r);
		return NULL;
	}
	r->port = (struct cache){
	    .get = redis_get,
	    .put = redis_put,
	    .clock = redis_clock,
	    .invalidate = redis_invalidate,
	    .forget = redis_forget,
	    .stats = redis_stats,
	    .sample = redis_sample,
	    .claim = redis_claim,
	    .close = redis_close,
	};
	r->conf = cache_conf_of(conf);
	r->put.text = lua_put;
	r->invalidate.text = lua_invalidate;
	r->random = (uint64_t)clock_wall_ms() ^ (uint64_t)(uintptr_t)r;
	return &r->port;
}
