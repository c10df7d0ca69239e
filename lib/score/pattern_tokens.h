/* pattern_tokens.h - cuts a text into tokens as TextBlob does (its tokenizer comes from the library pattern).
 *
 * Blanks separate tokens. Quotes, straight and curly, are tokens themselves, and "n't" is separated from the word
 * before it. Marks at both ends of the rest become separate tokens, but an abbreviation keeps its full stop. A sentence
 * ends at two line ends, at the token END-OF-SENTENCE, and at full stops, ellipses, "!" and "?" with certain marks
 * after them.
 *
 * Within a sentence, "( ! )" and the characters of an emoticon are then rejoined, even across blanks: "Score: 3" gives
 * ":3", "(18)" gives "(" and "18)". The reference runs a regular expression over each sentence; here a sentence is
 * examined only if the last two characters of one of its tokens end an emoticon.
 *
 * Takes linear time on any text.
 */
#ifndef SENTI_PATTERN_TOKENS_H
#define SENTI_PATTERN_TOKENS_H

#include "lib/score/words.h"

/* Bytes [from, from + n) of the text. Joined tokens may contain blanks: `joined` is then 1 + their index in the list
 * below. */
struct pattern_token {
	uint32_t from, n, joined;
};

/* A joined token without its blanks. */
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
	struct pattern_face face[PATTERN_FACES]; /* sorted by first byte, then longer ones first */
	unsigned faces;
	uint8_t first[256];    /* by first byte: 1 + index of the first such face */
	uint64_t ends[256][4]; /* by last byte: the bytes that may precede it at the end of a face */
	bool last[256];
	uint64_t abbreviation[PATTERN_ABBREVIATIONS]; /* up to 8 bytes each */
	unsigned abbreviations;
};

/* Adds an emoticon (2 to 7 bytes) or an abbreviation (up to 8 bytes); -1 if it does not fit. Then call pattern_ready
 * once. */
int pattern_add_face(struct pattern *p, struct str face);
int pattern_add_abbreviation(struct pattern *p, struct str abbreviation);
void pattern_ready(struct pattern *p, const struct words *words);

/* The tokens of one text; zeroed before first use, then reused. */
struct pattern_cut {
	struct pattern_token *token;
	size_t n, cap;
	struct pattern_joined *joined;
	size_t njoined, joined_cap;
	/* Working state: */
	const struct pattern *p;
	const char *text;
	size_t sentence; /* its first token */
	bool ending;	 /* within the marks that end a sentence */
	bool faces;	 /* the sentence may contain something to join */
	struct pattern_token *tail;
	size_t tail_cap;
	struct buf flat, marks;
};

/* Cuts `text`, which has SPLIT_PAD readable bytes after it and no non-ASCII white space (text_with_blanks). */
void pattern_tokens(const struct pattern *p, struct pattern_cut *c, struct str text);
void pattern_cut_free(struct pattern_cut *c);

#endif
