/* Figures for Prometheus: the text, the registry under threads, and the counts of a run. */
#include <math.h>
#include <pthread.h>

#include "lib/metrics/counts.h"
#include "lib/metrics/process.h"
#include "lib/score/engine.h"
#include "tests/unit/tap.h"

static void label(const char *value, size_t n, const char *want)
{
	struct buf b = {0};
	exposition_label(&b, "l", (struct str){value, n});
	is_str(buf_view(&b), str_of(want), "the label %s", want);
	buf_free(&b);
}

static void value(double v, const char *want)
{
	struct buf b = {0};
	exposition_value(&b, "v", STR(""), v);
	is_str(buf_view(&b), str_of(want), "the value %.17g", v);
	buf_free(&b);
}

static void test_text(void)
{
	struct buf b = {0};
	label("plain", 5, "l=\"plain\"");
	label("", 0, "l=\"\"");
	label("a\"b\\c\nd", 7, "l=\"a\\\"b\\\\c\\nd\"");
	label("{le=\"1\"} 5\n# x", 14, "l=\"{le=\\\"1\\\"} 5\\n# x\"");
	label("caf\xc3\xa9", 5, "l=\"caf\xc3\xa9\"");
	label("\xff\xc3", 2, "l=\"\xef\xbf\xbd\xef\xbf\xbd\"");
	label("\xed\xa0\x80", 3, "l=\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");
	value(0, "v 0\n");
	value(0.1, "v 0.1\n");
	value(1795408106.8551488, "v 1795408106.8551488\n");
	value(90112000, "v 90112000\n");
	value(NAN, "v NaN\n");
	value(INFINITY, "v +Inf\n");
	value(-INFINITY, "v -Inf\n");
	exposition_family(&b, METRIC_GAUGE, "g", "with \\ and\nan end");
	exposition_count(&b, "g", STR("a=\"1\""), UINT64_MAX);
	is_str(buf_view(&b), STR("# HELP g with \\\\ and\\nan end\n# TYPE g gauge\ng{a=\"1\"} 18446744073709551615\n"),
	    "a family");
	buf_clear(&b);
	exposition_histogram(&b, "h", STR("r=\"x\""), (const double[]){0.5, 2}, 2, (const uint64_t[]){3, 0, 4}, 12.5);
	is_str(buf_view(&b),
	    STR("h_bucket{r=\"x\",le=\"0.5\"} 3\nh_bucket{r=\"x\",le=\"2\"} 3\nh_bucket{r=\"x\",le=\"+Inf\"} 7\n"
		"h_sum{r=\"x\"} 12.5\nh_count{r=\"x\"} 7\n"),
	    "buckets are cumulative");
	buf_free(&b);
}

static void collect(void *arg, struct buf *out)
{
	exposition_count(out, arg, STR(""), 1);
}

static const double bounds[] = {1, 10};
static const struct family_def counter_def = {
    .kind = METRIC_COUNTER, .name = "c_total", .help = "C.", .label = {"route", "code"}};
static const struct family_def gauge_def = {.kind = METRIC_GAUGE, .name = "g", .help = "G."};
static const struct family_def histogram_def = {
    .kind = METRIC_HISTOGRAM, .name = "h", .help = "H.", .label = {"route"}, .bound = bounds, .nbounds = 2};

