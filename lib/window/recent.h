/* recent.h - the last N ids, to tell records that come again.
 *
 * An id is kept as 128 bits of its SHA-256, which nobody can make two ids share: 16 bytes, and up to 16 for finding it.
 */
#ifndef SENTI_RECENT_H
#define SENTI_RECENT_H

#include "lib/base/err.h"

struct recent {
	size_t most; /* N, set before use; 0: remembers nothing */
	uint64_t (*id)[2];
	size_t n, cap, next; /* next: where the oldest is replaced once n is most */
	uint32_t *slot;	     /* 1 + index of an id, 0: empty */
	size_t slots;
};

struct recent_id {
	uint64_t part[2];
};

struct recent_id recent_of(struct str id);
bool recent_has(const struct recent *r, struct recent_id id);
/* Remembers one that is not there, and forgets the oldest if there are N. */
void recent_add(struct recent *r, struct recent_id id);
/* The i-th, the oldest first, i < n. */
struct recent_id recent_at(const struct recent *r, size_t i);
size_t recent_bytes(const struct recent *r);
void recent_free(struct recent *r);

#endif
