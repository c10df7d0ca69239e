/* held.h - batches that are delivered and not accepted yet, because a stage still holds something of them.
 *
 * Of each record only what names it to its source is kept (40 bytes), not its bytes.
 */
#ifndef SENTI_HELD_H
#define SENTI_HELD_H

#include "lib/flow/port.h"

struct receipt;

struct held {
	struct source *source; /* lent */
	struct receipt *first, **last;
	size_t records;
	struct batch scratch;
};

void held_init(struct held *h, struct source *source);
/* Accepts those with a number below `before`. */
MUST_USE int held_accept(struct held *h, uint64_t before, struct err *e);
/* After held_accept: accepts the batch too if its number is below `before`, else keeps its receipt. */
MUST_USE int held_pass(struct held *h, struct batch *b, uint64_t before, struct err *e);
/* Abandons what is left, and frees all. */
void held_release(struct held *h);

#endif
