/* solver.h - one binary logistic regression by LIBLINEAR, whose header (it has its own struct model) no other file
 * includes.
 *
 * R.-E. Fan, K.-W. Chang, C.-J. Hsieh, X.-R. Wang, C.-J. Lin: LIBLINEAR: A Library for Large Linear Classification,
 * JMLR 9 (2008).
 */
#ifndef SENTI_LEARN_SOLVER_H
#define SENTI_LEARN_SOLVER_H

#include "lib/base/err.h"

/* One feature of a row; a row is ended by index -1, indices count from 1. Laid out as LIBLINEAR's own. */
struct fit_node {
	int index;
	double value;
};

struct task {
	struct fit_node **row;
	const double *side; /* +1 or -1 of each row */
	size_t rows, features;
	double cost;	    /* LIBLINEAR's C */
	double plus, minus; /* weights of the two sides */
	double accuracy;    /* LIBLINEAR's eps */
	uint64_t seed;
	/* Called now and then with the number of rounds done; may be NULL. */
	void (*tick)(void *arg);
	void *tick_arg;
};

/* Fills w[0..features): the weight of index i is w[i - 1]. 0 or -1 and *e. Not for two threads at once: LIBLINEAR draws
 * from rand(3). */
MUST_USE int solve(const struct task *t, double *w, struct err *e);

#endif
