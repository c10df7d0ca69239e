/* multinomial.c - Newton's method on the weighted log-likelihood. */
#include "lib/learn/multinomial.h"

#include <math.h>

enum { ALL = MULTINOMIAL_CLASSES * MULTINOMIAL_FEATURES, STEPS = 30 };

static const double HOLD = 1, ENOUGH = 1e-9; /* ENOUGH: stop once a step reduces the loss by less than this fraction */

/* Solves a * x = b in place by elimination; a is symmetric and positive definite. */
static void eliminate(double a[ALL][ALL], double b[ALL], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			double times = a[k][i] / a[i][i];
			for (size_t j = i; j < n; j++)
				a[k][j] -= times * a[i][j];
			b[k] -= times * b[i];
		}
	}
	for (size_t i = n; i-- > 0;) {
		for (size_t j = i + 1; j < n; j++)
			b[i] -= a[i][j] * b[j];
		b[i] /= a[i][i];
	}
}

/* Computes the class probabilities; returns the log of the right one. */
static double guess(const struct multinomial *m, const double *coefficient, size_t row, double p[MULTINOMIAL_CLASSES])
{
	const double *x = m->x + row * m->features;
	double z[MULTINOMIAL_CLASSES], most = -INFINITY, sum = 0;
	for (unsigned c = 0; c < m->classes; c++) {
		z[c] = 0;
		for (size_t f = 0; f < m->features; f++)
			z[c] += coefficient[c * m->features + f] * x[f];
		most = fmax(most, z[c]);
	}
	for (unsigned c = 0; c < m->classes; c++)
		sum += p[c] = exp(z[c] - most);
	for (unsigned c = 0; c < m->classes; c++)
		p[c] /= sum;
	return z[m->class[row]] - most - log(sum);
}

static double loss_of(const struct multinomial *m, const double *coefficient, const double *start)
{
	double loss = 0, p[MULTINOMIAL_CLASSES];
	for (size_t i = 0; i < m->classes * m->features; i++)
		loss += HOLD / 2 * (coefficient[i] - start[i]) * (coefficient[i] - start[i]);
	for (size_t i = 0; i < m->n; i++)
		loss -= m->weight[m->class[i]] * guess(m, coefficient, i, p);
	return loss;
}

/* Adds a row's lower half of the second derivatives; `mirror` completes them. */
static void add_row(
    const struct multinomial *m, size_t row, const double *p, double gradient[ALL], double hessian[ALL][ALL])
{
	const double *x = m->x + row * m->features;
	double weight = m->weight[m->class[row]];
	size_t n = m->features;
	for (unsigned c = 0; c < m->classes; c++) {
		double slope = weight * (p[c] - (c == m->class[row]));
		for (size_t i = 0; i < n; i++)
			gradient[c * n + i] += slope * x[i];
		for (unsigned d = 0; d <= c; d++) {
			double bend = weight * p[c] * ((c == d) - p[d]);
			for (size_t i = 0; i < n; i++)
				for (size_t j = 0; j < n; j++)
					hessian[c * n + i][d * n + j] += bend * x[i] * x[j];
		}
	}
}

static void newton_step(const struct multinomial *m, const double *coefficient, const double *start, double step[ALL])
{
	double hessian[ALL][ALL] = {0}, p[MULTINOMIAL_CLASSES];
	size_t all = m->classes * m->features;
	for (size_t i = 0; i < all; i++) {
		step[i] = HOLD * (coefficient[i] - start[i]);
		hessian[i][i] = HOLD;
	}
	for (size_t i = 0; i < m->n; i++) {
		guess(m, coefficient, i, p);
		add_row(m, i, p, step, hessian);
	}
	for (size_t i = 0; i < all; i++)
		for (size_t j = i + 1; j < all; j++)
			hessian[i][j] = hessian[j][i];
	eliminate(hessian, step, all);
}

void multinomial_fit(const struct multinomial *m, double *coefficient)
{
	double start[ALL], from[ALL], step[ALL], loss, before;
	size_t all = m->classes * m->features;
	memcpy(start, coefficient, all * sizeof *start);
	loss = loss_of(m, coefficient, start);
	for (unsigned i = 0; i < STEPS; i++) {
		before = loss;
		memcpy(from, coefficient, all * sizeof *from);
		newton_step(m, coefficient, start, step);
		/* Halve the step until the loss decreases. */
		for (double part = 1; part > 1e-6; part /= 2) {
			for (size_t k = 0; k < all; k++)
				coefficient[k] = from[k] - part * step[k];
			if ((loss = loss_of(m, coefficient, start)) < before)
				break;
		}
		if (!(loss < before)) {
			memcpy(coefficient, from, all * sizeof *from);
			return;
		}
		if (before - loss < ENOUGH * before)
			return;
	}
}
