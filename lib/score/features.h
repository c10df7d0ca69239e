/* features.h - what a trained model sees of a text: hashed n-grams of words and of the letters within words, some
 * figures from a lexicon, and how many of its words occurred in training.
 *
 * Training and scoring share this file, so they always see the same features. Scoring caches the sums of whole words
 * (linear.c), which works because no n-gram of letters crosses a word's edge. A text is therefore cut in two steps, a
 * cheap one, and a thorough one that runs once per distinct word:
 *
 *     text     OMG, don’t #gooooo @sue 😀
 *     tokens   [OMG] [,] [don’t] [#gooooo] [@sue] [😀]        token_next: bytes of the text
 *     forms    omg , don't #goo @user 😀                       form_of: lower case; drawls and names unified
 *     grams    omg OMG ^om omg mg$ ... omg_, ,_don't ...      form_grams, gram_pair
 *
 * A gram is a slot in a table of 2^bits. Different grams may share a slot.
 */
#ifndef SENTI_FEATURES_H
#define SENTI_FEATURES_H

#include "lib/score/engine.h"

struct feature_conf {
	uint32_t bits;		     /* 10 to 24 */
	uint32_t pairs;		     /* 1: also pairs of adjacent words */
	uint32_t char_min, char_max; /* 2 to 6 letters; 0: none */
	uint32_t negation;	     /* 1: mark words after a negation */
	uint32_t lexicon;	     /* 1: also figures of plus's result */
};

#define TOKEN_MAX 96 /* bytes; longer tokens are cut */

struct feature_token {
	const char *p;
	uint32_t n;
	bool url;
};

struct cutter {
	const char *p, *end;
};

/* Returns the next token of valid UTF-8 text; false at the end. */
bool token_next(struct cutter *c, struct feature_token *out);

/* What a word is, and how it affects the words after it. */
enum {
	FORM_NEGATES = 1,
	FORM_STOPS = 2,	 /* ends the scope of a negation */
	FORM_LETTERS = 4 /* a word of a language: not a number, name, tag, address, mark or emoji */
};
enum { NEGATION_SCOPE = 4 };

/* A normalized token. letter[0] and letter[n - 1] are the word's edges. */
struct form {
	uint32_t letter[TOKEN_MAX + 2];
	uint16_t at[TOKEN_MAX + 3]; /* the byte of the token where a letter begins; at[n] is the end */
	uint32_t n;
	uint64_t id; /* the word's hash */
	bool capitals;
	uint8_t traits; /* FORM_... */
};

void form_of(const struct feature_token *t, struct form *out);

enum gram_group { GRAM_WORD, GRAM_LETTERS, GRAM_GROUPS };

struct gram {
	uint32_t slot;
	uint16_t from, to; /* bytes of the token */
};

#define GRAMS_MAX (2 + 5 * (TOKEN_MAX + 2))

/* Writes the grams of one word: first `*words` of GRAM_WORD (at most 2), then those of GRAM_LETTERS. Returns the
 * total. */
size_t form_grams(const struct feature_conf *c, const struct form *f, struct gram *out, size_t *words);
/* --- hashing; inline because scoring does it for each word --- */

static inline uint64_t gram_mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	return h ^ h >> 29;
}

/* Values that separate kinds of grams in the hash. Grams of letters are separated by length. */
enum {
	GRAM_START = 0x59,
	GRAM_WHOLE = 0x11,
	GRAM_CAPITALS = 0x23,
	GRAM_PAIR = 0x35,
	GRAM_NEGATED = 0x47,
	GRAM_SEEN = 0x6b
};

static inline uint32_t gram_slot(const struct feature_conf *c, uint64_t h, uint64_t kind)
{
	return (uint32_t)(gram_mix(h, kind) * 0xd6e8feb86659fd93 >> (64 - c->bits));
}

/* The slot of two adjacent words. */
static inline uint32_t gram_pair(const struct feature_conf *c, uint64_t before, uint64_t id)
{
	return gram_slot(c, gram_mix(before, id), GRAM_PAIR);
}

/* The slot of a word after a negation. */
static inline uint32_t gram_negated(const struct feature_conf *c, uint64_t id)
{
	return gram_slot(c, id, GRAM_NEGATED);
}

/* The words seen in training: a Bloom filter of SEEN_BITS(bits) bits, two per word. */
#define SEEN_BITS(bits) ((size_t)2 << (bits))
#define SEEN_BYTES(bits) (SEEN_BITS(bits) / 8)

static inline void seen_slots(const struct feature_conf *c, uint64_t id, uint32_t slot[2])
{
	uint64_t h = gram_mix(id, GRAM_SEEN) * 0xd6e8feb86659fd93;
	slot[0] = (uint32_t)(h >> (63 - c->bits));
	slot[1] = (uint32_t)h & (uint32_t)(SEEN_BITS(c->bits) - 1);
}

/* One gram of a text, for training and explaining. */
struct gram_use {
	uint32_t slot;
	uint8_t group;
	uint32_t from, to; /* bytes of the text */
};

struct gram_list {
	struct gram_use *use;
	size_t n, cap;
	uint64_t *word; /* ids of the words with FORM_LETTERS */
	size_t words, words_cap;
};

/* Appends all grams and words of a text to the list, in text order. */
void features_list(const struct feature_conf *c, struct str text, struct gram_list *out);
void gram_list_free(struct gram_list *l);

/* Figures derived from a lexicon's result. */
#define FIGURES 14
void features_figures(const struct result *r, double out[FIGURES]);

#endif
