/* feed.h - one thread follows the store's log for subscribers, for callers who await results, and for the cache of this
 * process, whose entries it invalidates.
 *
 *     store -> log -> invalidate -> the rows that its entries name -> subscribers.h
 *                                                                  -> await.h
 *
 * Subscribers and callers get only settled entries (outbox.h, log), so that none is missed. The process's own cache
 * cannot wait for a long transaction elsewhere, so unsettled entries are invalidated too. invalidator.h does this for a
 * cache that others share.
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
	int event; /* which both of them signal */
};

struct feed;

/* New, running, from the end of the log on. NULL and *e on failure. */
struct feed *feed_start(const struct feed_conf *conf, struct err *e);
/* Ends and frees it, after the last subscriber and caller. */
void feed_stop(struct feed *f);
/* True if the log has been read in the last few seconds. This and the following are thread-safe. */
bool feed_alive(struct feed *f);
/* True if it has also been read to its end; else the cache of this process may be out of date. */
bool feed_current(struct feed *f);
/* How long ago it was read to its end. */
int64_t feed_lag_ms(struct feed *f);

#endif
