/* An answer of ordered slots: filled in any order, late, cancelled, by threads, after the client has gone; and who
 * frees it. */
#include "lib/serve/reply.h"

#include "tests/unit/tap.h"

static const struct str record = {"{\"text\":\"t\"}", 12};

static size_t reserve(struct reply *r, size_t n)
{
	struct str *list = xcalloc(n, sizeof *list);
	for (size_t i = 0; i < n; i++)
		list[i] = record;
	size_t first = r->gone + r->nslots;
	ok(reply_reserve(r, list, n), "there is memory for %zu slots", n);
	free(list);
	return first;
}

/* Fills a slot and lets go of it. */
static enum reply_wake fill(struct reply *r, size_t slot, const char *text)
{
	enum reply_wake wake = reply_fill(r, slot, text ? str_of(text) : STR_NONE);
	ok(!reply_release(r), "somebody still holds it");
	return wake;
}

static void is_answer(struct reply *r, const char *want, const char *what)
{
	struct buf out;
	struct spool spool;
	ok(reply_finish(r, &out, &spool), "there is space");
	is_str(buf_view(&out), str_of(want), "%s", what);
	buf_free(&out);
	spool_free(&spool);
}

static void end(struct reply *r)
{
	ok(reply_leave(r), "the last reference");
	reply_free(r);
}

static void test_order(void)
{
	struct reply r;
	reply_init(&r, REPLY_ARRAY, NULL, NULL);
	is_u64(reserve(&r, 2), 0, "the first slot");
	is_u64(reserve(&r, 2), 2, "a slot after them");
	ok(!reply_end(&r), "none is filled yet");
	ok(fill(&r, 2, "c") == REPLY_NOTHING, "the third first");
	is_u64(r.out.n, 0, "waits for those before it");
	ok(fill(&r, 0, "a") == REPLY_NOTHING && fill(&r, 3, "d") == REPLY_NOTHING, "two more");
	is_str(buf_view(&r.out), STR("[a"), "the first alone is in the answer");
	ok(fill(&r, 1, "b") == REPLY_COMPLETE, "the last completes it");
	is_answer(&r, "[a,b,c,d]\n", "in the order of the slots");
	ok(!r.late && !r.failed, "as it should be");
	end(&r);
}

static void test_forms(void)
{
	struct reply r;
	reply_init(&r, REPLY_ONE, NULL, NULL);
	reserve(&r, 1);
	ok(fill(&r, 0, "x") == REPLY_NOTHING, "filled before the owner waits");
	ok(reply_end(&r), "it need not wait");
	is_answer(&r, "x\n", "one item");
	end(&r);
	reply_init(&r, REPLY_LINES, NULL, NULL);
	reserve(&r, 2);
	fill(&r, 1, "y");
	fill(&r, 0, "x");
	is_answer(&r, "x\ny\n", "lines");
	end(&r);
	reply_init(&r, REPLY_ARRAY, NULL, NULL);
	ok(reply_end(&r), "nothing to wait for");
	is_answer(&r, "[]\n", "no items");
	end(&r);
}

static void test_late(void)
{
	struct reply r;
	reply_init(&r, REPLY_ARRAY, NULL, NULL);
	reserve(&r, 3);
	ok(reply_put(&r, 0, STR("id0")) && reply_put(&r, 1, STR("id1")), "what counts if nothing better comes");
	ok(!reply_end(&r), "it is waited for");
	fill(&r, 1, "result1");
	fill(&r, 2, "rejected");
	is_u64(r.out.n, 0, "the first is open, whatever it has");
	ok(fill(&r, 0, NULL) == REPLY_COMPLETE && r.late, "the time is over");
	is_answer(&r, "[id0,result1,rejected]\n", "what there is");
	end(&r);
}

static void test_failed(void)
{
	struct reply r;
	reply_init(&r, REPLY_ARRAY, NULL, NULL);
	reserve(&r, 2);
	ok(!reply_end(&r), "two to come");
	fill(&r, 1, "b");
	ok(reply_fail(&r, 0) == REPLY_COMPLETE && r.failed, "nothing is known of one");
	ok(!reply_release(&r), "the owner still holds it");
	end(&r);
}

