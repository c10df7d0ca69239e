/* terms.h - the heaviest words of a stream in bounded memory: Space-Saving (A. Metwally, D. Agrawal, A. El Abbadi,
 * "Efficient Computation of Frequent and Top-k Elements in Data Streams", ICDT 2005).
 *
 * A summary keeps at most `most` counters. A word without one takes over the lightest, with its weight as the error. So
 * a counter's weight is never below the true one, and above it by at most its error, which is at most the weight of
 * all words divided by `most`; while there are no more words than counters all is exact. The same holds for what
 * terms_merge makes of two (P. K. Agarwal and others, "Mergeable Summaries", PODS 2012).
 *
 * Words are kept once for all summaries that share a struct vocabulary.
 */
#ifndef SENTI_TERMS_H
#define SENTI_TERMS_H

#include "lib/base/map.h"

struct vocabulary {
	struct map map;
	size_t bytes; /* of all words */
};

struct term {
	struct vocabulary_word *word;
	uint64_t weight, error;
	int64_t value; /* sum of what came with the word since it has its counter */
};

struct term_summary {
	struct term *term;
	uint32_t n, cap;
};

/* Both saturate. The word is copied. */
void terms_add(
    struct term_summary *t, struct vocabulary *v, uint32_t most, struct str word, uint64_t weight, int64_t value);
/* Adds a counter as it was, for reading a summary again; a word occurs once. False if there are `most` already. */
bool terms_restore(struct term_summary *t, struct vocabulary *v, uint32_t most, struct str word, const struct term *as);
/* Both use the same vocabulary. */
void terms_merge(struct term_summary *to, const struct term_summary *from, struct vocabulary *v, uint32_t most);
/* The text of a counter's word. Lent by the vocabulary. */
struct str term_text(const struct term *t);
/* Fills best[0..k) with the heaviest counters, or by `value` those with the greatest |value|; equal ones by their
 * words. Returns how many there are. */
size_t terms_best(const struct term_summary *t, bool by_value, const struct term **best, size_t k);
/* Bytes that `more` further words, of so many letters together, can take. */
size_t terms_growth(const struct term_summary *t, uint32_t most, uint32_t more, size_t letters);
size_t terms_bytes(const struct term_summary *t);
void terms_free(struct term_summary *t, struct vocabulary *v);
void vocabulary_free(struct vocabulary *v);

#endif
