/* input.c - what is in a file: a filter of bytes gives the same in whatever pieces they come, or the same error;
 * entities and encodings make UTF-8 of UTF-8. The first byte chooses, the second is the size of a piece. */
#include "lib/ingest/elements.h"
#include "lib/ingest/encoding.h"
#include "lib/ingest/entities.h"
#include "lib/ingest/unpack.h"
#include "lib/ingest/wide.h"
#include "lib/base/utf8.h"
#include "tests/fuzz/lib/check.h"

enum { MOST = 1 << 20 };

struct pieces {
	struct bytes port;
	struct str in;
	size_t size;
};

static ssize_t pieces_read(struct bytes *port, char *to, size_t n, struct err *e)
{
	struct pieces *p = (struct pieces *)port;
	size_t some = p->in.n < p->size ? p->in.n : p->size;
	(void)e;
	some = some < n ? some : n;
	memcpy(to, p->in.p, some);
	fuzz_cut(&p->in, some);
	return (ssize_t)some;
}

static bool pieces_pending(const struct bytes *port)
{
	(void)port;
	return false;
}

static void pieces_close(struct bytes *port)
{
	free(port);
}

static struct bytes *filter(unsigned what, struct str in, size_t size)
{
	struct pieces *p = xcalloc(1, sizeof *p);
	*p = (struct pieces){
	    .port = {.read = pieces_read, .pending = pieces_pending, .close = pieces_close}, .in = in, .size = size};
	switch (what % 4) {
	case 0:
		return elements(&p->port, what & 4, "x");
	case 1:
		return wide_utf8(&p->port, what / 4 % 6);
	case 2:
		return unpack(&p->port, "x");
	default:
		return elements(wide_utf8(unpack(&p->port, "x"), WIDE_BY_MARK), true, "x");
	}
}

/* All that comes, up to MOST bytes; then a byte for how it ended. */
static void read_all(struct bytes *b, size_t room, struct buf *out)
{
	struct err e = {0};
	ssize_t n;
	do {
		buf_reserve(out, room);
		n = b->read(b, out->p + out->n, room, &e);
		CHECK(n >= BYTES_LATER && n <= (ssize_t)room);
		out->n += n > 0 ? (size_t)n : 0;
	} while ((n > 0 || n == BYTES_LATER) && out->n < MOST);
	CHECK(n != -1 || e.msg[0]);
	if (out->n >= MOST)
		out->n = MOST;
	else
		buf_char(out, n < 0 ? '!' : '.');
	b->close(b);
}

/* Of damaged input more or less may come before the error, by the size of the pieces. */
static bool agree(struct str a, struct str b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	bool failed = a.n && b.n && a.p[a.n - 1] == '!' && b.p[b.n - 1] == '!';
	return str_eq(a, b) || (failed && memcmp(a.p, b.p, n - 1) == 0);
}

static void check_text(unsigned what, struct str in)
{
	static struct encoding *encoding;
	struct err e;
	struct buf out = {0};
	if (!encoding)
		encoding = encoding_new("utf-8,shift_jis,windows-1252", &e);
	bool valid = utf8_valid_prefix(in) == in.n;
	struct str converted = encoding_utf8(encoding, in);
	CHECK(!valid || str_eq(converted, in));
	CHECK(converted.p == in.p || utf8_valid_prefix(converted) == converted.n);
	if (valid && !memchr(in.p, 0, in.n) && what & 4) {
		struct str plain = entities_unescape(in, &out);
		CHECK(utf8_valid_prefix(plain) == plain.n && (!plain.n || !memchr(plain.p, 0, plain.n)));
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = {0}, pieces = {0};
	if (size < 2)
		return 0;
	struct str in = {(const char *)data + 2, size - 2};
	read_all(filter(data[0], in, SIZE_MAX), 64 << 10, &whole);
	read_all(filter(data[0], in, data[1] + 1), BYTES_ROOM + data[1], &pieces);
	CHECK(agree(buf_view(&whole), buf_view(&pieces)));
	check_text(data[0], in);
	buf_free(&whole);
	buf_free(&pieces);
	return 0;
}
