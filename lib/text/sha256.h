/* sha256.h - SHA-256 (FIPS 180-4), using the processor's SHA instructions if it has them.
 *
 *     struct sha256 s;
 *     sha256_init(&s);
 *     sha256_add(&s, p, n);          // once per piece
 *     sha256_end(&s, digest);
 *
 * Every filter names texts with it, so no library is used: a record costs one or two blocks of some 50 ns each, and
 * libraries that are as fast take longer to load than a filter takes to start. For passwords and tokens use a library:
 * this code does not resist timing attacks.
 */
#ifndef SENTI_SHA256_H
#define SENTI_SHA256_H

#include "lib/base/base.h"

enum { SHA256_BYTES = 32, SHA256_BLOCK = 64 };

struct sha256 {
	uint32_t state[8];
	uint64_t total; /* bytes added */
	unsigned char block[SHA256_BLOCK];
};

void sha256_init(struct sha256 *s);
void sha256_add(struct sha256 *s, const void *p, size_t n);
/* s must be initialized again before reuse. */
void sha256_end(struct sha256 *s, unsigned char digest[SHA256_BYTES]);

enum { SHA256_PADDING = SHA256_BLOCK + 8 };
/* The sum of n bytes in one call, which for a few blocks takes half the time. The padding is written after them: there
 * must be room for SHA256_PADDING bytes more. */
void sha256_short(unsigned char *p, size_t n, unsigned char digest[SHA256_BYTES]);

/* False makes all later sums use the portable code: for the test that compares both. */
void sha256_use_instructions(bool use);

#endif
