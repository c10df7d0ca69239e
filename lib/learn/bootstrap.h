/* bootstrap.h - how far accuracy and macro F1 might be off, had other texts been drawn: the bootstrap.
 *
 * Each replicate counts a text as often as a draw with replacement would: Poisson(1) times, independently of the
 * others, which needs no list of the records (Hanley and MacGibbon 2006). The draws of a text depend on its key and the
 * seed alone: neither on the order of records nor on the model; and copies of a text are drawn together, so that they
 * do not pass for evidence.
 *
 *     struct bootstrap *s = xcalloc(1, sizeof *s);
 *     bootstrap_draw(seed, key, weight);
 *     bootstrap_add(s, weight, label, guess);     for each record
 *     struct intervals i = bootstrap_intervals(s);
 */
#ifndef SENTI_LEARN_BOOTSTRAP_H
#define SENTI_LEARN_BOOTSTRAP_H

#include "lib/learn/accuracy.h"
#include "lib/learn/text_key.h"

enum { REPLICATES = 1024 };

struct bootstrap {
	uint32_t confusion[LABELS][LABELS][REPLICATES]; /* [labelled][predicted] */
	uint64_t n; /* records; after half a billion none is added, since no interval has a width any more */
};

/* How often each replicate counts the text. */
void bootstrap_draw(uint64_t seed, struct text_key key, uint8_t weight[REPLICATES]);
void bootstrap_add(struct bootstrap *s, const uint8_t weight[REPLICATES], enum label labelled, enum label predicted);
struct intervals bootstrap_intervals(const struct bootstrap *s);

#endif
