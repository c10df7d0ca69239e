/* query.h - percent-encoding, and the parameters of a query. */
#ifndef SENTI_QUERY_H
#define SENTI_QUERY_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"

struct param {
	struct param *next;
	struct str name, value;
};

/* Decodes into the arena, NUL-terminated; false if an escape is broken, or the result is not UTF-8 or contains NUL.
 * `plus`: a '+' is a blank, as in queries. */
bool percent_decode(struct str in, bool plus, struct arena *mem, struct str *out);
/* Appends text as a segment of a path or the value of a parameter. */
void percent_encode(struct buf *out, struct str text);

/* Parses "a=1&b=2" into *list, in the arena, the last parameter first. False if one does not decode; it is left out. */
bool query_parse(const char *query, struct arena *mem, struct param **list);
/* The first parameter whose name is not among these, each followed by a blank; NULL if all are. */
const struct param *query_unknown(const struct param *list, const char *names);
/* A parameter's value, of several the last; p is NULL if it is absent. Lent by the list. */
struct str query_get(const struct param *list, const char *name);

#endif
