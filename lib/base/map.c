/* map.c - linear probing at a load of at most three quarters. */
#include "lib/base/map.h"

#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static unsigned char secret[XXH3_SECRET_SIZE_MIN];

/* Runs before main, so that lookups need not check for it. */
__attribute__((constructor)) static void draw_secret(void)
{
	if (getentropy(secret, sizeof secret) < 0)
		abort(); /* fails only on a kernel without getrandom(2) */
}

uint64_t hash_bytes(struct str s)
{
	return XXH3_64bits_withSecret(s.p, s.n, secret, sizeof secret);
}

void hash_bytes_128(struct str s, uint64_t out[2])
{
	XXH128_hash_t h = XXH3_128bits_withSecret(s.p, s.n, secret, sizeof secret);
	out[0] = h.low64;
	out[1] = h.high64;
}

static struct map_slot *probe(struct map_slot *slot, size_t cap, uint64_t hash, struct str key)
{
	for (size_t i = hash & (cap - 1);; i = (i + 1) & (cap - 1)) {
		struct map_slot *s = &slot[i];
		if (!s->key.p || (s->hash == hash && str_eq(s->key, key)))
			return s;
	}
}

struct map_slot *map_get(const struct map *m, struct str key)
{
	if (!m->n)
		return NULL;
	struct map_slot *s = probe(m->slot, m->cap, hash_bytes(key), key);
	return s->key.p ? s : NULL;
}

static void grow(struct map *m)
{
	size_t cap = m->cap ? m->cap * 2 : 16;
	struct map_slot *slot = xcalloc(cap, sizeof *slot);
	for (size_t i = 0; i < m->cap; i++)
		if (m->slot[i].key.p)
			*probe(slot, cap, m->slot[i].hash, m->slot[i].key) = m->slot[i];
	free(m->slot);
	m->slot = slot;
	m->cap = cap;
}

struct map_slot *map_put(struct map *m, struct str key, bool *made)
{
	if ((m->n + 1) * 4 > m->cap * 3)
		grow(m);
	uint64_t hash = hash_bytes(key);
	struct map_slot *s = probe(m->slot, m->cap, hash, key);
	bool fresh = !s->key.p;
	if (fresh) {
		s->key = key.p ? key : STR("");
		s->hash = hash;
		m->n++;
	}
	if (made)
		*made = fresh;
	return s;
}

/* Moves the entries after the gap into it, except those whose probe begins after it. */
bool map_remove(struct map *m, struct str key)
{
	struct map_slot *found = map_get(m, key);
	if (!found)
		return false;
	size_t mask = m->cap - 1, gap = (size_t)(found - m->slot);
	for (size_t i = (gap + 1) & mask; m->slot[i].key.p; i = (i + 1) & mask) {
		if (((i - m->slot[i].hash) & mask) < ((i - gap) & mask))
			continue;
		m->slot[gap] = m->slot[i];
		gap = i;
	}
	m->slot[gap] = (struct map_slot){0};
	m->n--;
	return true;
}

void map_clear(struct map *m)
{
	if (m->n)
		memset(m->slot, 0, m->cap * sizeof *m->slot);
	m->n = 0;
}

void map_free(struct map *m)
{
	free(m->slot);
	*m = (struct map){0};
}
