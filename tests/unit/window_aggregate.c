/* Exact sums: what is merged, written and read again is what one would have had. */
#include <math.h>

#include "lib/window/aggregate.h"
#include "tests/unit/tap.h"

static struct vocabulary words;
static const struct aggregate_conf conf = {.vocabulary = &words, .terms = 3, .sketch = true};
static struct json_scan scan;
static struct arena mem;

static void test_scale(void)
{
	static const struct {
		const char *json;
		int64_t want;
	} row[] = {{"0.5,", 500000000}, {"-0.0001}", -100000}, {"1e-9 ", 1}, {"4e-10,", 0}, {"5e-10,", 1},
	    {"-5e-10,", -1}, {"0.1234567891,", 123456789}, {"-0,", 0}, {"123456.789,", 123456789000000},
	    {"1E2,", 100000000000}};
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		int64_t got = 7;
		struct str s = {row[i].json, strlen(row[i].json) - 1};
		ok(number_scale(s, SCORE_UNIT, SKETCH_MOST, &got) == 0 && got == row[i].want, "%.*s is %lld",
		    STR_FMT(s), (long long)row[i].want);
	}
	int64_t got;
	ok(number_scale(STR("1000001"), SCORE_UNIT, SKETCH_MOST, &got) < 0, "more than a million is too much");
	ok(number_scale(STR("-1e300"), SCORE_UNIT, SKETCH_MOST, &got) < 0, "and so is very little");
	ok(number_scale(STR("99999999999999999999999"), SCORE_UNIT, SKETCH_MOST, &got) < 0, "and many digits");
}

static void add(struct aggregate *a, int64_t score, const char *word)
{
	struct contribution c = {.word = str_of(word), .value = score / 1000};
	aggregate_add(a, &conf,
	    &(struct observation){
		.score = score, .label = score > 0 ? SHARE_POSITIVE : SHARE_NEGATIVE, .word = &c, .words = 1});
}

static void is_text(const struct aggregate *a, const char *want, const char *name)
{
	struct buf b = {0};
	aggregate_put_exact(a, &b);
	is_str(buf_view(&b), str_of(want), "%s", name);
	buf_free(&b);
}

/* Reads what was written, and says whether it is written again so. */
static bool reads_back(const struct aggregate *a)
{
	struct buf b = {0}, again = {0};
	struct aggregate got = {0};
	const char *why;
	aggregate_put_exact(a, &b);
	size_t n = b.n;
	json_pad(&b);
	bool good = aggregate_read(&got, &conf, (struct str){b.p, n}, &scan, &mem, &why) == 0;
	aggregate_put_exact(&got, &again);
	good &= str_eq((struct str){b.p, n}, buf_view(&again));
	aggregate_free(&got, &conf);
	buf_free(&b);
	buf_free(&again);
	return good;
}

static void test_figures(void)
{
	struct aggregate a = {0};
	for (int i = 0; i < 5; i++)
		add(&a, 100000001, "same");
	ok(aggregate_deviation(&a) == 0 && aggregate_mean(&a) == 0.100000001, "equal scores have no deviation");
	ok(aggregate_quantile(&a, 0.5) == 0.100000001, "and quantiles are within the least and the greatest");
	aggregate_free(&a, &conf);
	a = (struct aggregate){0};
	for (int i = 0; i < 1000; i++) {
		add(&a, SKETCH_MOST, "high");
		add(&a, -SKETCH_MOST, "low");
	}
	ok(fabs(aggregate_deviation(&a) - 1e6) < 1e-6 && aggregate_mean(&a) == 0, "the greatest scores add up");
	ok(aggregate_share(&a, SHARE_POSITIVE) == 0.5, "shares");
	ok(!aggregate_fits(&a, ~(uint128)0 >> 1) && aggregate_fits(&a, square_of(SKETCH_MOST)), "sums have an end");
	ok(reads_back(&a), "the greatest numbers are read back");
	aggregate_free(&a, &conf);
}

