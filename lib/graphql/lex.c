/* lex.c - from characters to tokens. */
#include "lib/graphql/lex.h"

#include "lib/base/buf.h"
#include "lib/base/utf8.h"

void gql_lex_start(struct gql_lexer *l, struct str text, struct arena *mem)
{
	*l = (struct gql_lexer){.text = text, .mem = mem};
}

/* The byte at a place, -1 after the end. */
static int at(const struct gql_lexer *l, size_t i)
{
	return i < l->text.n ? (unsigned char)l->text.p[i] : -1;
}

static bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* The character at a place, as messages name it: "x", U+00E9 or <EOF>. */
static struct str show_character(const struct gql_lexer *l, size_t i)
{
	const char *p = l->text.p + i;
	if (i >= l->text.n)
		return STR("<EOF>");
	uint32_t c = utf8_next(&p);
	if (c == '"')
		return STR("'\"'");
	return c >= 0x20 && c < 0x7f ? arena_printf(l->mem, "\"%c\"", (int)c)
				     : arena_printf(l->mem, "U+%04X", (unsigned)c);
}

static int fail(struct gql_lexer *l, size_t i, struct str message)
{
	l->error_at = (uint32_t)i;
	l->error = message;
	return -1;
}

static int fail_character(struct gql_lexer *l, size_t i, const char *what)
{
	return fail(l, i, arena_printf(l->mem, "%s: %.*s.", what, STR_FMT(show_character(l, i))));
}

static int take(struct gql_lexer *l, enum gql_token_kind kind, size_t from, size_t end)
{
	l->token = (struct gql_token){kind, (uint32_t)from, (uint32_t)end, {l->text.p + from, end - from}};
	l->count += kind != GQL_END;
	return 0;
}

/* Moves *i past at least one digit. */
static int digits(struct gql_lexer *l, size_t *i)
{
	if (!is_digit(at(l, *i)))
		return fail_character(l, *i, "Invalid number, expected digit but got");
	while (is_digit(at(l, *i)))
		++*i;
	return 0;
}

static int number(struct gql_lexer *l, size_t from)
{
	size_t i = from + (at(l, from) == '-');
	enum gql_token_kind kind = GQL_INT;
	if (at(l, i) == '0') {
		if (is_digit(at(l, ++i)))
			return fail_character(l, i, "Invalid number, unexpected digit after 0");
	} else if (digits(l, &i) < 0) {
		return -1;
	}
	if (at(l, i) == '.') {
		kind = GQL_FLOAT;
		i++;
		if (digits(l, &i) < 0)
			return -1;
	}
	if (at(l, i) == 'e' || at(l, i) == 'E') {
		kind = GQL_FLOAT;
		i++;
		i += at(l, i) == '+' || at(l, i) == '-';
		if (digits(l, &i) < 0)
			return -1;
	}
	if (at(l, i) == '.' || is_name_start(at(l, i)))
		return fail_character(l, i, "Invalid number, expected digit but got");
	return take(l, kind, from, i);
}

