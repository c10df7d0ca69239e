/* multinomial.h - multinomial logistic regression with few features, by Newton's method. */
#ifndef SENTI_LEARN_MULTINOMIAL_H
#define SENTI_LEARN_MULTINOMIAL_H

#include "lib/base/base.h"

#define MULTINOMIAL_CLASSES 3
#define MULTINOMIAL_FEATURES 16

struct multinomial {
	const double *x; /* a row of `features` values for each example; a constant is a feature like others */
	const uint8_t *class;
	size_t n, features;
	unsigned classes;
	double weight[MULTINOMIAL_CLASSES]; /* of an example of each class */
};

/* coefficient: `features` for each class. It holds where to start; as if by one example, all are held to that, so few
 * examples can't drive them to infinity. */
void multinomial_fit(const struct multinomial *m, double *coefficient);

#endif
