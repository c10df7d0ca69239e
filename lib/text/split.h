/* split.h - cutting text at ASCII white space, 64 bytes at a time.
 *
 * White space is what Python's str.split() takes for it within ASCII: U+0009 to U+000D, U+001C to U+001F, U+0020. (The exact engines turn
 * the white space beyond ASCII into blanks first.)
 */
#ifndef SENTI_SPLIT_H
#define SENTI_SPLIT_H

#include "lib/base/base.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define SPLIT_PAD 64 /* readable bytes behind the text */

static inline bool split_is_space(unsigned char c)
{
	return c == 0x20 || (unsigned)(c - 9) < 5 || (unsigned)(c - 0x1c) < 4;
}

/* Bit i tells whether p[i] is white space, for 64 bytes. */
static inline uint64_t split_mask(const char *p)
{
	uint64_t mask = 0;
#if defined(__SSE2__)
	for (int i = 0; i < 4; i++) {
		__m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
		/* 9..13 and 0x1c..0x1f as unsigned distances below 5 and 4: min(d, 4) == d, min(d, 3) == d. 0x20 follows on 0x1f. */
		__m128i low = _mm_sub_epi8(v, _mm_set1_epi8(9)), high = _mm_sub_epi8(v, _mm_set1_epi8(0x1c));
		__m128i hit = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(low, _mm_set1_epi8(4)), low),
		    _mm_cmpeq_epi8(_mm_min_epu8(high, _mm_set1_epi8(4)), high));
		mask |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << (16 * i);
	}
#else
	for (int i = 0; i < 64; i++)
		mask |= (uint64_t)split_is_space((unsigned char)p[i]) << i;
#endif
	return mask;
}

/* A cursor over the tokens of a text. */
struct split {
	const char *text;
	size_t n, block; /* block: offset of the 64 bytes that `edges` is about */
	uint64_t edges;	 /* places where white space begins or ends */
	uint64_t carry;	 /* 1: the byte before the block is white space */
};

static inline void split_load(struct split *s)
{
	uint64_t space = split_mask(s->text + s->block);
	size_t left = s->n - s->block;
	if (left < 64)
		space |= ~(uint64_t)0 << left; /* what stands behind the end counts as white space */
	s->edges = space ^ (space << 1 | s->carry);
	s->carry = space >> 63;
}

static inline struct split split_start(struct str text)
{
	struct split s = {.text = text.p, .n = text.n, .carry = 1};
	if (text.n)
		split_load(&s);
	return s;
}

/* The next place where words begin or end; false at the end of the text. */
static inline bool split_edge(struct split *s, size_t *at)
{
	while (unlikely(!s->edges)) {
		s->block += 64;
		if (s->block >= s->n)
			return false;
		split_load(s);
	}
	*at = s->block + (size_t)__builtin_ctzll(s->edges);
	s->edges &= s->edges - 1;
	return true;
}

/* The next token: true and text[*from .. *to). */
static inline bool split_next(struct split *s, size_t *from, size_t *to)
{
	if (!split_edge(s, from))
		return false;
	if (!split_edge(s, to))
		*to = s->n; /* the text ends with a block */
	return true;
}

#endif
