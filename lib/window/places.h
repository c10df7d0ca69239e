/* places.h - how far each input has been read, for a state, and what a resumed run passes over.
 *
 * Of each file: all lines up to `done` are dealt with; of the lines after it the verdicts of the last batch on disk are
 * known, whose rejects may not be out; and the last line of that batch has a hash, by which the file is known to be the
 * same.
 */
#ifndef SENTI_PLACES_H
#define SENTI_PLACES_H

#include "lib/base/err.h"
#include "lib/flow/record.h"
#include "lib/text/hash.h"

struct place_verdict {
	uint64_t lineno;
	unsigned verdict; /* the user's; 0: it was taken in */
};

struct input_place {
	char *origin;
	bool by_line;		       /* a regular file; else lines mean nothing */
	uint64_t done;		       /* of the run before */
	struct place_verdict *verdict; /* sorted, all after `done` */
	size_t verdicts, cap;
	uint64_t last; /* a line whose hash is known; 0: none */
	char hash[HASH_HEX];
	bool met, proven; /* in this run: a record came; the hash is right */
};

struct places {
	struct input_place *place;
	size_t n;
	const char *origin; /* of the record before, which is at `at` */
	size_t at;
};

/* The place of an input by its name, made where missing. Lent until the next call. */
struct input_place *places_of(struct places *p, struct str origin);
/* That of a record; NULL: its lines mean nothing. */
struct input_place *places_of_record(struct places *p, const struct rec *r);
/* 1: the run before has dealt with the record, and with this verdict. 0: it has not, or rejected it before it came to a
 * verdict. -1 with *e: the file is another one. */
MUST_USE int place_passes(struct input_place *at, const struct rec *r, unsigned *verdict, struct err *e);
/* The run has dealt with the record, and all before it; but what the run before has of the file stays until its last
 * line has come. */
void place_reach(struct input_place *at, const struct rec *r);
/* False while what a run before had taken in is not passed over yet. */
bool places_settled(const struct places *p);
/* For reading a state. */
void place_judge(struct input_place *at, uint64_t lineno, unsigned verdict);
void place_set(struct input_place *at, uint64_t last, struct str hash, bool done);
/* After the end of the input: -1 with *e if a file ended before what the state has of it. */
MUST_USE int places_check(const struct places *p, struct err *e);
void places_free(struct places *p);

#endif
