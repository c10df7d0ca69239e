/* unicode.c - character properties from a two-stage table, lower case from sorted ranges; ASCII needs neither. */
#include "lib/text/unicode.h"

#include "lib/text/unicode_tables.h"
#include "lib/base/utf8.h"

static unsigned property_of_high(uint32_t c)
{
	for (size_t i = 0; i < unicode_high_count; i++)
		if (c <= unicode_high[i].last)
			return c >= unicode_high[i].first ? unicode_high[i].property : 0;
	return 0;
}

static inline unsigned property_of(uint32_t c)
{
	if (unlikely(c >= UNICODE_PAGED))
		return property_of_high(c);
	size_t page = unicode_page[c / UNICODE_PAGE];
	return unicode_property[unicode_class[page * UNICODE_PAGE + c % UNICODE_PAGE] - 'A'];
}

bool unicode_is_space(uint32_t c)
{
	return property_of(c) & PROPERTY_SPACE;
}

enum unicode_case unicode_case_of(uint32_t c)
{
	return (enum unicode_case)(property_of(c) & PROPERTY_CASE);
}

bool unicode_is_alpha(uint32_t c)
{
	return property_of(c) & PROPERTY_ALPHA;
}

bool unicode_is_alnum(uint32_t c)
{
	return property_of(c) & PROPERTY_ALNUM;
}

/* The lower case of a character with PROPERTY_LOWERS. */
static uint32_t find_lower(uint32_t c)
{
	size_t low = 0, high = unicode_lowering_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (unicode_lowering[middle].first <= c)
			low = middle;
		else
			high = middle;
	}
	return c + (uint32_t)unicode_lowering[low].delta;
}

size_t unicode_lower(uint32_t c, uint32_t out[3])
{
	if (c < 0x80) {
		out[0] = c - 'A' < 26 ? c + 32 : c;
		return 1;
	}
	if (c == 0x130) {
		out[0] = 'i';
		out[1] = 0x307; /* keeps the dot of the capital */
		return 2;
	}
	out[0] = property_of(c) & PROPERTY_LOWERS ? find_lower(c) : c;
	return 1;
}

enum { SIGMA = 0x3a3, SMALL_SIGMA = 0x3c3, FINAL_SIGMA = 0x3c2 };

static uint32_t previous(const char **p)
{
	do
		--*p;
	while (((unsigned char)**p & 0xc0) == 0x80);
	const char *at = *p;
	return utf8_next(&at);
}

/* A sigma is final if a cased character precedes it and none follows, ignoring case-ignorable characters between. `at`
 * is the sigma, `after` the text after it. The search from one sigma stops at the next, so a text costs linear time. */
static bool is_final_sigma(struct str s, const char *at, const char *after)
{
	unsigned before = PROPERTY_SIGMA_SKIPPED, behind = PROPERTY_SIGMA_SKIPPED;
	while (at > s.p && before & PROPERTY_SIGMA_SKIPPED)
		before = property_of(previous(&at));
	if (!(before & PROPERTY_SIGMA_CASED))
		return false;
	while (after < s.p + s.n && behind & PROPERTY_SIGMA_SKIPPED)
		behind = property_of(utf8_next(&after));
	return !(behind & PROPERTY_SIGMA_CASED);
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* Lowers whole groups of eight ASCII bytes at p; returns how many bytes it processed. */
static size_t lower_ascii(const char *p, size_t n, char *out)
{
	size_t i = 0;
	for (; n - i >= 8; i += 8) {
		uint64_t v;
		memcpy(&v, p + i, sizeof v);
		if (v & EACH(0x80))
			break;
		/* the first sum's high bit is set from 'A' on, the second's after 'Z' */
		uint64_t capital = ((v + EACH(0x80 - 'A')) ^ (v + EACH(0x80 - 'Z' - 1))) & EACH(0x80);
		v |= capital >> 2;
		memcpy(out + i, &v, sizeof v);
	}
	return i;
}

size_t text_lower(struct str s, char *out)
{
	if (!s.n)
		return 0;
	char *o = out;
	const char *p = s.p, *end = s.p + s.n;
	while (p < end) {
		size_t n = lower_ascii(p, (size_t)(end - p), o);
		p += n;
		o += n;
		/* goes on to at least the next blank, so that a foreign word does not retry lower_ascii at each
		 * letter */
		while (p < end) {
			const char *at = p;
			uint32_t c = utf8_next(&p), low[3];
			if (c == SIGMA) {
				o += utf8_put(o, is_final_sigma(s, at, p) ? FINAL_SIGMA : SMALL_SIGMA);
				continue;
			}
			size_t count = unicode_lower(c, low);
			for (size_t i = 0; i < count; i++)
				o += utf8_put(o, low[i]);
			if (c == ' ')
				break;
		}
	}
	return (size_t)(o - out);
}
