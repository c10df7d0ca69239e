/* follow.h - a cache follows a store: changes of the outbox are a source, invalidating their entries is a stage.
 *
 *     source (changes) -> invalidate -> out -> accept (seen)
 *
 * A change is marked as seen only after its entry is invalidated, so a killed follower repeats some and misses none.
 * Two followers may use one name: each invalidates its changes before it marks them.
 *
 * Each change comes out as a record, {"id":...,"version":N,"op":"update","seq":N}, op being insert, update or delete.
 */
#ifndef SENTI_STAGE_FOLLOW_H
#define SENTI_STAGE_FOLLOW_H

#include "lib/data/cache.h"
#include "lib/flow/counts.h"
#include "lib/flow/port.h"
#include "lib/flow/stage.h"

struct follow {
	struct outbox *outbox;
	struct cache *cache;
	const char *reader;	 /* the cursor's name */
	bool once;		 /* end at the outbox's end, or at the first failure */
	int64_t retry_ms;	 /* how long the store may be down */
	const struct stop *stop; /* ends it, and all waits */
	struct counts *counts;	 /* gets the lag; may be NULL */
};

/* New: the changes that the reader has not seen, as they come, until a stop or, with `once`, the outbox's end. `f` is
 * lent for its life. */
struct source *source_changes(struct follow *f);
/* Invalidates the changes of that source; conf: the same struct follow. While the cache is down it waits, without
 * limit, until a stop; with `once` it gives up. Counter: buried. */
extern const struct stage stage_invalidate;
/* New: a reader's name for the cache at this address: host, port and path, and this machine's name, because the same
 * address may mean another cache on another machine, and two caches that share a reader miss changes. */
char *follow_reader(const char *address);

#endif
