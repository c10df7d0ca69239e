/* The law of the pump: what comes out is done with, in order; what fails is not accepted. */
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include "lib/base/event.h"
#include "lib/base/io.h"
#include "lib/flow/gather.h"
#include "lib/flow/mem.h"
#include "lib/flow/pump.h"
#include "tests/unit/tap.h"

enum { LINES = 5000 };

static const char *line[LINES];

static void make_lines(void)
{
	for (int i = 0; i < LINES; i++) {
		char *p = xmalloc(32);
		snprintf(p, 32, i % 7 == 3 ? "{\"bad\":%d" : "{\"text\":\"%d\"}", i);
		line[i] = p;
	}
}

/* A stage that scans, yields now and then, and fails at a given record. */
struct conf {
	uint64_t fail_at;
};

struct context {
	const struct conf *conf;
	struct json_scan scan;
};

static void *open_ctx(const void *conf, struct err *e)
{
	(void)e;
	struct context *c = xcalloc(1, sizeof *c);
	c->conf = conf;
	return c;
}

static int run(void *ctx, struct batch *b, struct err *e)
{
	static const struct rec_form form = {
	    .text_name = {"text", 4}, .result_name = {"sentiment", 9}, .needs_text = true};
	struct context *c = ctx;
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (c->conf->fail_at && r->lineno == c->conf->fail_at)
			return err_set(e, ERR_ENV, "told to fail");
		if (rec_scan(b, r, &c->scan, &form) == 0)
			b->counter[COUNTER_SCORED]++;
		if (r->lineno % 64 == 0)
			sched_yield();
	}
	return 0;
}

static void close_ctx(void *ctx)
{
	json_scan_free(&((struct context *)ctx)->scan);
	free(ctx);
}

static const struct stage checking = {.name = "check", .pure = true, .open = open_ctx, .run = run, .close = close_ctx};

struct fixture {
	struct mem_source in;
	struct mem_sink out, rejects;
	struct counts counts;
	struct conf conf;
	struct step step;
	struct pump p;
};

static void setup(struct fixture *f, unsigned jobs, size_t batch)
{
	*f = (struct fixture){0};
	mem_source_init(&f->in, line, LINES);
	mem_sink_init(&f->out, LANE_OUT);
	mem_sink_init(&f->rejects, LANE_REJECTS);
	counts_start(&f->counts);
	f->step = (struct step){&checking, &f->conf};
	f->p = (struct pump){.source = &f->in.port,
	    .step = &f->step,
	    .nsteps = 1,
	    .out = &f->out.port,
	    .rejects = &f->rejects.port,
	    .limits = {.records = batch, .bytes = 1 << 20, .max_record = 1 << 20},
	    .jobs = jobs,
	    .counts = &f->counts};
}

static void teardown(struct fixture *f)
{
	mem_sink_free(&f->out);
	mem_sink_free(&f->rejects);
}

