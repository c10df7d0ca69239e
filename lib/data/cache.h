/* cache.h - the one contract of a cache: Redis (lib/net/redis) and a process's own memory (memory.h).
 *
 * Two kinds of entry, so that what can be stale is small:
 *
 *     senti:s:<model>:<hash of text>   a result. A pure function of its key: never stale, only evicted.
 *     senti:m:<id>                     the record of a stored message, a view of the database: invalidated.
 *
 * A message's entry holds the version of the row that it shows. These rules keep an old row from coming back, however
 * slow the reader that brings it:
 *
 *   - an entry of version N refuses puts of N and below (it is as new, or newer);
 *   - a change invalidates the entry: a tombstone of the change's version takes its place, unless the entry
 *     is as new as the change. A tombstone N refuses puts below N, and lives for CACHE_TOMBSTONE_S;
 *   - a put whose read of the store began over CACHE_READ_S ago by the cache's own clock is refused: it may
 *     be older than a tombstone that has gone meanwhile. So is one whose read began before the handle last connected:
 *     a cache that started again has lost its tombstones;
 *   - a put is never sent twice: when the connection breaks it is lost, and the entry stays missing;
 *   - "there is no such message" (an absent entry) is set only where no key is, and lives for seconds.
 *
 * Versions order the changes of one row's life; they come from one sequence of the store, so a row that is deleted and
 * made again goes on counting. Version 0 is a message that has been submitted and may not be stored yet: it lives
 * briefly, any row replaces it, and readers ask the store whether there is one (lookaside.h).
 *
 * get and put are best effort: with the cache away they answer ENTRY_SKIPPED, return 0, and try again by themselves
 * after a back-off; the log reports each loss and each return once. invalidate, stats and sample fail instead, because
 * they cannot keep their promise without it.
 *
 * One handle belongs to one thread, but for a process's own memory, which all its threads share. A read_at is good for
 * the handle that gave it.
 */
#ifndef SENTI_CACHE_H
#define SENTI_CACHE_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/data/store.h"

enum { CACHE_TOMBSTONE_S = 60, CACHE_READ_S = 30, CACHE_ABSENT_S = 5 };

enum entry_kind { ENTRY_RESULT, ENTRY_MESSAGE };

enum entry_state {
	ENTRY_PENDING,
	ENTRY_HIT,     /* get: value is there */
	ENTRY_MISS,    /* get: nothing is known; read_at is set (of a message) */
	ENTRY_ABSENT,  /* get: known that the store has no such message */
	ENTRY_STORED,  /* put */
	ENTRY_REFUSED, /* put: by one of the rules above */
	ENTRY_SKIPPED, /* the cache is away */
};

/* One entry to get or put. Strings are lent: of a put by the caller, of a get by `mem`, with JSON_PAD readable bytes
 * after the value. */
struct entry {
	enum entry_kind kind;
	struct str key; /* from cache_key_result or cache_key_message */
	/* The result's JSON object, or the message's record; put of a message with p NULL: it is absent. */
	struct str value;
	uint64_t version; /* of the message */
	/* ms by the cache's clock at which the read of the store began: set by get where it misses a message, and taken
	 * by put. 0: now, for what was not read (a message that is being submitted). Where the cache is away get sets
	 * -1, with which a put is refused. */
	int64_t read_at;
	enum entry_state state;
};

struct cache_stats {
	uint64_t entries, results, messages; /* what is known; results and messages may be estimates from a sample */
	uint64_t bytes, limit;		     /* in use, and at most (0: no limit) */
	uint64_t evicted, expired;
	uint64_t hits, misses; /* of the server's life */
	const char *policy;    /* how it evicts; lent until the next call */
};

/* Lifetimes; 0 is the default of each. All but the first two are for tests. */
struct cache_conf {
	/* An entry lives for 90 to 100 % of it, so that those of one moment do not end in one moment; a day. But a
	 * message lives for longer than read_ms: till then it refuses what was read before it was put. */
	int64_t ttl_ms;
	int64_t pending_ms; /* of a message of version 0; 15 minutes */
	int64_t tombstone_ms, read_ms, absent_ms;
};

struct cache {
	/* Looks up all of them at once. A key that stands there twice is answered twice. */
	int (*get)(struct cache *, struct entry *const *entry, size_t n, struct arena *mem, struct err *e);
	/* Keeps them; where the same message stands there twice the newer wins. */
	int (*put)(struct cache *, struct entry *const *entry, size_t n, struct err *e);
	/* The cache's clock now, for a read of the store that no get came before; -1 where the cache is away. */
	int64_t (*clock)(struct cache *);
	/* Invalidates the entries of changed messages: 0 once none of them can be read any more, or -1. Harmless when
	 * repeated. A change of version 0 is unknown: the entry goes, whatever its version, and leaves a tombstone of
	 * its own version. */
	int (*invalidate)(struct cache *, const struct change *c, size_t n, struct err *e);
	int (*stats)(struct cache *, struct cache_stats *out, struct err *e);
	/* Names of messages that are in the cache now, from a random place on, at most `max` (a sample for verify): how
	 * many, or -1. With 0 it only tells whether the cache is there. */
	int (*sample)(struct cache *, struct str *id, size_t max, struct arena *mem, struct err *e);
	/* True if this cache is seen by this process alone. */
	bool private;
	/* Frees it. */
	void (*close)(struct cache *);
};

#define CACHE_RESULT "senti:s:"
#define CACHE_MESSAGE "senti:m:"

/* Appends the key of a text's result by a model, and of a message. */
void cache_key_result(struct buf *out, struct str model, struct str text);
void cache_key_message(struct buf *out, struct str id);

/* For those who implement a cache: what is given (may be NULL) with the defaults in the places of the zeros, numbers
 * that differ, and one entry's lifetime, a message's that is absent included. */
struct cache_conf cache_conf_of(const struct cache_conf *given);
uint64_t cache_random(uint64_t *random);
int64_t cache_ttl(const struct cache_conf *c, const struct entry *en, uint64_t *random);

#endif
