/* db_context.h - threads that wait for the store and the cache, so that connections' threads need not.
 *
 * Each has a context with its own handles. Requests for the same kind of work are done together: all reads of messages
 * that arrive during one round trip share the next.
 *
 * A server has pools of two kinds. Point reads and edits, which are quick, share one. Scans (pages, aggregates) have
 * their own, so that nothing quick waits for them: a thread does one at a time, with a deadline, and ends it once its
 * client has left; few may wait.
 */
#ifndef SENTI_DB_CONTEXT_H
#define SENTI_DB_CONTEXT_H

#include "lib/data/lookaside.h"
#include "lib/http/request.h"
#include "lib/serve/ends.h"

enum { DB_BATCH = 8 }; /* rows in memory at a time */

/* What each thread has. Lent. */
struct db_context {
	struct store *store;
	struct cache *cache; /* NULL: none */
	struct lookaside *aside;
	struct lookaside *bare;	    /* the same without a cache of this process */
	struct arena mem;	    /* empty at each call */
	struct interrupt interrupt; /* the store's, in a pool of scans */
	struct json_scan scan;
};

/* Answers n requests (1 to DB_BATCH) of routes with the same `app`; the pool then resumes them. */
typedef void db_work(struct db_context *c, struct request *const *r, size_t n, void *app);

struct db_pool_conf {
	const struct ends *ends; /* lent */
	unsigned threads;
	size_t max_waiting; /* requests */
	int64_t scan_ms;    /* > 0: a pool of scans, and how long each may take */
	bool cached;	    /* scans that use the cache too */
};

struct db_pool;
/* New, running. NULL and *e on failure. */
struct db_pool *db_pool_start(const struct db_pool_conf *conf, struct err *e);
/* Defers the request for `work` to answer; or answers it with 503 if too many wait, not counting scans whose clients
 * have left. Thread-safe. */
void db_pool_do(struct db_pool *p, struct request *r, db_work *work);
/* Finishes what is waiting, then frees it. */
void db_pool_stop(struct db_pool *p);

/* Answers for a failing store: 503 with Retry-After. */
void db_unavailable(struct request *r, const struct err *e);
/* The same for a scan, or 504 if it took too long. */
void db_scan_failed(const struct db_context *c, struct request *r, const struct err *e);

#endif