static int hex(int c)
{
	return is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Four hexadecimal digits at i, or -1. */
static int32_t hex4(const struct gql_lexer *l, size_t i)
{
	int32_t c = 0;
	for (size_t k = 0; k < 4; k++) {
		int digit = hex(at(l, i + k));
		if (digit < 0)
			return -1;
		c = c << 4 | digit;
	}
	return c;
}

static bool is_scalar(int64_t c)
{
	return (c >= 0 && c < 0xd800) || (c >= 0xe000 && c <= 0x10ffff);
}

/* So many UTF-16 units of the document from i on, for a message; never past its end. */
static struct str units(const struct gql_lexer *l, size_t i, size_t n)
{
	const char *p = l->text.p + i, *end = l->text.p + l->text.n;
	while (n && p < end) {
		uint32_t c = utf8_next(&p);
		n -= c > 0xffff && n > 1 ? 2 : 1;
	}
	return (struct str){l->text.p + i, (size_t)(p - (l->text.p + i))};
}

static int bad_escape(struct gql_lexer *l, size_t i, size_t n, const char *what)
{
	struct str shown = units(l, i, n);
	return fail(l, i, arena_printf(l->mem, "Invalid %s: \"%.*s\".", what, STR_FMT(shown)));
}

/* \u{1F600}: at most eight digits; i is at the backslash. */
static int escape_braces(struct gql_lexer *l, size_t *i, int64_t *c)
{
	size_t n = 3;
	for (*c = 0; n < 12;) {
		int b = at(l, *i + n++);
		if (b == '}' && n >= 5 && is_scalar(*c)) {
			*i += n;
			return 0;
		}
		int digit = b == '}' ? -1 : hex(b);
		*c = *c << 4 | digit;
		if (digit < 0 || *c > INT32_MAX)
			break;
	}
	return bad_escape(l, *i, n, "Unicode escape sequence");
}

/* \u00e9, or the two halves of a surrogate pair. */
static int escape_fixed(struct gql_lexer *l, size_t *i, int64_t *c)
{
	*c = hex4(l, *i + 2);
	if (is_scalar(*c)) {
		*i += 6;
		return 0;
	}
	if (*c >= 0xd800 && *c < 0xdc00 && at(l, *i + 6) == '\\' && at(l, *i + 7) == 'u') {
		int32_t low = hex4(l, *i + 8);
		if (low >= 0xdc00 && low < 0xe000) {
			*c = 0x10000 + ((*c - 0xd800) << 10) + (low - 0xdc00);
			*i += 12;
			return 0;
		}
	}
	return bad_escape(l, *i, 6, "Unicode escape sequence");
}

static int escape(struct gql_lexer *l, size_t *i, struct buf *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	int b = at(l, *i + 1);
	if (b == 'u') {
		int64_t c;
		char utf8[4];
		if ((at(l, *i + 2) == '{' ? escape_braces : escape_fixed)(l, i, &c) < 0)
			return -1;
		buf_add(out, utf8, utf8_put(utf8, (uint32_t)c));
		return 0;
	}
	const char *known = b > 0 ? strchr(from, b) : NULL;
	if (!known)
		return bad_escape(l, *i, 2, "character escape sequence");
	buf_char(out, to[known - from]);
	*i += 2;
	return 0;
}

/* The token's value: a slice where nothing was changed, else a copy. */
static void set_value(struct gql_lexer *l, struct buf *changed, struct str plain)
{
	l->token.value = changed->p ? arena_str(l->mem, buf_view(changed)) : plain;
	buf_free(changed);
}

static int string(struct gql_lexer *l, size_t from)
{
	struct buf changed = {0};
	size_t i = from + 1, chunk = i;
	for (; at(l, i) >= 0 && at(l, i) != '\n' && at(l, i) != '\r';) {
		if (at(l, i) == '"') {
			if (changed.p)
				buf_add(&changed, l->text.p + chunk, i - chunk);
			take(l, GQL_STRING, from, i + 1);
			set_value(l, &changed, (struct str){l->text.p + chunk, i - chunk});
			return 0;
		}
		if (at(l, i) != '\\') {
			i++;
			continue;
		}
		buf_add(&changed, l->text.p + chunk, i - chunk);
		if (escape(l, &i, &changed) < 0) {
			buf_free(&changed);
			return -1;
		}
		chunk = i;
	}
	buf_free(&changed);
	return fail(l, i, STR("Unterminated string."));
}

/* ---- block strings ---- */

/* The next line of *rest, without its end; false when there is none left. */
static bool next_line(struct str *rest, struct str *line)
{
	if (!rest->p)
		return false;
	size_t n = 0;
	while (n < rest->n && rest->p[n] != '\n' && rest->p[n] != '\r')
		n++;
	*line = (struct str){rest->p, n};
	size_t end = n < rest->n && rest->p[n] == '\r' && n + 1 < rest->n && rest->p[n + 1] == '\n' ? n + 2 : n + 1;
	*rest = n < rest->n ? (struct str){rest->p + end, rest->n - end} : STR_NONE;
	return true;
}

static size_t indent_of(struct str line)
{
	size_t n = 0;
	while (n < line.n && (line.p[n] == ' ' || line.p[n] == '\t'))
		n++;
	return n;
}

/* BlockStringValue of the specification: without the indentation that all lines but the first share, and without
 * blank lines at either end. */
static struct str dedent(struct str raw, struct arena *mem)
{
	size_t common = SIZE_MAX, first = SIZE_MAX, last = 0, i = 0;
	struct str rest = raw, line;
	for (; next_line(&rest, &line); i++) {
		size_t indent = indent_of(line);
		if (indent == line.n)
			continue;
		first = first == SIZE_MAX ? i : first;
		last = i;
		if (i && indent < common)
			common = indent;
	}
	if (first == SIZE_MAX)
		return STR("");
	char *out = arena_alloc(mem, raw.n + 1), *o = out;
	rest = raw;
	for (i = 0; i <= last && next_line(&rest, &line); i++) {
		if (i < first)
			continue;
		size_t cut = i == 0 ? 0 : common < line.n ? common : line.n;
		if (i > first)
			*o++ = '\n';
		memcpy(o, line.p + cut, line.n - cut);
		o += line.n - cut;
	}
	return (struct str){out, (size_t)(o - out)};
}

static bool three_quotes(const struct gql_lexer *l, size_t i)
{
	return at(l, i) == '"' && at(l, i + 1) == '"' && at(l, i + 2) == '"';
}

static int block_string(struct gql_lexer *l, size_t from)
{
	struct buf changed = {0};
	size_t i = from + 3, chunk = i;
	for (; at(l, i) >= 0; i++) {
		if (three_quotes(l, i)) {
			if (changed.p)
				buf_add(&changed, l->text.p + chunk, i - chunk);
			take(l, GQL_BLOCK_STRING, from, i + 3);
			set_value(l, &changed, (struct str){l->text.p + chunk, i - chunk});
			l->token.value = dedent(l->token.value, l->mem);
			return 0;
		}
		if (at(l, i) == '\\' && three_quotes(l, i + 1)) {
			buf_add(&changed, l->text.p + chunk, i - chunk);
			chunk = i + 1;
			i += 3;
		}
	}
	buf_free(&changed);
	return fail(l, i, STR("Unterminated string."));
}

/* ---- tokens ---- */

/* Past what means nothing: blanks, line ends, commas, comments and byte-order marks. */
static size_t skip_ignored(const struct gql_lexer *l, size_t i)
{
	for (;; i++) {
		int c = at(l, i);
		if (c == '#')
			while (at(l, i + 1) >= 0 && at(l, i + 1) != '\n' && at(l, i + 1) != '\r')
				i++;
		else if (c == 0xef && at(l, i + 1) == 0xbb && at(l, i + 2) == 0xbf)
			i += 2;
		else if (c != ' ' && c != '\t' && c != ',' && c != '\n' && c != '\r')
			return i;
	}
}

static const struct {
	char c;
	unsigned char kind;
} punctuators[] = {{'!', GQL_BANG}, {'$', GQL_DOLLAR}, {'&', GQL_AMP}, {'(', GQL_PAREN_OPEN}, {')', GQL_PAREN_CLOSE},
    {':', GQL_COLON}, {'=', GQL_EQUALS}, {'@', GQL_AT}, {'[', GQL_BRACKET_OPEN}, {']', GQL_BRACKET_CLOSE},
    {'{', GQL_BRACE_OPEN}, {'|', GQL_PIPE}, {'}', GQL_BRACE_CLOSE}};

int gql_lex(struct gql_lexer *l)
{
	size_t i = skip_ignored(l, l->token.end);
	int c = at(l, i);
	if (c < 0)
		return take(l, GQL_END, l->text.n, l->text.n);
	for (size_t k = 0; k < COUNT_OF(punctuators); k++)
		if (c == punctuators[k].c)
			return take(l, (enum gql_token_kind)punctuators[k].kind, i, i + 1);
	if (c == '.' && at(l, i + 1) == '.' && at(l, i + 2) == '.')
		return take(l, GQL_SPREAD, i, i + 3);
	if (c == '"')
		return three_quotes(l, i) ? block_string(l, i) : string(l, i);
	if (is_digit(c) || c == '-')
		return number(l, i);
	if (!is_name_start(c))
		return c == '\'' ? fail(l, i,
				       STR("Unexpected single quote character ('), did you mean to use a double quote "
					   "(\")?"))
				 : fail_character(l, i, "Unexpected character");
	size_t end = i + 1;
	while (is_name_start(at(l, end)) || is_digit(at(l, end)))
		end++;
	return take(l, GQL_NAME, i, end);
}

const char *gql_token_name(enum gql_token_kind kind)
{
	static const char *const name[] = {"<SOF>", "<EOF>", "\"!\"", "\"$\"", "\"&\"", "\"(\"", "\")\"", "\"...\"",
	    "\":\"", "\"=\"", "\"@\"", "\"[\"", "\"]\"", "\"{\"", "\"|\"", "\"}\"", "Name", "Int", "Float", "String",
	    "BlockString"};
	return name[kind];
}

struct str gql_token_show(const struct gql_token *t, struct arena *mem)
{
	const char *name = gql_token_name(t->kind);
	return t->kind < GQL_NAME ? str_of(name) : arena_printf(mem, "%s \"%.*s\"", name, STR_FMT(t->value));
}

void gql_place_move(struct gql_place *place, struct str text, uint32_t from, uint32_t to)
{
	const char *p = text.p + from, *end = text.p + (to < text.n ? to : text.n);
	while (p < end) {
		uint32_t c = utf8_next(&p);
		bool line_end = c == '\n' || (c == '\r' && !(p < text.p + text.n && *p == '\n'));
		place->line += line_end;
		place->column = line_end ? 1 : place->column + (c > 0xffff ? 2 : 1);
	}
}

struct gql_place gql_place_of(struct str text, uint32_t at)
{
	struct gql_place place = {1, 1};
	gql_place_move(&place, text, 0, at);
	return place;
}
