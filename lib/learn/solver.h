/* solver.h - one binary logistic regression by LIBLINEAR. No other file includes LIBLINEAR's header, which has another
 * struct model.
 *
 * R.-E. Fan, K.-W. Chang, C.-J. Hsieh, X.-R. Wang, C.-J. Lin: LIBLINEAR: A Library for Large Linear Classification,
 * JMLR 9 (2008).
 */
#ifndef SENTI_LEARN_SOLVER_H
#define SENTI_LEARN_SOLVER_H

#include "lib/base/err.h"

/* One feature of a row. Indices count from 1; index -1 ends a row. Same layout as in LIBLINEAR. */
struct fit_node {
	int index;
	double value;
};

struct task {
	struct fit_node **row;
	const double *side; /* +1 or -1 per row */
	size_t rows, features;
	double cost;	    /* LIBLINEAR's C */
	double plus, minus; /* weights of the two sides */
	double accuracy;    /* LIBLINEAR's eps */
	uint64_t seed;
	/* Called now and then to report progress. May be NULL. */
	void (*tick)(void *arg);
	void *tick_arg;
};

/* Fills w[0..features): the weight of index i is w[i - 1]. 0 or -1 and *e. Not thread-safe: LIBLINEAR uses rand(3). */
MUST_USE int solve(const struct task *t, double *w, struct err *e);

#endif
