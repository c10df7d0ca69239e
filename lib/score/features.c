/* features.c - extracts the features of a text for a trained model. */
#include "lib/score/features.h"

#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

/* --- tokens --- */

enum byte_class { SPACE, WORD, MARK, QUOTE, PREFIX, HIGH };

#define W WORD
#define S SPACE
#define M MARK
static const unsigned char byte_class[256] = {S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S, S,
    S, S, S, S, S, S, S,				     /* controls */
    S, M, M, PREFIX, M, M, M, QUOTE, M, M, M, M, M, M, M, M, /* blank to slash */
    W, W, W, W, W, W, W, W, W, W, M, M, M, M, M, M,	     /* 0 to ? */
    PREFIX, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, M, M, M, M, W, /* @ to _ */
    M, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, W, M, M, M, M, S,	 /* ` to DEL */
    [0x80 ... 0xff] = HIGH};
#undef W
#undef S
#undef M

static enum byte_class class_at(const char *p)
{
	return (enum byte_class)byte_class[(unsigned char)*p];
}

enum { RIGHT_QUOTE = 0x2019, VARIATION = 0xfe0f, JOINER = 0x200d, KEYCAP = 0x20e3 };

static bool is_skin_tone(uint32_t c)
{
	return c >= 0x1f3fb && c <= 0x1f3ff;
}

/* Non-ASCII characters are classed by whole blocks; an odd one becomes a word by itself, which does no harm. */
static enum byte_class high_class(uint32_t c)
{
	if (c < 0x2000)
		return c >= 0xa1 && c <= 0xbf && c != 0xaa && c != 0xb5 && c != 0xba ? MARK
		       : c == 0xa0 || c == 0x85					     ? SPACE
										     : WORD;
	if (c <= 0x206f)
		return c <= 0x200b || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ? SPACE : MARK;
	if (c == 0x3000)
		return SPACE;
	if ((c >= 0x2100 && c <= 0x2bff) || (c >= 0x3001 && c <= 0x303f) || (c >= 0xfe00 && c <= 0xfe0f) ||
	    (c >= 0xff01 && c <= 0xff0f) || (c >= 0x1f000 && c <= 0x1faff))
		return MARK;
	return WORD;
}

/* Moves past a non-ASCII character if it continues a word. */
static bool goes_on(const char **p)
{
	const char *next = *p;
	uint32_t c = utf8_next(&next);
	if (high_class(c) != WORD && c != RIGHT_QUOTE)
		return false;
	*p = next;
	return true;
}

static const char *word_end(const char *p, const char *limit, const char *end)
{
	while (p < limit) {
		enum byte_class k = class_at(p);
		if (likely(k == WORD))
			p++;
		else if (k == QUOTE && p + 1 < end && (class_at(p + 1) == WORD || class_at(p + 1) == HIGH))
			p++;
		else if (k != HIGH || !goes_on(&p))
			break;
	}
	return p;
}

static bool is_url(const char *p, size_t n, const char *end)
{
	if (n == 3)
		return (p[0] | 32) == 'w' && (p[1] | 32) == 'w' && (p[2] | 32) == 'w' && p + 4 < end && p[3] == '.';
	return (n == 4 || n == 5) && (p[0] | 32) == 'h' && (p[1] | 32) == 't' && (p[2] | 32) == 't' &&
	       (p[3] | 32) == 'p' && (n == 4 || (p[4] | 32) == 's') && end - p > (ptrdiff_t)n + 3 &&
	       memcmp(p + n, "://", 3) == 0;
}

/* The end of an emoji with its variation selector, skin tone, keycap and joined emoji. */
static const char *mark_end(const char *p, const char *limit, const char *end)
{
	uint32_t c = utf8_next(&p);
	if (c < 0x2100) /* punctuation stands alone */
		return p;
	for (bool joined = false; p < limit && (unsigned char)*p >= 0x80; joined = c == JOINER) {
		const char *next = p;
		c = utf8_next(&next);
		if ((!joined && c != VARIATION && c != JOINER && c != KEYCAP && !is_skin_tone(c)) || next > end)
			break;
		p = next;
	}
	return p;
}

