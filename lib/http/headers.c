/* headers.c - the headers of an answer. */
#include "lib/http/headers.h"

#include <strings.h>

void headers_init(struct headers *h, struct arena *mem)
{
	*h = (struct headers){.mem = mem};
	h->last = &h->first;
}

void headers_vadd(struct headers *h, const char *name, const char *fmt, va_list ap)
{
	struct header *added = arena_alloc(h->mem, sizeof *added);
	*added = (struct header){.name = name, .value = arena_vprintf(h->mem, fmt, ap).p};
	*h->last = added;
	h->last = &added->next;
}

void headers_add(struct headers *h, const char *name, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	headers_vadd(h, name, fmt, ap);
	va_end(ap);
}

void headers_remove(struct headers *h, const char *name)
{
	struct header **at = &h->first;
	while (*at)
		if (strcasecmp((*at)->name, name) == 0)
			*at = (*at)->next;
		else
			at = &(*at)->next;
	h->last = at;
}

struct header *headers_find(const struct headers *h, const char *name)
{
	for (struct header *at = h->first; at; at = at->next)
		if (strcasecmp(at->name, name) == 0)
			return at;
	return NULL;
}
