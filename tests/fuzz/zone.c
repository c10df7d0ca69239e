/* zone.c - what clients say of statistics: a zone's name or rule is refused, or makes clocks that a moment and its
 * local time agree on; a list of what to group by, and a place in it, are refused, or mean what they are written as
 * again. The first byte chooses. */
#include "lib/base/zone.h"

#include "lib/data/stats.h"
#include "tests/fuzz/lib/check.h"

static void check_zone(struct str name)
{
	struct err e;
	struct zone *z = zone_open(name, &e);
	if (!z)
		return;
	CHECK(z->n > 0);
	for (size_t i = 1; i < z->n; i++)
		CHECK(z->span[i].from > z->span[i - 1].from && z->span[i].offset != z->span[i - 1].offset);
	for (int64_t t = -70000000000; t < 250000000000; t += 1234567891) {
		int64_t local = t + zone_offset(z, t), first = zone_first(z, local);
		CHECK(first <= t && first + zone_offset(z, first) >= local);
	}
	zone_free(z);
}

static void check_place(struct str list, struct str place)
{
	struct stats_question q = {0};
	struct arena mem = {0};
	struct buf once = {0}, again = {0};
	struct err e;
	if (stats_by(&q, list, &e) == 0 && stats_read_place(&q, place, &mem)) {
		stats_put_place(&once, &q, &q.after);
		CHECK(stats_read_place(&q, buf_view(&once), &mem));
		stats_put_place(&again, &q, &q.after);
		CHECK(str_eq(buf_view(&once), buf_view(&again)));
	}
	buf_free(&once);
	buf_free(&again);
	arena_free(&mem);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size);
	if (fuzz_byte(&in) != 'p') {
		check_zone(in);
		return 0;
	}
	const char *line = memchr(in.p, '\n', in.n);
	size_t n = line ? (size_t)(line - in.p) : in.n;
	size_t rest = n + (line != NULL);
	check_place((struct str){in.p, n}, (struct str){in.p + rest, in.n - rest});
	return 0;
}
