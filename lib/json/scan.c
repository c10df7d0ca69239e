/* scan.c - the JSON scanner: one pass, no copies, no recursion.
 *
 * Most bytes are in strings, so these are skipped 16 (or 8) bytes at a time up to the next byte that matters: a quote,
 * a backslash, a control character or the start of a non-ASCII character. Loads may extend past the end of the line
 * into its JSON_PAD bytes, whose values never affect the result.
 */
#include "lib/json/scan.h"

#include "lib/base/utf8.h"

#if defined(__SSE2__) && !defined(SENTI_PORTABLE)
#include <emmintrin.h>
#endif

/* One call of json_scan or json_check. The functions below take the place where they begin and return the place after
 * what they read, or NULL after fault(). */
struct scan_job {
	const char *start, *end;
	bool escaped; /* the last string had a backslash */
	struct json_scan *out;
};

static const char *fault(struct scan_job *j, enum json_error error, const char *at, const char *message)
{
	if (error == JSON_BAD && at >= j->end) {
		at = j->end;
		message = "unexpected end";
	} else if (error == JSON_BAD && utf8_sequence(at, j->end) == 0) {
		error = JSON_UTF8;
		message = "bytes that are not UTF-8";
	}
	j->out->error = error;
	j->out->column = (size_t)(at - j->start) + 1;
	j->out->message = message;
	return NULL;
}

/* The byte at p, or -1 at the end. */
static inline int peek(const struct scan_job *j, const char *p)
{
	return p < j->end ? (unsigned char)*p : -1;
}

static inline const char *skip_blanks(const struct scan_job *j, const char *p)
{
	while (p < j->end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
		p++;
	return p;
}

/* The first byte from p on that is a quote, a backslash, below 0x20 or above 0x7f; may lie after `end`. */
#if defined(__SSE2__) && !defined(SENTI_PORTABLE)
static inline const char *skip_plain(const char *p, const char *end)
{
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(' ');
	for (; p < end; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		/* as signed bytes, those above 0x7f are below a blank too */
		__m128i stop = _mm_or_si128(
		    _mm_cmplt_epi8(v, blank), _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(stop);
		if (mask)
			return p + __builtin_ctz(mask);
	}
	return p;
}

static inline unsigned mask_equal(__m128i v, unsigned char byte)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, _mm_set1_epi8((char)byte)));
}

/* Sets bit i if v[i] >= byte, unsigned. */
static inline unsigned mask_from(__m128i v, unsigned char byte)
{
	return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(v, _mm_set1_epi8((char)byte)), v));
}

/* Skips text with characters of two and three bytes, 16 bytes at a time. Stops at the start of a character if what
 * follows is rare: a character of four bytes, a broken sequence, the last 15 bytes. p is at the start of a
 * character. */
