/* The law of the pump: what comes out is done with, in order; what fails is not accepted. */
#include <pthread.h>
#include <sched.h>

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
	struct source *g = gather_new(60, done);
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
	size_t n = (size_t)130 << 20;
	char *p = xcalloc(1, n);
	struct str large = {p, n}, small = STR("{}");
	struct source *g = gather_new(60, done);
	ok(gather_add(g, &large, 1, &c, &e) == 0, "130 MiB wait");
	ok(gather_add(g, &large, 1, &c, &e) < 0 && e.kind == ERR_ENV, "as many again do not fit: %s", e.msg);
	ok(gather_add(g, &small, 1, &c, &e) == 0, "a few bytes do");
	ok(gather_drop(g) == 2 && gather_add(g, &large, 1, &c, &e) == 0, "there is room again once they are gone");
	g->close(g, &e);
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
		test_gather(jobs);
	}
	for (int i = 0; i < LINES; i++)
		free((void *)line[i]);
	return tap_done();
}
