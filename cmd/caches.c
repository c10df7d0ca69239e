/* caches.c - opens caches. Only tools that use one link this, and with it hiredis. */
#include "cmd/schemes.h"

#include "lib/data/memory.h"
#include "lib/net/redis.h"

#if WITH_REDIS
struct cache *open_redis(const char *address, const struct cache_conf *conf, struct err *e)
{
	return redis_cache(address, conf, e);
}
#endif

struct cache *open_memory(const char *address, const struct cache_conf *conf, struct err *e)
{
	static const struct option_def def = {
	    .type = OPTION_SIZE, .size = sizeof(uint64_t), .min = MEMORY_LEAST, .max = SIZE_MAX / 2};
	const char *size = strchr(address, ':') + 1;
	uint64_t bytes = (uint64_t)64 << 20;
	struct err ignored;
	if (!*size || option_value(&def, &bytes, size, &ignored) == 0)
		return memory_cache(bytes, conf);
	err_set(e, ERR_USAGE, "'%s' is not a cache: a size is at least 64K, as in memory:64M", address);
	return NULL;
}

struct cache *cache_open(const char *address, const struct cache_conf *conf, struct err *e)
{
	const struct scheme *s = scheme_find(address, ROLE_CACHE, e);
	return s ? s->cache(address, conf, e) : NULL;
}
