/* text_key.c - keys of texts, and a set of them: open addressing; the lowest bits of a key hold its number. */
#include "lib/learn/text_key.h"

#include "lib/base/utf8.h"
#include "lib/data/fold.h"
#include "lib/text/hash.h"
#include "lib/text/unicode.h"

static bool is_white(uint32_t c)
{
	return c <= ' ' || (c >= 0x80 && unicode_is_space(c));
}

/* Leaves one blank between words, and none at the ends. */
static void squeeze(struct buf *text)
{
	const char *p = text->p, *end = text->p + text->n;
	char *out = text->p;
	bool gap = false;
	while (p < end) {
		const char *from = p;
		bool white = is_white(utf8_sequence(p, end) ? utf8_next(&p) : (unsigned char)*p++);
		if (white) {
			gap = true;
			continue;
		}
		if (gap && out != text->p)
			*out++ = ' ';
		gap = false;
		memmove(out, from, (size_t)(p - from));
		out += p - from;
	}
	text->n = (size_t)(out - text->p);
}

static uint64_t number(const char *hex)
{
	uint64_t n = 0;
	for (size_t i = 0; i < 16; i++)
		n = n << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
	return n;
}

struct text_key text_key(struct str text, struct buf *scratch)
{
	char hex[HASH_HEX];
	buf_clear(scratch);
	fold_text(scratch, text);
	if (scratch->n)
		squeeze(scratch);
	hash_text(buf_view(scratch), hex);
	return (struct text_key){{number(hex), number(hex + 16)}};
}

/* ---- the set ---- */

enum { NOTE = 3 };

/* A slot is empty if both words are 0, so a key's first word is never 0. */
static struct text_key bare(struct text_key key)
{
	return (struct text_key){{key.w[0] ? key.w[0] : 1, key.w[1] & ~(uint64_t)NOTE}};
}

static size_t place_of(const struct text_set *s, struct text_key key)
{
	size_t i = (size_t)key.w[0] & (s->cap - 1);
	while (s->slot[i].w[0] && !text_key_eq(bare(s->slot[i]), key))
		i = (i + 1) & (s->cap - 1);
	return i;
}

static void grow(struct text_set *s)
{
	struct text_set old = *s;
	s->cap = old.cap ? 2 * old.cap : 1024;
	s->slot = xcalloc(s->cap, sizeof *s->slot);
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].w[0])
			s->slot[place_of(s, bare(old.slot[i]))] = old.slot[i];
	free(old.slot);
}

bool text_set_add(struct text_set *s, struct text_key key, unsigned *note)
{
	key = bare(key);
	if (s->n >= s->cap / 4 * 3)
		grow(s);
	struct text_key *slot = &s->slot[place_of(s, key)];
	if (slot->w[0]) {
		*note = (unsigned)(slot->w[1] & NOTE);
		return true;
	}
	*slot = (struct text_key){{key.w[0], key.w[1] | (*note & NOTE)}};
	s->n++;
	return false;
}

bool text_set_has(const struct text_set *s, struct text_key key)
{
	return s->n && s->slot[place_of(s, bare(key))].w[0];
}

void text_set_free(struct text_set *s)
{
	free(s->slot);
	*s = (struct text_set){0};
}