static void test_registry(void)
{
	struct registry *r = registry_new();
	struct family *c = registry_family(r, &counter_def), *g = registry_family(r, &gauge_def);
	static char own[] = "own";
	registry_collect(r, collect, own);
	struct family *h = registry_family(r, &histogram_def);
	struct buf b = {0};
	struct series *s = family_series(c, (struct str[]){STR("/v1"), STR("200")});
	series_add(s, 2);
	series_add(family_series(c, (struct str[]){STR("/v1"), STR("404")}), 1);
	ok(family_series(c, (struct str[]){STR("/v1"), STR("200")}) == s, "the same labels are the same series");
	ok(family_series(c, (struct str[]){STR("/v1,code=\"200"), STR("")}) != s, "labels cannot imitate others");
	ok(family_series(c, (struct str[]){STR("\xff"), STR("")}) ==
		family_series(c, (struct str[]){STR("\xfe"), STR("")}),
	    "nor be written the same and be two");
	series_set(family_series(g, NULL), 5);
	series_move(family_series(g, NULL), -1.5);
	struct series *d = family_series(h, (struct str[]){STR("/v1")});
	const double seen[] = {0, 1, 1.5, 10, 11, NAN};
	for (size_t i = 0; i < 5; i++)
		series_observe(d, seen[i]);
	registry_write(r, &b);
	is_str(buf_view(&b),
	    STR("# HELP c_total C.\n# TYPE c_total counter\n"
		"c_total{route=\"/v1\",code=\"200\"} 2\nc_total{route=\"/v1\",code=\"404\"} 1\n"
		"c_total{route=\"/v1,code=\\\"200\",code=\"\"} 0\nc_total{route=\"\xef\xbf\xbd\",code=\"\"} 0\n"
		"# HELP g G.\n# TYPE g gauge\ng 3.5\nown 1\n"
		"# HELP h H.\n# TYPE h histogram\n"
		"h_bucket{route=\"/v1\",le=\"1\"} 2\nh_bucket{route=\"/v1\",le=\"10\"} "
		"4\nh_bucket{route=\"/v1\",le=\"+Inf\"} 5\n"
		"h_sum{route=\"/v1\"} 23.5\nh_count{route=\"/v1\"} 5\n"),
	    "all families, in their order");
	series_observe(d, seen[5]);
	buf_clear(&b);
	registry_write(r, &b);
	buf_char(&b, 0);
	ok(strstr(b.p, "le=\"+Inf\"} 6\n") && strstr(b.p, "h_sum{route=\"/v1\"} NaN\n"),
	    "what is not a number lies above all");
	buf_free(&b);
	registry_free(r);
}

static size_t count_of(const struct buf *b, const char *text)
{
	size_t n = 0;
	for (const char *p = b->p; (p = strstr(p, text)); p++)
		n++;
	return n;
}

/* A client that makes up paths must not fill the memory. */
static void test_many_series(void)
{
	struct registry *r = registry_new();
	struct family *c = registry_family(r, &counter_def);
	struct buf b = {0};
	for (int i = 0; i < 3 * REGISTRY_SERIES; i++) {
		char name[24];
		snprintf(name, sizeof name, "/%d", i);
		series_add(family_series(c, (struct str[]){str_of(name), STR("200")}), 1);
	}
	registry_write(r, &b);
	buf_char(&b, 0);
	is_u64(count_of(&b, "\nc_total{"), REGISTRY_SERIES + 1, "series beyond the limit are one");
	ok(strstr(b.p, "c_total{route=\"other\",code=\"other\"} 1000\n") != NULL, "which has their sum");
	buf_free(&b);
	registry_free(r);
}

enum { THREADS = 4, ROUNDS = 20000, KEPT_ROUNDS = 1000000 };

struct crowd {
	struct registry *r;
	struct family *c, *h, *g;
	atomic_bool done;
};

static void *work(void *arg)
{
	struct crowd *w = arg;
	struct series *kept = family_series(w->c, (struct str[]){STR("/kept"), STR("")});
	for (int i = 0; i < KEPT_ROUNDS; i++)
		series_add(kept, 1);
	for (int i = 0; i < ROUNDS; i++) {
		char code[8];
		snprintf(code, sizeof code, "%d", i % 40);
		series_add(family_series(w->c, (struct str[]){STR("/"), str_of(code)}), 1);
		series_observe(family_series(w->h, (struct str[]){STR("/")}), i % 20);
		series_move(family_series(w->g, NULL), i % 2 ? -1 : 1);
	}
	return NULL;
}

/* Sum of the values of all samples that begin with `name`. */
static uint64_t sum_of(const struct buf *b, const char *name)
{
	uint64_t n = 0;
	for (const char *p = b->p; (p = strstr(p, name)); p++)
		n += strtoull(strchr(p, ' ') + 1, NULL, 10);
	return n;
}

static void *scrape(void *arg)
{
	struct crowd *w = arg;
	static bool even = true;
	uint64_t last = 0;
	while (!atomic_load(&w->done)) {
		struct buf b = {0};
		registry_write(w->r, &b);
		buf_char(&b, 0);
		uint64_t all = sum_of(&b, "\nc_total{"), above = sum_of(&b, "\nh_bucket{route=\"/\",le=\"+Inf\"");
		even = even && all >= last && above == sum_of(&b, "\nh_count{");
		last = all;
		buf_free(&b);
	}
	return &even;
}

