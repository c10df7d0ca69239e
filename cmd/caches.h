/* caches.h - opens a cache by its name. The one place that knows which kinds there are. */
#ifndef SENTI_CACHES_H
#define SENTI_CACHES_H

#include "lib/data/cache.h"

/* New: redis://..., unix:PATH or memory:SIZE (memory: is 64 MiB); ttl_ms 0: the default. NULL with *e. */
struct cache *caches_open(const char *name, int64_t ttl_ms, struct err *e);

#endif