bool token_next(struct cutter *c, struct feature_token *out)
{
	const char *p = c->p, *end = c->end;
	enum byte_class k = SPACE;
	for (;;) {
		while (p < end && class_at(p) == SPACE)
			p++;
		if (p == end) {
			c->p = p;
			return false;
		}
		k = class_at(p);
		if (k != HIGH)
			break;
		const char *next = p;
		k = high_class(utf8_next(&next));
		if (k != SPACE)
			break;
		p = next;
	}
	const char *from = p, *limit = end - p > TOKEN_MAX - 4 ? p + TOKEN_MAX - 4 : end;
	out->url = false;
	if (k == WORD || (k == PREFIX && p + 1 < end && (class_at(p + 1) == WORD || class_at(p + 1) == HIGH))) {
		p = word_end(k == WORD ? p : p + 1, limit, end);
		if (unlikely(is_url(from, (size_t)(p - from), end))) {
			while (p < end && class_at(p) != SPACE)
				p++;
			out->url = true;
		}
	} else if ((unsigned char)*p >= 0x80) {
		p = mark_end(p, limit, end);
	} else {
		do
			p++;
		while (p < limit && (class_at(p) == MARK || class_at(p) == QUOTE));
	}
	c->p = p;
	*out = (struct feature_token){from, (uint32_t)(p - from), out->url};
	return true;
}

/* --- forms --- */

static uint64_t id_of(const struct form *f)
{
	uint64_t h = 0x243f6a8885a308d3;
	for (uint32_t i = 1; i + 1 < f->n; i++)
		h = gram_mix(h, f->letter[i]);
	return h;
}

static void put_letter(struct form *f, uint32_t c, size_t at)
{
	f->letter[f->n] = c;
	f->at[f->n++] = (uint16_t)at;
}

enum { EDGE = 1 }; /* not a letter: token_next treats U+0001 as a blank */

static void whole(struct form *f, const char *spelling, uint32_t bytes)
{
	for (const char *p = spelling; *p; p++)
		put_letter(f, (unsigned char)*p, p == spelling ? 0 : bytes);
}

static bool ends_in(const struct form *f, const char *tail)
{
	uint32_t n = (uint32_t)strlen(tail);
	if (f->n < n + 2)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (f->letter[f->n - 1 - n + i] != (unsigned char)tail[i])
			return false;
	return true;
}

static bool spells(const struct form *f, const char *word)
{
	return f->n == strlen(word) + 2 && ends_in(f, word);
}

static bool is_letter(uint32_t c)
{
	return c < 0x80 ? c - 'a' < 26 : high_class(c) == WORD;
}

static uint8_t traits_of(const struct form *f)
{
	static const char *const negations[] = {"not", "no", "never", "cannot", "without", "nothing", "nobody", "none",
	    "dont", "didnt", "doesnt", "isnt", "wasnt", "cant", "wont", "aint", "couldnt", "wouldnt", "shouldnt"};
	uint32_t c = f->letter[1];
	if (c < 0x80 && c != '@' && c != '#' && byte_class[c] == MARK)
		return FORM_STOPS;
	uint8_t letters = is_letter(c) ? FORM_LETTERS : 0;
	if (ends_in(f, "n't"))
		return letters | FORM_NEGATES;
	for (size_t i = 0; i < COUNT_OF(negations); i++)
		if ((unsigned char)negations[i][0] == c && spells(f, negations[i]))
			return letters | FORM_NEGATES;
	return letters;
}

void form_of(const struct feature_token *t, struct form *out)
{
	const char *p = t->p, *end = t->p + t->n;
	unsigned upper = 0, lower = 0, same = 0;
	out->n = 0;
	put_letter(out, EDGE, 0);
	if (t->url) {
		whole(out, "http", t->n);
	} else if (t->n > 1 && *p == '@') {
		whole(out, "@user", t->n);
	} else {
		while (p < end) {
			size_t at = (size_t)(p - t->p);
			uint32_t c = utf8_next(&p), low[3];
			upper += c < 0x80 && (c - 'A') < 26;
			lower += c < 0x80 ? (c - 'a') < 26 : c < 0x2000;
			c = c - '0' < 10 ? '0' : c == RIGHT_QUOTE ? '\'' : c;
			c = unicode_lower(c, low) ? low[0] : c;
			if (c == VARIATION || is_skin_tone(c))
				continue;
			same = out->letter[out->n - 1] == c ? same + 1 : 0;
			if (same < 2)
				put_letter(out, c, at);
		}
	}
	put_letter(out, EDGE, t->n);
	out->at[out->n] = (uint16_t)(t->n < UINT16_MAX ? t->n : UINT16_MAX);
	out->at[out->n - 1] = out->at[out->n];
	out->capitals = upper > 1 && lower == 0;
	out->id = id_of(out);
	out->traits = t->url ? 0 : traits_of(out);
}

