/* counts.h - what a run has done so far: the one place that --summary, --progress and --metrics read.
 *
 * Written in the pump's thread alone, by the pump and by its ports, once a batch. That thread reads the members as they
 * are; any other takes a copy. in = out + rejected + held - derived holds after each delivered batch.
 */
#ifndef SENTI_COUNTS_H
#define SENTI_COUNTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/buf.h"
#include "lib/flow/record.h"

/* CODES: reject codes told apart; those of further ones, which only a command's own tools can bring, are added up as
 * "other". SIZES: buckets of the histogram of batches. */
enum { COUNTS_CODES = 64, COUNTS_SIZES = 13 };

struct code_count {
	const char *code;	 /* constant, as in struct rec */
	uint64_t rejected, dead; /* dead: of them those that became dead letters of a queue */
};

struct counts {
	uint64_t in, out, rejected, held;
	uint64_t derived; /* records that stages made: they are in `out` or `rejected` without having come in */
	uint64_t counter[COUNTER_COUNT];
	uint64_t batches, flush_reason[FLUSH_COUNT];
	uint64_t batched, size[COUNTS_SIZES + 1]; /* records in all batches; batches by their size */
	struct code_count code[COUNTS_CODES + 1];
	size_t ncodes;
	int64_t started_ms; /* clock_mono_ms */
	bool interrupted;   /* a stop cut the input before its end (struct source) */
	/* Of queues. */
	bool queue; /* one is a port of this run */
	uint64_t reconnects;

	/* private */
	_Atomic uint64_t unacked;
	_Atomic int64_t current_ms;
	pthread_mutex_t lock; /* of what stands above it, against readers in other threads */
};

extern const double counts_size_bound[COUNTS_SIZES]; /* upper bounds of the buckets; the last is for all larger ones */

const char *counter_name(enum counter t);
const char *flush_reason_name(enum flush_reason c);
void counts_start(struct counts *c);
/* A batch was delivered. dead_letters: its rejects that had come as messages are dead letters now. */
void counts_batch(struct counts *c, const struct batch *b, bool dead_letters);
/* For the ports of queues (c may be NULL: nobody counts): there is one; a lost connection was made again; so many
 * deliveries are not acknowledged now (cheap enough for each message). */
void counts_queue(struct counts *c);
void counts_reconnected(struct counts *c);
void counts_unacked(struct counts *c, uint64_t now);
/* For those who follow something (c may be NULL): nothing from before this moment (clock_mono_ms) is left to do. The
 * age of the newest such moment is the lag. */
void counts_current(struct counts *c, int64_t at_ms);
/* True if the sums hold; the pump checks it at its end and fails loudly. */
bool counts_balance(const struct counts *c);
/* The summary line of the contract, without a line end. `show` is a set of bits (1u << COUNTER_...) that this tool
 * reports even at 0. */
void counts_summary(const struct counts *c, const char *tool, unsigned show, struct buf *out);
/* A copy for another thread, whose lock is not used; the pump waits at most for it. */
void counts_copy(struct counts *c, struct counts *to);

#endif
