/* feed.h - one thread follows the store's log, for all who wait for what is stored: subscribers, callers who await
 * results, and the cache of this process, whose entries it invalidates.
 *
 *     store -> log -> invalidate -> the rows that its entries name -> subscribers.h
 *                                                                  -> await.h
 *
 * Subscribers and callers get settled entries only (outbox.h, log), so that none is missed. The process's own cache
 * cannot wait until a long transaction elsewhere lets entries settle, so unsettled ones are invalidated too. A cache
 * that others share is left to invalidator.h.
 */
#ifndef SENTI_FEED_H
#define SENTI_FEED_H

#include "lib/serve/await.h"
#include "lib/serve/ends.h"
#include "lib/serve/subscribers.h"

/* All lent for the feed's life. */
struct feed_conf {
	const struct ends *ends;
	struct await *await;
	struct subscribers *subscribers;
	int event; /* that both of them signal */
};

struct feed;

/* New, running; from the end of the log on. NULL and *e on failure. */
struct feed *feed_start(const struct feed_conf *conf, struct err *e);
/* Once nobody subscribes or awaits anything any more: ends and frees it. */
void feed_stop(struct feed *f);
/* True if the log has been read in the last few seconds. Thread-safe, as what follows. */
bool feed_alive(struct feed *f);
/* True if also all that was committed until then is known; if not, the cache of this process may be out of date. */
bool feed_current(struct feed *f);
/* How long ago that was certain. */
int64_t feed_lag_ms(struct feed *f);

#endif