/* --- grams --- */

size_t form_grams(const struct feature_conf *c, const struct form *f, struct gram *out, size_t *words)
{
	size_t n = 0;
	out[n++] = (struct gram){gram_slot(c, f->id, GRAM_WHOLE), 0, f->at[f->n]};
	if (f->capitals)
		out[n++] = (struct gram){gram_slot(c, f->id, GRAM_CAPITALS), 0, f->at[f->n]};
	*words = n;
	for (uint32_t i = 0; c->char_max && i + c->char_min <= f->n; i++) {
		uint64_t h = GRAM_START;
		for (uint32_t k = 0; k < c->char_max && i + k < f->n; k++) {
			h = gram_mix(h, f->letter[i + k]);
			if (k + 1 >= c->char_min)
				out[n++] = (struct gram){gram_slot(c, h, k), f->at[i], f->at[i + k + 1]};
		}
	}
	return n;
}

static void add_use(struct gram_list *l, uint32_t slot, enum gram_group group, size_t from, size_t to)
{
	l->use = xgrow(l->use, l->n, &l->cap, 1024, sizeof *l->use);
	l->use[l->n++] = (struct gram_use){slot, (uint8_t)group, (uint32_t)from, (uint32_t)to};
}

static void add_word(struct gram_list *l, uint64_t id)
{
	l->word = xgrow(l->word, l->words, &l->words_cap, 256, sizeof *l->word);
	l->word[l->words++] = id;
}

void gram_list_free(struct gram_list *l)
{
	free(l->use);
	free(l->word);
}

void features_list(const struct feature_conf *c, struct str text, struct gram_list *out)
{
	struct cutter cut = {text.p, text.p + text.n};
	struct feature_token t;
	uint64_t before = 0;
	size_t before_at = 0;
	unsigned scope = 0;
	while (token_next(&cut, &t)) {
		struct form f;
		struct gram gram[GRAMS_MAX];
		size_t words, at = (size_t)(t.p - text.p);
		form_of(&t, &f);
		size_t n = form_grams(c, &f, gram, &words);
		for (size_t i = 0; i < n; i++)
			add_use(out, gram[i].slot, i < words ? GRAM_WORD : GRAM_LETTERS, at + gram[i].from,
			    at + gram[i].to);
		if (f.traits & FORM_LETTERS)
			add_word(out, f.id);
		if (c->pairs)
			add_use(out, gram_pair(c, before, f.id), GRAM_WORD, before_at, at + t.n);
		scope = f.traits & FORM_STOPS ? 0 : scope;
		if (c->negation && scope)
			add_use(out, gram_negated(c, f.id), GRAM_WORD, at, at + t.n);
		scope = f.traits & FORM_NEGATES ? NEGATION_SCOPE : scope ? scope - 1 : 0;
		before = f.id;
		before_at = at;
	}
}

void features_figures(const struct result *r, double out[FIGURES])
{
	double s = r->score;
	size_t n = 0;
	out[n++] = 1;
	out[n++] = s;
	out[n++] = s > 0 ? s : 0;
	out[n++] = r->neg;
	out[n++] = r->pos;
	out[n++] = r->neu;
	out[n++] = s >= 0.05;
	out[n++] = s <= -0.05;
	out[n++] = s >= 0.4;
	out[n++] = s <= -0.4;
	out[n++] = s >= 0.7;
	out[n++] = s <= -0.7;
	out[n++] = r->pos > 0 && r->neg > 0;
	out[n++] = r->pos == 0 && r->neg == 0;
}
