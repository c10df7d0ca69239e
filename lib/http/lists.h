/* lists.h - header values that are lists (RFC 9110, section 5.6): Accept, Accept-Encoding, Prefer.
 *
 *     gzip;q=0.5, br          respond-async, wait="5"; note="a, b"
 *
 * A comma or semicolon inside a quoted string separates nothing. Several lines of one header are one list, joined by
 * commas. Results are lent by the list.
 */
#ifndef SENTI_LISTS_H
#define SENTI_LISTS_H

#include "lib/base/base.h"

struct list_item {
	struct str value;  /* "gzip", "wait=\"5\"": up to the first semicolon, trimmed */
	struct str params; /* "q=0.5": what follows it, for list_param */
};

/* Cuts the next item off the list; empty ones are skipped. False if there is none. */
bool list_next(struct str *list, struct list_item *item);
/* Cuts the next NAME=VALUE off the parameters, the value without its quotes (escapes in it stay). False if there is
 * none. */
bool list_param(struct str *params, struct str *name, struct str *value);

/* The weight (q) that the list gives to this name, in thousandths: from 0, which is a refusal, to 1000; -1 if neither
 * the name nor "*" is in it. */
int list_weight(struct str list, const char *name);
/* The value of this preference in Prefer (RFC 7240), which may be empty; of several the first. p is NULL if it is
 * absent. */
struct str list_preference(struct str list, const char *name);

#endif
