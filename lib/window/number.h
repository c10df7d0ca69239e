/* number.h - the exact numbers of windows as text. */
#ifndef SENTI_NUMBER_H
#define SENTI_NUMBER_H

#include "lib/base/buf.h"

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/* A JSON number as multiples of 1/unit (a power of ten up to 1e9), rounded half away from zero: 0, or -1 if its
 * absolute value is above `most` of them. What follows it must not be a part of a number. */
MUST_USE int number_scale(struct str json, int64_t unit, int64_t most, int64_t *out);
/* Whole numbers, in quotes or not: 0, or -1 if it is none, or not between them (|v| <= most). */
MUST_USE int number_whole(struct str s, uint128 most, int128 *out);
MUST_USE int number_64(struct str s, int64_t low, int64_t *out);
/* The items of a JSON array, which must be exactly n: 0 or -1. */
MUST_USE int number_items(struct str array, struct str *item, size_t n);
/* Appends a whole number in quotes, since many readers of JSON round above 2^53. */
void number_put(struct buf *out, int128 v);

#endif
