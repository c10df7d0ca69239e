/* utf8.c - validation against a decoder that is written out plainly, over all short sequences that can matter. */
#include "lib/base/utf8.h"
#include "tests/unit/tap.h"

/* The length of the sequence by the definition: decode by the lead byte's length, then refuse what is not the shortest
 * form of a scalar value. */
static size_t plain(const unsigned char *p, size_t n)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (n == 0)
		return 0;
	size_t length = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : p[0] >> 3 == 30 ? 4 : 0;
	if (length == 0 || n < length)
		return 0;
	uint32_t c = length == 1 ? p[0] : p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	return c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : length;
}

static void test_sequences(void)
{
	/* the bytes at which a verdict can change, and their neighbours */
	static const unsigned char edge[] = {0x00, 0x22, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2,
	    0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xf8, 0xff};
	size_t wrong = 0, tried = 0;
	for (unsigned a = 0; a < 256; a++)
		for (unsigned b = 0; b < 256; b++)
			for (size_t c = 0; c < COUNT_OF(edge); c++)
				for (size_t d = 0; d < COUNT_OF(edge); d++)
					for (size_t n = 1; n <= 4; n++) {
						unsigned char s[4] = {
						    (unsigned char)a, (unsigned char)b, edge[c], edge[d]};
						wrong += utf8_sequence((char *)s, (char *)s + n) != plain(s, n);
						tried++;
					}
	ok(wrong == 0, "%zu sequences, whole and cut (%zu wrong)", tried, wrong);
	ok(utf8_sequence("", "") == 0, "nothing is no sequence");
}

static void test_code_points(void)
{
	size_t wrong = 0, count = 0;
	for (uint32_t c = 0; c <= 0x10ffff; c++) {
		if (c >= 0xd800 && c <= 0xdfff)
			continue;
		char out[4];
		size_t n = utf8_put(out, c);
		const char *p = out;
		wrong += utf8_sequence(out, out + n) != n || utf8_next(&p) != c || p != out + n ||
			 utf8_count((struct str){out, n}) != 1;
		count++;
	}
	ok(wrong == 0 && count == 1112064, "all %zu scalar values are written and read back", count);
}

static void test_prefix(void)
{
	ok(utf8_valid_prefix(STR_NONE) == 0, "nothing is valid");
	ok(utf8_valid_prefix(STR("plain ASCII of some length")) == 26, "ASCII");
	ok(utf8_valid_prefix(STR("a\0b")) == 3, "NUL is a character");
	size_t wrong = 0;
	for (size_t before = 0; before < 40; before++) {
		char text[64];
		memset(text, 'a', sizeof text);
		memcpy(text + before, "\xe2\x82\xac", 3);
		wrong += utf8_valid_prefix((struct str){text, 64}) != 64;
		wrong += utf8_count((struct str){text, 64}) != 62;
		wrong += utf8_count((struct str){text + before, 3}) != 1;
		for (size_t cut = 1; cut < 3; cut++)
			wrong += utf8_valid_prefix((struct str){text, before + cut}) != before;
		text[before + 2] = 'a';
		wrong += utf8_valid_prefix((struct str){text, 64}) != before;
	}
	ok(wrong == 0, "the prefix ends before the first bad sequence, at every offset");
}

int main(void)
{
	test_sequences();
	test_code_points();
	test_prefix();
	return tap_done();
}
