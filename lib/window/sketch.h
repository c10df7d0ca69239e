/* sketch.h - quantiles of numbers in little memory: DDSketch (C. Masson, J. Rim, H. Lee, "DDSketch: A Fast and
 * Fully-Mergeable Quantile Sketch with Relative-Error Guarantees", VLDB 2019).
 *
 *     struct sketch s = {0};
 *     sketch_add(&s, 250000000);              numbers are whole, here multiples of 1e-9
 * *     double median = sketch_quantile(&s, 1, 0.5);
 *     sketch_free(&s);
 *
 * A number falls into the bucket (g^(i-1), g^i] of its absolute value, with g = 1.01/0.99, and a quantile is the middle
 * of its bucket: it is at most 1 % of itself away from the exact value. That is the value of rank floor(q*(n-1)),
 * counted from 0, of the numbers in order. The sketch depends on the numbers alone, not on their order, and merging
 * two gives that of all their numbers.
 *
 * Buckets are counted exactly: a number above i is bucket i + 1, one below zero the negative of that, and zero bucket
 * 0, so buckets stand in the order of their numbers.
 */
#ifndef SENTI_SKETCH_H
#define SENTI_SKETCH_H

#include "lib/base/base.h"

/* |number| is at most SKETCH_MOST, and |bucket| at most SKETCH_LAST. */
#define SKETCH_MOST ((int64_t)1000000000000000)
enum { SKETCH_LAST = 1728 };

struct sketch_bucket {
	int32_t at;
	uint64_t n;
};

struct sketch {
	struct sketch_bucket *bucket; /* sorted, n > 0 */
	uint32_t buckets, cap;
};

int32_t sketch_bucket_of(int64_t number);
/* `n` numbers of a bucket. */
void sketch_put(struct sketch *s, int32_t bucket, uint64_t n);
static inline void sketch_add(struct sketch *s, int64_t number)
{
	sketch_put(s, sketch_bucket_of(number), 1);
}
void sketch_merge(struct sketch *to, const struct sketch *from);
/* Of the `n` numbers that were added, n > 0, 0 <= q <= 1; in their unit. */
double sketch_quantile(const struct sketch *s, uint64_t n, double q);
/* Bytes that its next `more` buckets would take beyond what it has. */
size_t sketch_growth(const struct sketch *s, uint32_t more);
size_t sketch_bytes(const struct sketch *s);
void sketch_free(struct sketch *s);

#endif