static size_t count_lines(const struct buf *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

/* The flushed output is the good lines in their order, up to some point. */
static bool in_order(const struct buf *b)
{
	size_t at = 0, i = 0;
	while (at < b->n) {
		while (i < LINES && i % 7 == 3)
			i++;
		size_t n = strlen(line[i]);
		if (b->n - at < n + 1 || memcmp(b->p + at, line[i], n) != 0 || b->p[at + n] != '\n')
			return false;
		at += n + 1;
		i++;
	}
	return true;
}

static void test_all(unsigned jobs, size_t batch)
{
	struct fixture f;
	struct err e = {0};
	setup(&f, jobs, batch);
	ok(pump(&f.p, &e) == 0, "-j %u -b %zu: runs through (%s)", jobs, batch, e.msg);
	is_u64(f.counts.in, LINES, "all came in");
	is_u64(f.counts.out + f.counts.rejected, LINES, "in = out + rejected");
	is_u64(count_lines(&f.out.flushed), f.counts.out, "all of them are out and flushed");
	is_u64(count_lines(&f.rejects.flushed), f.counts.rejected, "all rejects too");
	is_u64(f.counts.counter[COUNTER_SCORED], f.counts.out, "counters add up");
	is_u64(f.in.accepted, LINES, "all were accepted");
	ok(in_order(&f.out.flushed), "in their order");
	teardown(&f);
}

/* A fault anywhere: nothing is accepted that is not flushed, the rest is abandoned. */
static void test_fault(unsigned jobs, const char *what, void (*inject)(struct fixture *))
{
	struct fixture f;
	struct err e = {0};
	setup(&f, jobs, 100);
	inject(&f);
	ok(pump(&f.p, &e) < 0 && e.kind == ERR_ENV, "-j %u: a fault in %s is an error: %s", jobs, what, e.msg);
	ok(f.in.accepted < LINES, "not all is accepted");
	ok(f.in.accepted <= count_lines(&f.out.flushed) + count_lines(&f.rejects.flushed),
	    "nothing is accepted that is not out");
	ok(in_order(&f.out.flushed), "what is out is in order");
	ok(f.in.accepted + f.in.abandoned >= f.in.at - 100 && f.in.accepted + f.in.abandoned <= f.in.at,
	    "what was read is accepted or abandoned");
	teardown(&f);
}

static void stage_fault(struct fixture *f)
{
	f->conf.fail_at = 2345;
}

static void put_fault(struct fixture *f)
{
	f->out.fail_put_at = 13;
}

/* The sum that comes at the end, after 50 batches. */
static void end_put_fault(struct fixture *f)
{
	f->out.fail_put_at = 51;
}

static void flush_fault(struct fixture *f)
{
	f->out.fail_flush_at = 13;
}

static void reject_fault(struct fixture *f)
{
	f->rejects.fail_flush_at = 13;
}

static void next_fault(struct fixture *f)
{
	f->in.fail_next_at = 13;
}

static void accept_fault(struct fixture *f)
{
	f->in.fail_accept_at = 13;
}

/* ---- aggregates ---- */

/* Counts records, and gives one derived record for every `every` batches of which it then holds nothing; 0: only at the
 * end. */
struct sums {
	size_t every;
	bool fail_end, disorder;
	uint64_t held_most; /* records held at once */
};

struct summing {
	struct sums *conf;
	uint64_t first, last, n, seen;
};

static void *sum_open(const void *conf, struct err *e)
{
	(void)e;
	struct summing *s = xcalloc(1, sizeof *s);
	s->conf = (struct sums *)conf;
	s->first = HOLDS_NOTHING;
	return s;
}

static void put_sum(struct summing *s, struct batch *b, struct rec *r)
{
	r->line = arena_printf(&b->mem, "{\"sum\":%llu}", (unsigned long long)s->n);
	s->first = HOLDS_NOTHING;
	s->n = 0;
}

static int sum_run(void *ctx, struct batch *b, struct err *e)
{
	(void)e;
	struct summing *s = ctx;
	s->conf->disorder |= b->number != ++s->seen;
	for (size_t i = 0; i < b->n; i++) {
		if (b->rec[i].fate != FATE_OUT)
			continue;
		b->rec[i].fate = FATE_HELD;
		s->n++;
		if (s->first == HOLDS_NOTHING)
			s->first = b->number;
	}
	s->conf->held_most = s->n > s->conf->held_most ? s->n : s->conf->held_most;
	if (s->conf->every && s->seen % s->conf->every == 0)
		put_sum(s, b, batch_derive(b));
	return 0;
}

static uint64_t sum_held(void *ctx)
{
	return ((struct summing *)ctx)->first;
}

static int sum_end(void *ctx, struct batch *b, struct err *e)
{
	struct summing *s = ctx;
	if (s->conf->fail_end)
		return err_set(e, ERR_ENV, "told to fail at the end");
	put_sum(s, b, batch_add(b));
	return 0;
}

static const struct stage summing = {
    .name = "sum", .open = sum_open, .run = sum_run, .held_from = sum_held, .end = sum_end, .close = free};

struct aggregate {
	struct fixture f;
	struct sums sums;
	struct step step[2];
};

static void setup_sums(struct aggregate *a, unsigned jobs, size_t batch, size_t every)
{
	setup(&a->f, jobs, batch);
	a->sums = (struct sums){.every = every};
	a->step[0] = a->f.step;
	a->step[1] = (struct step){&summing, &a->sums};
	a->f.p.step = a->step;
	a->f.p.nsteps = 2;
}

/* The sum of what came out. */
static uint64_t total(const struct buf *b)
{
	uint64_t sum = 0;
	for (size_t at = 0; at < b->n; at = (size_t)((char *)memchr(b->p + at, '\n', b->n - at) - b->p) + 1)
		sum += strtoull(b->p + at + strlen("{\"sum\":"), NULL, 10);
	return sum;
}

static void test_aggregate(unsigned jobs, size_t every)
{
	struct aggregate a;
	struct err e = {0};
	setup_sums(&a, jobs, 100, every);
	struct counts *c = &a.f.counts;
	ok(pump(&a.f.p, &e) == 0, "-j %u, a sum every %zu batches: runs through (%s)", jobs, every, e.msg);
	is_u64(c->in, LINES, "derived records did not come in");
	is_u64(c->derived, every ? 50 / every + 1 : 1, "derived records");
	is_u64(c->out, c->derived, "only they came out");
	is_u64(c->in, c->out - c->derived + c->rejected + c->held, "in = out - derived + rejected + held");
	is_u64(total(&a.f.out.flushed), c->held, "what was held is in them");
	is_u64(a.f.in.accepted, LINES, "all were accepted, in order");
	ok(!a.sums.disorder, "the aggregate saw all batches in order");
	teardown(&a.f);
}

/* What is accepted is in a sum that is out, whatever fails. */
static void test_aggregate_fault(unsigned jobs, const char *what, size_t every, void (*inject)(struct fixture *))
{
	struct aggregate a;
	struct err e = {0};
	setup_sums(&a, jobs, 100, every);
	if (inject)
		inject(&a.f);
	else
		a.sums.fail_end = true;
	ok(pump(&a.f.p, &e) < 0, "-j %u, a sum every %zu batches: a fault in %s: %s", jobs, every, what, e.msg);
	ok(a.f.in.accepted <= total(&a.f.out.flushed) + count_lines(&a.f.rejects.flushed),
	    "%zu accepted, all of them in a sum that is out or rejected", a.f.in.accepted);
	ok(every || a.f.in.accepted == 0, "none if all is held");
	ok(a.f.in.accepted + a.f.in.abandoned >= a.f.in.at - 100 && a.f.in.accepted + a.f.in.abandoned <= a.f.in.at,
	    "the others that were read are abandoned");
	teardown(&a.f);
}

/* A source that gives no more than its window would wait for ever. */
static void test_window(unsigned jobs)
{
	struct aggregate a;
	struct err e = {0};
	setup_sums(&a, jobs, 100, 0);
	a.f.in.port.window = 1000;
	ok(pump(&a.f.p, &e) < 0 && e.kind == ERR_ENV, "-j %u: more held than the window: %s", jobs, e.msg);
	ok(a.f.in.accepted == 0 && a.sums.held_most <= 1000, "nothing is accepted, and no more was held");
	teardown(&a.f);
	setup_sums(&a, jobs, 100, 5);
	a.f.in.port.window = 1000;
	ok(pump(&a.f.p, &e) == 0, "within the window it runs through");
	teardown(&a.f);
	setup_sums(&a, jobs, 100, 0);
	a.f.in.port.window = 1000;
	a.f.in.port.accept = NULL;
	a.f.in.port.abandon = NULL;
	ok(pump(&a.f.p, &e) == 0, "and so it does without bound where nothing is to be accepted");
	teardown(&a.f);
}

/* After its failed put: says that it never takes lines whose number ends in 0. */
static bool refuse_some(struct sink *port, struct batch *b)
{
	struct mem_sink *m = (struct mem_sink *)port;
	bool any = false;
	for (size_t i = 0; m->puts >= m->fail_put_at && i < b->n; i++)
		if (b->rec[i].fate == FATE_OUT && b->rec[i].lineno % 10 == 0) {
			rec_reject(b, &b->rec[i], CODE_TOO_LONG, "told to refuse");
			any = true;
		}
	return any;
}

static void test_refused(unsigned jobs)
{
	struct fixture f;
	struct err e = {0};
	setup(&f, jobs, 97);
	f.out.port.refuse = refuse_some;
	f.out.fail_put_at = 2;
	ok(pump(&f.p, &e) == 0, "-j %u: a sink that refuses some records is no failure (%s)", jobs, e.msg);
	uint64_t refused = 0, bad = 0;
	for (uint64_t i = 1; i <= LINES; i++) {
		bad += (i - 1) % 7 == 3;
		refused += i > 97 && i % 10 == 0 && (i - 1) % 7 != 3;
	}
	is_u64(f.counts.rejected, bad + refused, "they are rejects, as are the bad ones");
	is_u64(count_lines(&f.rejects.flushed), bad + refused, "each once");
	is_u64(count_lines(&f.out.flushed), LINES - bad - refused, "and the rest is out, each once");
	is_u64(f.in.accepted, LINES, "all were accepted");
	teardown(&f);
}

static void test_interrupted(unsigned jobs)
{
	struct aggregate a;
	struct err e = {0};
	setup_sums(&a, jobs, 100, 0);
	a.f.in.stop_after = 700;
	ok(pump(&a.f.p, &e) < 0 && e.kind == ERR_ENV && a.f.counts.interrupted, "-j %u: an input that was cut: %s",
	    jobs, e.msg);
	ok(a.f.out.flushed.n == 0 && a.f.in.accepted == 0 && a.f.in.abandoned == 700, "gives no aggregate");
	teardown(&a.f);
	setup(&a.f, jobs, 100);
	a.f.in.stop_after = 700;
	ok(pump(&a.f.p, &e) < 0 && a.f.counts.interrupted, "without one it is an error too");
	is_u64(a.f.in.accepted, 700, "but what was read is delivered and accepted");
	teardown(&a.f);
	setup(&a.f, jobs, 100);
	a.f.in.stop_after = LINES;
	ok(pump(&a.f.p, &e) == 0 && !a.f.counts.interrupted, "a stop at its very end cuts nothing");
	teardown(&a.f);
}

/* ---- alarms ---- */

/* An aggregate that wants to run `rounds` times although nothing comes, and in its last round asks for the end; at the
 * end it has two batches more. */
struct alarms {
	int fd;
	int rounds, ends;
	struct stop stop;
	bool after_batch; /* the alarm comes after the only batch */
};

static void *alarm_open(const void *conf, struct err *e)
{
	(void)e;
	struct alarms *a = (struct alarms *)conf;
	if (!a->after_batch)
		event_signal(a->fd);
	return a;
}

static int alarm_run(void *ctx, struct batch *b, struct err *e)
{
	(void)e;
	struct alarms *a = ctx;
	for (size_t i = 0; i < b->n; i++)
		b->rec[i].fate = FATE_HELD;
	if (b->n) {
		event_signal(a->fd);
		return 0;
	}
	batch_derive(b)->line = STR("{\"round\":1}");
	if (--a->rounds)
		return 0;
	event_clear(a->fd);
	stop_raise(&a->stop);
	return 0;
}

static int alarm_fd(void *ctx)
{
	return ((struct alarms *)ctx)->fd;
}

static int alarm_end(void *ctx, struct batch *b, struct err *e)
{
	(void)e;
	batch_add(b)->line = STR("{\"end\":1}");
	return --((struct alarms *)ctx)->ends > 0;
}

static void alarm_close(void *ctx)
{
	(void)ctx;
}

static const struct stage alarming = {
    .name = "alarm", .open = alarm_open, .run = alarm_run, .alarm = alarm_fd, .end = alarm_end, .close = alarm_close};

static enum next wait_for_ever(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e);

static void test_alarm(unsigned jobs, bool after_batch)
{
	struct fixture f;
	struct err e = {0};
	struct source silent = {.next = wait_for_ever};
	struct alarms a = {.fd = event_open(), .rounds = 3, .ends = 2, .after_batch = after_batch};
	struct step step[2];
	setup(&f, jobs, 100);
	stop_init(&a.stop);
	step[0] = f.step;
	step[1] = (struct step){&alarming, &a};
	f.p.step = step;
	f.p.nsteps = 2;
	if (after_batch)
		f.in.n = 100;
	else
		f.p.source = &silent;
	f.p.limits.stop = &a.stop;
	ok(pump(&f.p, &e) == 0, "-j %u: an alarm %s (%s)", jobs, after_batch ? "after a batch" : "in silence", e.msg);
	is_str(buf_view(&f.out.flushed), STR("{\"round\":1}\n{\"round\":1}\n{\"round\":1}\n{\"end\":1}\n{\"end\":1}\n"),
	    "each round comes out, and the end in as many batches as it takes");
	is_u64(f.counts.derived, 5, "derived records are counted");
	close(a.fd);
	close(a.stop.fd);
	teardown(&f);
}

/* ---- the reader of the output ---- */

static enum next wait_for_ever(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	(void)s;
	(void)b;
	(void)e;
	return io_wait_readable(-1, wake, -1, l->stop) == IO_WOKEN ? NEXT_WOKEN : NEXT_END;
}

static void test_reader(unsigned jobs)
{
	struct fixture f;
	struct err e = {0};
	int end[2];
	struct source silent = {.next = wait_for_ever};
	setup(&f, jobs, 100);
	f.p.source = &silent;
	if (pipe(end) < 0)
		return;
	f.out.port.reader = end[1];
	close(end[0]);
	ok(pump(&f.p, &e) < 0 && e.kind == ERR_PIPE, "-j %u: the reader has gone while the input is silent: %s", jobs,
	    e.msg);
	close(end[1]);
	teardown(&f);
}

/* The gatherer: several threads hand in, each is answered once for each record. */
struct caller {
	struct source *gather;
	pthread_t thread;
	int id;
	unsigned answered, refused, handed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void done(struct rec *r, bool good)
{
	struct caller *c = r->caller;
	pthread_mutex_lock(&lock);
	c->answered += good;
	pthread_mutex_unlock(&lock);
}

static void *hand_in(void *arg)
{
	struct caller *c = arg;
	struct err e;
	for (int i = 0; i < 500; i++) {
		char text[3][64];
		struct str lines[3];
		for (int k = 0; k < 3; k++) {
			snprintf(text[k], sizeof text[k], "{\"text\":\"%d-%d-%d\"}", c->id, i, k);
			lines[k] = str_of(text[k]);
		}
		while (gather_add(c->gather, lines, 3, c, &e) < 0) {
			c->refused++;
			sched_yield();
		}
		c->handed += 3;
	}
	return NULL;
}

static void *end_after(void *arg)
{
	struct caller *c = arg;
	for (int i = 0; i < 4; i++)
		pthread_join(c[i].thread, NULL);
	gather_end(c->gather);
	return NULL;
}

static void test_gather(unsigned jobs)
{
	struct fixture f;
	struct err e = {0};
	struct caller c[4] = {0};
	pthread_t ender;
	setup(&f, jobs, 50);
	struct source *g = gather_new(60, NULL, done);
	f.p.source = g;
	for (int i = 0; i < 4; i++) {
		c[i] = (struct caller){.gather = g, .id = i};
		pthread_create(&c[i].thread, NULL, hand_in, &c[i]);
	}
	pthread_create(&ender, NULL, end_after, c);
	ok(pump(&f.p, &e) == 0, "-j %u: the gatherer is pumped (%s)", jobs, e.msg);
	pthread_join(ender, NULL);
	is_u64(f.counts.out, 4 * 500 * 3, "all that was handed in came out");
	bool all = true;
	for (int i = 0; i < 4; i++)
		all = all && c[i].answered == c[i].handed;
	ok(all, "each caller is answered for each record");
	struct str late = STR("{}");
	ok(gather_add(g, &late, 1, &c[0], &e) < 0 && e.kind == ERR_ENV, "after the end nothing is taken: %s", e.msg);
	g->close(g, &e);
	teardown(&f);
}

/* Few records may be many bytes. */
static void test_gather_bytes(void)
{
	struct err e = {0};
	struct caller c = {0};
	struct budget memory = {.limit = (uint64_t)256 << 20};
	size_t n = (size_t)130 << 20;
	char *p = xcalloc(1, n);
	struct str large = {p, n}, small = STR("{}");
	struct source *g = gather_new(60, &memory, done);
	ok(gather_add(g, &large, 1, &c, &e) == 0, "130 MiB wait");
	ok(gather_add(g, &large, 1, &c, &e) < 0 && e.kind == ERR_ENV, "as many again do not fit: %s", e.msg);
	ok(gather_add(g, &small, 1, &c, &e) == 0, "a few bytes do");
	ok(gather_drop(g) == 2 && gather_add(g, &large, 1, &c, &e) == 0, "there is room again once they are gone");
	g->close(g, &e);
	is_u64(budget_used(&memory), 0, "and at the end nothing is held");
	free(p);
}

int main(void)
{
	make_lines();
	test_gather_bytes();
	for (unsigned jobs = 1; jobs <= 4; jobs++) {
		test_all(jobs, 1);
		test_all(jobs, 97);
		test_all(jobs, 100000);
		test_fault(jobs, "a stage", stage_fault);
		test_fault(jobs, "put", put_fault);
		test_fault(jobs, "flush", flush_fault);
		test_fault(jobs, "the rejects", reject_fault);
		test_fault(jobs, "next", next_fault);
		test_fault(jobs, "accept", accept_fault);
		test_aggregate(jobs, 0);
		test_aggregate(jobs, 1);
		test_aggregate(jobs, 7);
		for (size_t every = 0; every < 8; every += 7) {
			test_aggregate_fault(jobs, "a stage", every, stage_fault);
			test_aggregate_fault(jobs, "put", every, every ? put_fault : end_put_fault);
			test_aggregate_fault(jobs, "flush", every, flush_fault);
			test_aggregate_fault(jobs, "the rejects", every, reject_fault);
			test_aggregate_fault(jobs, "next", every, next_fault);
			test_aggregate_fault(jobs, "the end", every, NULL);
		}
		test_window(jobs);
		test_interrupted(jobs);
		test_refused(jobs);
		test_reader(jobs);
		test_alarm(jobs, false);
		test_alarm(jobs, true);
		test_gather(jobs);
	}
	for (int i = 0; i < LINES; i++)
		free((void *)line[i]);
	return tap_done();
}
