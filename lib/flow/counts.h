/* counts.h - what a run has done so far: the single source for --summary, --progress and --metrics.
 *
 * Only the pump's thread writes it (the pump and its ports, once per batch). That thread may read the members directly;
 * other threads take a copy. in = out + rejected + held - derived holds after each delivered batch.
 */
#ifndef SENTI_COUNTS_H
#define SENTI_COUNTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/buf.h"
#include "lib/flow/record.h"

/* CODES: reject codes counted separately. Only a command's own tools can bring more; those are summed up as "other".
 * SIZES: buckets of the histogram of batch sizes. */
enum { COUNTS_CODES = 64, COUNTS_SIZES = 13 };

struct code_count {
	const char *code;	 /* constant, as in struct rec */
	uint64_t rejected, dead; /* dead: those of them that became dead letters of a queue */
};

struct counts {
	uint64_t in, out, rejected, held;
	uint64_t derived; /* records made by stages: in `out` or `rejected` without having come in */
	uint64_t counter[COUNTER_COUNT];
	uint64_t results[LABELS]; /* by their label */
	uint64_t batches, flush_reason[FLUSH_COUNT];
	uint64_t batched, size[COUNTS_SIZES + 1]; /* records in all batches; batches by their size */
	struct code_count code[COUNTS_CODES + 1];
	size_t ncodes;
	int64_t started_ms; /* clock_mono_ms */
	bool interrupted;   /* a stop cut the input short (struct source) */
	/* Queues. */
	bool queue; /* a port of this run is a queue */
	uint64_t reconnects;

	/* private */
	_Atomic uint64_t unacked;
	_Atomic int64_t current_ms;
	pthread_mutex_t lock; /* protects the members above against readers in other threads */
};

extern const double counts_size_bound[COUNTS_SIZES]; /* upper bounds; the last bucket takes all larger sizes */

const char *counter_name(enum counter t);
const char *flush_reason_name(enum flush_reason c);
void counts_start(struct counts *c);
/* Counts a delivered batch. dead_letters: rejects that came as messages are now dead letters. */
void counts_batch(struct counts *c, const struct batch *b, bool dead_letters);
/* For what a port counts outside of its batches (c may be NULL: not counted). */
void counts_add(struct counts *c, enum counter t, uint64_t n);
/* For the ports of queues (c may be NULL: not counted): a queue is in use; a lost connection was restored; `now`
 * deliveries are unacknowledged (cheap enough to call per message). */
void counts_queue(struct counts *c);
void counts_reconnected(struct counts *c);
void counts_unacked(struct counts *c, uint64_t now);
/* For followers (c may be NULL): nothing from before this moment (clock_mono_ms) is left to do. The lag is the age of
 * the latest such moment. */
void counts_current(struct counts *c, int64_t at_ms);
/* True if the sums balance. The pump checks this at its end and fails loudly if not. */
bool counts_balance(const struct counts *c);
/* Appends the summary line without a line end. `show` is a set of bits (1u << COUNTER_...) that this tool reports even
 * at 0. */
void counts_summary(const struct counts *c, const char *tool, unsigned show, struct buf *out);
/* Makes a copy for another thread (its lock is unused). The pump waits no longer than the copy takes. */
void counts_copy(struct counts *c, struct counts *to);

#endif
