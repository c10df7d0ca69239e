/* split.h - cutting text at white space and stripping punctuation, 64 bytes at a time.
 *
 * White space is what Python's str.split() takes for it within ASCII: U+0009 to U+000D, U+001C to U+001F, U+0020. (The
 * exact engines turn the white space beyond ASCII into blanks first.) Punctuation is Python's string.punctuation: the
 * printing characters of ASCII that are neither letters nor digits.
 *
 * A block of 64 bytes becomes two masks, one bit a byte, and words are runs of bits in them. The next block begins
 * where the last word that does not end in this one begins, so that words lie within one block unless they are longer
 * than it.
 */
#ifndef SENTI_SPLIT_H
#define SENTI_SPLIT_H

#include "lib/base/base.h"

#define SPLIT_PAD 64 /* readable bytes after the text */

/* One word: text[from .. from + n), and its part without punctuation at both ends: [core .. core + core_n). A word of
 * punctuation alone has no core (core_n is 0). Texts have less than 4 GiB. */
struct span {
	uint32_t from, n, core, core_n;
};

/* A cursor over the words of a text. */
struct split {
	const char *text;
	size_t n, at; /* text[at..] is still to be cut */
};

/* A block has at most so many words. */
#define SPLIT_BLOCK_WORDS 33

/* Cuts as many more words as fit into `max`, which must be at least SPLIT_BLOCK_WORDS, block by block: how many, 0 only
 * at the end of the text. */
size_t split_words(struct split *s, struct span *out, size_t max);

#endif
