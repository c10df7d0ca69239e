/* held.h - batches that are delivered but not accepted yet, because a stage still holds some of their records.
 *
 * Keeps only what identifies each record to its source (40 bytes), not its content.
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
/* Accepts the held batches with a number below `before`. */
MUST_USE int held_accept(struct held *h, uint64_t before, struct err *e);
/* After held_accept: accepts the batch too if its number is below `before`, else keeps its receipt. */
MUST_USE int held_pass(struct held *h, struct batch *b, uint64_t before, struct err *e);
/* Abandons the remaining batches and frees everything. */
void held_release(struct held *h);

#endif
