/* memory.h - a cache in the memory of one process, for all its threads: a server's default without Redis.
 *
 * Bounded in bytes, including the allocator and the table. The least recently used entries go first. Tombstones stay
 * for their time; if they alone fill the cache, evicting one refuses the puts of all reads begun before it.
 */
#ifndef SENTI_MEMORY_H
#define SENTI_MEMORY_H

#include "lib/data/cache.h"

/* New. The smallest size is MEMORY_LEAST. conf may be NULL. */
enum { MEMORY_LEAST = 65536 };
struct cache *memory_cache(size_t bytes, const struct cache_conf *conf);

#endif
