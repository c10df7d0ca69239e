/* cache.h - the one contract of a cache: Redis (lib/net/redis) and a process's own memory (memory.h).
 *
 * Two kinds of entry, so that what can be stale is small; and claims, which hold nothing:
 *
 *     senti:s:<model>:<hash of text>   a result. A pure function of its key: never stale, only evicted.
 *     senti:m:<id>                     the record of a stored message, a view of the database: invalidated.
 *     senti:t:<name>                   somebody has claimed this name (senti-serve: a ticket is used).
 *
 * A message's entry holds the version of its row. These rules keep an old row from coming back, however slow the reader
 * that brings it:
 *
 * - an entry of version N refuses puts of N and below (it is as new, or newer); - a change invalidates the entry: a
 * tombstone of the change's version takes its place, unless the entry
 *     is as new as the change. A tombstone N refuses puts below N, and lives for CACHE_TOMBSTONE_S;
 * - a put whose read of the store began over CACHE_READ_S ago, by the cache's clock, is refused: it may
 *     be older than a tombstone that has gone meanwhile. So is one whose read began before the handle last connected:
 *     a cache that started again has lost its tombstones;
 * - a put is never sent twice: when the connection breaks it is lost, and the entry stays missing; - "there is no such
 * message" (an absent entry) is set only where no key is, and lives for seconds.
 *
 * Versions come from one sequence of the store, so a row that is deleted and made again has a greater one. Version 0 is
 * a message that was submitted and may not be stored yet: it lives briefly, any row replaces it, and readers ask the
 * store for the row (lookaside.h).
 *
 * get and put are best effort: while the cache is down they answer ENTRY_SKIPPED, return 0, and reconnect after a
 * back-off; the log reports each loss and each return once. invalidate, claim, stats and sample fail instead.
 *
 * A handle belongs to one thread, except that of a process's own memory, which all threads share. A read_at is valid
 * for the handle that gave it.
 */
#ifndef SENTI_CACHE_H
#define SENTI_CACHE_H

#include <stdatomic.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/data/store.h"

enum { CACHE_TOMBSTONE_S = 60, CACHE_READ_S = 30, CACHE_ABSENT_S = 5 };

enum entry_kind { ENTRY_RESULT, ENTRY_MESSAGE };

enum entry_state {
	ENTRY_PENDING,
	ENTRY_HIT,     /* get: value is there */
	ENTRY_MISS,    /* get: unknown; sets read_at (of a message) */
	ENTRY_ABSENT,  /* get: the store has no such message */
	ENTRY_STORED,  /* put */
	ENTRY_REFUSED, /* put: by one of the rules above */
	ENTRY_SKIPPED, /* the cache is down */
};

/* One entry to get or put. Strings are lent: by the caller of put, by `mem` of get, with JSON_PAD readable bytes after
 * the value. */
struct entry {
	enum entry_kind kind;
	struct str key; /* from cache_key_result or cache_key_message */
	/* The result's JSON object, or the message's record; a put of a message with p NULL says that it is absent. */
	struct str value;
	uint64_t version; /* of the message */
	/* When the read of the store began, in ms by the cache's clock: set by a get that misses a message, used by
	 * put. 0: now, for a message that is being submitted. A get while the cache is down sets -1, which put refuses.
	 */
	int64_t read_at;
	enum entry_state state;
};

struct cache_stats {
	uint64_t entries, results, messages; /* results and messages may be estimates from a sample */
	uint64_t bytes, limit;		     /* in use; limit 0: none */
	uint64_t evicted, expired;
	uint64_t hits, misses; /* of the server's life */
	const char *policy;    /* the eviction policy; lent until the next call */
};

/* Lifetimes; 0 means the default. All but the first two are for tests. */
struct cache_conf {
	/* An entry lives for 90 to 100 % of this (a day), so that entries made together do not expire together. A
	 * message lives for longer than read_ms, to refuse what was read before it was put. */
	int64_t ttl_ms;
	int64_t pending_ms; /* of a message of version 0; 15 minutes */
	int64_t tombstone_ms, read_ms, absent_ms;
};

/* What threads that answer clients know of a shared cache; set by whoever watches it for them. */
struct cache_watch {
	atomic_bool away; /* it does not answer: nobody asks it, until the watcher has had an answer */
	/* How many changes could not be invalidated, and of how many of those the watcher has done so since: while they
	 * differ, messages in the cache may be old. */
	atomic_uint failed, mended;
};

static inline bool cache_is_behind(const struct cache_watch *w)
{
	return atomic_load(&w->mended) != atomic_load(&w->failed);
}

struct cache {
	/* Looks up all at once. A repeated key is answered each time. */
	int (*get)(struct cache *, struct entry *const *entry, size_t n, struct arena *mem, struct err *e);
	/* Keeps them; of a repeated message the newer wins. */
	int (*put)(struct cache *, struct entry *const *entry, size_t n, struct err *e);
	/* The cache's clock now, for a read of the store without a get before it; -1 while the cache is down. */
	int64_t (*clock)(struct cache *);
	/* Invalidates the entries of changed messages: 0 once none can be read any more, or -1. Idempotent. Version 0
	 * is an unknown version: the entry goes, whatever its version, and leaves a tombstone of its own version. */
	int (*invalidate)(struct cache *, const struct change *c, size_t n, struct err *e);
	/* Drops all messages, since the store was restored from a back-up and their versions mean nothing: 0 or -1.
	 * What was read before is not put any more, by handles of this process. */
	int (*forget)(struct cache *, struct err *e);
	int (*stats)(struct cache *, struct cache_stats *out, struct err *e);
	/* Ids of at most `max` messages in the cache, from a random place on (for verify). Returns how many, or -1.
	 * `max` 0 only checks that the cache is up. */
	int (*sample)(struct cache *, struct str *id, size_t max, struct arena *mem, struct err *e);
	/* Claims a name for `ms`: 1 to the first who does, 0 to all others, whatever process they are in; or -1, and it
	 * may be claimed or not. NULL for a cache that is private. */
	int (*claim)(struct cache *, struct str name, int64_t ms, struct err *e);
	/* True if the cache is this process's own. */
	bool private;
	/* Set by the owner of a handle whose clients wait: limit of a call and of connecting (0: a default), and what
	 * is known of the cache (lent; NULL: nothing). A handle that gets no answer sets `away`, one that cannot
	 * invalidate counts that in `failed`. */
	int64_t call_ms;
	struct cache_watch *watch;
	/* Frees it. */
	void (*close)(struct cache *);
};

#define CACHE_RESULT "senti:s:"
#define CACHE_MESSAGE "senti:m:"
#define CACHE_CLAIM "senti:t:"

/* Appends the key of a text's result by a model, and of a message. */
void cache_key_result(struct buf *out, struct str model, struct str text);
void cache_key_message(struct buf *out, struct str id);

/* For implementations: the given conf (may be NULL) with defaults for its zeros, random numbers, and an entry's
 * lifetime, also that of an absent message. */
struct cache_conf cache_conf_of(const struct cache_conf *given);
uint64_t cache_random(uint64_t *random);
int64_t cache_ttl(const struct cache_conf *c, const struct entry *en, uint64_t *random);

#endif
