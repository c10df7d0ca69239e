/* arena.h - memory that is freed all at once: a batch's decoded texts, results and messages.
 *
 * A zeroed struct is an empty arena. arena_reset keeps the blocks for reuse, so that a steady stream allocates nothing;
 * memory beyond ARENA_KEEP bytes, which only a rare huge record needs, is freed. Not thread-safe: one arena belongs to
 * one batch.
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

/* Returns the number of bytes that it has from the system. */
size_t arena_size(const struct arena *a);

/* Returns n bytes, aligned for any object and valid until the next reset. Never NULL. */
static inline void *arena_alloc(struct arena *a, size_t n)
{
	n = (n + 15) & ~(size_t)15;
	if (unlikely((size_t)(a->end - a->p) < n || n == 0))
		return arena_grow(a, n);
	void *p = a->p;
	a->p += n;
	return p;
}

/* Shrinks the newest allocation to `used` bytes. */
void arena_trim(struct arena *a, void *newest, size_t used);

/* Copies s into the arena; lent until the reset. */
struct str arena_str(struct arena *a, struct str s);
/* Formats new text in the arena, terminated by NUL. */
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap);

#endif
