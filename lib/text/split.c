/* split.c - finds words in bit masks. */
#include "lib/text/split.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

struct masks {
	uint64_t space, punctuation;
};

static bool is_space(unsigned char c)
{
	return c == 0x20 || (unsigned)(c - 9) < 5 || (unsigned)(c - 0x1c) < 4;
}

static bool is_punctuation(unsigned char c)
{
	return (c > 0x20 && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7f);
}

#if defined(__SSE2__)
/* Bytes in [low, low + width], as unsigned distances from low: min(d, width) == d. */
static inline __m128i in_range(__m128i v, int low, int width)
{
	__m128i d = _mm_sub_epi8(v, _mm_set1_epi8((char)low));
	return _mm_cmpeq_epi8(_mm_min_epu8(d, _mm_set1_epi8((char)width)), d);
}

static inline struct masks block_masks(const char *p)
{
	struct masks m = {0, 0};
	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
		/* 0x20 extends 0x1c..0x1f. */
		__m128i space = _mm_or_si128(in_range(v, 9, 4), in_range(v, 0x1c, 4));
		/* Printing, neither digit nor letter. Folding to lower case otherwise moves only '@'..'_' and '`',
		 * which remain punctuation. */
		__m128i letter = in_range(_mm_or_si128(v, _mm_set1_epi8(0x20)), 'a', 25);
		__m128i other =
		    _mm_andnot_si128(_mm_or_si128(letter, in_range(v, '0', 9)), in_range(v, 0x21, 0x7e - 0x21));
		m.space |= (uint64_t)(unsigned)_mm_movemask_epi8(space) << (16 * i);
		m.punctuation |= (uint64_t)(unsigned)_mm_movemask_epi8(other) << (16 * i);
	}
	return m;
}
#else
static inline struct masks block_masks(const char *p)
{
	struct masks m = {0, 0};
	for (int i = 0; i < 64; i++) {
		m.space |= (uint64_t)is_space((unsigned char)p[i]) << i;
		m.punctuation |= (uint64_t)is_punctuation((unsigned char)p[i]) << i;
	}
	return m;
}
#endif

static struct span long_word(const struct split *s)
{
	size_t to = s->at + 64;
	while (to < s->n && !is_space((unsigned char)s->text[to]))
		to++;
	size_t a = s->at, b = to;
	while (a < b && is_punctuation((unsigned char)s->text[a]))
		a++;
	while (b > a && is_punctuation((unsigned char)s->text[b - 1]))
		b--;
	return (struct span){(uint32_t)s->at, (uint32_t)(to - s->at), (uint32_t)a, (uint32_t)(b - a)};
}

/* The bits [a, b) of a mask, a < b <= 64. */
static inline uint64_t bits(uint64_t mask, unsigned a, unsigned b)
{
	return mask & (~(uint64_t)0 << a) & (~(uint64_t)0 >> (64 - b));
}

static struct span trimmed(uint32_t base, unsigned a, unsigned b, uint64_t punctuation)
{
	uint64_t letters = bits(~punctuation, a, b);
	if (!letters)
		return (struct span){base + a, b - a, base + a, 0};
	unsigned from = (unsigned)__builtin_ctzll(letters), to = 64 - (unsigned)__builtin_clzll(letters);
	return (struct span){base + a, b - a, base + from, to - from};
}

size_t split_words(struct split *s, struct span *out, size_t max)
{
	size_t n = 0;
	while (s->at < s->n && n + SPLIT_BLOCK_WORDS <= max) {
		size_t left = s->n - s->at;
		uint32_t base = (uint32_t)s->at;
		struct masks m = block_masks(s->text + base);
		if (left < 64)
			m.space |= ~(uint64_t)0 << left;	       /* bytes after the end count as white space */
		uint64_t words = ~m.space, edges = words ^ words << 1; /* where words begin and, exclusively, end */
		uint64_t trim =
		    (m.punctuation & words) | (m.punctuation << 1 & ~words); /* edges there have punctuation inside */
		s->at += 64;
		while (edges) {
			uint64_t begin = edges & -edges;
			unsigned a = (unsigned)__builtin_ctzll(edges);
			edges ^= begin;
			if (unlikely(!edges)) { /* the word reaches the end of the block */
				if (left <= 64) {
					out[n++] = trimmed(base, a, 64, m.punctuation);
					break;
				}
				s->at = base + a;
				if (a == 0) {
					out[n] = long_word(s);
					s->at += out[n++].n;
				}
				break;
			}
			uint64_t end = edges & -edges;
			unsigned b = (unsigned)__builtin_ctzll(edges);
			edges ^= end;
			if (unlikely((begin | end) & trim))
				out[n++] = trimmed(base, a, b, m.punctuation);
			else
				out[n++] = (struct span){base + a, b - a, base + a, b - a};
		}
	}
	return n;
}
