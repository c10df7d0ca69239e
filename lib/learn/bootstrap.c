/* bootstrap.c - replicates of a confusion matrix, and the ranges of what follows from them. */
#include "lib/learn/bootstrap.h"

#include <math.h>

enum { MOST_RECORDS = 1 << 29 };

/* A byte to a Poisson(1) number: mean and variance are 257/256. The loop is plain so that compilers vectorize it. */
static void poisson(uint8_t byte[REPLICATES])
{
	for (size_t i = 0; i < REPLICATES; i++)
		byte[i] = (uint8_t)((byte[i] >= 94) + (byte[i] >= 188) + (byte[i] >= 235) + (byte[i] >= 251) +
				    (byte[i] >= 255));
}

void bootstrap_draw(uint64_t seed, struct text_key key, uint8_t weight[REPLICATES])
{
	uint64_t state = key.w[0] ^ mix64(seed + 1);
	for (size_t i = 0; i < REPLICATES; i += sizeof state) {
		uint64_t z = mix64(state += 0x9e3779b97f4a7c15);
		for (size_t k = 0; k < sizeof z; k++) /* in the same order on every machine */
			weight[i + k] = (uint8_t)(z >> 8 * k);
	}
	poisson(weight);
}

void bootstrap_add(struct bootstrap *s, const uint8_t weight[REPLICATES], enum label labelled, enum label predicted)
{
	uint32_t *count = s->confusion[labelled][predicted];
	if (s->n == MOST_RECORDS)
		return;
	s->n++;
	for (size_t i = 0; i < REPLICATES; i++)
		count[i] += weight[i];
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static double quantile(const double *sorted, size_t n, double share)
{
	double at = share * (double)(n - 1);
	size_t i = (size_t)at;
	return i + 1 < n ? sorted[i] + (at - (double)i) * (sorted[i + 1] - sorted[i]) : sorted[i];
}

static struct interval range(double *value, size_t n)
{
	if (n == 0)
		return (struct interval){NAN, NAN};
	sort(value, n, sizeof *value, by_size);
	return (struct interval){quantile(value, n, 0.025), quantile(value, n, 0.975)};
}

static struct figures replicate(const struct bootstrap *s, size_t i)
{
	struct accuracy m = {0};
	for (size_t c = 0; c < LABELS; c++)
		for (size_t k = 0; k < LABELS; k++)
			m.n += m.confusion[c][k] = s->confusion[c][k][i];
	return accuracy_figures(&m);
}

struct intervals bootstrap_intervals(const struct bootstrap *s)
{
	double accuracy[REPLICATES], macro_f1[REPLICATES];
	size_t n = 0;
	for (size_t i = 0; i < REPLICATES; i++) {
		struct figures f = replicate(s, i);
		if (isnan(f.accuracy)) /* few records: it drew none */
			continue;
		accuracy[n] = f.accuracy;
		macro_f1[n++] = f.macro_f1;
	}
	return (struct intervals){range(accuracy, n), range(macro_f1, n)};
}
