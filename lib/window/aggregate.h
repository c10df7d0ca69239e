/* aggregate.h - what a window knows of its records, and its text.
 *
 * Scores are whole multiples of 1e-9 (SCORE_UNIT), so sums do not depend on their order, and those of several workers
 * add up to exactly what one would have had: count, mean, deviation, label shares and the sketch are exact in that
 * sense; terms are within the stated error (terms.h).
 */
#ifndef SENTI_AGGREGATE_H
#define SENTI_AGGREGATE_H

#include "lib/base/err.h"
#include "lib/json/scan.h"
#include "lib/window/number.h"
#include "lib/window/sketch.h"
#include "lib/window/terms.h"

enum { SCORE_UNIT = 1000000000, TERM_UNIT = 1000000 };
enum { SHARE_POSITIVE, SHARE_NEUTRAL, SHARE_NEGATIVE, SHARES };
extern const char *const share_name[SHARES];

/* A word that contributed to a score. */
struct contribution {
	struct str word; /* in lower case */
	bool again;	 /* it is the same occurrence as the one before, by another rule */
	int64_t value;	 /* in 1/TERM_UNIT */
};

struct observation {
	int64_t score; /* in 1/SCORE_UNIT, within SKETCH_MOST */
	int label;     /* SHARE_... */
	const struct contribution *word;
	size_t words;
};

struct tally {
	uint64_t n;
	int128 sum;
};

struct aggregate {
	struct tally all;
	struct tally newest; /* of hopping windows: the part that no earlier window has */
	uint128 squares;
	int64_t least, greatest;
	uint64_t label[SHARES];
	struct sketch sketch;
	struct term_summary frequent, weighty;
};

/* What aggregates share. */
struct aggregate_conf {
	struct vocabulary *vocabulary;
	uint32_t terms; /* shown; eight times as many are counted */
	bool sketch;	/* lines have the member "sketch" */
};

enum { TERM_COUNTERS = 8 };

void aggregate_add(struct aggregate *a, const struct aggregate_conf *c, const struct observation *o);
/* Both of the same conf. `newest` stays as it is in `to`. */
void aggregate_merge(struct aggregate *to, const struct aggregate *from, const struct aggregate_conf *c);
/* False: the sums would not fit (after some 10^8 scores of a million). */
bool aggregate_fits(const struct aggregate *a, uint128 squares);
uint128 square_of(int64_t score);

double aggregate_mean(const struct aggregate *a);
/* Of the population; exactly 0 where all scores are equal. */
double aggregate_deviation(const struct aggregate *a);
/* The sketch's, but never beyond the least and the greatest score. */
double aggregate_quantile(const struct aggregate *a, double q);
double aggregate_share(const struct aggregate *a, int label);

/* Bytes that the observation can add to it, and those that it has. */
size_t aggregate_growth(const struct aggregate *a, const struct aggregate_conf *c, const struct observation *o);
size_t aggregate_bytes(const struct aggregate *a);
void aggregate_free(struct aggregate *a, const struct aggregate_conf *c);

/* Appends the members of a line from "count" on, each with a comma before it. `ewm` is given. */
void aggregate_put(const struct aggregate *a, const struct aggregate_conf *c, double ewm, struct buf *out);
/* Appends the exact object: {"count":...,"sum":"...",...}. */
void aggregate_put_exact(const struct aggregate *a, struct buf *out);
/* Reads that object into a zeroed aggregate: 0, or -1 with the reason in *why (constant); then it is to be freed all
 * the same. `s` is scratch. The text has JSON_PAD readable bytes after it. */
MUST_USE int aggregate_read(struct aggregate *a, const struct aggregate_conf *c, struct str text, struct json_scan *s,
    struct arena *mem, const char **why);

#endif
