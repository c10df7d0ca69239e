/* inflight.h - the records of a batch that a command has been given, and what its answers and its tools' rejects say of
 * them. No I/O.
 *
 * An answer belongs to the first record in flight. Where both have an `id` these must be equal; an answer with the id
 * of a later record passes those before it: they are lost, unless their answers still come before the batch is
 * complete.
 *
 *     fed in this order   a b c d e
 *     answered            a d         b and c are passed, e is in flight
 *
 * An answer to a record that was answered before (or lost, in this batch or the last ones) is a duplicate and changes
 * nothing; one that belongs to nothing is a stray: the command is out of step.
 */
#ifndef SENTI_INFLIGHT_H
#define SENTI_INFLIGHT_H

#include "lib/flow/record.h"

enum pending_state {
	PENDING_NONE,	 /* not for the command: rejected before */
	PENDING_WAITING, /* to be fed */
	PENDING_FED,
	PENDING_PASSED,
	PENDING_SETTLED, /* answered or rejected */
};

struct pending {
	uint64_t id; /* a hash; 0: it has none */
	bool object; /* the line is a JSON object, and so must be its answer */
	unsigned char state;
	unsigned tries; /* how often the command failed with this record alone in flight */
};

enum { INFLIGHT_RECENT = 1024 };

struct inflight {
	struct batch *b, none;	 /* none: between two batches */
	struct pending *pending; /* one a record */
	size_t cap, head;	 /* no record before head is in flight */
	size_t open;		 /* how many are */
	uint64_t recent[INFLIGHT_RECENT];
	size_t nrecent;
	struct json_scan scan, inner;
	struct buf line;
};

void inflight_init(struct inflight *f);
/* A new batch. All records whose fate is open wait. */
void inflight_begin(struct inflight *f, struct batch *b);
/* Appends record i, as a line, to what the command is to read. */
void inflight_feed(struct inflight *f, size_t i, struct buf *out);
/* What was fed and is open waits again: the command has died. */
void inflight_recall(struct inflight *f);

enum answer {
	ANSWER_TAKEN,
	ANSWER_DUPLICATE,
	ANSWER_STRAY,
	ANSWER_UNSURE, /* rejects that have come by now may change its meaning: take them in, and ask again with sure */
};
/* `line` has JSON_PAD readable bytes after it; it is copied. */
enum answer inflight_answer(struct inflight *f, struct str line, bool sure);
/* A reject object of a tool: true if it settled a record. */
bool inflight_reject(struct inflight *f, struct str line);
/* Rejects what was passed. */
void inflight_finish(struct inflight *f);
/* Rejects record i, which waits or is in flight. */
void inflight_dead_letter(struct inflight *f, size_t i, const char *code, const struct rec_cause *cause,
    const char *fmt, ...) PRINTF_LIKE(5, 6);
void inflight_free(struct inflight *f);

#endif
