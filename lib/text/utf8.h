/* utf8.h - UTF-8 as Unicode defines it: no over-long forms, no surrogates, at most U+10FFFF. */
#ifndef SENTI_UTF8_H
#define SENTI_UTF8_H

#include "lib/base/base.h"

/* The length of the longest valid prefix: n if all is valid. */
size_t utf8_valid_prefix(struct str s);
/* The length in bytes (1 to 4) of the valid sequence at p, 0 if there is none before `end`. */
size_t utf8_sequence(const char *p, const char *end);

/* Decodes the sequence at *p (which must be valid, as all text behind the scanner is) and moves *p past it. */
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

/* Writes 1 to 4 bytes and returns how many. c must be a scalar value. */
size_t utf8_put(char *out, uint32_t c);
/* How many code points valid text has. */
size_t utf8_count(struct str s);

#endif
