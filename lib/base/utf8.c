/* utf8.c - checks, counts and writes UTF-8; skips runs of ASCII eight bytes at a time. */
#include "lib/base/utf8.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#define HIGH_BITS 0x8080808080808080u

static uint64_t load8(const char *p)
{
	uint64_t v;
	memcpy(&v, p, sizeof v);
	return v;
}

bool utf8_is_ascii(struct str s)
{
	size_t i = 0;
#ifdef __SSE2__
	for (; s.n - i >= 16; i += 16)
		if (_mm_movemask_epi8(_mm_loadu_si128((const __m128i *)(const void *)(s.p + i))))
			return false;
#endif
	for (; s.n - i >= 8; i += 8)
		if (load8(s.p + i) & HIGH_BITS)
			return false;
	while (i < s.n && !(s.p[i] & 0x80))
		i++;
	return i == s.n;
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