static void test_cancelled(void)
{
	struct reply r;
	reply_init(&r, REPLY_ARRAY, NULL, NULL);
	reserve(&r, 1);
	is_u64(reserve(&r, 3), 1, "three more");
	reply_cancel(&r, 3);
	ok(!reply_end(&r), "one is left");
	ok(fill(&r, 0, "a") == REPLY_COMPLETE, "and was the last");
	is_answer(&r, "[a]\n", "without the cancelled");
	end(&r);
}

/* The owner sleeps above a limit, and is asked for once at the half. */
static void test_pause(void)
{
	enum { N = REPLY_ITEMS + 1 };
	struct reply r;
	size_t woken = 0, at = 0;
	reply_init(&r, REPLY_LINES, NULL, NULL);
	reserve(&r, REPLY_ITEMS);
	ok(!reply_loaded(&r), "as much as may be");
	reserve(&r, N - REPLY_ITEMS);
	ok(reply_loaded(&r) && reply_pause(&r), "one more");
	for (size_t i = 0; i < N; i++) {
		enum reply_wake wake = reply_fill(&r, i, STR("x"));
		woken += wake == REPLY_READ_ON;
		at = wake == REPLY_READ_ON ? N - 1 - i : at;
		if (reply_release(&r))
			ok(false, "nobody holds it");
	}
	is_u64(woken, 1, "asked for once");
	is_u64(at, REPLY_ITEMS / 2, "at the half");
	ok(!reply_pause(&r), "then there is no reason to sleep");
	ok(reply_end(&r), "all are filled");
	end(&r);
	/* Bytes count until a batch has taken the record, even if its slot stays open. */
	const struct str large = {NULL, REPLY_BYTES + 1};
	reply_init(&r, REPLY_LINES, NULL, NULL);
	ok(reply_reserve(&r, &large, 1), "there is memory for a slot");
	ok(reply_loaded(&r), "a large record");
	reply_put(&r, 0, STR("id"));
	ok(!reply_loaded(&r), "is taken");
	fill(&r, 0, "x");
	end(&r);
}

static void test_gone(void)
{
	struct reply r;
	reply_init(&r, REPLY_LINES, NULL, NULL);
	reserve(&r, 2);
	ok(!reply_end(&r), "two to come");
	ok(!reply_leave(&r), "the client goes; two hold the reply");
	ok(!reply_put(&r, 1, STR("b")), "nobody waits for a better text");
	ok(fill(&r, 0, "a") == REPLY_NOTHING, "nobody is woken");
	is_u64(r.out.n, 0, "and nothing kept");
	ok(reply_fill(&r, 1, STR_NONE) == REPLY_NOTHING && reply_release(&r), "the last filler frees it");
	reply_free(&r);
}

/* ---- many threads ---- */

enum { THREADS = 4, EACH = 2000 };

struct filler {
	struct reply *r;
	size_t first;
	size_t complete, freed;
};

static void *fill_some(void *arg)
{
	struct filler *f = arg;
	for (size_t i = 0; i < EACH; i++) {
		char text[24];
		size_t slot = f->first + i * THREADS;
		snprintf(text, sizeof text, "%zu", slot);
		f->complete += reply_fill(f->r, slot, str_of(text)) == REPLY_COMPLETE;
		f->freed += reply_release(f->r);
	}
	return NULL;
}

static void test_threads(void)
{
	struct reply r;
	struct filler f[THREADS];
	pthread_t thread[THREADS];
	struct buf want = {0};
	size_t complete = 0;
	reply_init(&r, REPLY_ARRAY, NULL, NULL);
	reserve(&r, (size_t)THREADS * EACH);
	ok(!reply_end(&r), "many to come");
	for (size_t i = 0; i < THREADS; i++) {
		f[i] = (struct filler){.r = &r, .first = i};
		pthread_create(&thread[i], NULL, fill_some, &f[i]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		complete += f[i].complete;
		ok(f[i].freed == 0, "the owner holds it");
	}
	for (size_t i = 0; i < (size_t)THREADS * EACH; i++)
		buf_printf(&want, "%c%zu", i ? ',' : '[', i);
	buf_str(&want, STR("]\n"));
	is_u64(complete, 1, "one of them completes it");
	struct buf out;
	struct spool spool;
	ok(reply_finish(&r, &out, &spool) && str_eq(buf_view(&out), buf_view(&want)), "all are there, in order");
	buf_free(&out);
	buf_free(&want);
	end(&r);
}

int main(void)
{
	test_order();
	test_forms();
	test_late();
	test_failed();
	test_cancelled();
	test_pause();
	test_gone();
	test_threads();
	return tap_done();
}
