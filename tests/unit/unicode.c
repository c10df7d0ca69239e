/* unicode.c - character properties: single cases that people know, and one checksum over all code points that
 * scripts/build-unicode --checksum computes with CPython's str. */
#include "lib/text/unicode.h"
#include "lib/base/utf8.h"
#include "tests/unit/tap.h"

#define CPYTHON_CHECKSUM 0xa0ee7b72b856fde4u

static uint64_t sum = 0xcbf29ce484222325u; /* FNV-1a */

static void add(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = (sum ^ (unsigned char)p[i]) * 0x100000001b3u;
}

/* before + c + after, lowered */
static void add_lowered(const char *before, uint32_t c, const char *after)
{
	char in[16], out[3 * sizeof in];
	size_t n = strlen(before), m = strlen(after);
	memcpy(in, before, n);
	n += utf8_put(in + n, c);
	memcpy(in + n, after, m);
	add(out, text_lower((struct str){in, n + m}, out));
}

static void test_checksum(void)
{
	size_t wrong = 0;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		char bits = (char)((int)unicode_case_of(c) | unicode_is_space(c) << 2 | unicode_is_alpha(c) << 3 |
				   unicode_is_alnum(c) << 4);
		add(&bits, 1);
		add_lowered("", c, "");
		add_lowered(" ", c, "\u03a3");
		add_lowered("A", c, "\u03a3");
		add_lowered("A\u03a3", c, "B");

		/* unicode_lower and text_lower agree where the context has no say */
		uint32_t low[3];
		char in[4], one[12], whole[12];
		size_t n = 0, count = unicode_lower(c, low);
		for (size_t i = 0; i < count; i++)
			n += utf8_put(one + n, low[i]);
		struct str s = {in, utf8_put(in, c)};
		wrong += text_lower(s, whole) != n || memcmp(one, whole, n) != 0 || n > 3 * s.n;
	}
	is_u64(wrong, 0, "unicode_lower and text_lower agree, in the room that is promised");
	ok(sum == CPYTHON_CHECKSUM, "all code points are as CPython 3.11 has them (0x%016llx)",
	    (unsigned long long)sum);
	ok(!unicode_is_alpha(0xd800) && !unicode_is_space(0x110000) && unicode_case_of(0xffffffff) == CASE_NONE,
	    "what is not a character has no property");
}

static void test_properties(void)
{
	ok(unicode_is_space(' ') && unicode_is_space(0x1c) && unicode_is_space(0x85) && unicode_is_space(0xa0) &&
		unicode_is_space(0x2028) && unicode_is_space(0x3000),
	    "spaces");
	ok(!unicode_is_space(0x200b) && !unicode_is_space(0xfeff) && !unicode_is_space('_'), "no spaces");
	ok(unicode_case_of('A') == CASE_UPPER && unicode_case_of(0x42f) == CASE_UPPER &&
		unicode_case_of(0x24b6) == CASE_UPPER,
	    "uppercase");
	ok(unicode_case_of('a') == CASE_LOWER && unicode_case_of(0xdf) == CASE_LOWER &&
		unicode_case_of(0xaa) == CASE_LOWER,
	    "lowercase");
	ok(unicode_case_of(0x1c5) == CASE_TITLE && unicode_case_of('1') == CASE_NONE &&
		unicode_case_of(0x4e00) == CASE_NONE,
	    "titlecase and none");
	ok(unicode_is_alpha(0x4e00) && unicode_is_alpha(0x20000) && unicode_is_alpha(0x3134a) &&
		!unicode_is_alpha('_') && !unicode_is_alpha(0x1f600),
	    "letters");
	ok(!unicode_is_alpha('7') && unicode_is_alnum('7') && unicode_is_alnum(0xbd) && unicode_is_alnum(0x660) &&
		!unicode_is_alnum('-'),
	    "digits");
}

static struct str lowered(const char *s)
{
	static char out[256];
	/* exactly as long as the text, so that a sanitizer sees reads beyond it */
	struct str in = str_of(s);
	char *copy = xmalloc(in.n);
	memcpy(copy, s, in.n);
	size_t n = text_lower((struct str){copy, in.n}, out);
	free(copy);
	return (struct str){out, n};
}

static void test_lower(void)
{
	static const char *const pair[][2] = {
	    {"", ""},
	    {"GOOD", "good"},
	    {"@AZ[`az{ Not GOOD At All, IS it?", "@az[`az{ not good at all, is it?"},
	    {"\u0130", "i\u0307"},
	    {"\u023a\u1e9e\u212a", "\u2c65\u00dfk"},
	    {"ПРИВЕТ, МИР! HELLO AGAIN", "привет, мир! hello again"},
	    {"\u03a3", "\u03c3"},
	    {"A\u03a3", "a\u03c2"},
	    {"A\u03a3B", "a\u03c3b"},
	    {"A.\u03a3", "a.\u03c2"},
	    {"A\u03a3.'B", "a\u03c3.'b"},
	    {"A\u03a3.'", "a\u03c2.'"},
	    {"A\u03a3 B", "a\u03c2 b"},
	    {" \u03a3", " \u03c3"},
	    {".\u03a3", ".\u03c3"},
	    {"A\u03a3\u03a3\u03a3", "a\u03c3\u03c3\u03c2"},
	    {"\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3", "\u03bf\u03b4\u03c5\u03c3\u03c3\u03b5\u03c5\u03c2"},
	    {"A\U000e0101\u03a3", "a\U000e0101\u03c2"},
	    {"\U00010400\U0001e921", "\U00010428\U0001e943"},
	};
	for (size_t i = 0; i < COUNT_OF(pair); i++)
		is_str(lowered(pair[i][0]), str_of(pair[i][1]), "lower case of '%s'", pair[i][0]);
	size_t wrong = 0;
	for (size_t before = 0; before < 20; before++) {
		char in[24], out[72];
		memset(in, 'Q', sizeof in);
		memcpy(in + before, "\xc3\x84", 2); /* A with diaeresis */
		size_t n = text_lower((struct str){in, sizeof in}, out);
		wrong += n != sizeof in || memcmp(out + before, "\xc3\xa4", 2) != 0;
		for (size_t i = 0; i < n; i++)
			wrong += i != before && i != before + 1 && out[i] != 'q';
	}
	is_u64(wrong, 0, "runs of ASCII on both sides, at every offset");
}

int main(void)
{
	test_checksum();
	test_properties();
	test_lower();
	return tap_done();
}
