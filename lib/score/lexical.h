/* lexical.h - what the engines of word lists share: the user's lexicon, and views of a text and of its tokens. */
#ifndef SENTI_LEXICAL_H
#define SENTI_LEXICAL_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/score/tsv.h"
#include "lib/score/words.h"

/* --- the user's lexicon, laid over an engine's own (senti-lexicon(5)) --- */

/* Flags of words that this sets; engines keep theirs below. */
enum { WORD_KNOWN = 1, WORD_LAYERED = 1 << 15 };

struct layer {
	struct buf text;   /* the file */
	bool phrases;	   /* keys may have blanks */
	bool beyond_ascii; /* it has keys beyond ASCII, so that tokens beyond ASCII must be folded */
};

/* Reads the file; path NULL: nothing is laid over. 0, or -1 and *e. */
int layer_read(struct layer *l, const char *path, struct err *e);
/* Gives each key its value in `w`, in lower case, with WORD_KNOWN. Keys with blanks, and values beyond -most to most,
 * are refused. */
int layer_apply(struct layer *l, const char *path, struct words *w, double most, struct err *e);
/* The same, key by key, for engines that do something of their own with a key: 1 and its number in `w`, 0 at the end,
 * -1 and *e. */
int layer_next(struct layer *l, struct tsv *t, struct words *w, double most, uint32_t *word, struct err *e);
void layer_free(struct layer *l);

/* No fewer than the rows of a table; 0 for an absent text. */
size_t count_lines(struct str text);

/* --- texts and tokens --- */

bool text_is_ascii(struct str text);
/* The text with blanks in the place of white space beyond ASCII, byte for byte as long, SPLIT_PAD bytes after it. Lent
 * by `b`. */
struct str text_with_blanks(struct str text, struct buf *b);
/* Whether KELVIN SIGN is in it: the one character beyond ASCII whose lower case lies within. */
bool text_has_kelvin(struct str text);
/* words_find for a token beyond ASCII, folded as Python's lower() does. */
uint32_t words_find_folded(const struct words *w, struct str token, struct buf *b);

#endif
