/* split.h - cuts text at white space and strips punctuation, 64 bytes at a time.
 *
 * White space is the ASCII part of what Python's str.split() splits at: U+0009 to U+000D, U+001C to U+001F, U+0020.
 * (The exact engines replace other white space by blanks first.) Punctuation is Python's string.punctuation: the
 * printing ASCII characters that are neither letters nor digits.
 *
 * A block of 64 bytes becomes two masks, one bit per byte, in which words are runs of bits. If a word reaches the end
 * of a block, the next block begins where that word begins, so that every word of up to 64 bytes lies within one block.
 */
#ifndef SENTI_SPLIT_H
#define SENTI_SPLIT_H

#include "lib/base/base.h"

#define SPLIT_PAD 64 /* readable bytes after the text */

/* One word: text[from .. from + n), and the same without punctuation at both ends: [core .. core + core_n). A word that
 * is all punctuation has core_n 0. Texts are shorter than 4 GiB. */
struct span {
	uint32_t from, n, core, core_n;
};

/* A cursor over the words of a text. */
struct split {
	const char *text;
	size_t n, at; /* text[at..] is still to be cut */
};

/* The largest number of words in a block. */
#define SPLIT_BLOCK_WORDS 33

/* Cuts words block by block while a block's words fit into `max` (at least SPLIT_BLOCK_WORDS). Returns how many; 0 only
 * at the end of the text. */
size_t split_words(struct split *s, struct span *out, size_t max);

#endif
