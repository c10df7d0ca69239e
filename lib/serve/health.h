/* health.h - whether the store, the queue, the cache and the feed work. Threads ask all the time, so /readyz never
 * waits.
 *
 * Each dependency is asked twice a second, on its own connection; it is failing once it has not answered for a second.
 * Without the store, the queue or the feed requests fail or wait; without the cache they are slower. A store that
 * cannot be written counts as failing, unless the server only reads.
 */
#ifndef SENTI_HEALTH_H
#define SENTI_HEALTH_H

#include "lib/serve/ends.h"
#include "lib/serve/feed.h"
#include "lib/serve/intake.h"

enum health_part { HEALTH_STORE, HEALTH_CACHE, HEALTH_QUEUE, HEALTH_FEED, HEALTH_COUNT };
enum health_state { HEALTH_NONE, HEALTH_OK, HEALTH_FAILING }; /* NONE: the server has no such thing */

/* All lent for its life. */
struct health_conf {
	const struct ends *ends;
	struct feed *feed;
	struct intake *intake;
	bool read_only; /* the store need not be writable */
};

struct health;

/* New, running; each dependency counts as ok until its first answer. NULL and *e on failure. */
struct health *health_start(const struct health_conf *conf, struct err *e);
/* Ends and frees it. */
void health_stop(struct health *h);

enum health_state health_state(struct health *h, enum health_part part);
/* What the queue held when it was last asked: 0, or -1 with *e. */
int health_queue(struct health *h, struct queue_depth *out, struct err *e);
/* "store". Constant. */
const char *health_name(enum health_part part);
/* Appends {"store":"ok","cache":"failing",...}: true if requests can be served. */
bool health_put(struct health *h, struct buf *out);
/* The server is ending, and not ready from now on. */
void health_drain(struct health *h);
bool health_draining(struct health *h);

#endif
