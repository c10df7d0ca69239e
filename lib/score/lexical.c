/* lexical.c - what the word-list engines share. */
#include "lib/score/lexical.h"

#include "lib/base/io.h"
#include "lib/text/split.h"
#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

int layer_read(struct layer *l, const char *path, struct err *e)
{
	enum { LARGEST = 64 << 20 };
	*l = (struct layer){0};
	if (!path)
		return 0;
	if (io_read_file(path, LARGEST, &l->text, e) < 0)
		return -1;
	memset(buf_reserve(&l->text, WORDS_PAD), 0, WORDS_PAD);
	return 0;
}

void layer_free(struct layer *l)
{
	buf_free(&l->text);
}

static struct str fold(struct str token, struct buf *b)
{
	buf_clear(b);
	buf_reserve(b, token.n * 3 + WORDS_PAD);
	b->n = text_lower(token, b->p);
	memset(b->p + b->n, 0, WORDS_PAD);
	return buf_view(b);
}

/* Adds one entry, folded as tokens will be. Returns its number; *twice: the file had it before. */
static uint32_t apply(struct layer *l, struct words *w, struct str key, double value, bool *twice)
{
	struct buf folded = {0};
	uint32_t number = words_add(w, fold(key, &folded));
	struct word *word = &w->word[number];
	*twice = word->flags & WORD_LAYERED;
	word->flags |= WORD_KNOWN | WORD_LAYERED;
	word->value = value;
	l->beyond_ascii |= !utf8_is_ascii(buf_view(&folded));
	buf_free(&folded);
	return number;
}

static int check(const struct layer *l, const struct tsv *t, struct str key, double value, double most, struct err *e)
{
	if (utf8_valid_prefix(key) < key.n)
		return tsv_fail(t, e, "the key is not UTF-8");
	if (!l->phrases && memchr(key.p, ' ', key.n))
		return tsv_fail(t, e, "'%.*s' has a blank in it: this model looks up single words", STR_FMT(key));
	if (key.n > 1000)
		return tsv_fail(t, e, "the key has over 1,000 bytes");
	if (value < -most || value > most)
		return tsv_fail(t, e, "values of this model lie between -%g and %g", most, most);
	return 0;
}

int layer_next(struct layer *l, struct tsv *t, struct words *w, double most, uint32_t *word, struct err *e)
{
	struct str key;
	double value;
	bool twice;
	int rc = tsv_next_number(t, &key, &value, e);
	if (rc <= 0)
		return rc;
	if (check(l, t, key, value, most, e) < 0)
		return -1;
	*word = apply(l, w, key, value, &twice);
	return twice ? tsv_fail(t, e, "'%.*s' occurs twice in the file", STR_FMT(key)) : 1;
}

int layer_apply(struct layer *l, const char *path, struct words *w, double most, struct err *e)
{
	struct tsv t = tsv_open(path, buf_view(&l->text));
	uint32_t word;
	int rc;
	while ((rc = layer_next(l, &t, w, most, &word, e)) > 0)
		;
	return rc;
}

size_t count_lines(struct str text)
{
	size_t n = 1;
	if (!text.n)
		return 0;
	for (const char *p = text.p, *end = p + text.n; p < end && (p = memchr(p, '\n', (size_t)(end - p))); p++)
		n++;
	return n;
}

struct str text_with_blanks(struct str text, struct buf *b)
{
	buf_clear(b);
	buf_reserve(b, text.n + SPLIT_PAD);
	buf_str(b, text);
	memset(b->p + b->n, 0, SPLIT_PAD);
	for (char *p = b->p, *end = p + b->n; p < end;) {
		/* The first bytes of non-ASCII white space: U+0085, U+00A0, U+1680, U+2000 to U+205F, U+3000. */
		unsigned char c = (unsigned char)*p;
		if (likely(c != 0xc2 && c != 0xe1 && c != 0xe2 && c != 0xe3)) {
			p++;
			continue;
		}
		const char *next = p;
		bool space = unicode_is_space(utf8_next(&next));
		size_t n = (size_t)(next - p);
		if (space)
			memset(p, ' ', n);
		p += n;
	}
	return buf_view(b);
}

bool text_has_kelvin(struct str text)
{
	return memmem(text.p, text.n, "\xe2\x84\xaa", 3) != NULL;
}

uint32_t words_find_folded(const struct words *w, struct str token, struct buf *b)
{
	struct str folded = fold(token, b);
	return words_find(w, folded.p, folded.n);
}
