/* metrics.h - what /metrics shows of a server: requests, texts by model, the cache's answers, what waits, the counts of
 * the intake's pump, the process.
 */
#ifndef SENTI_SERVE_METRICS_H
#define SENTI_SERVE_METRICS_H

#include <stdatomic.h>

#include "lib/http/server.h"
#include "lib/metrics/requests.h"
#include "lib/serve/feed.h"
#include "lib/serve/health.h"
#include "lib/serve/intake.h"

/* What a cache said of a message: it has it; it does not; it knows that there is no such message. SKIPPED: it was not
 * asked, being down or out of date. */
enum cache_answer { CACHE_HIT, CACHE_MISS, CACHE_ABSENT, CACHE_SKIPPED, CACHE_ANSWERS };

struct server_metrics {
	struct registry *registry;
	struct scored_families scored;
	struct series *cache[CACHE_ANSWERS];
	struct request_metrics *requests;
	const struct route *routes;
	size_t nroutes;
	/* Read at each scrape; lent. */
	struct feed *feed;
	struct subscribers *subscribers;
	struct intake *intake;
	struct health *health;
	_Atomic(struct http_server *) http; /* NULL while it does not listen */
};

/* The routes are lent; their paths may be filled in later, before server_metrics_watch. */
void server_metrics_init(struct server_metrics *m, const struct route *routes, size_t nroutes);
/* All that is read at each scrape is set, except http. */
void server_metrics_watch(struct server_metrics *m);
/* After the last thread has stopped using it. */
void server_metrics_release(struct server_metrics *m);
/* For http_conf.ended, with the metrics as its argument. */
void server_metrics_ended(const struct request *r, void *metrics);

#endif
