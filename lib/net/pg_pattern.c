/* pg_pattern.c - turns a folded text into a regular expression for the texts that contain it once folded (fold.h).
 *
 * Each character becomes a bracket of all that fold to it: "été" is [Éé][Tt][Éé]. So the server compares as we
 * do, whatever its locale. Only U+0130 folds to two characters, i and U+0307, each of which may end a match.
 */
#include "lib/net/pg_db.h"
#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

enum {
	DOTTED_I = 0x130,
	DOT_ABOVE = 0x307,
	FINAL_SIGMA = 0x3c2,
	SIGMA = 0x3c3,
	CASED_END = 0x20000, /* no character from here on has another case */
	MOST_CASES = 2000,   /* 1,400 in Unicode 14 */
};

static void put_char(struct buf *out, uint32_t c)
{
	char bytes[4];
	/* A backslash quotes any ASCII character but letters and digits. */
	bool plain = c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
	if (!plain)
		buf_char(out, '\\');
	buf_add(out, bytes, utf8_put(bytes, c));
}

/* The characters with another lower-case form, and that form. */
struct cases {
	struct {
		uint32_t c, lower;
	} pair[MOST_CASES];
	size_t n;
};

static void find_cases(struct cases *k)
{
	k->n = 0;
	for (uint32_t c = 'A'; c < CASED_END && k->n < MOST_CASES; c++) {
		uint32_t lower[3];
		if (unicode_lower(c, lower) != 1)
			continue;
		k->pair[k->n].c = c;
		k->pair[k->n].lower = lower[0] == FINAL_SIGMA ? SIGMA : lower[0];
		k->n += k->pair[k->n].lower != c;
	}
}

/* All that folds to exactly this character, itself included. */
static void put_bracket(struct buf *out, const struct cases *k, uint32_t c, bool with_dotted)
{
	size_t start = out->n;
	bool alone = !with_dotted;
	buf_char(out, '[');
	put_char(out, c);
	if (with_dotted)
		put_char(out, DOTTED_I);
	for (size_t i = 0; i < k->n; i++)
		if (k->pair[i].lower == c) {
			put_char(out, k->pair[i].c);
			alone = false;
		}
	buf_char(out, ']');
	if (alone) {
		out->n = start;
		put_char(out, c);
	}
}

void pg_pattern(struct buf *out, struct str folded, size_t most)
{
	struct cases k;
	const char *p = folded.p, *end = p + folded.n;
	find_cases(&k);
	for (size_t i = 0; p < end && i < most; i++) {
		if (!utf8_sequence(p, end))
			return; /* no text in the database has it, as the store will find */
		uint32_t c = utf8_next(&p);
		if (c == DOT_ABOVE && i == 0) {
			put_bracket(out, &k, c, true);
			continue;
		}
		const char *next = p;
		bool last = p == end || i + 1 == most;
		if (c == 'i' && !last && utf8_sequence(p, end) && utf8_next(&next) == DOT_ABOVE) {
			buf_str(out, STR("(?:[iI]\xcc\x87|\xc4\xb0)"));
			p = next;
			continue;
		}
		put_bracket(out, &k, c, c == 'i' && last);
	}
}
