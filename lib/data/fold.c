/* fold.c - lower-case forms, and search in them. */
#include "lib/data/fold.h"

#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

enum { FINAL_SIGMA = 0x3c2, SIGMA = 0x3c3, LOWER_MAX = 3 * 4 };

void fold_text(struct buf *out, struct str text)
{
	const char *p = text.p, *end = p + text.n;
	while (p < end) {
		char *o = buf_reserve(out, (size_t)(end - p) + LOWER_MAX);
		const char *room = out->p + out->cap - LOWER_MAX;
		while (p < end && o < room) {
			unsigned char c = (unsigned char)*p;
			if (likely(c < 0x80)) {
				*o++ = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
				p++;
				continue;
			}
			if (!utf8_sequence(p, end)) {
				*o++ = *p++;
				continue;
			}
			uint32_t lower[3];
			size_t n = unicode_lower(utf8_next(&p), lower);
			for (size_t i = 0; i < n; i++)
				o += utf8_put(o, lower[i] == FINAL_SIGMA ? SIGMA : lower[i]);
		}
		out->n = (size_t)(o - out->p);
	}
}

bool fold_contains(struct str text, struct str folded, struct buf *scratch)
{
	buf_clear(scratch);
	fold_text(scratch, text);
	return folded.n == 0 || (scratch->n && memmem(scratch->p, scratch->n, folded.p, folded.n));
}
