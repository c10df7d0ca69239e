/* fit.h - labelled texts in, weights out.
 *
 * Each class gets a logistic regression against the others. Their raw scores, of texts that they were not trained on,
 * then fit what turns the raw scores of all classes into probabilities: a small multinomial regression (Guo et al. 2017
 * call it matrix scaling).
 */
#ifndef SENTI_LEARN_FIT_H
#define SENTI_LEARN_FIT_H

#include "lib/base/arena.h"
#include "lib/learn/accuracy.h"
#include "lib/score/linear.h"

struct example {
	struct str text; /* with SPLIT_PAD readable bytes after it */
	enum label label;
};

struct fit_conf {
	struct feature_conf features;
	const struct model *lexicon; /* gives the figures */
	unsigned folds;		     /* 2 to 20 */
	uint64_t seed;
	bool balanced;	    /* rare classes weigh as much as common ones */
	double cost;	    /* LIBLINEAR's C */
	double figure_gain; /* the figures are scaled up by it, so their weights are held back less */
	unsigned min_texts; /* grams of fewer texts are left out */
	/* Called while it works; may be NULL. done of total is a rough share. */
	void (*tick)(void *arg, const char *what, unsigned done, unsigned total);
	void *tick_arg;
};

struct fit {
	struct linear_head head;  /* all but what linear_write completes */
	struct linear_cell *cell; /* new; 2^bits of them */
	unsigned char *seen;	  /* new; SEEN_BYTES */
	struct accuracy held_out; /* over the folds, each text by a model that has not seen it */
};

/* 0 and *out, or -1 and *e. There must be examples of two classes at least. */
MUST_USE int fit_model(
    const struct fit_conf *c, const struct example *example, size_t n, struct fit *out, struct err *e);
void fit_free(struct fit *f);

#endif
