/* ends.h - how the server's threads open the store, the cache and the queue, whose names only cmd knows. */
#ifndef SENTI_SERVE_ENDS_H
#define SENTI_SERVE_ENDS_H

#include "lib/data/cache.h"
#include "lib/flow/counts.h"
#include "lib/flow/port.h"

enum { CACHE_PATIENCE_MS = 250 };

struct ends {
	void *arg; /* for the three below, which open a handle for one thread; NULL with *e on failure */
	struct store *(*store)(void *arg, struct err *e);
	struct cache *(*cache)(void *arg, struct err *e); /* NULL: there is none */
	/* Counts of queues go to c (may be NULL). NULL: there is no queue. */
	struct sink *(*queue)(void *arg, struct counts *c, struct err *e);
	struct cache *local;	   /* the cache, if it is this process's own, shared by all threads */
	struct cache_watch *watch; /* of a cache that is not; lent */
};

/* Opens the cache if it is this process's own: 0, or -1 with *e. */
MUST_USE int ends_open_local(struct ends *o, struct err *e);
void ends_close_local(struct ends *o);
/* One thread's handle of the cache, for ends_close_cache: 0 (*c NULL if there is no cache), or -1 with *e. */
MUST_USE int ends_cache(const struct ends *o, struct cache **c, struct err *e);
/* The same for a thread whose clients wait: a cache that does not answer costs one of them CACHE_PATIENCE_MS at most,
 * and the next ones nothing. */
MUST_USE int ends_client_cache(const struct ends *o, struct cache **c, struct err *e);
/* NULL is allowed. */
void ends_close_cache(const struct ends *o, struct cache *c);

#endif
