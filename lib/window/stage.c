/* stage.c - takes records into windows, keeps them safe, and puts out what has closed, in pieces. */
#include "lib/window/stage.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/window/chart.h"
#include "lib/window/journal.h"

/* Bytes of lines in one batch; the rest of what has closed comes out in further ones. */
enum { PIECE = 1 << 20 };

struct window_context {
	const struct window_conf *conf;
	struct windows_conf windows_conf;
	struct line_conf line_conf;
	struct vocabulary vocabulary;
	struct windows *windows;
	struct recent recent;
	struct places places;
	struct window_journal journal;
	struct line_reader reader;
	struct batch again; /* records of the state */
	struct buf line;
	int timer;
	int64_t idle_at; /* clock_mono_ms */
	int64_t now;	 /* wall clock, of the batch; 0: a state is read */
	bool nameless;	 /* while a state is read: the record has no id of its own */
	bool ended;
};

/* ---- out ---- */

static void set_figures(const struct closed_window *w, double figure[FIGURES])
{
	const struct aggregate *a = w->aggregate;
	figure[FIGURE_COUNT] = (double)a->all.n;
	figure[FIGURE_MEAN] = aggregate_mean(a);
	figure[FIGURE_STDEV] = aggregate_deviation(a);
	figure[FIGURE_P50] = aggregate_quantile(a, 0.5);
	figure[FIGURE_P90] = aggregate_quantile(a, 0.9);
	figure[FIGURE_P99] = aggregate_quantile(a, 0.99);
	figure[FIGURE_EWM] = w->ewm;
	figure[FIGURE_POSITIVE] = aggregate_share(a, SHARE_POSITIVE);
	figure[FIGURE_NEUTRAL] = aggregate_share(a, SHARE_NEUTRAL);
	figure[FIGURE_NEGATIVE] = aggregate_share(a, SHARE_NEGATIVE);
}

/* True if the line of this window is to come out: of a key that was below its alert until now. */
static bool rises(const struct window_conf *c, const struct closed_window *w)
{
	double figure[FIGURES];
	if (!c->alert)
		return true;
	set_figures(w, figure);
	bool holds = condition_holds(c->alert, figure), was = *w->alerted;
	bool over = c->clear ? condition_holds(c->clear, figure) : !holds;
	*w->alerted = was ? !over : holds;
	return !was && holds;
}

static void put_window(struct window_context *c, struct batch *b, const struct closed_window *w)
{
	const struct window_conf *f = c->conf;
	buf_clear(&c->line);
	if (f->chart)
		chart_put(w, &c->line_conf, &(struct chart){f->width, f->colour}, &c->line);
	else
		line_put(w, &c->line_conf, f->alert ? f->alert_text : NULL, &c->line);
	batch_derive(b)->line = arena_str(&b->mem, buf_view(&c->line));
}

/* Adds lines of closed windows to the batch: true if there are more. */
static bool put_windows(struct window_context *c, struct batch *b)
{
	struct closed_window w;
	for (size_t bytes = 0; bytes < PIECE; bytes += c->line.n + 256) {
		if (!windows_next(c->windows, &w))
			return false;
		buf_clear(&c->line);
		if (!rises(c->conf, &w))
			continue;
		put_window(c, b, &w);
		b->counter[COUNTER_WINDOWS]++;
	}
	return windows_ripe(c->windows);
}

/* ---- in ---- */

/* What becomes of a record that could be read: what windows.h says, and two verdicts more. */
enum { VERDICT_AHEAD = WINDOWS_TOO_BIG + 1, VERDICT_REPEATED };

static const struct {
	const char *code, *reason;
} refusal[VERDICT_REPEATED] = {
    [WINDOWS_LATE] = {CODE_LATE, "all its windows are closed (--late keeps them open longer)"},
    [WINDOWS_FULL] = {CODE_TOO_MANY, "the windows have no room for it (--memory)"},
    [WINDOWS_FAR] = {CODE_BAD_TIME, "its window is not within the years 1 to 9999"},
    [WINDOWS_TOO_BIG] = {CODE_TOO_MANY, "the sum of the squares would be too large"},
    [VERDICT_AHEAD] = {CODE_BAD_TIME, "it is too far ahead of the clock (--ahead)"},
};

static uint64_t extra_bytes(const struct window_context *c)
{
	return recent_bytes(&c->recent);
}

/* Gives the record the fate that the verdict says. */
static void judge(struct batch *b, struct rec *r, unsigned verdict)
{
	r->fate = FATE_HELD;
	if (verdict == VERDICT_REPEATED)
		b->counter[COUNTER_DUPLICATES]++;
	else if (verdict != WINDOWS_TAKEN)
		rec_reject(b, r, refusal[verdict].code, "%s", refusal[verdict].reason);
	b->counter[COUNTER_LATE] += verdict == WINDOWS_LATE;
}

