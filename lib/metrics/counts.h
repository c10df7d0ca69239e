/* counts.h - the sums of a run (lib/flow/counts.h) for scrapers; senti(7) names the families. */
#ifndef SENTI_COUNTS_EXPOSITION_H
#define SENTI_COUNTS_EXPOSITION_H

#include "lib/flow/counts.h"

/* Appends all sums, from any thread; the pump waits at most for a copy. `show` is a set of bits (1u << COUNTER_...)
 * that appear even at 0. `model` is what texts are scored with; NULL leaves the counts of texts out, for a program that
 * scores elsewhere too and counts them all itself. */
void counts_expose(struct counts *c, const char *model, unsigned show, struct buf *out);

#endif
