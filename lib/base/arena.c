/* arena.c - a list of blocks; resets keep up to ARENA_KEEP bytes. */
#include "lib/base/arena.h"

#include <stdarg.h>

struct arena_block {
	struct arena_block *next;
	size_t size;
	_Alignas(16) char data[];
};

/* Small arenas are many, and malloc has a quick way for their first block; large ones fill. Large blocks are mapped by
 * themselves where the program asks for it (senti-serve: M_MMAP_THRESHOLD), so that they go back to the system. */
enum { BLOCK_FIRST = 992, BLOCK_MOST = 256 << 10 };

static void enter(struct arena *a, struct arena_block *b)
{
	a->at = b;
	a->p = b->data;
	a->end = b->data + b->size;
}

void *arena_grow(struct arena *a, size_t n)
{
	n = n ? n : 16;
	/* After a reset the old blocks follow `at`; take the first that is large enough. */
	for (struct arena_block *b = a->at ? a->at->next : a->first; b; b = b->next) {
		if (b->size < n)
			continue;
		enter(a, b);
		a->p += n;
		return b->data;
	}
	size_t least = !a->at ? BLOCK_FIRST : a->at->size < BLOCK_MOST / 2 ? 2 * a->at->size : BLOCK_MOST;
	size_t size = n > least ? n : least;
	struct arena_block *b = xmalloc(sizeof *b + size);
	b->size = size;
	struct arena_block **link = a->at ? &a->at->next : &a->first;
	while (*link)
		link = &(*link)->next;
	b->next = NULL;
	*link = b;
	enter(a, b);
	a->p += n;
	return b->data;
}

void arena_trim(struct arena *a, void *newest, size_t used)
{
	a->p = (char *)newest + ((used + 15) & ~(size_t)15);
}

void arena_reset(struct arena *a)
{
	size_t kept = 0;
	for (struct arena_block **link = &a->first; *link;) {
		struct arena_block *b = *link;
		if (kept + b->size > ARENA_KEEP) {
			*link = b->next;
			free(b);
		} else {
			kept += b->size;
			link = &b->next;
		}
	}
	a->at = NULL;
	a->p = a->end = NULL;
	if (a->first)
		enter(a, a->first);
}

void arena_free(struct arena *a)
{
	for (struct arena_block *b = a->first, *next; b; b = next) {
		next = b->next;
		free(b);
	}
	*a = (struct arena){0};
}

size_t arena_size(const struct arena *a)
{
	size_t n = 0;
	for (const struct arena_block *b = a->first; b; b = b->next)
		n += sizeof *b + b->size;
	return n;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = 0;
	return (struct str){p, s.n};
}

struct str arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	va_copy(again, ap);
	char *tried = a->p;
	int n = vsnprintf(tried, (size_t)(a->end - a->p), fmt, ap); /* usually it fits */
	char *p = n < 0 ? NULL : arena_alloc(a, (size_t)n + 1);
	if (p && p != tried)
		vsnprintf(p, (size_t)n + 1, fmt, again);
	va_end(again);
	return p ? (struct str){p, (size_t)n} : STR("");
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}
