/* Compressed streams: in pieces of any size, several in a row, cut, damaged, and with a window that is too large. */
#include "lib/base/expand.h"
#include "lib/http/compress.h"
#include "tests/unit/tap.h"

enum { SIZE = 20000 };

/* All of `in`, given in pieces of `step` bytes, with `room` for each result; SIZE_MAX if it is damaged. */
static size_t expand(enum coding c, struct str in, size_t step, size_t room, struct buf *out, bool *whole)
{
	char some[4096];
	struct err e;
	struct expander *x = expander_new(c, true, &e);
	buf_clear(out);
	for (size_t at = 0, got; at < in.n; at += step) {
		struct str piece = {in.p + at, in.n - at < step ? in.n - at : step};
		while ((got = expander_next(x, &piece, some, room)) > 0)
			buf_add(out, some, got);
	}
	bool damaged = expander_damage(x);
	*whole = expander_whole(x);
	expander_free(x);
	return damaged ? SIZE_MAX : out->n;
}

/* A frame of Zstandard (RFC 8878) with a window of 2^log bytes: "abc", then SIZE - 3 times "c". */
static void put_frame(struct buf *out, unsigned log)
{
	const unsigned raw = 3 << 3, repeated = (SIZE - 3) << 3 | 1 << 1 | 1;
	buf_str(out, STR("\x28\xb5\x2f\xfd"));
	buf_char(out, 0); /* a window, no size, no checksum */
	buf_char(out, (char)((log - 10) << 3));
	for (unsigned i = 0; i < 3; i++)
		buf_char(out, (char)(raw >> 8 * i));
	buf_str(out, STR("abc"));
	for (unsigned i = 0; i < 3; i++)
		buf_char(out, (char)(repeated >> 8 * i));
	buf_char(out, 'c');
}

static void put_content(enum coding c, struct buf *out)
{
	if (c == CODING_ZSTD) {
		put_frame(out, 17);
		return;
	}
	buf_str(out, STR("abc"));
	for (int i = 3; i < SIZE; i++)
		buf_char(out, 'c');
	gzip_compress(out);
}

static void test_pieces(enum coding c)
{
	struct buf body = {0}, two = {0}, out = {0};
	size_t wrong = 0, steps[] = {1, 2, 7, 100, 100000}, rooms[] = {1, 13, 4096};
	bool whole;
	put_content(c, &body);
	buf_str(&two, buf_view(&body));
	buf_str(&two, buf_view(&body));
	for (size_t s = 0; s < COUNT_OF(steps); s++)
		for (size_t r = 0; r < COUNT_OF(rooms); r++) {
			wrong += expand(c, buf_view(&body), steps[s], rooms[r], &out, &whole) != SIZE || !whole ||
				 memcmp(out.p, "abccc", 5) != 0;
			wrong += expand(c, buf_view(&two), steps[s], rooms[r], &out, &whole) != 2 * (size_t)SIZE ||
				 !whole || memcmp(out.p + SIZE, "abccc", 5) != 0;
			struct str cut = {body.p, body.n - 1};
			wrong += expand(c, cut, steps[s], rooms[r], &out, &whole) > SIZE || whole;
		}
	is_u64(
	    wrong, 0, "%s: one and two in a row, in pieces of any size; one that is cut is not whole", coding_name(c));
	ok(expand(c, STR("{\"text\":\"plain\"}"), 100, 4096, &out, &whole) == SIZE_MAX,
	    "what is not compressed is damaged");
	buf_str(&body, STR("x"));
	ok(expand(c, buf_view(&body), 1, 4096, &out, &whole) == SIZE_MAX || !whole, "so is what follows");
	buf_free(&body);
	buf_free(&two);
	buf_free(&out);
}

static void test_windows(void)
{
	struct buf body = {0}, out = {0};
	bool whole;
	put_frame(&body, 23);
	ok(expand(CODING_ZSTD, buf_view(&body), 100, 4096, &out, &whole) == SIZE, "a window of 8 MiB in a message");
	buf_clear(&body);
	put_frame(&body, 24);
	ok(expand(CODING_ZSTD, buf_view(&body), 100, 4096, &out, &whole) == SIZE_MAX, "but not of 16 MiB");
	struct err e;
	struct expander *x = expander_new(CODING_ZSTD, false, &e);
	char some[100];
	struct str in = buf_view(&body);
	ok(expander_next(x, &in, some, sizeof some) == 100, "which a file may have");
	expander_free(x);
	buf_free(&body);
	buf_free(&out);
}

int main(void)
{
	ok(coding_named(STR("X-GZIP")) == CODING_GZIP && coding_named(STR("zstd")) == CODING_ZSTD &&
		coding_named(STR("br")) == CODING_NONE && coding_named(STR("")) == CODING_NONE,
	    "names of codings");
	test_pieces(CODING_GZIP);
	test_pieces(CODING_ZSTD);
	test_windows();
	return tap_done();
}
