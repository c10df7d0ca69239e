/* memory.h - a cache in the memory of one process, for all its threads: what a server has when no Redis is named.
 *
 * Bounded in bytes, counting what the allocator and the table take. What was asked for longest ago goes first;
 * tombstones stay for their time, and should they alone fill the cache, each that must go takes along the puts of all
 * reads begun before.
 */
#ifndef SENTI_MEMORY_H
#define SENTI_MEMORY_H

#include "lib/data/cache.h"

/* New. The smallest size is MEMORY_LEAST. conf may be NULL. */
enum { MEMORY_LEAST = 65536 };
struct cache *memory_cache(size_t bytes, const struct cache_conf *conf);

#endif