static inline const char *skip_foreign(const char *p, const char *end)
{
	while (end - p >= 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		unsigned high = (unsigned)_mm_movemask_epi8(v);
		if (!high)
			break;
		unsigned stops = (~mask_from(v, ' ') & 0xffff) | mask_equal(v, '"') | mask_equal(v, '\\');
		unsigned lead = mask_from(v, 0xc0), lead3 = mask_from(v, 0xe0);
		unsigned follow = high & ~lead, expected = lead << 1 | lead3 << 2;
		/* continuations in a0 to bf; after e0 only these are allowed, after ed only the others */
		unsigned upper = follow & (unsigned)_mm_movemask_epi8(_mm_slli_epi16(v, 2));
		unsigned wrong = (expected ^ follow) | mask_equal(v, 0xc0) | mask_equal(v, 0xc1) | mask_from(v, 0xf0) |
				 (mask_equal(v, 0xe0) << 1 & ~upper) | (mask_equal(v, 0xed) << 1 & upper);
		/* up to and including the first stop: no continuation may be expected there */
		unsigned judged = stops ? stops ^ (stops - 1) : 0xffff;
		if (wrong & judged)
			break;
		if (stops)
			return p + __builtin_ctz(stops);
		/* a character cut by the block's end is read again with the next block */
		p += 16 - (lead >> 15 ? 1 : lead3 >> 14 ? 2 : 0);
	}
	return p;
}
#else
/* Without SIMD, non-ASCII characters are checked one by one. */
static inline const char *skip_foreign(const char *p, const char *end)
{
	(void)end;
	return p;
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* Sets the high bit of each zero byte, and possibly of bytes above one. */
static inline uint64_t zero_bytes(uint64_t v)
{
	return (v - EACH(1)) & ~v;
}

static inline const char *skip_plain(const char *p, const char *end)
{
	for (; p < end; p += 8) {
		uint64_t v;
		memcpy(&v, p, sizeof v);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
		v = __builtin_bswap64(v);
#endif
		/* A borrow can mark a byte wrongly, but only above one marked rightly: the lowest is right. */
		uint64_t stop = v | (v - EACH(' ')) | zero_bytes(v ^ EACH('"')) | zero_bytes(v ^ EACH('\\'));
		stop &= EACH(0x80);
		if (stop)
			return p + __builtin_ctzll(stop) / 8;
	}
	return p;
}
#endif

/* A hexadecimal digit's value plus DIGIT; 0 for all other bytes. */
enum { DIGIT = 0x10 };
static const unsigned char hex_digit[256] = {
    ['0'] = DIGIT,
    ['1'] = DIGIT + 1,
    ['2'] = DIGIT + 2,
    ['3'] = DIGIT + 3,
    ['4'] = DIGIT + 4,
    ['5'] = DIGIT + 5,
    ['6'] = DIGIT + 6,
    ['7'] = DIGIT + 7,
    ['8'] = DIGIT + 8,
    ['9'] = DIGIT + 9,
    ['a'] = DIGIT + 10,
    ['b'] = DIGIT + 11,
    ['c'] = DIGIT + 12,
    ['d'] = DIGIT + 13,
    ['e'] = DIGIT + 14,
    ['f'] = DIGIT + 15,
    ['A'] = DIGIT + 10,
    ['B'] = DIGIT + 11,
    ['C'] = DIGIT + 12,
    ['D'] = DIGIT + 13,
    ['E'] = DIGIT + 14,
    ['F'] = DIGIT + 15,
};

/* The meaning of a backslash and this byte; 0: none ('u' is handled elsewhere). */
static const char short_escape[256] = {
    ['"'] = '"',
    ['\\'] = '\\',
    ['/'] = '/',
    ['b'] = '\b',
    ['f'] = '\f',
    ['n'] = '\n',
    ['r'] = '\r',
    ['t'] = '\t',
};

/* The value of four hexadecimal digits, or a negative number. */
static inline int32_t hex4(const char *p)
{
	const unsigned char *u = (const unsigned char *)p;
	unsigned a = hex_digit[u[0]], b = hex_digit[u[1]], c = hex_digit[u[2]], d = hex_digit[u[3]];
	if (unlikely(!(a & b & c & d & DIGIT)))
		return -1;
	return (int32_t)((a & 15) << 12 | (b & 15) << 8 | (c & 15) << 4 | (d & 15));
}

static inline bool is_surrogate(int32_t c)
{
	return (c & 0xf800) == 0xd800;
}

static const char *scan_unicode_escape(struct scan_job *j, const char *p)
{
	for (const char *q = p + 2; q < p + 6; q++)
		if (q >= j->end || !hex_digit[(unsigned char)*q])
			return fault(j, JSON_BAD, q, "expected four hexadecimal digits after '\\u'");
	int32_t c = hex4(p + 2);
	if (c == 0)
		return fault(j, JSON_NUL, p, "U+0000 in a string");
	if (!is_surrogate(c))
		return p + 6;
	bool paired = c < 0xdc00 && j->end - p >= 12 && p[6] == '\\' && p[7] == 'u';
	int32_t low = paired ? hex4(p + 8) : -1;
	if (low < 0xdc00 || low > 0xdfff)
		return fault(j, JSON_LONE_SURROGATE, p, "unpaired surrogate");
	return p + 12;
}

static inline const char *scan_escape(struct scan_job *j, const char *p)
{
	int c = peek(j, p + 1);
	if (c == 'u')
		return scan_unicode_escape(j, p);
	if (c < 0 || !short_escape[c])
		return fault(j, JSON_BAD, p + 1, "expected a JSON escape after '\\'");
	return p + 2;
}

/* p is at the opening quote. */
static inline const char *scan_string(struct scan_job *j, const char *p)
{
	j->escaped = false;
	p++;
	for (;;) {
		p = skip_plain(p, j->end);
		if (unlikely(p >= j->end))
			return fault(j, JSON_BAD, j->end, "");
		unsigned char c = (unsigned char)*p;
		if (likely(c == '"'))
			return p + 1;
		if (c >= 0x80) {
			p = skip_foreign(p, j->end);
			while (p < j->end && (unsigned char)*p >= 0x80) {
				size_t n = utf8_sequence(p, j->end);
				if (unlikely(!n))
					return fault(j, JSON_UTF8, p, "bytes that are not UTF-8");
				p += n;
			}
		} else if (c == '\\') {
			j->escaped = true;
			do
				p = scan_escape(j, p);
			while (p && p < j->end && *p == '\\');
			if (!p)
				return NULL;
		} else {
			return fault(j, JSON_BAD, p, "control character in a string");
		}
	}
}

static inline bool is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static const char *scan_digits(struct scan_job *j, const char *p)
{
	if (!is_digit(peek(j, p)))
		return fault(j, JSON_BAD, p, "expected a digit");
	while (is_digit(peek(j, p)))
		p++;
	return p;
}

static const char *scan_number(struct scan_job *j, const char *p)
{
	p += *p == '-';
	if (peek(j, p) == '0')
		p++;
	else if (!(p = scan_digits(j, p)))
		return NULL;
	if (peek(j, p) == '.' && !(p = scan_digits(j, p + 1)))
		return NULL;
	int c = peek(j, p);
	if (c != 'e' && c != 'E')
		return p;
	p++;
	c = peek(j, p);
	return scan_digits(j, p + (c == '+' || c == '-'));
}

static const char *scan_word(struct scan_job *j, const char *p, const char *word)
{
	for (; *word; word++, p++)
		if (peek(j, p) != *word)
			return fault(j, JSON_BAD, p, "expected true, false or null");
	return p;
}

static const char *scan_scalar(struct scan_job *j, const char *p, enum json_type *type)
{
	int c = peek(j, p);
	switch (c) {
	case '"':
		*type = JSON_STRING;
		return scan_string(j, p);
	case 't':
		*type = JSON_TRUE;
		return scan_word(j, p, "true");
	case 'f':
		*type = JSON_FALSE;
		return scan_word(j, p, "false");
	case 'n':
		*type = JSON_NULL;
		return scan_word(j, p, "null");
	default:
		if (c != '-' && !is_digit(c))
			return fault(j, JSON_BAD, p, "expected a value");
		*type = JSON_NUMBER;
		return scan_number(j, p);
	}
}

/* A name and its colon. */
static inline const char *scan_name(struct scan_job *j, const char *p)
{
	if (peek(j, p) != '"')
		return fault(j, JSON_BAD, p, "expected a name in quotes");
	p = scan_string(j, p);
	if (!p)
		return NULL;
	p = skip_blanks(j, p);
	if (peek(j, p) != ':')
		return fault(j, JSON_BAD, p, "expected ':' after a name");
	return skip_blanks(j, p + 1);
}

/* The open containers, innermost last: one bit each, set for an object. `outer` counts those that the caller has
 * open. */
struct nest {
	uint64_t object[JSON_MAX_DEPTH / 64];
	size_t depth, outer;
};

static bool in_object(const struct nest *n)
{
	return n->object[(n->depth - 1) / 64] >> (n->depth - 1) % 64 & 1;
}

static const char *open_container(struct scan_job *j, struct nest *n, const char *p)
{
	if (n->outer + n->depth == JSON_MAX_DEPTH)
		return fault(j, JSON_BAD, p, "nested deeper than 2048");
	uint64_t bit = (uint64_t)1 << n->depth % 64, *bits = &n->object[n->depth / 64];
	*bits = *p == '{' ? *bits | bit : *bits & ~bit;
	n->depth++;
	return skip_blanks(j, p + 1);
}

/* Closes the containers that end after a value. Returns the start of the next value or, with n->depth 0, the end of the
 * outermost. */
static const char *close_containers(struct scan_job *j, struct nest *n, const char *p)
{
	while (n->depth) {
		bool object = in_object(n);
		p = skip_blanks(j, p);
		int c = peek(j, p);
		if (c == ',') {
			p = skip_blanks(j, p + 1);
			return object ? scan_name(j, p) : p;
		}
		if (c != (object ? '}' : ']'))
			return fault(j, JSON_BAD, p, object ? "expected ',' or '}'" : "expected ',' or ']'");
		n->depth--;
		p++;
	}
	return p;
}

/* Scans any value with everything nested in it. */
static const char *scan_value(struct scan_job *j, const char *p, size_t outer, enum json_type *type)
{
	struct nest n;
	n.object[0] = 0;
	n.depth = 0;
	n.outer = outer;
	int first = peek(j, p);
	do {
		int c = peek(j, p);
		if (c == '{' || c == '[') {
			p = open_container(j, &n, p);
			if (p && peek(j, p) != (c == '{' ? '}' : ']')) {
				p = c == '{' ? scan_name(j, p) : p;
				continue;
			}
		} else {
			p = scan_scalar(j, p, type);
		}
		p = p ? close_containers(j, &n, p) : NULL;
	} while (p && n.depth);
	if (first == '{' || first == '[')
		*type = first == '{' ? JSON_OBJECT : JSON_ARRAY;
	return p;
}

static struct json_member *add_member(struct json_scan *s)
{
	if (unlikely(s->n == s->cap)) {
		s->cap = s->cap ? s->cap * 2 : 16;
		s->member = xreallocarray(s->member, s->cap, sizeof *s->member);
	}
	return &s->member[s->n++];
}

static inline const char *scan_member(struct scan_job *j, const char *p)
{
	struct json_member *m = add_member(j->out);
	m->name.p = p + 1;
	if (unlikely(peek(j, p) != '"'))
		return fault(j, JSON_BAD, p, "expected a name in quotes");
	p = scan_string(j, p);
	if (unlikely(!p))
		return NULL;
	m->name.n = (size_t)(p - 1 - m->name.p);
	m->name_escaped = j->escaped;
	p = skip_blanks(j, p);
	if (unlikely(peek(j, p) != ':'))
		return fault(j, JSON_BAD, p, "expected ':' after a name");
	p = skip_blanks(j, p + 1);
	m->value.p = p;
	m->escaped = false;
	if (likely(peek(j, p) == '"')) {
		m->type = JSON_STRING;
		p = scan_string(j, p);
		m->escaped = j->escaped;
	} else {
		p = scan_value(j, p, 1, &m->type);
	}
	if (likely(p != NULL))
		m->value.n = (size_t)(p - m->value.p);
	return p;
}

/* p is at the opening brace. */
static const char *scan_object(struct scan_job *j, const char *p)
{
	p = skip_blanks(j, p + 1);
	if (peek(j, p) == '}')
		return p + 1;
	for (;;) {
		p = scan_member(j, p);
		if (unlikely(!p))
			return NULL;
		p = skip_blanks(j, p);
		int c = peek(j, p);
		if (c == '}')
			return p + 1;
		if (c != ',')
			return fault(j, JSON_BAD, p, "expected ',' or '}'");
		p = skip_blanks(j, p + 1);
	}
}

/* Only blanks may follow. p may be NULL. */
static int finish(struct scan_job *j, const char *p)
{
	if (p) {
		p = skip_blanks(j, p);
		if (p < j->end)
			p = fault(j, JSON_BAD, p, "expected nothing after the value");
	}
	if (p)
		return 0;
	j->out->n = 0;
	return -1;
}

static struct scan_job begin(struct json_scan *s, struct str text)
{
	s->n = 0;
	s->error = JSON_OK;
	s->column = 0;
	s->message = NULL;
	if (!text.p)
		text = STR("");
	return (struct scan_job){.start = text.p, .end = text.p + text.n, .out = s};
}

int json_check(struct json_scan *s, struct str text)
{
	struct scan_job j = begin(s, text);
	enum json_type type;
	return finish(&j, scan_value(&j, skip_blanks(&j, j.start), 0, &type));
}

int json_scan(struct json_scan *s, struct str line)
{
	struct scan_job j = begin(s, line);
	const char *p = skip_blanks(&j, j.start);
	if (likely(peek(&j, p) == '{'))
		return finish(&j, scan_object(&j, p));
	if (json_check(s, line) < 0)
		return -1;
	fault(&j, JSON_NOT_OBJECT, p, "not an object");
	return -1;
}

void json_scan_free(struct json_scan *s)
{
	free(s->member);
	*s = (struct json_scan){0};
}

/* Decodes the escape at *p, already validated, into 1 to 4 bytes, and moves *p after it. */
static inline size_t decode_escape(const char **p, char *out)
{
	const char *e = *p;
	if (e[1] != 'u') {
		*p += 2;
		*out = short_escape[(unsigned char)e[1]];
		return 1;
	}
	int32_t c = hex4(e + 2);
	*p += 6;
	if (is_surrogate(c)) {
		c = 0x10000 + ((c & 0x3ff) << 10) + (hex4(e + 8) & 0x3ff);
		*p += 6;
	}
	return utf8_put(out, (uint32_t)c);
}

/* Writes at most raw.n bytes. */
static size_t unescape(struct str raw, char *out)
{
	const char *p = raw.p, *end = raw.p + raw.n;
	char *o = out;
	while (p < end) {
		const char *next = memchr(p, '\\', (size_t)(end - p));
		size_t n = (size_t)((next ? next : end) - p);
		memcpy(o, p, n);
		o += n;
		p += n;
		while (p < end && *p == '\\')
			o += decode_escape(&p, o);
	}
	return (size_t)(o - out);
}

bool json_name_is(const struct json_member *m, struct str name)
{
	if (!m->name_escaped)
		return str_eq(m->name, name);
	const char *p = m->name.p, *end = p + m->name.n;
	for (size_t at = 0;;) {
		if (p == end)
			return at == name.n;
		char bytes[4];
		size_t n = 1;
		if (*p == '\\')
			n = decode_escape(&p, bytes);
		else
			bytes[0] = *p++;
		if (name.n - at < n || memcmp(name.p + at, bytes, n) != 0)
			return false;
		at += n;
	}
}

const struct json_member *json_find(const struct json_scan *s, struct str name)
{
	for (size_t i = s->n; i-- > 0;)
		if (json_name_is(&s->member[i], name))
			return &s->member[i];
	return NULL;
}

struct str json_padded(struct arena *a, struct str s)
{
	char *p = arena_alloc(a, s.n + JSON_PAD);
	if (s.n)
		memcpy(p, s.p, s.n);
	memset(p + s.n, 0, JSON_PAD);
	return (struct str){p, s.n};
}

void json_pad(struct buf *b)
{
	memset(buf_reserve(b, JSON_PAD), 0, JSON_PAD);
}

struct str json_decode(const struct json_member *m, struct arena *a)
{
	struct str raw = {m->value.p + 1, m->value.n - 2};
	if (!m->escaped)
		return raw;
	char *out = arena_alloc(a, raw.n + JSON_PAD);
	size_t n = unescape(raw, out);
	memset(out + n, 0, JSON_PAD); /* makes reads past the end deterministic */
	arena_trim(a, out, n + JSON_PAD);
	return (struct str){out, n};
}

void json_unescape(struct str raw, struct buf *out)
{
	out->n += unescape(raw, buf_reserve(out, raw.n));
}
