/* flight.h - the records of a batch that a command has been given, and what its answers and its tools' rejects say of them. No I/O.
 *
 * An answer belongs to the first record in flight. Where both have an `id` these must be equal; an answer with the id of a later record
 * passes those before it: they are lost, unless their answers still come before the batch is complete.
 *
 *     fed in this order   a b c d e
 *     answered            a d         b and c are passed, e is in flight
 *
 * An answer to a record that was answered before (or lost, in this batch or the last ones) is a duplicate and changes nothing; one that belongs to
 * nothing is a stray: the command is out of step.
 */
#ifndef SENTI_FLIGHT_H
#define SENTI_FLIGHT_H

#include "lib/flow/record.h"

enum seat_state {
	SEAT_NONE,    /* not for the command: rejected before */
	SEAT_WAITING, /* to be fed */
	SEAT_FED,
	SEAT_PASSED,
	SEAT_SETTLED, /* answered or rejected */
};

struct seat {
	uint64_t id; /* a hash; 0: it has none */
	bool object; /* the line is a JSON object, and so must be its answer */
	unsigned char state;
	unsigned tries; /* how often the command failed with this record alone in flight */
};

enum { FLIGHT_RECENT = 1024 };

struct flight {
	struct batch *b, none; /* none: between two batches */
	struct seat *seat;     /* one a record */
	size_t cap, head;      /* no record before head is in flight */
	size_t open;	       /* how many are */
	uint64_t recent[FLIGHT_RECENT];
	size_t nrecent;
	struct json_scan scan, inner;
	struct buf line;
};

void flight_init(struct flight *f);
/* A new batch. All records whose fate is open wait. */
void flight_begin(struct flight *f, struct batch *b);
/* Appends record i, as a line, to what the command is to read. */
void flight_feed(struct flight *f, size_t i, struct buf *out);
/* What was fed and is open waits again: the command has died. */
void flight_recall(struct flight *f);

enum answer {
	ANSWER_TAKEN,
	ANSWER_DUPLICATE,
	ANSWER_STRAY,
	ANSWER_UNSURE, /* rejects that have come by now may change its meaning: take them in, and ask again with sure */
};
/* `line` has JSON_PAD readable bytes behind it; it is copied. */
enum answer flight_answer(struct flight *f, struct str line, bool sure);
/* A reject object of a tool: true if it settled a record. */
bool flight_reject(struct flight *f, struct str line);
/* Rejects what was passed. */
void flight_finish(struct flight *f);
/* Rejects record i, which waits or is in flight. */
void flight_condemn(struct flight *f, size_t i, const char *code, const struct rec_cause *cause, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
void flight_free(struct flight *f);

#endif
