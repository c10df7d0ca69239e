/* entities.c - character references of HTML. The names are those of the HTML standard. */
#include "lib/ingest/entities.h"

#include "lib/base/embed.h"
#include "lib/base/utf8.h"

/* MOST_LEGACY: the longest name that may go without a semicolon. */
enum { MOST_NAME = 32, MOST_LEGACY = 6 };

EMBED(entities, "lib/ingest/entities.tsv")

static void put_value(struct buf *out, struct str value)
{
	if (value.p[0] != '\\')
		buf_str(out, value);
	else
		buf_char(out, (char)(value.p[1] == 'n' ? '\n' : value.p[1] == 't' ? '\t' : '\\'));
}

/* Finds the line of a name by bisection. */
static bool find(struct str name, struct str *value)
{
	struct str all = entities();
	const char *low = all.p, *high = all.p + all.n;
	while (low < high) {
		const char *at = low + (high - low) / 2;
		while (at > low && at[-1] != '\n')
			at--;
		const char *tab = memchr(at, '\t', (size_t)(high - at)), *nl = memchr(tab, '\n', (size_t)(high - tab));
		int order = str_cmp(name, (struct str){at, (size_t)(tab - at)});
		if (order == 0) {
			*value = (struct str){tab + 1, (size_t)(nl - tab) - 1};
			return true;
		}
		if (order < 0)
			high = at;
		else
			low = nl + 1;
	}
	return false;
}

static void put_number(struct buf *out, uint32_t c)
{
	/* The bytes that windows-1252 has where Unicode has controls. */
	static const uint16_t windows[32] = {0x20ac, 0x81, 0x201a, 0x192, 0x201e, 0x2026, 0x2020, 0x2021, 0x2c6, 0x2030,
	    0x160, 0x2039, 0x152, 0x8d, 0x17d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
	    0x2dc, 0x2122, 0x161, 0x203a, 0x153, 0x9d, 0x17e, 0x178};
	char bytes[4];
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = 0xfffd;
	else if (c >= 0x80 && c < 0xa0)
		c = windows[c - 0x80];
	else if ((c < 0x20 && c != '\t' && c != '\n' && c != '\f' && c != '\r') || c == 0x7f ||
		 (c >= 0xfdd0 && c <= 0xfdef) || (c & 0xfffe) == 0xfffe)
		return;
	buf_add(out, bytes, utf8_put(bytes, c));
}

static int digit_of(char c, bool hex)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return hex && c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After "&#": how many bytes were taken, 0 if it is not a number. */
static size_t take_number(struct str s, struct buf *out)
{
	bool hex = s.n && (s.p[0] | 0x20) == 'x';
	size_t from = hex, at = from;
	uint32_t c = 0;
	for (int v; at < s.n && (v = digit_of(s.p[at], hex)) >= 0; at++)
		c = c > 0x10ffff ? c : c * (hex ? 16 : 10) + (uint32_t)v;
	if (at == from)
		return 0;
	put_number(out, c);
	return at + (at < s.n && s.p[at] == ';');
}

/* After "&": how many bytes were taken, 0 if it is not a name. */
static size_t take_name(struct str s, struct buf *out)
{
	struct str value;
	size_t n = 0;
	for (size_t characters = 0; n < s.n && !strchr("\t\n\f <&#;", s.p[n]); n++) {
		characters += (s.p[n] & 0xc0) != 0x80;
		if (characters > MOST_NAME)
			break;
	}
	if (n && n < s.n && s.p[n] == ';')
		n++;
	if (n && find((struct str){s.p, n}, &value)) {
		put_value(out, value);
		return n;
	}
	for (size_t k = n > MOST_LEGACY ? MOST_LEGACY : n ? n - 1 : 0; k > 1; k--)
		if (find((struct str){s.p, k}, &value)) {
			put_value(out, value);
			return k;
		}
	return 0;
}

struct str entities_unescape(struct str text, struct buf *out)
{
	const char *at = text.n ? memchr(text.p, '&', text.n) : NULL;
	if (!at)
		return text;
	buf_clear(out);
	buf_reserve(out, text.n); /* also of a text that becomes empty there is one */
	while (at) {
		buf_add(out, text.p, (size_t)(at - text.p));
		text = (struct str){at + 1, text.n - (size_t)(at - text.p) - 1};
		bool number = text.n && *text.p == '#';
		size_t took = number ? take_number((struct str){text.p + 1, text.n - 1}, out) : take_name(text, out);
		if (!took)
			buf_char(out, '&');
		took += took && number;
		text = (struct str){text.p + took, text.n - took};
		at = text.n ? memchr(text.p, '&', text.n) : NULL;
	}
	buf_str(out, text);
	return buf_view(out);
}
