/* cell.c - cells of tables. */
#include "lib/text/cell.h"

#include "lib/base/utf8.h"
#include "lib/text/unicode.h"

static bool begins_formula(unsigned char c)
{
	return c == '=' || c == '+' || c == '-' || c == '@';
}

bool cell_is_formula(struct str text)
{
	const char *p = text.p, *end = text.p + text.n;
	if (p == end)
		return false;
	unsigned char first = (unsigned char)*p;
	if (begins_formula(first) || first == '\t' || first == '\r' || first == '\n')
		return true;
	if (likely(first > ' ' && first < 0x80))
		return false;
	while (p < end && utf8_sequence(p, end)) {
		const char *at = p;
		uint32_t c = utf8_next(&p);
		if (!unicode_is_space(c) && c != 0xfeff)
			return c < 0x80 && begins_formula((unsigned char)*at);
	}
	return false;
}

static void put_quoted(struct buf *out, struct str text, bool formula)
{
	char *o = buf_reserve(out, 2 * text.n + 3);
	*o++ = '"';
	if (formula)
		*o++ = '\'';
	for (const char *p = text.p, *end = p + text.n; p < end; p++) {
		if (*p == '"')
			*o++ = '"';
		*o++ = *p;
	}
	*o++ = '"';
	out->n = (size_t)(o - out->p);
}

/* Quotes whatever any delimiter in use (comma, semicolon, tab) would cut. */
static void put_delimited(struct buf *out, struct str text, bool formula)
{
	static const bool special[256] = {
	    [','] = true, ['"'] = true, [';'] = true, ['\n'] = true, ['\r'] = true, ['\t'] = true};
	for (size_t i = 0; i < text.n; i++)
		if (special[(unsigned char)text.p[i]]) {
			put_quoted(out, text, formula);
			return;
		}
	if (formula)
		buf_char(out, '\'');
	buf_str(out, text);
}

static void put_markdown(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		if (c == '\n' || (c == '\r' && !(i + 1 < text.n && text.p[i + 1] == '\n')))
			buf_str(out, STR("<br>"));
		else if (c == '<')
			buf_str(out, STR("&lt;"));
		else if (c == '&')
			buf_str(out, STR("&amp;"));
		else if (c == '\t' || c == '\r')
			buf_char(out, ' ');
		else {
			if (c && strchr("\\|`*_[]~$", c))
				buf_char(out, '\\');
			buf_char(out, c);
		}
	}
}

void cell_put(struct buf *out, enum cell_format format, struct str text, bool raw)
{
	if (text.n == 0)
		return;
	if (format == CELL_MARKDOWN)
		put_markdown(out, text);
	else
		put_delimited(out, text, !raw && cell_is_formula(text));
}
