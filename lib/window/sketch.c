/* sketch.c - buckets by a table of their bounds, so that no rounding of a logarithm decides. */
#include "lib/window/sketch.h"

static const double growth = 1.01 / 0.99;

/* bound[i] is the greatest number of bucket i, and from[k] the first bucket that reaches 2^k. */
static int64_t bound[SKETCH_LAST];
static double middle[SKETCH_LAST];
static int32_t from[64];

__attribute__((constructor)) static void make_table(void)
{
	double power = 1;
	int k = 0;
	for (int32_t i = 0; i < SKETCH_LAST; i++, power *= growth) {
		bound[i] = (int64_t)power;
		middle[i] = 2 * power / (growth + 1);
		for (; k < 63 && bound[i] >= (int64_t)1 << k; k++)
			from[k] = i;
	}
}

/* The first bucket whose bound is at least n, n > 0. */
static int32_t place(int64_t n)
{
	int k = 63 - __builtin_clzll((uint64_t)n);
	int32_t low = from[k], high = k < 49 ? from[k + 1] : SKETCH_LAST - 1;
	while (low < high) {
		int32_t mid = (low + high) / 2;
		if (bound[mid] >= n)
			high = mid;
		else
			low = mid + 1;
	}
	return low + 1;
}

int32_t sketch_bucket_of(int64_t number)
{
	return number > 0 ? place(number) : number < 0 ? -place(-number) : 0;
}

static uint32_t next_cap(uint32_t cap)
{
	return cap ? cap + cap / 2 : 4;
}

size_t sketch_growth(const struct sketch *s, uint32_t more)
{
	uint32_t cap = s->cap;
	while (cap < s->buckets + more)
		cap = next_cap(cap);
	return (cap - s->cap) * sizeof *s->bucket;
}

size_t sketch_bytes(const struct sketch *s)
{
	return s->cap * sizeof *s->bucket;
}

void sketch_put(struct sketch *s, int32_t bucket, uint64_t n)
{
	uint32_t low = 0, high = s->buckets;
	while (low < high) {
		uint32_t mid = (low + high) / 2;
		if (s->bucket[mid].at < bucket)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < s->buckets && s->bucket[low].at == bucket) {
		s->bucket[low].n += n;
		return;
	}
	if (s->buckets == s->cap) {
		s->cap = next_cap(s->cap);
		s->bucket = xreallocarray(s->bucket, s->cap, sizeof *s->bucket);
	}
	memmove(s->bucket + low + 1, s->bucket + low, (s->buckets - low) * sizeof *s->bucket);
	s->bucket[low] = (struct sketch_bucket){bucket, n};
	s->buckets++;
}

void sketch_merge(struct sketch *to, const struct sketch *other)
{
	for (uint32_t i = 0; i < other->buckets; i++)
		sketch_put(to, other->bucket[i].at, other->bucket[i].n);
}

double sketch_quantile(const struct sketch *s, uint64_t n, double q)
{
	uint64_t rank = (uint64_t)(q * (double)(n - 1)), below = 0;
	uint32_t i = 0;
	while (i + 1 < s->buckets && (below += s->bucket[i].n) <= rank)
		i++;
	int32_t at = s->bucket[i].at;
	return at > 0 ? middle[at - 1] : at < 0 ? -middle[-at - 1] : 0;
}

void sketch_free(struct sketch *s)
{
	free(s->bucket);
	*s = (struct sketch){0};
}
