/* aggregate.c - exact sums, a sketch and two summaries of words. */
#include "lib/window/aggregate.h"

#include <math.h>

const char *const share_name[SHARES] = {"positive", "neutral", "negative"};

static uint32_t counters(const struct aggregate_conf *c)
{
	return TERM_COUNTERS * c->terms;
}

uint128 square_of(int64_t score)
{
	return (uint128)((int128)score * score);
}

bool aggregate_fits(const struct aggregate *a, uint128 squares)
{
	return squares <= ((uint128)1 << 126) - a->squares;
}

static uint64_t weight_of(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

void aggregate_add(struct aggregate *a, const struct aggregate_conf *c, const struct observation *o)
{
	a->least = a->all.n && a->least < o->score ? a->least : o->score;
	a->greatest = a->all.n && a->greatest > o->score ? a->greatest : o->score;
	a->all.n++;
	a->all.sum += o->score;
	a->squares += square_of(o->score);
	a->label[o->label]++;
	sketch_add(&a->sketch, o->score);
	for (size_t i = 0; i < o->words && c->terms; i++) {
		const struct contribution *w = &o->word[i];
		if (!w->again)
			terms_add(&a->frequent, c->vocabulary, counters(c), w->word, 1, 0);
		if (w->value)
			terms_add(&a->weighty, c->vocabulary, counters(c), w->word, weight_of(w->value), w->value);
	}
}

void aggregate_merge(struct aggregate *to, const struct aggregate *from, const struct aggregate_conf *c)
{
	if (!from->all.n)
		return;
	to->least = to->all.n && to->least < from->least ? to->least : from->least;
	to->greatest = to->all.n && to->greatest > from->greatest ? to->greatest : from->greatest;
	to->all.n += from->all.n;
	to->all.sum += from->all.sum;
	to->squares += from->squares;
	for (int i = 0; i < SHARES; i++)
		to->label[i] += from->label[i];
	sketch_merge(&to->sketch, &from->sketch);
	terms_merge(&to->frequent, &from->frequent, c->vocabulary, counters(c));
	terms_merge(&to->weighty, &from->weighty, c->vocabulary, counters(c));
}

double aggregate_mean(const struct aggregate *a)
{
	return (double)a->all.sum / (double)a->all.n / SCORE_UNIT;
}

/* Around the whole number q below the mean: sum((x-q)^2) is small, so it is exact even though its parts may wrap; the
 * mean is q + r/n. */
double aggregate_deviation(const struct aggregate *a)
{
	int128 n = (int128)a->all.n, q = a->all.sum / n, r = a->all.sum % n;
	if (r < 0) {
		r += n;
		q--;
	}
	uint128 around = a->squares - 2 * (uint128)q * (uint128)a->all.sum + (uint128)n * (uint128)q * (uint128)q;
	double rest = (double)r / (double)n, variance = (double)around / (double)n - rest * rest;
	return variance > 0 ? sqrt(variance) / SCORE_UNIT : 0;
}

double aggregate_quantile(const struct aggregate *a, double q)
{
	double v = sketch_quantile(&a->sketch, a->all.n, q);
	v = v < (double)a->least ? (double)a->least : v > (double)a->greatest ? (double)a->greatest : v;
	return v / SCORE_UNIT;
}

double aggregate_share(const struct aggregate *a, int label)
{
	return (double)a->label[label] / (double)a->all.n;
}

size_t aggregate_growth(const struct aggregate *a, const struct aggregate_conf *c, const struct observation *o)
{
	size_t letters = 0;
	for (size_t i = 0; i < o->words; i++)
		letters += o->word[i].word.n;
	size_t n = sketch_growth(&a->sketch, 1);
	if (!o->words || !c->terms)
		return n;
	return n + terms_growth(&a->frequent, counters(c), (uint32_t)o->words, letters) +
	       terms_growth(&a->weighty, counters(c), (uint32_t)o->words, letters);
}

size_t aggregate_bytes(const struct aggregate *a)
{
	return sketch_bytes(&a->sketch) + terms_bytes(&a->frequent) + terms_bytes(&a->weighty);
}

void aggregate_free(struct aggregate *a, const struct aggregate_conf *c)
{
	sketch_free(&a->sketch);
	terms_free(&a->frequent, c->vocabulary);
	terms_free(&a->weighty, c->vocabulary);
}
