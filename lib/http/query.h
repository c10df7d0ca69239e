/* query.h - percent-encoding, and the parameters of a query. */
#ifndef SENTI_QUERY_H
#define SENTI_QUERY_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"

struct param {
	struct param *next;
	struct str name, value;
};

/* Decodes into the arena, with a NUL after the end; false if an escape is broken, or the result is not UTF-8 or has a
 * NUL. `plus`: a '+' is a blank, as in queries. */
bool percent_decode(struct str in, bool plus, struct arena *mem, struct str *out);
/* Appends text as one segment of a path, or as one parameter's value. */
void percent_encode(struct buf *out, struct str text);

/* Parses "a=1&b=2" into *list, which lives in the arena, the last parameter first. One that does not decode is left
 * out, and the result is then false. */
bool query_parse(const char *query, struct arena *mem, struct param **list);
/* A parameter's value, of several the last one's; p is NULL if it is absent. Lent by the list. */
struct str query_get(const struct param *list, const char *name);

#endif
