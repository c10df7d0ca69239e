/* Which windows close when, in which order, and what a state has of them. */
#include "lib/window/windows.h"
#include "tests/unit/tap.h"

static struct vocabulary words;

static struct windows_conf conf_of(enum shape shape)
{
	return (struct windows_conf){
	    .shape = shape, .every_ms = 10, .of_ms = 10, .gap_ms = 10, .aggregate = {.vocabulary = &words, .terms = 2}};
}

static uint64_t batch;

/* Each record comes in a batch of its own. */
static enum windows_result add(struct windows *w, const char *key, int64_t time, int64_t score)
{
	return windows_add(w, str_of(key), time, &(struct observation){.score = score}, ++batch, 0);
}

/* What has closed, as "START-END KEY COUNT; ...". */
static void drain(struct windows *w, struct buf *out)
{
	struct closed_window c;
	buf_clear(out);
	while (windows_next(w, &c))
		buf_printf(out, "%lld-%lld %.*s %llu; ", (long long)c.start, (long long)c.end, STR_FMT(c.key),
		    (unsigned long long)c.aggregate->all.n);
}

static void is_out(struct windows *w, const char *want, const char *name)
{
	struct buf b = {0};
	drain(w, &b);
	is_str(b.n ? buf_view(&b) : STR(""), str_of(want), "%s", name);
	buf_free(&b);
}

static void test_tumbling(void)
{
	struct windows_conf c = conf_of(SHAPE_STEPS);
	struct windows *w = windows_new(&c);
	batch = 0;
	c.late_ms = 5;
	add(w, "b", 3, 1);
	add(w, "a", 14, 1);
	add(w, "a", 9, 1);
	is_out(w, "", "nothing closes before the watermark");
	is_u64(windows_held_from(w), 1, "the first batch is held");
	add(w, "a", 15, 1);
	is_out(w, "0-10 a 1; 0-10 b 1; ", "a window closes when the watermark reaches its end, by keys");
	ok(add(w, "a", 9, 1) == WINDOWS_LATE, "then a record is late");
	is_u64(windows_held_from(w), 2, "the oldest batch of what is open");
	add(w, "c", -1000000, 1);
	ok(add(w, "a", 35, 1) == WINDOWS_TAKEN, "a later one is not");
	is_out(w, "10-20 a 2; ", "windows without a record do not come");
	windows_close(w);
	is_out(w, "30-40 a 1; ", "the end closes all");
	ok(!windows_any(w) && windows_held_from(w) == UINT64_MAX, "then nothing is held");
	windows_free(w);
}

static void test_hopping(void)
{
	struct windows_conf c = conf_of(SHAPE_STEPS);
	c.of_ms = 30;
	struct windows *w = windows_new(&c);
	add(w, "a", 5, 1);
	add(w, "a", 12, 1); /* closes -20-10 */
	add(w, "a", 6, 1);  /* comes too late for that one */
	is_out(w, "-20-10 a 1; ", "a late record is not in a window that had closed, whenever that comes out");
	windows_close(w);
	is_out(w, "-10-20 a 3; 0-30 a 3; 10-40 a 1; ", "but in the others");
	windows_free(w);
}

static void test_sessions(void)
{
	struct windows_conf c = conf_of(SHAPE_SESSIONS);
	c.late_ms = 100;
	struct windows *w = windows_new(&c);
	add(w, "a", 0, 1);
	add(w, "a", 10, 1);
	add(w, "a", 20, 1);
	add(w, "a", 15, 1);
	add(w, "b", 5, 1);
	windows_close(w);
	is_out(w, "0-10 a 1; 5-15 b 1; 10-30 a 3; ", "sessions join when they overlap, not when they touch");
	windows_free(w);
	c.late_ms = 0;
	w = windows_new(&c);
	batch = 0;
	add(w, "a", 0, 1);
	add(w, "a", 8, 1);
	add(w, "b", 12, 1);
	ok(add(w, "a", 2, 1) == WINDOWS_TAKEN, "a record whose own end has passed goes into a session that is open");
	add(w, "b", 18, 1);
	ok(add(w, "a", 7, 1) == WINDOWS_LATE, "but not into one that has closed and is not out yet");
	is_out(w, "0-18 a 3; ", "which comes as it was");
	is_u64(windows_held_from(w), 3, "a joined session holds its oldest batch");
	windows_free(w);
}

static void test_means(void)
{
	struct windows_conf c = conf_of(SHAPE_STEPS);
	struct closed_window out;
	c.half_life_ms = 10;
	struct windows *w = windows_new(&c);
	add(w, "a", 0, SCORE_UNIT);
	add(w, "a", 10, 0);
	windows_close(w);
	ok(windows_next(w, &out) && out.ewm == 1, "the first window is its own mean");
	*out.alerted = true;
	ok(windows_next(w, &out) && out.ewm == 0.5 / 1.5 && *out.alerted, "a half-life later it counts half");
	add(w, "a", 10 + 10 * (FORGOTTEN + 1), 0);
	windows_close(w);
	ok(windows_next(w, &out) && out.ewm == 0 && !*out.alerted, "and in the end it is forgotten");
	windows_free(w);
}

