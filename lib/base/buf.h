/* buf.h - a growable byte buffer.
 *
 *     struct buf b = {0};
 *     buf_str(&b, STR("n="));
 *     buf_u64(&b, 42);
 *     ...
 *     buf_free(&b);
 *
 * A zeroed struct is an empty buffer. Bytes `p[0..n)` are valid until the next call that grows it.
 */
#ifndef SENTI_BUF_H
#define SENTI_BUF_H

#include "lib/base/base.h"

struct buf {
	char *p;
	size_t n, cap;
};

/* Makes room for `more` bytes after p[n], without changing n. Returns the address of p[n]. */
char *buf_reserve(struct buf *b, size_t more);
void buf_free(struct buf *b);

static inline void buf_clear(struct buf *b)
{
	b->n = 0;
}

static inline struct str buf_view(const struct buf *b)
{
	return (struct str){b->p, b->n};
}

static inline void buf_add(struct buf *b, const void *p, size_t n)
{
	if (unlikely(b->cap - b->n < n))
		buf_reserve(b, n);
	if (n)
		memcpy(b->p + b->n, p, n);
	b->n += n;
}

static inline void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

static inline void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_u64(struct buf *b, uint64_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Removes the first n bytes (n <= b->n) and moves the rest down. */
void buf_shift(struct buf *b, size_t n);

#endif
