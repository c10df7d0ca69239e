/* cache.c - what all caches share: keys and lifetimes. */
#include "lib/data/cache.h"

#include "lib/text/hash.h"

enum { DAY_MS = 86400000, PENDING_MS = 900000 };

void cache_key_result(struct buf *out, struct str model, struct str text)
{
	char hash[HASH_HEX];
	hash_text(text, hash);
	buf_str(out, STR(CACHE_RESULT));
	buf_str(out, model);
	buf_char(out, ':');
	buf_add(out, hash, sizeof hash);
}

void cache_key_message(struct buf *out, struct str id)
{
	buf_str(out, STR(CACHE_MESSAGE));
	buf_str(out, id);
}

struct cache_conf cache_conf_of(const struct cache_conf *given)
{
	struct cache_conf c = given ? *given : (struct cache_conf){0};
	c.ttl_ms = c.ttl_ms ? c.ttl_ms : DAY_MS;
	c.pending_ms = c.pending_ms ? c.pending_ms : PENDING_MS;
	c.tombstone_ms = c.tombstone_ms ? c.tombstone_ms : CACHE_TOMBSTONE_S * 1000;
	c.read_ms = c.read_ms ? c.read_ms : CACHE_READ_S * 1000;
	c.absent_ms = c.absent_ms ? c.absent_ms : CACHE_ABSENT_S * 1000;
	return c;
}

/* splitmix64: lifetimes only need to differ. */
uint64_t cache_random(uint64_t *random)
{
	uint64_t z = *random += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

int64_t cache_ttl(const struct cache_conf *c, const struct entry *en, uint64_t *random)
{
	bool message = en->kind == ENTRY_MESSAGE;
	if (message && !en->value.p)
		return c->absent_ms;
	if (message && !en->version)
		return c->pending_ms;
	int64_t spread = c->ttl_ms / 10;
	int64_t ttl = c->ttl_ms - (spread ? (int64_t)(cache_random(random) % (uint64_t)(spread + 1)) : 0);
	return message && ttl <= c->read_ms ? c->read_ms + 1 : ttl;
}