static void test_threads(void)
{
	struct crowd w = {.r = registry_new()};
	pthread_t worker[THREADS], scraper;
	struct buf b = {0};
	void *even;
	w.c = registry_family(w.r, &counter_def);
	w.h = registry_family(w.r, &histogram_def);
	w.g = registry_family(w.r, &gauge_def);
	pthread_create(&scraper, NULL, scrape, &w);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&worker[i], NULL, work, &w);
	for (int i = 0; i < THREADS; i++)
		pthread_join(worker[i], NULL);
	atomic_store(&w.done, true);
	pthread_join(scraper, &even);
	ok(*(bool *)even, "scrapes meanwhile never go back, and their histograms are whole");
	registry_write(w.r, &b);
	buf_char(&b, 0);
	is_u64(sum_of(&b, "\nc_total{"), THREADS * (ROUNDS + KEPT_ROUNDS), "no count is lost");
	is_u64(sum_of(&b, "\nh_count{"), THREADS * ROUNDS, "nor in the histogram");
	ok(strstr(b.p, "\ng 0\n") != NULL, "nor in the gauge");
	buf_free(&b);
	registry_free(w.r);
}

/* ---- the counts of a run ---- */

static const struct envelope envelope;

static void add(struct batch *b, enum fate fate, const char *code, bool from_queue)
{
	struct rec *r = batch_add(b);
	r->fate = fate;
	r->code = code;
	r->envelope = from_queue ? &envelope : NULL;
}

static const char *shown(struct counts *c, const char *model, unsigned show)
{
	static struct buf b;
	buf_clear(&b);
	counts_expose(c, model, show, &b);
	buf_char(&b, 0);
	return b.p;
}

#define has(text, what, name) ok(strstr((text), (what)) != NULL, "%s: %.*s", name, (int)strcspn(what, "\n"), what)
#define lacks(text, what, name) ok(strstr((text), (what)) == NULL, "%s: lacks something", name)

static void test_counts(void)
{
	struct counts c;
	struct batch b = {0};
	counts_start(&c);
	const char *t = shown(&c, "m\"1", 1u << COUNTER_SCORED | 1u << COUNTER_STORED);
	has(t, "senti_records_in_total 0\n", "at the start");
	has(t, "senti_score_texts_total{model=\"m\\\"1\"} 0\n", "at the start");
	has(t, "senti_writes_total{result=\"stored\"} 0\n", "at the start");
	lacks(t, "unchanged", "at the start");
	lacks(t, "senti_queue", "without a queue");
	lacks(t, "dead_lettered", "without a queue");

	for (int i = 0; i < 7; i++)
		add(&b, FATE_OUT, NULL, true);
	add(&b, FATE_REJECTED, CODE_NO_TEXT, true);
	add(&b, FATE_REJECTED, CODE_NO_TEXT, false);
	add(&b, FATE_REJECTED, "evil\"} 1\nsenti_fake_total 7\n\xff", true);
	add(&b, FATE_HELD, NULL, true);
	b.flush_reason = FLUSH_TIME;
	b.counter[COUNTER_SCORED] = 7;
	b.counter[COUNTER_REDELIVERED] = 2;
	counts_batch(&c, &b, true);
	counts_batch(&c, &b, false);
	counts_queue(&c);
	counts_reconnected(&c);
	counts_unacked(&c, 5);
	ok(counts_balance(&c), "the sums hold");
	t = shown(&c, "m", 0);
	has(t, "senti_records_in_total 22\n", "two batches");
	has(t, "senti_records_out_total 14\n", "two batches");
	has(t, "senti_records_rejected_total{code=\"no_text\"} 4\n", "two batches");
	has(t, "{code=\"evil\\\"} 1\\nsenti_fake_total 7\\n\xef\xbf\xbd\"} 2\n", "a hostile code");
	lacks(t, "\nsenti_fake_total", "a hostile code");
	has(t, "senti_records_held_total 2\n", "two batches");
	has(t, "senti_batch_size_bucket{le=\"10\"} 0\nsenti_batch_size_bucket{le=\"20\"} 2\n", "sizes");
	has(t, "senti_batch_size_bucket{le=\"+Inf\"} 2\nsenti_batch_size_sum 22\nsenti_batch_size_count 2\n", "sizes");
	has(t, "senti_batch_flush_total{reason=\"time\"} 2\n", "reasons");
	has(t, "senti_batch_flush_total{reason=\"full\"} 0\n", "reasons");
	has(t, "senti_score_texts_total{model=\"m\"} 14\n", "counters");
	has(t, "senti_queue_redelivered_total 4\n", "queue");
	has(t, "senti_queue_unacked 5\n", "queue");
	has(t, "senti_queue_reconnects_total 1\n", "queue");
	has(t, "senti_dead_lettered_total{reason=\"no_text\"} 1\n", "only what came as a message and went to a queue");
	batch_reset(&b);
	for (int i = 0; i < 3; i++)
		add(&b, FATE_OUT, NULL, false);
	b.derived = b.n;
	counts_batch(&c, &b, false);
	ok(counts_balance(&c), "the sums hold with what an end made");
	t = shown(&c, NULL, 0);
	has(t, "senti_records_in_total 22\n", "what an end made has not come in");
	has(t, "senti_records_out_total 17\n", "but goes out");
	lacks(t, "senti_score_texts_total", "texts of no model, which another sum tells");
	has(t, "senti_batch_size_sum 25\n", "in a batch");
	batch_free(&b);
}

