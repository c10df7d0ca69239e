/* plus_rewrite.h - a step before the rules of plus: rewrites texts that contain more than plain words.
 *
 *     sooooo gooood!!great❤️‍🔥 #EpicFail — it’s    becomes    so good!! great ❤ #Epic Fail , it's
 *
 * Emoji, elongated words, hashtags and words run together become separate tokens; typographic marks become plain ones.
 * Most texts are plain: next_odd checks 16 bytes at a time, and plain texts are used as they are.
 */
#ifndef SENTI_PLUS_REWRITE_H
#define SENTI_PLUS_REWRITE_H

#include "lib/base/buf.h"
#include "lib/score/words.h"

/* The bytes of the original text that a rewritten byte came from. */
struct draft_origin {
	uint32_t from, to;
};

/* A text under construction, with the origin of its bytes (only when explaining). */
struct draft {
	struct buf text;
	struct buf origin; /* one struct draft_origin per byte */
};

/* Reused for each text; zeroed before first use. */
struct rewriting {
	struct draft out, word; /* the text so far, and the current, incomplete word */
	const struct words *words;
	bool explain;
};

/* The first position from `at` where a text is not plain (a non-ASCII byte, three equal letters, or a letter right
 * after separating punctuation), or its length. May look past the end of the text: at worst, this causes a needless
 * rewriting. */
size_t next_odd(struct str text, size_t at);

/* Rewrites the words that contain an odd position (`odd` is the first) and copies the rest. Returns w->out's text, with
 * SPLIT_PAD zero bytes after it; with `explain`, w->out.origin maps each byte to the original. */
struct str rewrite(struct rewriting *w, const struct words *words, struct str text, size_t odd, bool explain);
void rewriting_free(struct rewriting *w);

static inline bool is_letter(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

#endif