static void test_memory(void)
{
	struct windows_conf c = conf_of(SHAPE_STEPS);
	c.memory = 1 << 20;
	struct windows *w = windows_new(&c);
	char key[32];
	int taken = 0;
	for (; taken < 100000; taken++) {
		snprintf(key, sizeof key, "%d", taken);
		if (add(w, key, 5, 1) == WINDOWS_FULL)
			break;
	}
	ok(taken > 500 && taken < 5000 && windows_bytes(w) <= c.memory, "%d keys fill a MiB", taken);
	ok(add(w, "0", 5, 1) == WINDOWS_TAKEN, "one that is there takes nothing");
	windows_close(w);
	struct buf b = {0};
	drain(w, &b);
	ok(add(w, "x", 15, 1) == WINDOWS_TAKEN, "there is room again when a window has closed");
	buf_free(&b);
	for (int64_t t = 1; t < 3000; t++) {
		snprintf(key, sizeof key, "n%d", (int)t);
		if (add(w, key, t * 1000000, 1) != WINDOWS_TAKEN)
			ok(false, "keys of long ago are forgotten");
		struct closed_window out;
		while (windows_next(w, &out))
			;
	}
	ok(add(w, "k", INT64_C(253402300799999), 1) == WINDOWS_FAR,
	    "a window that ends after year 9999 cannot be written");
	windows_free(w);
}

/* ---- a state ---- */

struct lines {
	struct buf text;
};

static int keep(void *arg, struct str line, struct err *e)
{
	(void)e;
	buf_str(&((struct lines *)arg)->text, line);
	buf_char(&((struct lines *)arg)->text, '\n');
	return 0;
}

/* New: made again of what it saves. */
static struct windows *again(struct windows *w, const struct windows_conf *c)
{
	struct lines l = {0};
	struct err e;
	struct json_scan scan = {0};
	struct arena mem = {0};
	struct windows *made = windows_new(c);
	bool good = windows_save(w, &(struct windows_writer){keep, &l}, &e) == 0;
	json_pad(&l.text);
	for (char *p = l.text.p, *end = p + l.text.n, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		good &= windows_restore(made, (struct str){p, (size_t)(nl - p)}, &scan, &mem) == 0;
	}
	struct lines twice = {0};
	good &= windows_save(made, &(struct windows_writer){keep, &twice}, &e) == 0;
	ok(good && twice.text.n == l.text.n, "what is saved is restored");
	buf_free(&l.text);
	buf_free(&twice.text);
	json_scan_free(&scan);
	arena_free(&mem);
	windows_free(w);
	return made;
}

/* The same records, with and without going through a state after each. */
static void test_state(struct windows_conf c)
{
	static const int64_t time[] = {5, 14, 3, 27, 12, 26, 48, 41, 90, 88, 300};
	struct windows *plain = windows_new(&c), *saved = windows_new(&c);
	struct buf a = {0}, b = {0};
	for (size_t i = 0; i < COUNT_OF(time); i++) {
		enum windows_result want = add(plain, i % 3 ? "a" : "b", time[i], SCORE_UNIT / 7 * (int64_t)i);
		enum windows_result got = add(saved, i % 3 ? "a" : "b", time[i], SCORE_UNIT / 7 * (int64_t)i);
		drain(plain, &a);
		drain(saved, &b);
		ok(want == got && str_eq(buf_view(&a), buf_view(&b)), "record %zu", i);
		saved = again(saved, &c);
	}
	struct closed_window x, y;
	windows_close(plain);
	windows_close(saved);
	while (windows_next(plain, &x))
		ok(windows_next(saved, &y) && x.ewm == y.ewm && x.aggregate->all.sum == y.aggregate->all.sum,
		    "the same window at the end");
	ok(!windows_next(saved, &y), "and no other");
	static const char *const bad[] = {"{}", "[]", "{\"time\":[1,2]}", "{\"of\":7}",
	    "{\"of\":\"k\",\"ewm\":[1,2,3,4]}", "{\"in\":\"k\",\"at\":[1,2,3,4]}",
	    "{\"in\":\"k\",\"at\":[2,1,3,4],\"exact\":{}}"};
	struct json_scan scan = {0};
	struct arena mem = {0};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(windows_restore(plain, json_padded(&mem, str_of(bad[i])), &scan, &mem) < 0,
		    "not a line of a state: %s", bad[i]);
	json_scan_free(&scan);
	arena_free(&mem);
	windows_free(plain);
	windows_free(saved);
	buf_free(&a);
	buf_free(&b);
}

int main(void)
{
	test_tumbling();
	test_hopping();
	test_sessions();
	test_means();
	test_memory();
	struct windows_conf steps = conf_of(SHAPE_STEPS), sessions = conf_of(SHAPE_SESSIONS);
	steps.of_ms = 30;
	steps.late_ms = sessions.late_ms = 4;
	test_state(steps);
	test_state(sessions);
	is_u64(words.map.n, 0, "no word is left");
	vocabulary_free(&words);
	return tap_done();
}
