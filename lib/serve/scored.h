/* scored.h - counts what the server scores: texts by model, and results by label and model. */
#ifndef SENTI_SERVE_SCORED_H
#define SENTI_SERVE_SCORED_H

#include "lib/flow/record.h"
#include "lib/metrics/registry.h"
#include "lib/score/engine.h"

struct scored_families {
	struct family *texts, *results;
};

/* The series of one model; lent for the registry's life. */
struct scored {
	struct series *texts, *result[LABELS];
};

void scored_families_add(struct scored_families *f, struct registry *r);
void scored_open(struct scored *s, const struct scored_families *f, const struct model *m);
/* Counts what was scored in this batch, which was reset before. Thread-safe. */
void scored_add(const struct scored *s, const struct batch *b);

#endif
