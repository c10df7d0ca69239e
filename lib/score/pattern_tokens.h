/* pattern_tokens.h - cutting a text into tokens as TextBlob does (its tokenizer comes from the library pattern).
 *
 * Blanks separate tokens; so do quotes, straight and curly, each a token of its own, and a blank is put before "n't".
 * Marks at both ends of what is left become tokens of their own, the full stop of an abbreviation stays. Two line ends
 * or the token END-OF-SENTENCE end a sentence, as do full stops, ellipses, "!" and "?" with what may follow them.
 *
 * Within a sentence, "( ! )" and the characters of an emoticon are then put together again, blanks or not: "Score: 3"
 * gives ":3", "(18)" gives "(" and "18)". The reference does this by a regular expression over each sentence; here a
 * sentence is looked at only if the last two characters of one of its tokens end an emoticon.
 *
 * Linear in the text, whatever it holds.
 */
#ifndef SENTI_PATTERN_TOKENS_H
#define SENTI_PATTERN_TOKENS_H

#include "lib/score/words.h"

/* Bytes [from, from + n) of the text. Tokens that were put together may have blanks in it: `joined` is their place in
 * the list below + 1. */
struct pattern_token {
	uint32_t from, n, joined;
};

/* What the blanks hid. */
struct pattern_joined {
	uint32_t word; /* its number in the dictionary, or 0 */
	uint32_t n;    /* its length in bytes */
};

enum { PATTERN_FACES = 128, PATTERN_ABBREVIATIONS = 64 };

struct pattern_face {
	char s[8];
	unsigned n;
};

/* The tables: built once, then shared. */
struct pattern {
	const struct words *words;
	struct pattern_face face[PATTERN_FACES]; /* emoticons by first byte, longer ones first */
	unsigned faces;
	uint8_t first[256];    /* by first byte: 1 + place of the first such face */
	uint64_t ends[256][4]; /* by last byte: the bytes that may stand before it at a face's end */
	bool last[256];
	uint64_t abbreviation[PATTERN_ABBREVIATIONS]; /* up to 8 bytes each */
	unsigned abbreviations;
};

/* Adds an emoticon (2 to 7 bytes) or an abbreviation (up to 8); -1 if it does not fit. Then pattern_ready, once. */
int pattern_add_face(struct pattern *p, struct str face);
int pattern_add_abbreviation(struct pattern *p, struct str abbreviation);
void pattern_ready(struct pattern *p, const struct words *words);

/* One text's tokens; zeroed at first, then used again and again. */
struct pattern_cut {
	struct pattern_token *token;
	size_t n, cap;
	struct pattern_joined *joined;
	size_t njoined, joined_cap;
	/* At work: */
	const struct pattern *p;
	const char *text;
	size_t sentence; /* its first token */
	bool ending;	 /* within what ends a sentence */
	bool faces;	 /* the sentence may have something to put together */
	struct pattern_token *tail;
	size_t tail_cap;
	struct buf flat, marks;
};

/* Cuts `text`, which has SPLIT_PAD readable bytes after it and no white space beyond ASCII (text_with_blanks). */
void pattern_tokens(const struct pattern *p, struct pattern_cut *c, struct str text);
void pattern_cut_free(struct pattern_cut *c);

#endif
