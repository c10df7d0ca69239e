/* map.h - a hash map from byte strings to pointers or numbers (open addressing, grows by doubling).
 *
 * A zeroed struct is an empty map. Keys are lent: they must live as long as the map. */
#ifndef SENTI_MAP_H
#define SENTI_MAP_H

#include "lib/base/base.h"

struct map_slot {
	struct str key;
	uint64_t hash;
	union {
		void *ptr;
		uint64_t num;
	} v;
};

struct map {
	struct map_slot *slot;
	size_t n, cap;
};

/* Returns the slot of the key, or NULL. Lent until the next map_put or map_remove. */
struct map_slot *map_get(const struct map *m, struct str key);
/* Returns the slot of the key, added with value 0 if missing; *made, unless NULL, says which. */
struct map_slot *map_put(struct map *m, struct str key, bool *made);
/* Removes the key; false if it was not there. */
bool map_remove(struct map *m, struct str key);
/* Removes all keys but keeps the memory. */
void map_clear(struct map *m);
void map_free(struct map *m);
/* A 64-bit hash for tables in memory: XXH3 with a secret drawn at process start, so that nobody can choose keys that
 * collide. Never stored, and never decides a visible order. */
uint64_t hash_bytes(struct str s);
/* The same in 128 bits, enough to identify the bytes in an in-memory cache. */
void hash_bytes_128(struct str s, uint64_t out[2]);

#endif
