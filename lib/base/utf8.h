/* utf8.h - UTF-8 as Unicode defines it: no over-long forms, no surrogates, at most U+10FFFF. */
#ifndef SENTI_UTF8_H
#define SENTI_UTF8_H

#include "lib/base/base.h"

bool utf8_is_ascii(struct str s);
/* The length of the longest valid prefix: n if s is valid. */
size_t utf8_valid_prefix(struct str s);
/* The length in bytes (1 to 4) of the valid sequence at p, or 0 if there is none before `end`. Inline because the
 * scanner calls it for each non-ASCII character. */
static inline size_t utf8_sequence(const char *p, const char *end)
{
	const unsigned char *u = (const unsigned char *)p;
	size_t left = (size_t)(end - p);
	if (left == 0)
		return 0;
	if (u[0] < 0x80)
		return 1;
	if (u[0] < 0xe0)
		return left >= 2 && u[0] >= 0xc2 && (u[1] & 0xc0) == 0x80 ? 2 : 0;
	if (left < 3 || (u[1] & 0xc0) != 0x80 || (u[2] & 0xc0) != 0x80)
		return 0;
	if (u[0] < 0xf0) {
		/* e0 a0 is the first that needs three bytes; ed a0 to ed bf are surrogates */
		unsigned c = (unsigned)(u[0] & 0x0f) << 6 | (u[1] & 0x3f);
		return c >= 0x20 && (c < 0x360 || c >= 0x380) ? 3 : 0;
	}
	if (left < 4 || u[0] > 0xf4 || (u[3] & 0xc0) != 0x80)
		return 0;
	/* f0 90 is U+10000, f4 8f the end of U+10FFFF */
	unsigned c = (unsigned)(u[0] & 0x07) << 6 | (u[1] & 0x3f);
	return c >= 0x10 && c < 0x110 ? 4 : 0;
}

/* Decodes the sequence at *p and advances *p. It must be valid, as text that passed the scanner is. */
static inline uint32_t utf8_next(const char **p)
{
	const unsigned char *u = (const unsigned char *)*p;
	if (u[0] < 0x80) {
		*p += 1;
		return u[0];
	}
	if (u[0] < 0xe0) {
		*p += 2;
		return (uint32_t)(u[0] & 0x1f) << 6 | (u[1] & 0x3f);
	}
	if (u[0] < 0xf0) {
		*p += 3;
		return (uint32_t)(u[0] & 0x0f) << 12 | (uint32_t)(u[1] & 0x3f) << 6 | (u[2] & 0x3f);
	}
	*p += 4;
	return (uint32_t)(u[0] & 0x07) << 18 | (uint32_t)(u[1] & 0x3f) << 12 | (uint32_t)(u[2] & 0x3f) << 6 |
	       (u[3] & 0x3f);
}

/* Writes 1 to 4 bytes and returns the number. c must be a scalar value. */
size_t utf8_put(char *out, uint32_t c);
/* The number of code points in valid text. */
size_t utf8_count(struct str s);

#endif
