/* redis.h - a cache in Redis (lib/data/cache.h), by hiredis: one connection, made at the first use and again whenever it breaks.
 *
 *     redis://[user[:password]@]host[:port][/db]
 *     unix:PATH[?user=USER&db=N]
 *
 * A password that the address lacks is taken from REDISCLI_AUTH. A message's entry is the string "VERSION RECORD", its tombstone "VERSION",
 * its absence "absent"; a result's entry is the result itself. What must hold between reading and writing one of them is done by scripts
 * of one key each. SIGPIPE need not be ignored.
 */
#ifndef SENTI_REDIS_H
#define SENTI_REDIS_H

#include "lib/data/cache.h"

/* New, not connected yet; conf may be NULL. NULL with *e for an address that cannot be. */
struct cache *redis_cache(const char *address, const struct cache_conf *conf, struct err *e);

#endif
