/* plus_rewrite.c - rewrites odd words as tokens that the rules of plus understand. */
#include "lib/score/plus_rewrite.h"

#include "lib/text/split.h"
#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

/* Punctuation that separates two words without a blank. */
static inline bool parts(char c)
{
	return (c >= ',' && c <= '/') || c == ':' || c == ';' || c == '!' || c == '?' || c == '#';
}

size_t next_odd(struct str text, size_t at)
{
#if defined(__SSE2__)
	for (; at < text.n; at += 16) {
		const char *p = text.p + at;
		__m128i a = _mm_loadu_si128((const __m128i *)(const void *)p);
		__m128i b = _mm_loadu_si128((const __m128i *)(const void *)(p + 1));
		__m128i c = _mm_loadu_si128((const __m128i *)(const void *)(p + 2));
		__m128i low = _mm_or_si128(b, _mm_set1_epi8(0x20));
		__m128i letter = _mm_and_si128(
		    _mm_cmpgt_epi8(low, _mm_set1_epi8('a' - 1)), _mm_cmplt_epi8(low, _mm_set1_epi8('z' + 1)));
		__m128i thrice = _mm_and_si128(_mm_cmpeq_epi8(a, b), _mm_cmpeq_epi8(b, c));
		__m128i part =
		    _mm_and_si128(_mm_cmpgt_epi8(a, _mm_set1_epi8(',' - 1)), _mm_cmplt_epi8(a, _mm_set1_epi8('/' + 1)));
		part = _mm_or_si128(part, _mm_cmpeq_epi8(_mm_or_si128(a, _mm_set1_epi8(1)), _mm_set1_epi8(';')));
		part = _mm_or_si128(part, _mm_cmpeq_epi8(_mm_or_si128(a, _mm_set1_epi8(2)), _mm_set1_epi8('#')));
		part = _mm_or_si128(part, _mm_cmpeq_epi8(a, _mm_set1_epi8('?')));
		/* The sign bit of each byte: the byte is non-ASCII, or the position is odd. */
		__m128i odd = _mm_or_si128(a, _mm_and_si128(letter, _mm_or_si128(thrice, part)));
		unsigned mask = (unsigned)_mm_movemask_epi8(odd);
		if (mask) {
			size_t found = at + (size_t)__builtin_ctz(mask);
			return found < text.n ? found : text.n;
		}
	}
	return text.n;
#else
	for (const char *p; at < text.n; at++) {
		p = text.p + at;
		if (*p & 0x80 || (is_letter(p[1]) && (parts(p[0]) || (p[0] == p[1] && p[1] == p[2]))))
			break;
	}
	return at;
#endif
}

static void draft_add(struct draft *d, const char *p, size_t n, struct draft_origin o, bool explain)
{
	buf_add(&d->text, p, n);
	for (size_t i = 0; explain && i < n; i++)
		buf_add(&d->origin, (const char *)&o, sizeof o);
}

static void move(struct rewriting *w, size_t from, size_t to)
{
	buf_add(&w->out.text, w->word.text.p + from, to - from);
	if (w->explain)
		buf_add(&w->out.origin, w->word.origin.p + from * sizeof(struct draft_origin),
		    (to - from) * sizeof(struct draft_origin));
}

static void blank(struct rewriting *w)
{
	struct draft_origin o = {0};
	if (w->explain && w->out.origin.n)
		memcpy(&o, w->out.origin.p + w->out.origin.n - sizeof o, sizeof o);
	draft_add(&w->out, " ", 1, (struct draft_origin){o.to, o.to}, w->explain);
}

enum { RUNS = 3, SHORT_WORD = 48 };

struct run_of {
	size_t at, n;
};

/* Shortens runs of letters to one or two each so that a known word results. Returns its length, or 0 if there is
 * none. */
static size_t shorten(const struct words *words, const char *word, size_t n, char out[SHORT_WORD + WORDS_PAD])
{
	char squeezed[SHORT_WORD];
	size_t run_end[RUNS], runs = 0, m = 0;
	for (size_t i = 0; i < n;) {
		size_t k = 1;
		while (i + k < n && word[i + k] == word[i])
			k++;
		bool run = k > 2 && is_letter(word[i]);
		for (size_t j = 0; j < (run ? 2 : k); j++) {
			if (m == SHORT_WORD)
				return 0;
			squeezed[m++] = word[i];
		}
		if (run && runs == RUNS)
			return 0;
		if (run)
			run_end[runs++] = m - 1;
		i += k;
	}
	if (!runs)
		return 0;
	for (unsigned drop = 0; drop < 1U << runs; drop++) {
		size_t at = 0, len = 0;
		for (size_t i = 0; i < m; i++) {
			bool out_now = at < runs && i == run_end[at];
			if (out_now && drop >> at++ & 1)
				continue;
			out[len++] = squeezed[i];
		}
		memset(out + len, 0, WORDS_PAD);
		if (words_find(words, out, len))
			return len;
	}
	return 0;
}

