/* window.c - records, lines of windows to be merged, lines of a state, and conditions of alerts: whatever they hold,
 * the sums add up and what was taken in comes out. The first line says what the others are: "alert", "state", "merge"
 * or "records", and of windows which kind: "records gap". */
#include <math.h>

#include "lib/window/alert.h"
#include "lib/window/line.h"
#include "tests/fuzz/lib/check.h"

static struct vocabulary words;

static void try_condition(struct str text)
{
	struct err e = {0};
	double figure[FIGURES] = {1, -0.5, NAN, INFINITY};
	char *copy = fuzz_cstr(text);
	struct condition *c = copy ? condition_parse(copy, "alert", &e) : NULL;
	CHECK(c || !copy || (e.kind == ERR_USAGE && strstr(e.msg, "column")));
	if (c)
		condition_holds(c, figure);
	condition_free(c);
	free(copy);
}

/* Takes all windows out: how many records they had, each counted once though it is in several (steps). */
static uint64_t drain(struct windows *w, const struct line_conf *c, bool steps, bool json)
{
	struct closed_window out;
	struct buf b = {0};
	struct json_scan scan = {0};
	uint64_t n = 0;
	while (windows_next(w, &out)) {
		const struct aggregate *a = out.aggregate;
		uint64_t all = 0;
		for (int i = 0; i < SHARES; i++)
			all += a->label[i];
		CHECK(all == a->all.n && out.start < out.end && !isnan(out.ewm) && !isnan(aggregate_deviation(a)));
		buf_clear(&b);
		line_put(&out, c, "alert", &b);
		size_t length = b.n;
		json_pad(&b);
		/* The key is JSON where it was read as such, which that of a state is not. */
		CHECK(!json || json_scan(&scan, (struct str){b.p, length}) == 0);
		n += steps ? a->newest.n : all;
	}
	json_scan_free(&scan);
	buf_free(&b);
	return n;
}

static void take_lines(struct windows *w, const struct line_conf *c, struct str in, bool merge, bool steps)
{
	struct line_reader reader = {0};
	struct batch b = {0};
	uint64_t taken = 0;
	while (in.n) {
		batch_reset(&b);
		struct rec *r = batch_add(&b);
		r->line = json_padded(&b.mem, fuzz_line(&in));
		if (merge) {
			struct window_reading got;
			if (line_read_window(&reader, c, &b, r, &got) < 0)
				continue;
			uint64_t n = got.aggregate.all.n;
			if (windows_merge(w, got.key, got.start, got.end, &got.aggregate, 1, 0) == WINDOWS_TAKEN)
				taken += n;
			aggregate_free(&got.aggregate, c->aggregate);
		} else {
			struct record_reading got;
			if (line_read(&reader, c, &b, r, &got) == 0 &&
			    windows_add(w, got.key, got.time, &got.observation, 1, 0) == WINDOWS_TAKEN)
				taken++;
		}
	}
	windows_close(w);
	CHECK(drain(w, c, steps, true) == taken);
	CHECK(windows_held_from(w) == UINT64_MAX);
	batch_free(&b);
	line_reader_free(&reader);
}

static int keep(void *arg, struct str line, struct err *e)
{
	(void)e;
	buf_str(arg, line);
	buf_char(arg, '\n');
	return 0;
}

/* What is restored can be saved, and restored again. */
static void take_state(struct windows *w, const struct windows_conf *conf, const struct line_conf *c, struct str in)
{
	struct json_scan scan = {0};
	struct arena mem = {0};
	struct buf text = {0};
	struct err e;
	while (in.n)
		if (windows_restore(w, json_padded(&mem, fuzz_line(&in)), &scan, &mem) < 0)
			arena_reset(&mem);
	CHECK(windows_save(w, &(struct windows_writer){keep, &text}, &e) == 0);
	struct windows *again = windows_new(conf);
	struct str rest = buf_view(&text);
	while (rest.n)
		CHECK(windows_restore(again, json_padded(&mem, fuzz_line(&rest)), &scan, &mem) == 0);
	windows_close(w);
	drain(w, c, true, false);
	windows_free(again);
	json_scan_free(&scan);
	arena_free(&mem);
	buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct str by = {"source", 6};
	struct str in = fuzz_input(data, size), kind = fuzz_line(&in);
	if (str_eq(kind, STR("alert"))) {
		try_condition(in);
		return 0;
	}
	struct windows_conf conf = {
	    .every_ms = 60000, .of_ms = 180000, .gap_ms = 5000, .late_ms = 1000, .memory = 1 << 20};
	conf.aggregate = (struct aggregate_conf){.vocabulary = &words, .terms = 2, .sketch = true};
	bool gap = kind.n && kind.p[kind.n - 1] == 'p', merge = kind.n && kind.p[0] == 'm';
	conf.shape = gap ? SHAPE_SESSIONS : merge ? SHAPE_GIVEN : SHAPE_STEPS;
	struct line_conf line = {.by = &by, .nby = 1, .aggregate = &conf.aggregate};
	line.form = (struct rec_form){.text_name = STR("text"), .result_name = STR("sentiment")};
	struct windows *w = windows_new(&conf);
	if (kind.n && kind.p[0] == 's')
		take_state(w, &conf, &line, in);
	else
		take_lines(w, &line, in, merge, conf.shape == SHAPE_STEPS);
	windows_free(w);
	CHECK(words.map.n == 0);
	vocabulary_free(&words);
	words = (struct vocabulary){0};
	return 0;
}
