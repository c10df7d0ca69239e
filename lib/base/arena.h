/* arena.h - memory that is given back all at once: a batch's decoded texts, results and messages.
 *
 * A zeroed struct is an empty arena. arena_reset keeps the blocks for the next round, so a stream in a
 * steady state allocates nothing; what a rare huge record took beyond ARENA_KEEP bytes is given back.
 * Not thread-safe: one arena belongs to one batch.
 */
#ifndef SENTI_ARENA_H
#define SENTI_ARENA_H

#include <stdarg.h>

#include "lib/base/base.h"

struct arena_block;

struct arena {
	struct arena_block *first, *at;
	char *p, *end;
};

#define ARENA_KEEP ((size_t)4 << 20)

void *arena_grow(struct arena *a, size_t n);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

/* n bytes aligned for any object, valid until the next reset. Never NULL. */
static inline void *arena_alloc(struct arena *a, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (unlikely((size_t)(a->end - a->p) < n || n == 0))
		return arena_grow(a, n);
	void *p = a->p;
	a->p += n;
	return p;
}

/* Gives back the tail of the newest allocation: `used` of its bytes stay. */
void arena_trim(struct arena *a, void *newest, size_t used);

/* A copy in the arena, lent until its reset. */
struct str arena_str(struct arena *a, struct str s);
/* New text in the arena, with a NUL after its end. */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap);

#endif
