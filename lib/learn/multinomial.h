/* multinomial.h - multinomial logistic regression with few features, by Newton's method. */
#ifndef SENTI_LEARN_MULTINOMIAL_H
#define SENTI_LEARN_MULTINOMIAL_H

#include "lib/base/base.h"

#define MULTINOMIAL_CLASSES 3
#define MULTINOMIAL_FEATURES 16

struct multinomial {
	const double *x; /* a row of `features` values per example; a constant is an ordinary feature */
	const uint8_t *class;
	size_t n, features;
	unsigned classes;
	double weight[MULTINOMIAL_CLASSES]; /* of an example of each class */
};

/* coefficient: `features` values per class. Holds the starting point. The result is pulled towards it with the weight
 * of about one example, so that few examples cannot drive coefficients to infinity. */
void multinomial_fit(const struct multinomial *m, double *coefficient);

#endif
