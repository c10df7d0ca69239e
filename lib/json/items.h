/* items.h - iterates over the items of a JSON array without parsing them.
 *
 *     struct json_items it = json_items(text);       text begins with '['
 *     while ((rc = json_items_next(&it, &item)) > 0)
 *             ... json_check or json_scan the item ...
 *     if (rc < 0) ... it.message, it.p - text.p
 *
 * Items are cut by brackets and quotes alone. The array is valid JSON if every item is and the last rc is 0.
 */
#ifndef SENTI_JSON_ITEMS_H
#define SENTI_JSON_ITEMS_H

#include "lib/base/base.h"

struct json_items {
	const char *p, *end;
	bool more;
	const char *message; /* of the error at p, constant */
};

struct json_items json_items(struct str text);
/* Returns 1 and the next item, a slice of the text without blanks around it; 0 after the last; -1 if the array is
 * malformed at p. After 0, p is the end of the array. */
int json_items_next(struct json_items *it, struct str *item);

/* White space as JSON defines it. */
static inline bool json_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static inline const char *json_skip_blanks(const char *p, const char *end)
{
	while (p < end && json_is_blank(*p))
		p++;
	return p;
}

#endif
