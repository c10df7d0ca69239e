/* Shares of one budget: what fits, what is refused, what is kept for small ones; by many threads at once. Spools beside
 * it. */
#include "lib/base/budget.h"

#include <pthread.h>
#include <unistd.h>

#include "lib/base/spool.h"
#include "tests/unit/tap.h"

enum { MIB = 1 << 20 };

static void test_shares(void)
{
	struct budget b = {.limit = 8 * MIB};
	struct share large = {.of = &b}, other = {.of = &b}, small = {.of = &b};
	ok(budget_most(&b) == 7 * MIB, "seven eighths can belong to one share");
	ok(share_take(&large, 7 * MIB) && large.held == 7 * MIB, "what fits is taken");
	ok(!share_take(&large, 1) && large.held == 7 * MIB && budget_used(&b) == 7 * MIB,
	    "what does not is refused, and changes nothing");
	ok(!share_take(&other, SHARE_SMALL + 1), "so is another large one");
	ok(share_take(&small, SHARE_SMALL), "a small one finds room");
	ok(!share_take(&small, 1), "until it is not small any more");
	size_t n = 1;
	struct share many[20] = {{0}};
	for (size_t i = 0; i < COUNT_OF(many); i++) {
		many[i].of = &b;
		n += share_take(&many[i], SHARE_SMALL);
	}
	ok(n == MIB / SHARE_SMALL && budget_used(&b) == b.limit, "small ones fill the rest, and no more");
	share_add(&other, 5);
	ok(budget_used(&b) == b.limit + 5, "what must be is added beyond it");
	share_release(&other);
	share_give(&large, MIB);
	ok(!share_take(&other, 2 * MIB) && budget_used(&b) == 7 * MIB,
	    "what is given back is free again, for small ones first");
	share_release(&large);
	ok(share_take(&other, 5 * MIB), "then for all");
	b.fixed = MIB;
	ok(budget_most(&b) == 6 * MIB, "what is held for good is nobody else's");
	struct share any = {0};
	ok(share_take(&any, UINT64_MAX / 2) && any.held == UINT64_MAX / 2, "without a budget there is no limit");
	share_release(&any);
	ok(any.held == 0, "and nothing left after the release");
}

/* ---- threads ---- */

static atomic_bool exceeded;

static void *take_and_give(void *arg)
{
	struct budget *b = arg;
	for (int i = 0; i < 20000; i++) {
		struct share s = {.of = b};
		bool had = share_take(&s, SHARE_SMALL), more = share_take(&s, (uint64_t)i % MIB);
		if (s.held != (had ? SHARE_SMALL : 0) + (more ? (uint64_t)i % MIB : 0) || s.held > b->limit)
			atomic_store(&exceeded, true);
		share_release(&s);
	}
	return NULL;
}

static void test_threads(void)
{
	struct budget b = {.limit = 2 * MIB};
	pthread_t t[4];
	for (size_t i = 0; i < COUNT_OF(t); i++)
		if (pthread_create(&t[i], NULL, take_and_give, &b))
			exit(STATUS_ENVIRONMENT);
	for (size_t i = 0; i < COUNT_OF(t); i++)
		pthread_join(t[i], NULL);
	ok(!exceeded && budget_used(&b) == 0, "threads leave nothing behind");
}

/* ---- spools ---- */

static struct buf bytes_of(size_t n)
{
	struct buf b = {0};
	memset(buf_reserve(&b, n), 'x', n);
	b.n = n;
	return b;
}

static void test_spools(void)
{
	struct spools all = {.bytes.limit = 8 * MIB, .files.limit = 2};
	struct spool a = SPOOL_OF(&all), b = SPOOL_OF(&all), c = SPOOL_OF(&all);
	struct buf out = bytes_of(1000);
	struct err e;
	ok(spool_take(&a, &out, false, &e) == SPOOL_DONE && out.n == 1000 && a.fd < 0, "few bytes stay in memory");
	buf_free(&out);
	out = bytes_of(4 * MIB);
	ok(spool_take(&a, &out, false, &e) == SPOOL_DONE && out.n == 0 && a.fd >= 0, "many go to a file");
	out.n = 4 * MIB;
	ok(spool_take(&a, &out, false, &e) == SPOOL_HUGE && out.n == 4 * MIB,
	    "no file can have more than three quarters of all");
	ok(spool_take(&b, &out, false, &e) == SPOOL_FULL && out.n == 4 * MIB && b.fd < 0,
	    "two may not have more than all");
	out.n = MIB;
	ok(spool_take(&b, &out, true, &e) == SPOOL_DONE, "what fits is taken");
	out.n = MIB;
	ok(spool_take(&c, &out, true, &e) == SPOOL_FULL && c.fd < 0, "files are counted, too");
	int fd = spool_give(&a);
	char first[2] = "";
	ok(read(fd, first, 1) == 1 && *first == 'x' && lseek(fd, 0, SEEK_END) == 4 * MIB, "the file holds them");
	close(fd);
	ok(spool_take(&c, &out, true, &e) == SPOOL_FULL, "a file that was given away counts");
	spool_free(&a);
	ok(spool_take(&c, &out, true, &e) == SPOOL_DONE && out.n == 0, "what is closed makes room");
	spool_free(&b);
	spool_free(&c);
	ok(budget_used(&all.bytes) == 0 && budget_used(&all.files) == 0, "nothing is left");
	buf_free(&out);
}

int main(void)
{
	test_shares();
	test_threads();
	test_spools();
	return tap_done();
}
