/* buf.c - the growable byte buffer. */
#include "lib/base/buf.h"

#include <stdarg.h>

char *buf_reserve(struct buf *b, size_t more)
{
	size_t need;
	if (__builtin_add_overflow(b->n, more, &need))
		need = SIZE_MAX;      /* fails in xreallocarray */
	if (b->cap < need || !b->p) { /* adding even 0 to a null pointer is undefined */
		size_t cap = b->cap < 128 ? 128 : b->cap + b->cap / 2;
		if (cap < need)
			cap = need;
		b->p = xreallocarray(b->p, cap, 1);
		b->cap = cap;
	}
	return b->p + b->n;
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){0};
}

void buf_u64(struct buf *b, uint64_t v)
{
	char tmp[20], *p = tmp + sizeof tmp;
	do
		*--p = (char)('0' + v % 10);
	while (v /= 10);
	buf_add(b, p, (size_t)(tmp + sizeof tmp - p));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	buf_reserve(b, (size_t)n + 1);
	va_start(ap, fmt);
	vsnprintf(b->p + b->n, (size_t)n + 1, fmt, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void buf_shift(struct buf *b, size_t n)
{
	b->n -= n;
	if (b->n && n)
		memmove(b->p, b->p + n, b->n);
}
