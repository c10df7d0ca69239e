/* headers.h - the headers of an answer, in the order of their addition, in an arena. */
#ifndef SENTI_HEADERS_H
#define SENTI_HEADERS_H

#include <stdarg.h>

#include "lib/base/arena.h"

struct header {
	struct header *next;
	const char *name, *value;
};

struct headers {
	struct header *first, **last;
	struct arena *mem; /* lent */
};

void headers_init(struct headers *h, struct arena *mem);
/* The name is constant; the value may have any length, but no line end. */
void headers_add(struct headers *h, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
void headers_vadd(struct headers *h, const char *name, const char *fmt, va_list ap);
/* Removes all of this name. */
void headers_remove(struct headers *h, const char *name);
/* The first header of this name, or NULL. */
struct header *headers_find(const struct headers *h, const char *name);

#endif
