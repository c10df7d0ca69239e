/* visible.c - makes foreign bytes safe to show. */
#include "lib/base/visible.h"

#include "lib/base/utf8.h"

/* C0, DEL, C1, the marks that Unicode calls Bidi_Control, and the two separators. */
static bool hidden(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x061c || c == 0x200e || c == 0x200f ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static void put_hidden(struct buf *b, uint32_t c, enum visible how)
{
	static const char letter[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	if (how == VISIBLE_BLANK)
		buf_char(b, ' ');
	else if (c < 0x20 && letter[c])
		buf_printf(b, "\\%c", letter[c]);
	else if (c < 0x80 && how == VISIBLE_HEX)
		buf_printf(b, "\\x%02x", (unsigned)c);
	else
		buf_printf(b, "\\u%04x", (unsigned)c);
}

static void put_invalid(struct buf *b, unsigned char c, enum visible how)
{
	if (how == VISIBLE_HEX)
		buf_printf(b, "\\x%02x", c);
	else
		buf_str(b, STR("\xef\xbf\xbd"));
}

void visible_put(struct buf *b, struct str s, enum visible how)
{
	const char *end = s.p + s.n;
	for (const char *p = s.p; p < end;) {
		size_t n = utf8_sequence(p, end);
		const char *next = p;
		if (n == 0) {
			put_invalid(b, (unsigned char)*p++, how);
			continue;
		}
		uint32_t c = utf8_next(&next);
		if (hidden(c)) {
			put_hidden(b, c, how);
		} else {
			if (how == VISIBLE_JSON && (c == '"' || c == '\\'))
				buf_char(b, '\\');
			buf_add(b, p, n);
		}
		p = next;
	}
}

bool visible_plain(struct str s)
{
	const char *end = s.p + s.n;
	for (const char *p = s.p; p < end;)
		if (utf8_sequence(p, end) == 0 || hidden(utf8_next(&p)))
			return false;
	return true;
}
