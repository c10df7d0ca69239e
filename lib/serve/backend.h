/* backend.h - a few threads that wait for the store and the cache, so that no connection's thread has to.
 *
 * Each has its own handles. What is asked for at the same time and by the same function is done together: a hundred reads of messages that
 * arrive while one is under way cost one more round trip.
 */
#ifndef SENTI_BACKEND_H
#define SENTI_BACKEND_H

#include "lib/data/lookaside.h"
#include "lib/serve/service.h"

enum { BACKEND_BATCH = 64 };

/* What a thread has. Lent. */
struct hands {
	struct service *service;
	struct store *store;
	struct cache *cache; /* NULL: none */
	struct lookaside *aside;
	struct lookaside *bare; /* the same without the cache, or as it is where the cache is not this process's own */
	struct arena mem;	/* empty at each call */
	struct json_scan scan;
};

/* Answers n requests, 1 to BACKEND_BATCH of them; they are resumed afterwards. */
typedef void backend_work(struct hands *h, struct request *const *x, size_t n);

struct backend;
/* New, running. NULL and *e on failure. */
struct backend *backend_start(struct service *s, unsigned threads, struct err *e);
/* Defers the request, to be answered by `work`; or answers it with 503 at once where too many are waiting. Thread-safe. */
void backend_do(struct backend *b, struct request *x, backend_work *work);
/* Does what is waiting, then ends and frees it. */
void backend_stop(struct backend *b);

/* The answer for a store that fails: 503 with Retry-After. */
void backend_unavailable(struct request *x, const struct err *e);

#endif
