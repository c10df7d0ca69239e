/* caches.c - caches by name. */
#include "cmd/caches.h"

#include "cmd/options.h"
#include "lib/base/url.h"
#include "lib/data/memory.h"
#include "lib/net/redis.h"

static struct cache *open_memory(const char *size, const struct cache_conf *conf, struct err *e)
{
	static const struct option_def def = {
	    .type = OPTION_SIZE, .size = sizeof(uint64_t), .min = MEMORY_LEAST, .max = SIZE_MAX / 2};
	uint64_t bytes = (uint64_t)64 << 20;
	struct err ignored;
	if (*size && option_value(&def, &bytes, size, &ignored) < 0) {
		err_set(e, ERR_USAGE, "'memory:%s': a size is wanted such as memory:64M, at least 64K", size);
		return NULL;
	}
	return memory_cache(bytes, conf);
}

struct cache *caches_open(const char *name, int64_t ttl_ms, struct err *e)
{
	static const char memory[] = "memory:";
	const struct cache_conf conf = {.ttl_ms = ttl_ms};
	if (strncmp(name, memory, sizeof memory - 1) == 0)
		return open_memory(name + sizeof memory - 1, &conf, e);
	if (strncmp(name, "redis", 5) == 0 || strncmp(name, "unix:", 5) == 0)
		return redis_cache(name, &conf, e);
	char *shown = url_redact(name);
	err_set(e, ERR_USAGE, "'%s' is not a cache; there are redis://host:port, unix:PATH and memory:SIZE", shown);
	free(shown);
	return NULL;
}
