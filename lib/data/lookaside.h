/* lookaside.h - reads stored messages by id: from the cache, else from the store, whose answer is put into the cache.
 *
 *     struct flights *shared = flights_new();                                  // one a process
 *     struct lookaside *l = lookaside_new(cache, store, shared);               // one a thread
 *     struct look look[2] = {{.id = STR("a")}, {.id = STR("b")}};
 *     if (look_aside(l, look, 2, &mem, &e) < 0) ...
 *
 * For an entry of version 0, a message that may not be stored yet, the store is asked as well, and its row shown if
 * there is one.
 *
 * A whole batch costs at most one get, one read of the store and one put.
 *
 * Single flight: while one thread fetches a message from the store, others that miss it wait, FLIGHT_WAIT_MS at most,
 * and then ask the cache again. They do not share what the first one read: that read may have begun before a change
 * that the waiting reader must see.
 *
 * A put carries the cache's time of the get, before the store was read, and is never repeated: cache.h says why no
 * reader, however slow, then brings an old row back. While the cache is down, the store answers alone.
 */
#ifndef SENTI_LOOKASIDE_H
#define SENTI_LOOKASIDE_H

#include "lib/data/cache.h"

enum { FLIGHT_WAIT_MS = 1000 };

enum look_state {
	LOOK_PENDING,
	LOOK_FOUND,
	LOOK_ABSENT, /* there is no such message */
	LOOK_BROKEN, /* its columns sentiment and extra are not JSON objects, which only SQL can cause; never cached */
};

struct look {
	struct str id;	   /* what to look for; lent */
	struct str record; /* FOUND: the record as senti-store get prints it, without a line end; lent by mem */
	uint64_t version;
	enum look_state state;
	bool asked;  /* the cache was up */
	bool hit;    /* the cache has answered; for a pending message, and the store has no row */
	bool waited; /* it was being fetched already: by another thread, or by this call for the same id */
	bool stored; /* the store's answer is now in the cache */
};

struct flights;
struct lookaside;

/* New: the messages that threads of this process are fetching. Thread-safe. */
struct flights *flights_new(void);
void flights_free(struct flights *f);

/* New: the handle of one thread. All are lent for its life; cache and flights may be NULL. */
struct lookaside *lookaside_new(struct cache *cache, struct store *store, struct flights *flights);
void lookaside_free(struct lookaside *l);

/* Looks up all: 0, or -1 if the store fails. Failures of the cache are not an error. */
MUST_USE int look_aside(struct lookaside *l, struct look *look, size_t n, struct arena *mem, struct err *e);

#endif