/* Each size up to the greatest is in the first bucket that is not smaller. */
static void test_sizes(void)
{
	struct counts c;
	struct batch b = {0};
	counts_start(&c);
	for (int n = 1; n <= 10001; n++) {
		add(&b, FATE_OUT, NULL, false);
		if (n <= 3 || n == 100 || n == 101 || n >= 10000)
			counts_batch(&c, &b, false);
	}
	const char *t = shown(&c, NULL, 0);
	has(t, "{le=\"1\"} 1\nsenti_batch_size_bucket{le=\"2\"} 2\nsenti_batch_size_bucket{le=\"5\"} 3\n",
	    "small batches");
	has(t, "{le=\"50\"} 3\nsenti_batch_size_bucket{le=\"100\"} 4\nsenti_batch_size_bucket{le=\"200\"} 5\n",
	    "middling");
	has(t, "{le=\"5000\"} 5\nsenti_batch_size_bucket{le=\"10000\"} 6\nsenti_batch_size_bucket{le=\"+Inf\"} 7\n",
	    "big");
	batch_free(&b);
}

/* The tools inside a worker's command may say any code. */
static void test_many_codes(void)
{
	struct counts c;
	struct batch b = {0};
	static char code[3 * COUNTS_CODES][16];
	counts_start(&c);
	for (int i = 0; i < 3 * COUNTS_CODES; i++) {
		snprintf(code[i], sizeof code[i], "code_%d", i);
		add(&b, FATE_REJECTED, code[i], true);
	}
	counts_batch(&c, &b, true);
	counts_batch(&c, &b, true);
	counts_queue(&c);
	const char *t = shown(&c, NULL, 0);
	const struct buf all = {.p = (char *)t};
	is_u64(count_of(&all, "\nsenti_records_rejected_total{"), COUNTS_CODES + 1, "codes beyond the limit are one");
	has(t, "senti_records_rejected_total{code=\"other\"} 256\n", "with their sum");
	has(t, "senti_dead_lettered_total{reason=\"other\"} 256\n", "and that of dead letters");
	is_u64(sum_of(&all, "\nsenti_records_rejected_total{"), 2 * 3 * COUNTS_CODES, "none is lost");
	batch_free(&b);
}

/* A scraper refuses a text in which a family begins twice. */
static void test_families(void)
{
	struct counts c;
	counts_start(&c);
	counts_queue(&c);
	const char *t = shown(&c, "m", ~0u);
	size_t families = 0, again = 0;
	for (const char *p = t; (p = strstr(p, "# TYPE ")); p++) {
		char name[100];
		snprintf(name, sizeof name, "%.*s", (int)strcspn(p + 7, " ") + 8, p);
		families++;
		again += strstr(p + 1, name) != NULL;
	}
	ok(families >= 14 && again == 0, "%zu families, each once", families);
}

static void test_process(void)
{
	struct buf b = {0};
	process_write(NULL, &b);
	buf_char(&b, 0);
	ok(sum_of(&b, "\nprocess_start_time_seconds ") > 1700000000, "a start in this century");
	ok(sum_of(&b, "\nprocess_resident_memory_bytes ") > 100000, "some memory");
	ok(sum_of(&b, "\nprocess_open_fds ") >= 3, "some descriptors");
	ok(strstr(b.p, "\nprocess_cpu_seconds_total ") != NULL, "time");
	buf_free(&b);
}

int main(void)
{
	test_text();
	test_registry();
	test_many_series();
	test_threads();
	test_counts();
	test_sizes();
	test_many_codes();
	test_families();
	test_process();
	return tap_done();
}
