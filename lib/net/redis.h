/* redis.h - a cache in Redis (lib/data/cache.h), by hiredis: one connection, made at the first use and again whenever
 * it breaks.
 *
 *     redis://[user[:password]@]host[:port][/db]
 *     unix:PATH[?user=USER&db=N]
 *
 * A password that the address lacks is taken from REDISCLI_AUTH. A message's entry is the string "VERSION@RUN RECORD",
 * its tombstone "VERSION", its absence "absent"; a result's entry is the result itself. What must hold between reading
 * and writing one of them is done by scripts of one key each. SIGPIPE need not be ignored.
 *
 * RUN is the beginning of the server's run_id. A Redis that starts again with what it had saved (a snapshot, a log, a
 * replica that takes over) may bring back entries that had been invalidated meanwhile. They bear the run of their
 * writing, and no handle of the new one reads them. Where the user may not call INFO there is no telling; then Redis
 * must not save (save "", appendonly no).
 */
#ifndef SENTI_REDIS_H
#define SENTI_REDIS_H

#include "lib/data/cache.h"

/* New, not connected yet; conf may be NULL. NULL with *e for an address that cannot be. */
struct cache *redis_cache(const char *address, const struct cache_conf *conf, struct err *e);

#endif
