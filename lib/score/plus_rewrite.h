/* plus_rewrite.h - the step before the rules of plus: a text that has anything but plain words is written anew.
 *
 *     sooooo gooood!!great❤️‍🔥 #EpicFail — it’s    becomes    so good!! great ❤ #Epic Fail , it's
 *
 * Emoji, elongated words, hashtags and words glued together become tokens of their own; typographic marks become plain
 * ones. Most texts are plain: next_odd finds that out at 16 bytes a step, and such a text is used as it is.
 */
#ifndef SENTI_PLUS_REWRITE_H
#define SENTI_PLUS_REWRITE_H

#include "lib/base/buf.h"
#include "lib/score/words.h"

/* Bytes of the original text that a byte of the rewritten one stands for. */
struct draft_origin {
	uint32_t from, to;
};

/* Text under way, and where its bytes come from (only when explaining). */
struct draft {
	struct buf text;
	struct buf origin; /* one struct draft_origin a byte */
};

/* Room that is used again for each text; zeroed at first. */
struct rewriting {
	struct draft out, word; /* the text so far, and the word that is not yet complete */
	const struct words *words;
	bool explain;
};

/* The first place from `at` on where a text is not plain, or its length: a byte beyond ASCII, three equal letters, or a
 * letter right after punctuation that parts. It may look at the bytes after the text: that costs a rewriting at
 * most. */
size_t next_odd(struct str text, size_t at);

/* Rewrites the words with an odd place, of which `odd` is the first; the rest is copied. The result is w->out's, with
 * SPLIT_PAD zero bytes after it; with `explain`, w->out.origin says where each byte comes from. */
struct str rewrite(struct rewriting *w, const struct words *words, struct str text, size_t odd, bool explain);
void rewriting_free(struct rewriting *w);

static inline bool is_letter(char c)
{
	return (unsigned)((c | 0x20) - 'a') < 26;
}

#endif
