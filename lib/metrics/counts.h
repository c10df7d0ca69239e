/* counts.h - the sums of a run (lib/flow/counts.h) for scrapers; senti(7) names the families. */
#ifndef SENTI_COUNTS_EXPOSITION_H
#define SENTI_COUNTS_EXPOSITION_H

#include "lib/flow/counts.h"

/* Appends all sums. Thread-safe; the pump waits for a copy at most. `show` is a set of bits (1u << COUNTER_...) that
 * appear even at 0. `model` is what texts are scored with; NULL leaves out the counts of texts, for a program that
 * counts them itself. */
void counts_expose(struct counts *c, const char *model, unsigned show, struct buf *out);

#endif
