/* inflight.h - the records of a batch given to a command, matched with its answers and its tools' rejects. No I/O.
 *
 * An answer belongs to the first record in flight. If both have an `id` these must be equal; an answer with a later
 * record's id passes those before it: they are lost, unless their answers come before the batch is complete.
 *
 *     fed in this order   a b c d e
 *     answered            a d         b and c are passed, e is in flight
 *
 * An answer to a record that was answered or lost before (in this batch or recent ones) is a duplicate and changes
 * nothing; one to no record is a stray: the command is out of step.
 */
#ifndef SENTI_INFLIGHT_H
#define SENTI_INFLIGHT_H

#include "lib/flow/record.h"

enum pending_state {
	PENDING_NONE,	 /* rejected before, not for the command */
	PENDING_WAITING, /* to be fed */
	PENDING_FED,
	PENDING_PASSED,
	PENDING_SETTLED, /* answered or rejected */
};

struct pending {
	uint64_t id; /* a hash; 0: it has none */
	bool object; /* the line is a JSON object, as its answer must be */
	unsigned char state;
	unsigned tries; /* failures with this record alone in flight */
};

enum { INFLIGHT_RECENT = 1024 };

struct inflight {
	struct batch *b, none;	 /* none: between two batches */
	struct pending *pending; /* one for each record */
	size_t cap, head;	 /* none before head is in flight */
	size_t open;		 /* how many are in flight */
	uint64_t recent[INFLIGHT_RECENT];
	size_t nrecent;
	struct json_scan scan, inner;
	struct buf line;
};

void inflight_init(struct inflight *f);
/* Begins a batch: all records whose fate is open wait. */
void inflight_begin(struct inflight *f, struct batch *b);
/* Appends record i, as a line, to the command's input. */
void inflight_feed(struct inflight *f, size_t i, struct buf *out);
/* The command has died: open records wait again. */
void inflight_recall(struct inflight *f);

enum answer {
	ANSWER_TAKEN,
	ANSWER_DUPLICATE,
	ANSWER_STRAY,
	ANSWER_UNSURE, /* pending rejects may change its meaning: take them in, and ask again with `sure` */
};
/* `line` has JSON_PAD readable bytes after it; it is copied. */
enum answer inflight_answer(struct inflight *f, struct str line, bool sure);
/* Takes a tool's reject object; true if it settled a record. */
bool inflight_reject(struct inflight *f, struct str line);
/* Rejects the records that were passed. */
void inflight_finish(struct inflight *f);
/* Rejects record i, which waits or is in flight. */
void inflight_dead_letter(struct inflight *f, size_t i, const char *code, const struct rec_cause *cause,
    const char *fmt, ...) PRINTF_LIKE(5, 6);
void inflight_free(struct inflight *f);

#endif
