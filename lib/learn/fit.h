/* fit.h - labelled texts in, weights out.
 *
 * Each class gets a logistic regression against the others. Their raw scores, on texts that they were not trained on,
 * are used to fit the mapping from raw scores to probabilities: a small multinomial regression (Guo et al. 2017 call it
 * matrix scaling).
 */
#ifndef SENTI_LEARN_FIT_H
#define SENTI_LEARN_FIT_H

#include "lib/base/arena.h"
#include "lib/learn/bootstrap.h"
#include "lib/score/linear.h"

struct example {
	struct str text; /* with SPLIT_PAD readable bytes after it */
	enum label label;
	struct text_key key; /* of the text */
};

enum { FOLDS_MOST = 20 };

struct fit_conf {
	struct feature_conf features;
	const struct model *lexicon; /* gives the figures */
	unsigned folds;		     /* 2 to FOLDS_MOST */
	uint64_t seed;		     /* of the folds, the solver and the bootstrap */
	bool balanced;		     /* rare classes weigh as much as common ones */
	double cost;		     /* LIBLINEAR's C */
	double figure_gain; /* the figures are scaled up by it, so that regularization restrains their weights less */
	unsigned min_texts; /* grams that occur in fewer texts are left out */
	/* Reports progress, done of total being a rough share. May be NULL. */
	void (*tick)(void *arg, const char *what, unsigned done, unsigned total);
	void *tick_arg;
};

struct fit {
	struct linear_head head;   /* complete except for what linear_write sets */
	struct linear_cell *cell;  /* new; 2^bits cells */
	unsigned char *seen;	   /* new; SEEN_BYTES */
	struct accuracy held_out;  /* over the folds: each text judged by a model that has seen neither it nor a copy */
	struct intervals interval; /* of held_out */
};

/* Returns 0 and *out, or -1 and *e. Needs examples of at least two classes. */
MUST_USE int fit_model(
    const struct fit_conf *c, const struct example *example, size_t n, struct fit *out, struct err *e);
void fit_free(struct fit *f);

#endif