/* A queue gives a record without an id one that is made of its bytes: that is not its own. */
static bool has_own_id(struct window_context *c, const struct rec *r)
{
	if (!r->id.p || c->nameless)
		return false;
	if (!r->envelope || r->envelope->id.n)
		return true;
	return json_scan(&c->reader.item, r->envelope->body) == 0 && json_find(&c->reader.item, STR("id"));
}

/* Takes a record in: a verdict; or -1, and it is rejected since it cannot be read. */
static int take_record(struct window_context *c, struct batch *b, struct rec *r)
{
	struct record_reading in;
	struct recent_id id = {{0, 0}};
	if (line_read(&c->reader, &c->line_conf, b, r, &in) < 0)
		return -1;
	if (c->now && c->conf->ahead_ms >= 0 && in.time > c->now + c->conf->ahead_ms)
		return VERDICT_AHEAD;
	bool own = c->recent.most && has_own_id(c, r);
	if (own) {
		id = recent_of(r->id);
		if (recent_has(&c->recent, id))
			return VERDICT_REPEATED;
	}
	enum windows_result result =
	    windows_add(c->windows, in.key, in.time, &in.observation, b->number, extra_bytes(c));
	if (own && result == WINDOWS_TAKEN)
		recent_add(&c->recent, id);
	return (int)result;
}

static int take_window(struct window_context *c, struct batch *b, struct rec *r)
{
	struct window_reading in;
	if (line_read_window(&c->reader, &c->line_conf, b, r, &in) < 0)
		return -1;
	enum windows_result result =
	    windows_merge(c->windows, in.key, in.start, in.end, &in.aggregate, b->number, extra_bytes(c));
	aggregate_free(&in.aggregate, c->line_conf.aggregate);
	return (int)result;
}

static int take(struct window_context *c, struct batch *b, struct rec *r)
{
	return c->conf->merge ? take_window(c, b, r) : take_record(c, b, r);
}

/* 1: the run before has dealt with the record; its verdict stays, though by now it might be another. */
static int passes(struct batch *b, struct rec *r, struct input_place *at, struct err *e)
{
	unsigned verdict;
	int rc = at ? place_passes(at, r, &verdict, e) : 0;
	if (rc != 1 || r->long_line) /* whose rest has to be drained */
		return rc;
	judge(b, r, verdict < VERDICT_REPEATED ? verdict : WINDOWS_TAKEN);
	b->counter[COUNTER_RESUMED] += r->fate == FATE_HELD;
	return 1;
}

static void take_new(struct window_context *c, struct batch *b, struct rec *r, struct input_place *at)
{
	int verdict = take(c, b, r);
	if (verdict < 0)
		return;
	judge(b, r, (unsigned)verdict);
	if (c->conf->saved && verdict == WINDOWS_TAKEN)
		journal_record(&c->journal, at, r, has_own_id(c, r));
	else if (c->conf->saved)
		journal_refused(&c->journal, at, r, (unsigned)verdict);
}

/* True if the record is the last of its input in the batch that may mark its place. */
static bool ends_input(const struct batch *b, size_t i)
{
	const struct rec *r = &b->rec[i];
	for (size_t next = i + 1; next < b->n && b->rec[next].origin == r->origin; next++)
		if (!b->rec[next].long_line)
			return false;
	return !r->long_line;
}

static int take_batch(struct window_context *c, struct batch *b, struct err *e)
{
	bool saves = c->conf->saved != NULL;
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		struct input_place *at = saves ? places_of_record(&c->places, r) : NULL;
		int rc = passes(b, r, at, e);
		if (rc < 0)
			return -1;
		if (rc == 0 && r->fate == FATE_OUT)
			take_new(c, b, r, at);
		if (at && rc == 0 && ends_input(b, i))
			journal_reach(&c->journal, at, r);
	}
	return 0;
}

/* ---- the timer ---- */

/* Readable at once, after so many milliseconds, or (-1) never. */
static void set_timer(struct window_context *c, int64_t ms)
{
	struct itimerspec t = {.it_value = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}};
	if (ms == 0)
		t.it_value.tv_nsec = 1;
	if (ms < 0)
		t = (struct itimerspec){0};
	timerfd_settime(c->timer, 0, &t, NULL);
}

static void wait_on(struct window_context *c, bool more)
{
	int64_t idle = c->conf->idle_close_ms, left = c->idle_at - clock_mono_ms();
	if (more)
		set_timer(c, 0);
	else if (idle && windows_any(c->windows))
		set_timer(c, left > 0 ? left : 0);
	else
		set_timer(c, -1);
}

