/* wide.c - converts UTF-16 and UTF-32, found by their byte-order marks. */
#include "lib/ingest/wide.h"

#include <strings.h>

#include "lib/base/utf8.h"

struct wide_ctx {
	enum wide wide, unmarked;
};

static const struct {
	enum wide wide;
	struct str mark;
} marks[] = {{WIDE_32LE, STR("\xff\xfe\0\0")}, {WIDE_32BE, STR("\0\0\xfe\xff")}, {WIDE_16LE, STR("\xff\xfe")},
    {WIDE_16BE, STR("\xfe\xff")}};

enum wide wide_named(struct str name)
{
	static const struct {
		const char *name;
		enum wide wide;
	} known[] = {{"16", WIDE_16LE}, {"16le", WIDE_16LE}, {"16be", WIDE_16BE}, {"32", WIDE_32LE},
	    {"32le", WIDE_32LE}, {"32be", WIDE_32BE}};
	if (name.n < 5 || strncasecmp(name.p, "utf", 3) != 0)
		return WIDE_NONE;
	size_t from = name.p[3] == '-' ? 4 : 3;
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strlen(known[i].name) == name.n - from &&
		    strncasecmp(known[i].name, name.p + from, name.n - from) == 0)
			return known[i].wide;
	return WIDE_NONE;
}

/* WIDE_BY_MARK: the bytes so far may become a mark. */
static enum wide decide(const struct wide_ctx *w, struct str *in, bool end)
{
	for (size_t i = 0; i < COUNT_OF(marks); i++) {
		struct str m = marks[i].mark;
		if (memcmp(in->p, m.p, in->n < m.n ? in->n : m.n) != 0)
			continue;
		if (in->n < m.n && !end)
			return WIDE_BY_MARK;
		if (in->n >= m.n) {
			*in = (struct str){in->p + m.n, in->n - m.n};
			return marks[i].wide;
		}
	}
	return w->unmarked == WIDE_BY_MARK ? WIDE_NONE : w->unmarked;
}

static uint32_t unit16(const char *p, bool big)
{
	const unsigned char *u = (const unsigned char *)p;
	return big ? (uint32_t)u[0] << 8 | u[1] : (uint32_t)u[1] << 8 | u[0];
}

/* Reads a character from n bytes: how many it takes; 0: it needs more. *c is beyond Unicode if it is not one. */
static size_t next16(const char *p, size_t n, bool big, bool end, uint32_t *c)
{
	*c = UINT32_MAX;
	if (n < 2)
		return end ? n : 0;
	*c = unit16(p, big);
	if (*c >> 10 != 0xd800 >> 10)
		return 2;
	if (n < 4)
		return end ? 2 : 0;
	uint32_t low = unit16(p + 2, big);
	if (low >> 10 != 0xdc00 >> 10)
		return 2;
	*c = 0x10000 + ((*c & 0x3ff) << 10) + (low & 0x3ff);
	return 4;
}

static size_t next32(const char *p, size_t n, bool big, bool end, uint32_t *c)
{
	*c = UINT32_MAX;
	if (n < 4)
		return end ? n : 0;
	uint32_t first = unit16(p, big), second = unit16(p + 2, big);
	*c = big ? first << 16 | second : second << 16 | first;
	return 4;
}

static size_t put(char *out, uint32_t c)
{
	if (c > 0x10ffff) {
		*out = '\xff';
		return 1;
	}
	if (c >> 11 != 0xd800 >> 11)
		return utf8_put(out, c);
	const char lone[] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)), (char)(0x80 | (c & 0x3f))};
	memcpy(out, lone, 3);
	return 3;
}

static ssize_t wide_run(void *ctx, struct str *in, char *out, size_t max, bool end, struct err *e)
{
	struct wide_ctx *w = ctx;
	size_t at = 0, made = 0;
	uint32_t c;
	(void)e;
	if (w->wide == WIDE_BY_MARK && in->n)
		w->wide = decide(w, in, end);
	if (w->wide == WIDE_BY_MARK)
		return 0;
	if (w->wide == WIDE_NONE) {
		made = at = in->n < max ? in->n : max;
		memcpy(out, in->p, made);
	}
	bool big = w->wide == WIDE_16BE || w->wide == WIDE_32BE;
	for (size_t took; w->wide != WIDE_NONE && at < in->n && max - made >= 4; at += took) {
		took = w->wide < WIDE_32LE ? next16(in->p + at, in->n - at, big, end, &c)
					   : next32(in->p + at, in->n - at, big, end, &c);
		if (!took)
			break;
		made += put(out + made, c);
	}
	*in = (struct str){in->p + at, in->n - at};
	return (ssize_t)made;
}

static bool wide_plain(const void *ctx)
{
	const struct wide_ctx *w = ctx;
	return w->wide == WIDE_NONE;
}

struct bytes *wide_utf8(struct bytes *from, enum wide wide)
{
	static const struct byte_filter filter = {wide_run, wide_plain, free};
	struct wide_ctx *w = xcalloc(1, sizeof *w);
	w->unmarked = wide;
	return bytes_filter(from, &filter, w);
}
