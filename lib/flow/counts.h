/* counts.h - what a run has done so far: the one place that --summary, --progress and --metrics read.
 *
 * Written by the pump alone, in its thread. in = out + rejected + held holds after each delivered batch.
 */
#ifndef SENTI_COUNTS_H
#define SENTI_COUNTS_H

#include "lib/base/buf.h"
#include "lib/flow/record.h"

struct counts {
	uint64_t in, out, rejected, held;
	uint64_t made; /* records that `end` added: they are in `out` without having come in */
	uint64_t tally[TALLY_COUNT];
	uint64_t batches, closed[CLOSED_COUNT];
	int64_t started_ms; /* clock_mono_ms */
};

const char *tally_name(enum tally t);
const char *closed_name(enum closed c);
void counts_start(struct counts *c);
void counts_batch(struct counts *c, const struct batch *b);
/* True if the sums hold; the pump checks it at its end and fails loudly. */
bool counts_balance(const struct counts *c);
/* The summary line of the contract, without a line end. `show` is a set of bits (1u << TALLY_...) that this tool reports even at 0. */
void counts_summary(const struct counts *c, const char *tool, unsigned show, struct buf *out);

#endif