static bool is_known(const struct words *words, const char *word, size_t n)
{
	return words_maybe(words, word, n) && words_find(words, word, n);
}

/* Writes a part of a word, shortened if it is an elongated known word. */
static void put_part(struct rewriting *w, size_t from, size_t to)
{
	const char *t = w->word.text.p;
	size_t a = from, b = to;
	while (a < b && !is_letter(t[a]))
		a++;
	while (b > a && !is_letter(t[b - 1]))
		b--;
	char shorter[SHORT_WORD + WORDS_PAD];
	size_t n = is_known(w->words, t + a, b - a) ? 0 : shorten(w->words, t + a, b - a, shorter);
	if (!n) {
		move(w, from, to);
		return;
	}
	move(w, from, a);
	struct draft_origin o = {0}, last = {0};
	if (w->explain) {
		memcpy(&o, w->word.origin.p + a * sizeof o, sizeof o);
		memcpy(&last, w->word.origin.p + (b - 1) * sizeof o, sizeof o);
	}
	draft_add(&w->out, shorter, n, (struct draft_origin){o.from, last.to}, w->explain);
	move(w, b, to);
}

static bool is_address(const char *p, size_t n)
{
	return *p == '@' || (n > 4 && (strncasecmp(p, "http", 4) == 0 || strncasecmp(p, "www.", 4) == 0));
}

static bool is_upper(char c)
{
	return (unsigned)(c - 'A') < 26;
}

/* Writes the complete word to the text, split where two words are run together. Known words ("x-ray", ":d") stay
 * whole. */
static void put_word(struct rewriting *w)
{
	size_t n = w->word.text.n;
	if (!n)
		return;
	memset(buf_reserve(&w->word.text, SPLIT_PAD), 0, SPLIT_PAD);
	const char *t = w->word.text.p;
	size_t core = 0, end = n;
	while (core < end && !is_letter(t[core]) && !(t[core] & 0x80))
		core++;
	while (end > core && !is_letter(t[end - 1]) && !(t[end - 1] & 0x80))
		end--;
	if (is_address(t, n) || is_known(w->words, t, n) || is_known(w->words, t + core, end - core)) {
		move(w, 0, n);
	} else {
		bool tag = *t == '#';
		size_t from = 0;
		for (size_t i = core + 1; i < end; i++)
			if (is_letter(t[i]) && (parts(t[i - 1]) || (tag && is_upper(t[i]) && !is_upper(t[i - 1])))) {
				put_part(w, from, i);
				blank(w);
				from = i;
			}
		put_part(w, from, n);
	}
	buf_clear(&w->word.text);
	buf_clear(&w->word.origin);
}

static bool is_skin_tone(uint32_t c)
{
	return c >= 0x1f3fb && c <= 0x1f3ff;
}

static bool is_variation(uint32_t c)
{
	return c == 0xfe0e || c == 0xfe0f;
}

/* Pictographs; the ranges have no letters. */
static bool is_emoji(uint32_t c)
{
	return (c >= 0x1f000 && c <= 0x1faff) || (c >= 0x2600 && c <= 0x27bf) || (c >= 0x2b00 && c <= 0x2bff) ||
	       (c >= 0x2190 && c <= 0x23ff) || (c >= 0x25a0 && c <= 0x25ff);
}

/* Writes one emoji from *p, with everything joined to it, as a token. Variation selectors and skin tones are dropped;
 * joined emoji become the first of them, unless the lexicon has them. */
