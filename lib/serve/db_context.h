/* db_context.h - threads that wait for the store and the cache, so that no connection's thread has to.
 *
 * Each has a context with its own handles. Requests that come at the same time and ask for the same kind of work are
 * done together: a hundred reads of messages that arrive while one is under way cost one more round trip.
 *
 * A server has pools of two kinds. Point reads and edits, which are quick, share one. Scans (pages, aggregates) have
 * their own, so that nothing quick waits behind them: one at a time a thread, each with a deadline, ended once its
 * client has left, few of them waiting.
 */
#ifndef SENTI_DB_CONTEXT_H
#define SENTI_DB_CONTEXT_H

#include "lib/data/lookaside.h"
#include "lib/http/request.h"
#include "lib/serve/ends.h"

enum { DB_BATCH = 8 }; /* rows in memory at a time */

/* What a thread has. Lent. */
struct db_context {
	struct store *store;
	struct cache *cache; /* NULL: none */
	struct lookaside *aside;
	struct lookaside *bare;	    /* the same, but without a cache that is this process's own */
	struct arena mem;	    /* empty at each call */
	struct interrupt interrupt; /* the store's, in a pool of scans */
	struct json_scan scan;
};

/* Answers n requests of routes with the same `app`, 1 to DB_BATCH of them; they are resumed afterwards. */
typedef void db_work(struct db_context *c, struct request *const *r, size_t n, void *app);

struct db_pool_conf {
	const struct ends *ends; /* lent */
	unsigned threads;
	size_t max_waiting; /* requests */
	int64_t scan_ms;    /* > 0: a pool of scans, each of which may take so long, */
	bool cached;	    /* and which look into the cache as well */
};

struct db_pool;
/* New, running. NULL and *e on failure. */
struct db_pool *db_pool_start(const struct db_pool_conf *conf, struct err *e);
/* Defers the request, to be answered by `work`; or answers it with 503 at once if too many are waiting, not counting
 * scans whose clients have left. Thread-safe. */
void db_pool_do(struct db_pool *p, struct request *r, db_work *work);
/* Does what is waiting, then ends and frees it. */
void db_pool_stop(struct db_pool *p);

/* The answer for a store that fails: 503 with Retry-After. */
void db_unavailable(struct request *r, const struct err *e);
/* The same for a scan, or 504 if it has taken too long. */
void db_scan_failed(const struct db_context *c, struct request *r, const struct err *e);

#endif
