/* redis.h - a cache in Redis (lib/data/cache.h), by hiredis: one connection, made on first use and whenever it has
 * broken.
 *
 * The address is that of redis_address.h. A message's entry is the string "VERSION@RUN RECORD", its tombstone
 * "VERSION", its absence "absent"; a result's entry is the result itself. Scripts of one key each make read-and-write
 * atomic. SIGPIPE need not be ignored.
 *
 * RUN is made of the beginnings of the server's run_id and master_replid, and of the Sentinels' epoch. A Redis
 * that restarts with saved data (a snapshot, a log), or a replica that takes over, may bring back entries that had been
 * invalidated. They bear the run that wrote them, and handles of the new run do not read them. If the user may not call
 * INFO the run is unknown; then Redis must not save (save "", appendonly no) or have replicas. With Sentinels the user
 * has to be allowed to.
 */
#ifndef SENTI_REDIS_H
#define SENTI_REDIS_H

#include "lib/data/cache.h"

/* New, not connected yet; conf may be NULL. NULL with *e for a bad address. */
struct cache *redis_cache(const char *address, const struct cache_conf *conf, struct err *e);

#endif
