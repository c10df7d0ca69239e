/* utf8.c - checks, counts and writes UTF-8; skips runs of ASCII eight bytes at a time. */
#include "lib/base/utf8.h"

#define HIGH_BITS 0x8080808080808080u

static uint64_t load8(const char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

size_t utf8_valid_prefix(struct str s)
{
	if (!s.n)
		return 0;
	const char *p = s.p, *end = s.p + s.n;
	while (p < end) {
		if (end - p >= 8 && !(load8(p) & HIGH_BITS)) {
			p += 8;
			continue;
		}
		size_t n = utf8_sequence(p, end);
		if (!n)
			break;
		p += n;
	}
	return (size_t)(p - s.p);
}

size_t utf8_put(char *out, uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Every byte except continuation bytes (10xxxxxx) begins a code point. */
size_t utf8_count(struct str s)
{
	size_t count = s.n, i = 0;
	for (; s.n - i >= 8; i += 8) {
		uint64_t v = load8(s.p + i);
		count -= (size_t)__builtin_popcountll(v & ~(v << 1) & HIGH_BITS);
	}
	for (; i < s.n; i++)
		count -= ((unsigned char)s.p[i] & 0xc0) == 0x80;
	return count;
}