static void test_merge(void)
{
	struct aggregate whole = {0}, *part = xcalloc(3, sizeof *part);
	for (int i = 0; i < 300; i++) {
		int64_t score = (int64_t)i * 7919 % 2001 * 1000000 - 1000000000;
		const char *word = i % 3 ? "fine" : "bad";
		add(&whole, score, word);
		add(&part[i % 2], score, word);
	}
	aggregate_merge(&part[2], &part[1], &conf);
	aggregate_merge(&part[2], &part[0], &conf);
	ok(part[2].all.n == 300 && part[2].all.sum == whole.all.sum && part[2].squares == whole.squares,
	    "parts add up, in any order");
	ok(aggregate_deviation(&part[2]) == aggregate_deviation(&whole) &&
		aggregate_quantile(&part[2], 0.9) == aggregate_quantile(&whole, 0.9) && part[2].least == whole.least,
	    "and have the same figures");
	ok(reads_back(&whole), "what is written is read back");
	ok(aggregate_bytes(&whole) > 0 && aggregate_growth(&whole, &conf, &(struct observation){.score = 1}) == 0,
	    "a score of a known range takes no memory");
	aggregate_free(&whole, &conf);
	for (int i = 0; i < 3; i++)
		aggregate_free(&part[i], &conf);
	free(part);
}

static void test_text(void)
{
	struct aggregate a = {0};
	add(&a, -500000000, "b\"d");
	is_text(&a,
	    "{\"count\":1,\"sum\":\"-500000000\",\"squares\":\"250000000000000000\",\"min\":-500000000,\"max\":-"
	    "500000000,"
	    "\"labels\":[0,0,1],\"buckets\":[[-1003,1]],\"newest\":[0,\"0\"],\"terms\":[[\"b\\\"d\",1,0,0]],"
	    "\"contributing\":[[\"b\\\"d\",500000,0,-500000]]}",
	    "the exact object");
	aggregate_free(&a, &conf);
	static const char good[] = "{\"count\":2,\"sum\":\"3\",\"squares\":\"5\",\"min\":1,\"max\":2,\"labels\":[1,1,0]"
				   ",\"buckets\":[[1,1],[36,1]],"
				   "\"newest\":[0,\"0\"],\"terms\":[],\"contributing\":[]}";
	static const char *const swap[][2] = {{"\"count\":2", "\"count\":3"}, {"\"count\":2", "\"count\":-2"},
	    {"\"3\"", "\"5\""}, {"\"3\"", "\"x\""}, {"[1,1,0]", "[1,1]"}, {"[1,1,0]", "[1,2,0]"}, {"[1,1],", ""},
	    {"[36,1]", "[1,1]"}, {"[36,1]", "[9999,1]"}, {"[36,1]", "36"}, {"\"max\":2", "\"max\":0"},
	    {"\"terms\":[]", "\"terms\":[[\"a\",1,2,0]]"}, {"\"terms\":[]", "\"terms\":[[7,1,0,0]]"},
	    {"\"terms\":[]", "\"terms\":{}"}, {"\"newest\":[0", "\"newest\":[3"}};
	for (size_t i = 0; i <= COUNT_OF(swap); i++) {
		struct buf b = {0};
		const char *at = i ? strstr(good, swap[i - 1][0]) : good, *why = NULL;
		buf_add(&b, good, (size_t)(at - good));
		buf_str(&b, i ? str_of(swap[i - 1][1]) : STR(""));
		buf_str(&b, str_of(at + (i ? strlen(swap[i - 1][0]) : 0)));
		size_t n = b.n;
		json_pad(&b);
		int rc = aggregate_read(&a, &conf, (struct str){b.p, n}, &scan, &mem, &why);
		ok(i ? rc < 0 && why : rc == 0, "%s: %s", i ? "refused" : "read", i ? swap[i - 1][1] : "the whole");
		aggregate_free(&a, &conf);
		a = (struct aggregate){0};
		buf_free(&b);
	}
}

int main(void)
{
	test_scale();
	test_figures();
	test_merge();
	test_text();
	vocabulary_free(&words);
	json_scan_free(&scan);
	arena_free(&mem);
	return tap_done();
}
