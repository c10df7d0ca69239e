/* write.c - writes strings, numbers and base64. */
#include "lib/json/write.h"

#include "lib/base/utf8.h"

#if defined(__SSE2__) && !defined(SENTI_PORTABLE)
#include <emmintrin.h>
#endif

static inline bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\';
}

/* The length of the run at p that needs no escapes. */
static size_t plain_run(const char *p, size_t n)
{
	size_t i = 0;
#if defined(__SSE2__) && !defined(SENTI_PORTABLE)
	const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\'), control = _mm_set1_epi8(0x1f);
	for (; n - i >= 16; i += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)(p + i));
		__m128i stop = _mm_or_si128(_mm_cmpeq_epi8(_mm_min_epu8(v, control), v),
		    _mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(stop);
		if (mask)
			return i + (size_t)__builtin_ctz(mask);
	}
#endif
	while (i < n && is_plain((unsigned char)p[i]))
		i++;
	return i;
}

static const char lower_hex[] = "0123456789abcdef";

static void put_escape(struct buf *b, unsigned char c)
{
	static const char letter[0x20] = {['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't'};
	char out[6] = {'\\', 'u', '0', '0', lower_hex[c >> 4], lower_hex[c & 15]};
	size_t n = sizeof out;
	if (c >= 0x20 || letter[c]) {
		out[1] = c >= 0x20 ? (char)c : letter[c];
		n = 2;
	}
	buf_add(b, out, n);
}

static void put_content(struct buf *b, struct str text)
{
	for (size_t i = 0; i < text.n;) {
		size_t n = plain_run(text.p + i, text.n - i);
		buf_add(b, text.p + i, n);
		i += n;
		if (i < text.n)
			put_escape(b, (unsigned char)text.p[i++]);
	}
}

void json_put_string(struct buf *b, struct str text)
{
	buf_reserve(b, text.n + 2);
	buf_char(b, '"');
	put_content(b, text);
	buf_char(b, '"');
}

void json_put_lossy(struct buf *b, struct str bytes)
{
	buf_char(b, '"');
	while (bytes.n) {
		size_t n = utf8_valid_prefix(bytes);
		put_content(b, (struct str){bytes.p, n});
		if (n < bytes.n) {
			buf_str(b, STR("\xef\xbf\xbd"));
			n++;
			/* the rest of a broken sequence belongs to the same U+FFFD */
			while (n < bytes.n && ((unsigned char)bytes.p[n] & 0xc0) == 0x80)
				n++;
		}
		bytes.p += n;
		bytes.n -= n;
	}
	buf_char(b, '"');
}

void json_put_name(struct buf *b, struct str name)
{
	if (b->n && b->p[b->n - 1] != '{' && b->p[b->n - 1] != '[')
		buf_char(b, ',');
	json_put_string(b, name);
	buf_char(b, ':');
}

static const uint32_t power10[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000};

/* Writes a score, |v| in [0.001, 1). v is m / 2^e, so 128 bits hold every product below and only one rounding occurs.
 * Returns the end, or NULL if v is out of range. */
static char *put_fraction(char *p, double v)
{
	__extension__ typedef unsigned __int128 wide;
	uint64_t bits, q;
	memcpy(&bits, &v, sizeof bits);
	unsigned exponent = (unsigned)(bits >> 52) & 0x7ff, e = 1075 - exponent;
	double a = (bits >> 63) ? -v : v;
	if (!(a >= 0.001 && a < 1))
		return NULL;
	uint64_t m = (bits & (((uint64_t)1 << 52) - 1)) | (uint64_t)1 << 52;
	int decimals = a < 0.01 ? 17 : a < 0.1 ? 16 : 15; /* of 15 digits */
	for (int last = decimals + 2;; decimals++) {
		uint64_t unit = (uint64_t)power10[9] * power10[decimals - 10] * 10;
		wide scaled = (wide)m * unit, half = (wide)1 << (e - 1);
		q = (uint64_t)((scaled + half) >> e);
		q -= (scaled & (half * 2 - 1)) == half && (q & 1); /* ties go to even */
		wide back = (wide)q << e, off = back > scaled ? back - scaled : scaled - back;
		if (off * 2 < unit || decimals == last) /* nearer to v than to its neighbours */
			break;
	}
	while (q % 10 == 0) {
		q /= 10;
		decimals--;
	}
	*p = '-';
	p += bits >> 63;
	*p++ = '0';
	*p++ = '.';
	for (char *digit = p + decimals; digit > p; q /= 10)
		*--digit = (char)('0' + q % 10);
	return p + decimals;
}

void json_put_double(struct buf *b, double v)
{
	char out[32];
	int n = 0;
	if (v == 0) {
		buf_char(b, '0');
		return;
	}
	char *end = put_fraction(out, v);
	if (end) {
		buf_add(b, out, (size_t)(end - out));
		return;
	}
	for (int digits = 15; digits <= 17; digits++) {
		n = snprintf(out, sizeof out, "%.*g", digits, v);
		if (strtod(out, NULL) == v)
			break;
	}
	buf_add(b, out, (size_t)n);
}

enum { FIXED_MAX = 32 }; /* fits sign, nine digits, point, nine digits */

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445464748"
    "49505152535455565758596061626364656667686970717273747576777879808182838485868788899091929394959697"
    "9899";

/* Writes sign * scaled / 10^digits at p without trailing zeros; returns the end. */
static char *put_scaled(char *p, bool negative, uint64_t scaled, int digits)
{
	*p = '-';
	p += negative && scaled;
	uint32_t fraction = (uint32_t)scaled, unit = power10[digits];
	if (scaled < 2 * (uint64_t)unit) { /* scores and shares need no division */
		*p++ = (char)('0' + (scaled >= unit));
		fraction -= scaled >= unit ? unit : 0;
	} else {
		struct buf number = {.p = p, .cap = FIXED_MAX};
		buf_u64(&number, scaled / unit);
		p += number.n;
		fraction = (uint32_t)(scaled % unit);
	}
	if (!fraction)
		return p;
	*p = '.';
	for (; digits < 4; digits++) /* two steps of two digits are faster than four of one */
		fraction *= 10;
	for (int i = digits; i > 4; i--, fraction /= 10)
		p[i] = (char)('0' + fraction % 10);
	memcpy(p + 1, pairs + fraction / 100 * 2, 2);
	memcpy(p + 3, pairs + fraction % 100 * 2, 2);
	while (p[digits] == '0')
		digits--;
	return p + digits + 1;
}

/* Slow and exact: the C library rounds the exact binary value. */
static void put_exact(struct buf *b, double v, int digits)
{
	char out[352]; /* fits every double */
	int n = snprintf(out, sizeof out, "%.*f", digits, v);
	while (n && out[n - 1] == '0')
		n--;
	n -= n && out[n - 1] == '.';
	if (n == 2 && out[0] == '-' && out[1] == '0')
		buf_char(b, '0');
	else
		buf_add(b, out, (size_t)n);
}

/* Rounds v times 10^digits. False if only put_exact can decide: v is too large or too near a tie. Up to 1e9 the product
 * errs by less than 1e-7, so away from a tie its nearest integer is that of the exact value. */
static inline bool scale(double v, int digits, uint64_t *rounded)
{
	double scaled = (v < 0 ? -v : v) * power10[digits];
	if (!(scaled < 1e9))
		return false;
	uint64_t whole = (uint64_t)scaled;
	double over_half = scaled - (double)whole - 0.5;
	*rounded = whole + (over_half > 0);
	return over_half <= -1e-6 || over_half >= 1e-6;
}

void json_put_fixed(struct buf *b, double v, int digits)
{
	uint64_t rounded;
	if (scale(v, digits, &rounded)) {
		char *p = likely(b->cap - b->n >= FIXED_MAX) ? b->p + b->n : buf_reserve(b, FIXED_MAX);
		b->n += (size_t)(put_scaled(p, v < 0, rounded, digits) - p);
	} else {
		put_exact(b, v, digits);
	}
}

double json_round(double v, int digits)
{
	uint64_t rounded;
	if (scale(v, digits, &rounded)) /* both exact, so one division rounds correctly */
		return (v < 0 ? -1.0 : 1.0) * ((double)rounded / power10[digits]);
	char out[352];
	snprintf(out, sizeof out, "%.*f", digits, v);
	return strtod(out, NULL);
}

void json_put_base64(struct buf *b, struct str bytes)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *p = (const unsigned char *)bytes.p;
	char *o = buf_reserve(b, bytes.n / 3 * 4 + 4), *start = o;
	for (size_t left = bytes.n; left;) {
		size_t n = left < 3 ? left : 3;
		uint32_t v = (uint32_t)p[0] << 16 | (n > 1 ? (uint32_t)p[1] << 8 : 0) | (n > 2 ? p[2] : 0);
		*o++ = digit[v >> 18];
		*o++ = digit[v >> 12 & 63];
		*o++ = n > 1 ? digit[v >> 6 & 63] : '=';
		*o++ = n > 2 ? digit[v & 63] : '=';
		p += n;
		left -= n;
	}
	b->n += (size_t)(o - start);
}
