/* Quantiles within one per cent of the exact ones, whatever the order; words within their stated error. */
#include "lib/window/sketch.h"
#include "lib/window/terms.h"
#include "tests/unit/tap.h"

static uint64_t seed = 1;

/* SplitMix64 */
static uint64_t draw(void)
{
	uint64_t z = (seed += 0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

static bool near(double got, int64_t exact)
{
	double error = got - (double)exact, size = exact < 0 ? -(double)exact : (double)exact;
	return (error < 0 ? -error : error) <= 0.01 * size + 1e-9 * size;
}

/* Numbers of all magnitudes, of both signs. */
static void test_quantiles(size_t n)
{
	int64_t *number = xcalloc(n, sizeof *number);
	struct sketch s = {0}, half[2] = {{0}, {0}};
	for (size_t i = 0; i < n; i++) {
		number[i] = (int64_t)(draw() % (uint64_t)SKETCH_MOST) >> draw() % 50;
		number[i] = draw() % 3 ? number[i] : -number[i];
		sketch_add(&s, number[i]);
		sketch_add(&half[i % 2], number[i]);
	}
	qsort(number, n, sizeof *number, by_number);
	bool all = true;
	for (size_t i = 0; i <= 100; i++) {
		double q = (double)i / 100;
		all &= near(sketch_quantile(&s, n, q), number[(size_t)(q * (double)(n - 1))]);
	}
	ok(all, "all hundredths of %zu numbers are within 1 %%", n);
	sketch_merge(&half[0], &half[1]);
	bool same = half[0].buckets == s.buckets;
	for (uint32_t i = 0; same && i < s.buckets; i++)
		same = half[0].bucket[i].at == s.bucket[i].at && half[0].bucket[i].n == s.bucket[i].n;
	ok(same, "two halves merged are the whole");
	ok(sketch_growth(&s, 0) == 0 && sketch_growth(&s, 1000) > 0 && sketch_bytes(&s) >= s.buckets * sizeof *s.bucket,
	    "its size is known");
	sketch_free(&s);
	sketch_free(&half[0]);
	sketch_free(&half[1]);
	free(number);
}

static void test_buckets(void)
{
	ok(sketch_bucket_of(0) == 0, "zero has a bucket of its own");
	ok(sketch_bucket_of(1) == 1 && sketch_bucket_of(-1) == -1, "buckets begin at 1");
	ok(sketch_bucket_of(SKETCH_MOST) <= SKETCH_LAST && sketch_bucket_of(-SKETCH_MOST) >= -SKETCH_LAST,
	    "the greatest number has a bucket");
	bool rises = true;
	int32_t before = 0;
	for (int64_t n = 1; n < SKETCH_MOST; n += n / 300 + 1) {
		rises &= sketch_bucket_of(n) >= before && sketch_bucket_of(-n) == -sketch_bucket_of(n);
		before = sketch_bucket_of(n);
	}
	ok(rises, "buckets stand in the order of their numbers");
}

enum { WORDS = 300, MOST = 40 };

static struct str word_of(size_t i, char *room, size_t n)
{
	int length = snprintf(room, n, "word%zu", i);
	return (struct str){room, (size_t)length};
}

/* No counter is below the truth, nor above it by more than its error. */
static void check_terms(const struct term_summary *t, const uint64_t *truth, uint64_t n, const char *what)
{
	char room[32];
	bool low = false, high = false, wide = false;
	for (uint32_t i = 0; i < t->n; i++)
		for (size_t w = 0; w < WORDS; w++)
			if (str_eq(term_text(&t->term[i]), word_of(w, room, sizeof room))) {
				low |= t->term[i].weight < truth[w];
				high |= t->term[i].weight - t->term[i].error > truth[w];
				wide |= t->term[i].error > n / MOST;
			}
	ok(!low && !high && !wide, "%s: counts are within their error, and that is at most n/%d", what, MOST);
	is_u64(t->n, MOST, "%s: as many counters as there may be", what);
}

static void test_terms(void)
{
	struct vocabulary v = {0};
	struct term_summary whole = {0}, part[2] = {{0}, {0}};
	uint64_t truth[WORDS] = {0};
	char room[32];
	enum { N = 20000 };
	for (size_t i = 0; i < N; i++) {
		size_t w = (size_t)(draw() % WORDS * (draw() % WORDS) / WORDS);
		struct str word = word_of(w, room, sizeof room);
		truth[w]++;
		terms_add(&whole, &v, MOST, word, 1, -1);
		terms_add(&part[i % 2], &v, MOST, word, 1, -1);
	}
	check_terms(&whole, truth, N, "one summary");
	terms_merge(&part[0], &part[1], &v, MOST);
	check_terms(&part[0], truth, N, "two merged");
	const struct term *best[3];
	ok(terms_best(&whole, false, best, 3) == 3 && best[0]->weight >= best[1]->weight, "the heaviest come first");
	ok(terms_best(&whole, true, best, 0) == 0, "none are none");
	terms_free(&whole, &v);
	terms_free(&part[0], &v);
	terms_free(&part[1], &v);
	ok(v.map.n == 0 && v.bytes == 0, "words go with their last summary");
	vocabulary_free(&v);
}

static void test_order(void)
{
	struct vocabulary v = {0};
	struct term_summary t = {0};
	const struct term *best[3];
	terms_add(&t, &v, 8, STR("b"), 5, -5);
	terms_add(&t, &v, 8, STR("a"), 5, 5);
	terms_add(&t, &v, 8, STR("c"), 9, 4);
	terms_add(&t, &v, 8, STR("c"), 9, -4);
	ok(terms_best(&t, false, best, 3) == 3, "three words");
	is_str(term_text(best[0]), STR("c"), "by weight: the heaviest");
	is_str(term_text(best[1]), STR("a"), "and equal ones by their letters");
	terms_best(&t, true, best, 3);
	is_str(term_text(best[0]), STR("a"), "by value: the greatest sum");
	is_str(term_text(best[2]), STR("c"), "and what adds up to nothing last");
	ok(!terms_restore(&t, &v, 8, STR("a"), &(struct term){.weight = 1}), "a word stands in a summary once");
	ok(!terms_restore(&t, &v, 3, STR("d"), &(struct term){.weight = 1}), "and not more than there may be");
	terms_add(&t, &v, 8, STR("a"), UINT64_MAX, INT64_MAX);
	terms_best(&t, false, best, 1);
	ok(best[0]->weight == UINT64_MAX && best[0]->value == INT64_MAX, "sums saturate");
	terms_free(&t, &v);
	vocabulary_free(&v);
}

int main(void)
{
	test_buckets();
	test_quantiles(1);
	test_quantiles(10);
	test_quantiles(20000);
	test_terms();
	test_order();
	return tap_done();
}
