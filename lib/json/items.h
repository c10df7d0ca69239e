/* items.h - the items of a JSON array, one by one, without parsing them.
 *
 *     struct json_items it = json_items(text);       text begins with '['
 *     while ((rc = json_items_next(&it, &item)) > 0)
 *             ... json_check or json_scan the item ...
 *     if (rc < 0) ... it.message, it.p - text.p
 *
 * Items are cut by brackets and quotes alone: where each is JSON and rc is 0 at the end, so is the array.
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
/* 1 and the next item without blanks around it, a slice of the text; 0 after the last; -1 if the array is broken there.
 * After 0, p is where the array has ended. */
int json_items_next(struct json_items *it, struct str *item);

/* White space as JSON knows it. */
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
