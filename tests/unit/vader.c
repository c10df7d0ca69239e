/* The parts of VADER that differ from the package in how they compute: words by masks, the rule for "but", the
 * dictionary. */
#include "lib/score/but.h"
#include "lib/score/words.h"
#include "lib/text/split.h"
#include "tests/unit/tap.h"

static uint64_t state = 42;

static uint64_t rnd(uint64_t below)
{
	state = state * 6364136223846793005 + 1442695040888963407;
	return (state >> 33) % below;
}

/* --- split --- */

static bool space(char c)
{
	return c == ' ' || (c >= 9 && c <= 13) || (c >= 0x1c && c <= 0x1f);
}

static bool punctuation(char c)
{
	return c && strchr("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", c);
}

static size_t split_plainly(const char *p, size_t n, struct span *out)
{
	size_t words = 0;
	for (size_t i = 0; i < n;) {
		while (i < n && space(p[i]))
			i++;
		size_t from = i;
		while (i < n && !space(p[i]))
			i++;
		if (i == from)
			break;
		size_t a = from, b = i;
		while (a < b && punctuation(p[a]))
			a++;
		while (b > a && punctuation(p[b - 1]))
			b--;
		if (a == b)
			a = b = from;
		out[words++] = (struct span){(uint32_t)from, (uint32_t)(i - from), (uint32_t)a, (uint32_t)(b - a)};
	}
	return words;
}

static void test_split(void)
{
	enum { MOST = 400 };
	static char text[MOST + SPLIT_PAD];
	static struct span want[MOST], got[MOST + SPLIT_BLOCK_WORDS];
	static const char few[] = "ab .!\t\x80";
	size_t wrong = 0;
	for (int round = 0; round < 60000; round++) {
		size_t n = rnd(MOST);
		for (size_t i = 0; i < n + SPLIT_PAD; i++)
			text[i] = round % 3 == 0   ? (char)rnd(256)
				  : round % 3 == 1 ? few[rnd(sizeof few - 1)]
				  : rnd(90)	   ? 'x'
						   : ' ';
		size_t expected = split_plainly(text, n, want), words = 0;
		struct split s = {text, n, 0};
		for (size_t k; (k = split_words(&s, got + words, SPLIT_BLOCK_WORDS + rnd(5)));)
			words += k;
		bool same = words == expected;
		for (size_t i = 0; same && i < words; i++)
			same = got[i].from == want[i].from && got[i].n == want[i].n &&
			       got[i].core_n == want[i].core_n && (got[i].core_n == 0 || got[i].core == want[i].core);
		wrong += !same;
	}
	is_u64(wrong, 0, "60,000 texts are cut as a plain loop cuts them");
}

/* --- but --- */

static void but_plainly(double *v, const size_t *token, size_t n, size_t but)
{
	for (size_t k = 0; k < n; k++) {
		size_t i = 0;
		while (v[i] != v[k])
			i++;
		v[i] = token[i] < but ? v[k] * 0.5 : token[i] > but ? v[k] * 1.5 : v[k];
	}
}

static void test_but(void)
{
	enum { MOST = 300 };
	static const double values[] = {1, 2, 4, 0.5, -1, 1.5, 2.25, 3, -3, 0.75, 1.9, -2.5, 0.25, 0x1p-1074};
	struct but_values b = {0};
	size_t wrong = 0;
	for (int round = 0; round < 20000; round++) {
		double plain[MOST];
		size_t token[MOST], n = 1 + rnd(round % 2 ? MOST - 1 : 30), kinds = 1 + rnd(COUNT_OF(values));
		b.n = 0;
		for (size_t i = 0, at = 0; i < n; i++, at += 1 + rnd(3)) {
			plain[i] = values[rnd(kinds)];
			token[i] = at;
			but_add(&b, at, plain[i], 0, 0);
		}
		size_t but = rnd(2 * n + 2);
		but_plainly(plain, token, n, but);
		but_shift(&b, but);
		for (size_t i = 0; i < n; i++)
			wrong += b.value[i].v != plain[i];
	}
	but_free(&b);
	is_u64(wrong, 0, "20,000 lists of values come out as the quadratic rule has it");
}

/* --- words --- */

static void test_words(void)
{
	struct words w;
	char key[64 + WORDS_PAD] = {0};
	words_init(&w, 3000);
	uint32_t number[3000];
	for (int i = 0; i < 3000; i++) {
		memset(key, 0, sizeof key);
		int n = snprintf(key, 64, i % 2 ? "w%d" : "a-word-of-more-than-sixteen-bytes-%d", i);
		number[i] = words_add(&w, (struct str){key, (size_t)n});
	}
	size_t wrong = 0;
	for (int i = 0; i < 3000; i++) {
		memset(key, 'z', sizeof key);
		int n = snprintf(key, 64, i % 2 ? "W%d" : "A-word-OF-more-than-sixteen-bytes-%d", i);
		wrong += words_find(&w, key, (size_t)n) != number[i] || !words_maybe(&w, key, (size_t)n);
		wrong += words_find(&w, key, (size_t)n - 1) == number[i];
		key[0] = 'q';
		wrong += words_find(&w, key, (size_t)n) != 0;
	}
	is_u64(wrong, 0, "3,000 words are found whatever their case, and others are not");
	is_u64(words_find(&w, key, 0), 0, "the empty word is none");
	words_free(&w);
}

int main(void)
{
	test_split();
	test_but();
	test_words();
	return tap_done();
}
