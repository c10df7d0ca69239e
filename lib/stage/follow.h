/* follow.h - a cache follows a store: the changes of the outbox are a source, invalidating their entries is a stage.
 *
 *     source (changes) -> invalidate -> out -> accept (seen)
 *
 * A change is marked as seen only after its entry is invalidated, so a follower that is killed anywhere repeats some
 * and misses nothing. Two followers may use one name: each invalidates what it is given before it marks it.
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
	bool once;		 /* end when the outbox is worked off, and at the first failure */
	int64_t retry_ms;	 /* how long the store may be away */
	const struct stop *stop; /* ends it, and waiting for what is away */
	struct counts *counts;	 /* gets the lag; may be NULL */
};

/* New: the changes that the reader has not seen, as they come. It ends at a stop, and with `once`. `f` is lent for its
 * life. */
struct source *source_changes(struct follow *f);
/* Invalidates the changes of that source; conf: the same struct follow. While the cache is away it waits, for as long
 * as it takes, and gives up at a stop or with `once`. Counter: buried. */
extern const struct stage stage_invalidate;
/* New: a name for the cursor of a cache with this address: its host, port and path, and this machine's name, because
 * the same address may mean another cache on another machine, and a follower that shared its cursor would miss
 * changes. */
char *follow_reader(const char *address);

#endif
