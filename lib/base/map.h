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

/* The slot of the key, NULL if there is none; lent until the next map_put or map_remove. */
struct map_slot *map_get(const struct map *m, struct str key);
/* The slot of the key, made (with value 0) where missing; *made tells, if not NULL. */
struct map_slot *map_put(struct map *m, struct str key, bool *made);
/* Removes the key; false if it was not there. */
bool map_remove(struct map *m, struct str key);
/* Removes all keys and keeps the memory. */
void map_clear(struct map *m);
void map_free(struct map *m);
/* 64 bits over bytes, for tables in memory: XXH3 with a secret that each process draws at its start, so that nobody can
 * choose keys that share a slot. Never stored, and never decides an order that anybody sees. */
uint64_t hash_bytes(struct str s);
/* 128 bits of the same kind: in a cache in memory they stand for the bytes. */
void hash_bytes_128(struct str s, uint64_t out[2]);

#endif