static int close_all(struct window_context *c, struct err *e)
{
	windows_close(c->windows);
	if (!c->conf->saved)
		return 0;
	journal_closed(&c->journal);
	return journal_commit(&c->journal, e);
}

/* ---- the stage ---- */

static int run_alarm(struct window_context *c, struct err *e)
{
	bool idle = c->conf->idle_close_ms && clock_mono_ms() >= c->idle_at;
	return idle && !windows_ripe(c->windows) && windows_any(c->windows) ? close_all(c, e) : 0;
}

static int run_batch(struct window_context *c, struct batch *b, struct err *e)
{
	c->now = clock_wall_ms();
	c->idle_at = clock_mono_ms() + c->conf->idle_close_ms;
	if (!c->conf->saved)
		return take_batch(c, b, e);
	if (!windows_ripe(c->windows) && journal_snapshot(&c->journal, e) < 0)
		return -1;
	return take_batch(c, b, e) < 0 ? -1 : journal_commit(&c->journal, e);
}

static int window_run(void *ctx, struct batch *b, struct err *e)
{
	struct window_context *c = ctx;
	if ((b->n ? run_batch(c, b, e) : run_alarm(c, e)) < 0)
		return -1;
	wait_on(c, put_windows(c, b));
	return 0;
}

static uint64_t window_held_from(void *ctx)
{
	struct window_context *c = ctx;
	return c->conf->saved ? HOLDS_NOTHING : windows_held_from(c->windows);
}

static int window_alarm(void *ctx)
{
	return ((struct window_context *)ctx)->timer;
}

static int window_end(void *ctx, struct batch *b, struct err *e)
{
	struct window_context *c = ctx;
	if (c->conf->saved && stop_raised(c->conf->stop))
		return windows_ripe(c->windows) ? 0 : journal_out(&c->journal, e);
	if (!c->ended && (places_check(&c->places, e) < 0 || close_all(c, e) < 0))
		return -1;
	c->ended = true;
	bool more = put_windows(c, b);
	if (!more)
		*c->conf->done = true;
	return more;
}

/* ---- going on with a state ---- */

static int take_again(void *arg, struct str line, bool own_id, struct err *e)
{
	struct window_context *c = arg;
	c->nameless = !own_id;
	struct batch *b = &c->again;
	batch_reset(b);
	struct rec *r = batch_add(b);
	r->line = json_padded(&b->mem, line);
	if (take(c, b, r) >= 0)
		return 0;
	return err_set(
	    e, ERR_ENV, "a record of the state is rejected now: %.*s (was --memory larger?)", STR_FMT(r->why));
}

static void close_again(void *arg)
{
	windows_close(((struct window_context *)arg)->windows);
}

/* What is out already. */
static void let_go(void *arg)
{
	struct window_context *c = arg;
	struct closed_window w;
	while (windows_next(c->windows, &w))
		rises(c->conf, &w);
}

static int go_on(struct window_context *c, struct err *e)
{
	const struct journal_reader reader = {take_again, close_again, let_go, c};
	if (!c->conf->saved)
		return 0;
	c->journal = (struct window_journal){
	    .saved = c->conf->saved, .windows = c->windows, .places = &c->places, .recent = &c->recent};
	int rc = journal_read(&c->journal, &reader, e);
	c->nameless = false;
	return rc;
}

static void window_close(void *ctx)
{
	struct window_context *c = ctx;
	windows_free(c->windows);
	vocabulary_free(&c->vocabulary);
	recent_free(&c->recent);
	places_free(&c->places);
	journal_release(&c->journal);
	line_reader_free(&c->reader);
	batch_free(&c->again);
	buf_free(&c->line);
	if (c->timer >= 0)
		close(c->timer);
	free(c);
}

static void *window_open(const void *conf, struct err *e)
{
	struct window_context *c = xcalloc(1, sizeof *c);
	c->conf = conf;
	c->windows_conf = c->conf->windows;
	c->windows_conf.aggregate.vocabulary = &c->vocabulary;
	c->line_conf = c->conf->line;
	c->line_conf.aggregate = &c->windows_conf.aggregate;
	c->windows = windows_new(&c->windows_conf);
	c->recent.most = c->conf->dedupe;
	c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (c->timer < 0)
		err_sys(e, "cannot make a timer");
	else if (go_on(c, e) == 0) {
		c->idle_at = clock_mono_ms() + c->conf->idle_close_ms;
		wait_on(c, windows_ripe(c->windows));
		return c;
	}
	window_close(c);
	return NULL;
}

const struct stage window_stage = {
    .name = "window",
    .open = window_open,
    .run = window_run,
    .held_from = window_held_from,
    .end = window_end,
    .alarm = window_alarm,
    .close = window_close,
};
