/* lexical.h - what the word-list engines share: the user's lexicon, and views of texts and tokens. */
#ifndef SENTI_LEXICAL_H
#define SENTI_LEXICAL_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/score/tsv.h"
#include "lib/score/words.h"

/* --- the user's lexicon, layered over an engine's own (senti-lexicon(5)) --- */

/* Flags of words set here; engines use the bits between. */
enum { WORD_KNOWN = 1, WORD_LAYERED = 1 << 15 };

struct layer {
	struct buf text;   /* the file */
	bool phrases;	   /* keys may contain blanks */
	bool beyond_ascii; /* has non-ASCII keys, so that non-ASCII tokens must be folded */
};

/* Reads the file; path NULL: no lexicon. 0, or -1 and *e. */
int layer_read(struct layer *l, const char *path, struct err *e);
/* Sets each key (in lower case) in `w` to its value, with WORD_KNOWN. Refuses keys with blanks, and values outside
 * -most to most. */
int layer_apply(struct layer *l, const char *path, struct words *w, double most, struct err *e);
/* The same, one key per call, for engines that process keys themselves: 1 and its number in `w`, 0 at the end, -1 and
 * *e. */
int layer_next(struct layer *l, struct tsv *t, struct words *w, double most, uint32_t *word, struct err *e);
void layer_free(struct layer *l);

/* An upper bound of a table's rows; 0 for an absent text. */
size_t count_lines(struct str text);

/* --- texts and tokens --- */

/* The text with non-ASCII white space replaced by blanks, of the same length, SPLIT_PAD bytes after it. Lent by `b`. */
struct str text_with_blanks(struct str text, struct buf *b);
/* Whether it contains KELVIN SIGN, the only non-ASCII character with an ASCII lower case. */
bool text_has_kelvin(struct str text);
/* words_find for a non-ASCII token, folded as by Python's lower(). */
uint32_t words_find_folded(const struct words *w, struct str token, struct buf *b);

#endif
