/* The stage in a pump: what comes out when, and what is accepted only then. */
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/flow/mem.h"
#include "lib/flow/pump.h"
#include "lib/window/stage.h"
#include "tests/unit/tap.h"

#define RECORD(time, score)                                                                                            \
	"{\"id\":\"" time "\",\"time\":\"2024-05-01T10:" time                                                          \
	"Z\",\"sentiment\":{\"label\":\"neutral\",\"score\":" score "}}"

static const char *const line[] = {RECORD("00:01", "0.5"), RECORD("00:02", "0.7"), RECORD("01:00", "0.1"), "{}",
    RECORD("00:03", "0.5"), RECORD("02:00", "0.25")};

struct fixture {
	struct mem_source in;
	struct mem_sink out, rejects;
	struct counts counts;
	struct window_conf conf;
	struct step step;
	struct pump p;
	bool done;
};

static void setup(struct fixture *f, size_t batch)
{
	*f = (struct fixture){0};
	f->conf = (struct window_conf){
	    .windows = {.every_ms = 60000, .of_ms = 60000, .aggregate = {.terms = 3}},
	    .line.form = {.text_name = STR("text"), .result_name = STR("sentiment")},
	    .ahead_ms = -1,
	    .done = &f->done,
	};
	mem_source_init(&f->in, line, COUNT_OF(line));
	mem_sink_init(&f->out, LANE_OUT);
	mem_sink_init(&f->rejects, LANE_REJECTS);
	counts_start(&f->counts);
	f->step = (struct step){&window_stage, &f->conf};
	f->p = (struct pump){
	    .source = &f->in.port,
	    .step = &f->step,
	    .nsteps = 1,
	    .out = &f->out.port,
	    .rejects = &f->rejects.port,
	    .limits = {.records = batch, .bytes = 1 << 20, .max_record = 1 << 20},
	    .jobs = 1,
	    .counts = &f->counts,
	};
}

static void teardown(struct fixture *f)
{
	mem_sink_free(&f->out);
	mem_sink_free(&f->rejects);
}

static size_t lines_in(const struct buf *b)
{
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

static void test_lines(size_t batch)
{
	struct fixture f;
	struct err e = {0};
	setup(&f, batch);
	ok(pump(&f.p, &e) == 0 && f.done, "batches of %zu: runs through (%s)", batch, e.msg);
	is_u64(lines_in(&f.out.flushed), 3, "three windows");
	is_u64(f.counts.rejected, 2, "one record has no time, and one is late");
	is_u64(f.counts.counter[COUNTER_LATE], 1, "which is counted");
	is_u64(f.counts.counter[COUNTER_WINDOWS], 3, "and so are windows");
	is_u64(f.in.accepted, COUNT_OF(line), "all was accepted");
	ok(memmem(f.out.flushed.p, f.out.flushed.n, "\"count\":2,\"mean\":0.6,", 21) != NULL,
	    "the first has two records");
	ok(memmem(f.rejects.flushed.p, f.rejects.flushed.n, "\"no_time\"", 9) != NULL &&
		memmem(f.rejects.flushed.p, f.rejects.flushed.n, "\"late\"", 6) != NULL,
	    "rejects say why");
	teardown(&f);
}

/* The first window comes out with the third record; its put fails. */
static void test_fault(void)
{
	struct fixture f;
	struct err e = {0};
	setup(&f, 1);
	f.out.fail_put_at = 3;
	ok(pump(&f.p, &e) < 0 && !f.done, "a put that fails ends the run: %s", e.msg);
	ok(f.in.accepted == 0 && f.in.abandoned == 3, "nothing of the window was accepted");
	teardown(&f);
}

/* ---- silence ---- */

/* Gives what mem gives, and then nothing until something has come out. */
struct silent {
	struct source port;
	struct fixture *f;
};

static enum next silent_next(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct fixture *f = ((struct silent *)s)->f;
	enum next next = f->in.port.next(&f->in.port, b, l, wake, e);
	if (next != NEXT_END || f->out.flushed.n)
		return next;
	return io_wait_readable(-1, wake, -1, NULL) == IO_WOKEN ? NEXT_WOKEN : NEXT_END;
}

static void test_idle(void)
{
	struct fixture f;
	struct err e = {0};
	setup(&f, 10);
	struct silent silent = {.port.next = silent_next, .f = &f};
	f.in.n = 2;
	f.p.source = &silent.port;
	f.conf.idle_close_ms = 20;
	ok(pump(&f.p, &e) == 0 && f.done, "silence closes the windows (%s)", e.msg);
	is_u64(lines_in(&f.out.flushed), 1, "once");
	teardown(&f);
}

/* ---- a state ---- */

static void test_state(void)
{
	char dir[] = "/tmp/senti-test-XXXXXX", path[64];
	struct fixture f;
	struct err e = {0};
	struct stop stop;
	if (!mkdtemp(dir))
		return;
	snprintf(path, sizeof path, "%s/state", dir);
	setup(&f, 1);
	stop_init(&stop);
	f.conf.stop = &stop;
	f.conf.dedupe = 100;
	f.conf.saved = saved_open(path, "test", &e);
	f.in.n = 3;
	f.out.fail_flush_at = 3;
	ok(f.conf.saved && pump(&f.p, &e) < 0, "a run that ends while its first window comes out");
	is_u64(f.in.accepted, 2, "what is in the state was accepted before its window is out");
	saved_close(f.conf.saved, f.done);
	teardown(&f);

	setup(&f, 2);
	f.conf.stop = &stop;
	f.conf.dedupe = 100;
	f.conf.saved = saved_open(path, "test", &e);
	ok(f.conf.saved && pump(&f.p, &e) == 0 && f.done, "the next one goes on (%s)", e.msg);
	is_u64(lines_in(&f.out.flushed), 3, "that window comes again, and the others");
	is_u64(f.counts.counter[COUNTER_DUPLICATES], 3, "records that it knows count once");
	ok(memmem(f.out.flushed.p, f.out.flushed.n, "\"count\":2,\"mean\":0.6,", 21) != NULL,
	    "the first has two records");
	saved_close(f.conf.saved, f.done);
	ok(access(path, F_OK) < 0, "at the end the state is gone");
	teardown(&f);

	setup(&f, 2);
	f.conf.stop = &stop;
	f.conf.saved = saved_open(path, "test", &e);
	stop_raise(&stop);
	ok(f.conf.saved && pump(&f.p, &e) == 0 && !f.done, "a stop leaves the windows in the state");
	is_u64(lines_in(&f.out.flushed), 2, "those that had closed are out");
	saved_close(f.conf.saved, f.done);
	ok(unlink(path) == 0 && rmdir(dir) == 0, "and the state stays");
	close(stop.fd);
	teardown(&f);
}

int main(void)
{
	log_init("test", LOG_ERROR, LOG_PLAIN);
	test_lines(1);
	test_lines(4);
	test_lines(100);
	test_fault();
	test_idle();
	test_state();
	return tap_done();
}
