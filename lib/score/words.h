/* words.h - a set of numbered lower-case words: the dictionary of a lexicon engine.
 *
 * Lookup is the inner loop of scoring: a token is loaded as 16 bytes, folded to lower case and hashed in registers. A
 * filter of 16 KiB, which stays in the L1 cache, rejects most tokens. Longer words are compared by their tails.
 *
 * Folding covers ASCII only; the caller folds non-ASCII tokens first (unicode.h).
 */
#ifndef SENTI_WORDS_H
#define SENTI_WORDS_H

#include "lib/base/buf.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define WORDS_FILTER_BITS 17
#define WORDS_PAD 16 /* readable bytes after a token */

/* A word and the engine's data for it. Half a cache line, so that a lookup costs one access. */
struct word {
	uint64_t k[2]; /* the first 16 bytes, zero-filled */
	double value;
	uint32_t tail; /* of a longer word: where its remaining bytes begin in `tails` */
	uint16_t n;    /* length in bytes; 0: an empty slot */
	uint16_t flags;
};

struct words {
	uint64_t filter[(1 << WORDS_FILTER_BITS) / 64];
	struct word *word; /* by number; [0] is the empty word, whose value and flags are 0 */
	void *block;	   /* the allocation that contains `word` */
	uint32_t mask, n, most;
	struct buf tails;
};

/* Makes room for `most` words in all. */
void words_init(struct words *w, size_t most);
void words_free(struct words *w);
/* Returns the number of a lower-case word, adding it if it is new. Numbers never change. The key needs WORDS_PAD
 * readable bytes after it, and at most 65,535 bytes. */
uint32_t words_add(struct words *w, struct str key);

struct word_bits {
	uint64_t k[2];
};

/* Loads the first 16 bytes in lower case, zeros after n. Non-ASCII bytes stay. */
static inline struct word_bits word_load(const char *p, size_t n)
{
	struct word_bits b;
#if defined(__SSE2__)
	static const uint8_t keep[32] = {
	    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
	v = _mm_and_si128(v, _mm_loadu_si128((const __m128i *)(const void *)(keep + 16 - (n < 16 ? n : 16))));
	/* Signed compares: non-ASCII bytes are negative, thus below 'A'. */
	__m128i upper =
	    _mm_and_si128(_mm_cmpgt_epi8(v, _mm_set1_epi8('A' - 1)), _mm_cmplt_epi8(v, _mm_set1_epi8('Z' + 1)));
	v = _mm_or_si128(v, _mm_and_si128(upper, _mm_set1_epi8(0x20)));
	memcpy(b.k, &v, sizeof b.k);
#else
	unsigned char c[16] = {0};
	for (size_t i = 0; i < n && i < 16; i++)
		c[i] = (unsigned char)p[i] | (unsigned char)((unsigned)((unsigned char)p[i] - 'A') < 26 ? 0x20 : 0);
	memcpy(b.k, c, sizeof b.k);
#endif
	return b;
}

static inline uint64_t word_hash(struct word_bits b, size_t n)
{
	__extension__ typedef unsigned __int128 wide;
	wide m = (wide)(b.k[0] ^ 0x9e3779b97f4a7c15 ^ n) * (b.k[1] ^ 0xd6e8feb86659fd93);
	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

/* Whether the bytes after the first 16 match the word. */
bool words_same_tail(const struct words *w, const struct word *k, const char *p);

/* The slot of the word, or the empty slot where it belongs. */
static inline uint32_t words_probe(const struct words *w, struct word_bits b, const char *p, size_t n)
{
	for (uint32_t i = (uint32_t)word_hash(b, n) & w->mask;; i = (i + 1) & w->mask) {
		const struct word *k = &w->word[i + 1];
		if (likely(k->k[0] == b.k[0] && k->k[1] == b.k[1] && k->n == n) &&
		    (likely(n <= 16) || words_same_tail(w, k, p)))
			return i + 1;
		if (k->n == 0)
			return i + 1;
	}
}

/* The number of a token in any case, or 0 if it is not in the set. */
static inline uint32_t words_find(const struct words *w, const char *p, size_t n)
{
	uint32_t at = words_probe(w, word_load(p, n), p, n);
	return w->word[at].n ? at : 0;
}

/* False if the token is not in the set; true for all its words and a few others. */
static inline bool words_maybe(const struct words *w, const char *p, size_t n)
{
	uint64_t bit = word_hash(word_load(p, n), n) >> (64 - WORDS_FILTER_BITS);
	return w->filter[bit / 64] >> (bit % 64) & 1;
}

#endif
