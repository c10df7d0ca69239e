/* sha256.c - FIPS 180-4, section 6.2: portable, and with x86's SHA instructions. */
#include "lib/text/sha256.h"

#include <stdatomic.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

/* Section 4.2.2: the first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
static const uint32_t K[64] = {0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
    0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152,
    0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138,
    0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70,
    0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5,
    0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa,
    0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

typedef void compress_blocks(uint32_t state[8], const unsigned char *p, size_t blocks);

static inline uint32_t rotate(uint32_t x, int n)
{
	return x >> n | x << (32 - n);
}

static inline uint32_t load_big_endian(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void compress_portable(uint32_t state[8], const unsigned char *p, size_t blocks)
{
	uint32_t w[64];
	for (; blocks; blocks--, p += SHA256_BLOCK) {
		for (int t = 0; t < 16; t++)
			w[t] = load_big_endian(p + (size_t)t * 4);
		for (int t = 16; t < 64; t++) {
			uint32_t x = w[t - 15], y = w[t - 2];
			w[t] = w[t - 16] + (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[t - 7] +
			       (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
		}
		uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
		uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
#pragma GCC unroll 8
		for (int t = 0; t < 64; t++) {
			uint32_t t1 =
			    h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + w[t];
			uint32_t t2 = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
			h = g, g = f, f = e, e = d + t1, d = c, c = b, b = a, a = t1 + t2;
		}
		const uint32_t after[8] = {a, b, c, d, e, f, g, h};
		for (int i = 0; i < 8; i++)
			state[i] += after[i];
	}
}

#if defined(__x86_64__)
/* The instructions keep the state in two registers, ABEF and CDGH, and do two rounds at a time. */
__attribute__((target("sha,sse4.1"))) static void compress_x86(uint32_t state[8], const unsigned char *p, size_t blocks)
{
	const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
	__m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xb1);
	__m128i hgfe = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, hgfe, 8), cdgh = _mm_blend_epi16(hgfe, cdab, 0xf0);
	for (; blocks; blocks--, p += SHA256_BLOCK) {
		__m128i abef_before = abef, cdgh_before = cdgh, w[4];
#pragma GCC unroll 16
		for (int g = 0; g < 16; g++) {
			__m128i *m = &w[g & 3];
			if (g < 4)
				*m = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)p + g), big_endian);
			else
				*m = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(*m, w[(g + 1) & 3]),
							      _mm_alignr_epi8(w[(g + 3) & 3], w[(g + 2) & 3], 4)),
				    w[(g + 3) & 3]);
			__m128i round = _mm_add_epi32(*m, _mm_loadu_si128((const __m128i *)K + g));
			cdgh = _mm_sha256rnds2_epu32(cdgh, abef, round);
			abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(round, 0x0e));
		}
		abef = _mm_add_epi32(abef, abef_before);
		cdgh = _mm_add_epi32(cdgh, cdgh_before);
	}
	__m128i feba = _mm_shuffle_epi32(abef, 0x1b), dchg = _mm_shuffle_epi32(cdgh, 0xb1);
	_mm_storeu_si128((__m128i *)state, _mm_blend_epi16(feba, dchg, 0xf0));
	_mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(dchg, feba, 8));
}

static bool has_instructions(void)
{
	unsigned a, b, c, d;
	bool sse41 = __get_cpuid(1, &a, &b, &c, &d) && c & bit_SSE4_1;
	return sse41 && __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}
#else
#define compress_x86 compress_portable
static bool has_instructions(void)
{
	return false;
}
#endif

/* Chosen at the first sum. Two threads that choose at once choose the same. */
static _Atomic(compress_blocks *) chosen;

void sha256_use_instructions(bool use)
{
	atomic_store(&chosen, use && has_instructions() ? compress_x86 : compress_portable);
}

static void compress(struct sha256 *s, const unsigned char *p, size_t blocks)
{
	compress_blocks *f = atomic_load_explicit(&chosen, memory_order_relaxed);
	if (!f) {
		sha256_use_instructions(true);
		f = atomic_load(&chosen);
	}
	f(s->state, p, blocks);
}

/* Section 5.3.3: the square roots of the first eight primes. */
void sha256_init(struct sha256 *s)
{
	static const uint32_t first[8] = {
	    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
	memcpy(s->state, first, sizeof first);
	s->total = 0;
}

void sha256_add(struct sha256 *s, const void *data, size_t n)
{
	const unsigned char *p = data;
	size_t held = s->total % SHA256_BLOCK;
	s->total += n;
	if (held) {
		size_t part = n < SHA256_BLOCK - held ? n : SHA256_BLOCK - held;
		memcpy(s->block + held, p, part);
		if (held + part < SHA256_BLOCK)
			return;
		compress(s, s->block, 1);
		p += part;
		n -= part;
	}
	if (n >= SHA256_BLOCK)
		compress(s, p, n / SHA256_BLOCK);
	if (n % SHA256_BLOCK)
		memcpy(s->block, p + n / SHA256_BLOCK * SHA256_BLOCK, n % SHA256_BLOCK);
}

static void put_big_endian(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 24);
	p[1] = (unsigned char)(v >> 16);
	p[2] = (unsigned char)(v >> 8);
	p[3] = (unsigned char)v;
}

/* The last block ends with the number of bits. */
static void finish(struct sha256 *s, unsigned char *p, size_t blocks, unsigned char digest[SHA256_BYTES])
{
	put_big_endian(p + blocks * SHA256_BLOCK - 8, (uint32_t)(s->total >> 29));
	put_big_endian(p + blocks * SHA256_BLOCK - 4, (uint32_t)(s->total << 3));
	compress(s, p, blocks);
	for (size_t i = 0; i < 8; i++)
		put_big_endian(digest + 4 * i, s->state[i]);
}

void sha256_end(struct sha256 *s, unsigned char digest[SHA256_BYTES])
{
	size_t held = s->total % SHA256_BLOCK;
	s->block[held++] = 0x80;
	if (held > SHA256_BLOCK - 8) {
		memset(s->block + held, 0, SHA256_BLOCK - held);
		compress(s, s->block, 1);
		held = 0;
	}
	memset(s->block + held, 0, SHA256_BLOCK - held);
	finish(s, s->block, 1, digest);
}

void sha256_short(unsigned char *p, size_t n, unsigned char digest[SHA256_BYTES])
{
	struct sha256 s;
	sha256_init(&s);
	s.total = n;
	p[n] = 0x80;
	memset(p + n + 1, 0, SHA256_PADDING - 1);
	finish(&s, p, (n + 8) / SHA256_BLOCK + 1, digest);
}