static void put_emoji(struct rewriting *w, const char *text, const char **p, const char *end)
{
	enum { JOINED = 64 };
	char key[JOINED + WORDS_PAD] = {0};
	const char *start = *p, *q = *p;
	utf8_next(&q);
	size_t n = (size_t)(q - start), first = n;
	memcpy(key, start, n);
	for (const char *next = q; next < end; q = next) {
		const char *from = next;
		uint32_t c = utf8_next(&next);
		if (is_variation(c) || is_skin_tone(c))
			continue;
		if (c != 0x200d || next == end)
			break;
		utf8_next(&next);
		if (n + (size_t)(next - from) <= JOINED) {
			memcpy(key + n, from, (size_t)(next - from));
			n += (size_t)(next - from);
		}
	}
	if (n > first && !words_find(w->words, key, n))
		n = first;
	struct draft_origin o = {(uint32_t)(start - text), (uint32_t)(q - text)};
	blank(w);
	draft_add(&w->out, key, n, o, w->explain);
	blank(w);
	*p = q;
}

static const char *plain_form(uint32_t c)
{
	switch (c) {
	case 0x2018:
	case 0x2019:
	case 0x02bc:
	case 0xff07:
		return "'";
	case 0x201c:
	case 0x201d:
	case 0x201e:
	case 0x2039:
	case 0x203a:
	case 0xa1:
	case 0xab:
	case 0xbb:
	case 0xbf:
		return "\"";
	case 0x2013:
	case 0x2014:
		return ", ";
	case 0x2026:
		return "... ";
	case 0x200b:
	case 0x200c:
	case 0x200d:
	case 0xfe0e:
	case 0xfe0f:
		return "";
	case 0x3002:
		return ". ";
	case 0xff01:
		return "! ";
	case 0xff1f:
		return "? ";
	default:
		return unicode_is_space(c) ? " " : NULL;
	}
}

static void put_beyond(struct rewriting *w, const char *text, const char **p, const char *end)
{
	const char *start = *p;
	uint32_t c = utf8_next(p);
	struct draft_origin o = {(uint32_t)(start - text), (uint32_t)(*p - text)};
	if (is_emoji(c)) {
		put_word(w);
		*p = start;
		put_emoji(w, text, p, end);
		return;
	}
	const char *plain = plain_form(c);
	if (!plain) {
		draft_add(&w->word, start, (size_t)(*p - start), o, w->explain);
		return;
	}
	size_t n = strlen(plain);
	bool ends = n && plain[n - 1] == ' ';
	if (n > ends)
		draft_add(&w->word, plain, n - ends, o, w->explain);
	if (ends) {
		put_word(w);
		draft_add(&w->out, " ", 1, o, w->explain);
	}
}

static void put_bytes(struct rewriting *w, struct draft *to, struct str text, size_t from, size_t end)
{
	buf_add(&to->text, text.p + from, end - from);
	for (size_t i = from; w->explain && i < end; i++) {
		struct draft_origin o = {(uint32_t)i, (uint32_t)i + 1};
		buf_add(&to->origin, (const char *)&o, sizeof o);
	}
}

/* Rewrites the word from `at` to the next white space; returns its end. */
static size_t put_odd_word(struct rewriting *w, struct str text, size_t at)
{
	const char *p = text.p + at, *end = text.p + text.n;
	while (p < end && (unsigned char)*p > ' ') {
		const char *from = p;
		if (*p & 0x80) {
			put_beyond(w, text.p, &p, end);
			continue;
		}
		while (p < end && (unsigned char)*p > ' ' && !(*p & 0x80))
			p++;
		put_bytes(w, &w->word, text, (size_t)(from - text.p), (size_t)(p - text.p));
	}
	put_word(w);
	return (size_t)(p - text.p);
}

struct str rewrite(struct rewriting *w, const struct words *words, struct str text, size_t odd, bool explain)
{
	w->words = words;
	w->explain = explain;
	buf_clear(&w->out.text);
	buf_clear(&w->out.origin);
	buf_clear(&w->word.text);
	buf_clear(&w->word.origin);
	buf_reserve(&w->out.text, text.n + SPLIT_PAD);
	for (size_t at = 0; at < text.n; odd = next_odd(text, at)) {
		size_t start = odd;
		while (start > at && (unsigned char)text.p[start - 1] > ' ')
			start--;
		put_bytes(w, &w->out, text, at, start);
		at = start < text.n ? put_odd_word(w, text, start) : text.n;
	}
	memset(buf_reserve(&w->out.text, SPLIT_PAD), 0, SPLIT_PAD);
	return buf_view(&w->out.text);
}

void rewriting_free(struct rewriting *w)
{
	buf_free(&w->out.text);
	buf_free(&w->out.origin);
	buf_free(&w->word.text);
	buf_free(&w->word.origin);
}
