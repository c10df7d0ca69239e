/* tsv.c - reads lexicon files. */
#include "lib/score/tsv.h"

#include <math.h>
#include <stdarg.h>

struct tsv tsv_open(const char *name, struct str text)
{
	if (text.n >= 3 && memcmp(text.p, "\xef\xbb\xbf", 3) == 0)
		text = (struct str){text.p + 3, text.n - 3};
	return (struct tsv){.name = name, .rest = text};
}

int tsv_fail(const struct tsv *t, struct err *e, const char *fmt, ...)
{
	char msg[256];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	return err_set(e, ERR_ENV, "%s:%zu: %s", t->name, t->lineno, msg);
}

static struct str next_line(struct tsv *t)
{
	const char *nl = memchr(t->rest.p, '\n', t->rest.n);
	struct str line = {t->rest.p, nl ? (size_t)(nl - t->rest.p) : t->rest.n};
	size_t used = line.n + (nl != NULL);
	t->rest = (struct str){t->rest.p + used, t->rest.n - used};
	t->lineno++;
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

int tsv_next(struct tsv *t, struct str *key, struct str *value, struct err *e)
{
	while (t->rest.n) {
		struct str line = next_line(t);
		if (line.n == 0 || (line.n >= 2 && line.p[0] == '#' && line.p[1] == ' '))
			continue;
		const char *tab = memchr(line.p, '\t', line.n);
		*key = (struct str){line.p, tab ? (size_t)(tab - line.p) : line.n};
		*value = tab ? (struct str){tab + 1, line.n - key->n - 1} : STR_NONE;
		if (key->n == 0)
			return tsv_fail(t, e, "the key before the tab is empty");
		return 1;
	}
	return 0;
}

/* A decimal number of up to 15 digits without an exponent is an integer over a power of ten, both exact, so one
 * division rounds correctly. This covers every number of the lexicons; strtod, ten times slower, handles the rest. */
static bool parse_plain(struct str s, double *out)
{
	static const double power[] = {
	    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	bool minus = s.n && s.p[0] == '-', dot = false;
	uint64_t v = 0;
	size_t digits = 0, decimals = 0;
	for (size_t i = minus; i < s.n; i++) {
		unsigned d = (unsigned char)s.p[i] - (unsigned)'0';
		if (d > 9 && (s.p[i] != '.' || dot))
			return false;
		if (d > 9) {
			dot = true;
			continue;
		}
		v = v * 10 + d;
		digits++;
		decimals += dot;
		if (digits > 15)
			return false;
	}
	if (!digits)
		return false;
	*out = (double)v / power[decimals];
	*out = minus ? -*out : *out;
	return true;
}

static bool read_number(struct str s, double *out)
{
	if (parse_plain(s, out))
		return true;
	char copy[64], *end;
	if (s.n == 0 || s.n >= sizeof copy || !memchr("+-.0123456789", s.p[0], 13))
		return false;
	memcpy(copy, s.p, s.n);
	copy[s.n] = 0;
	*out = strtod(copy, &end);
	return end == copy + s.n;
}

/* The limit keeps sums and squares finite for as many values as a text can hold. */
static bool parse_number(struct str s, double *out)
{
	return read_number(s, out) && fabs(*out) <= TSV_MOST;
}

int tsv_next_number(struct tsv *t, struct str *key, double *value, struct err *e)
{
	struct str number;
	int rc = tsv_next(t, key, &number, e);
	if (rc <= 0)
		return rc;
	if (!number.p)
		return tsv_fail(t, e, "no tab between the key and its number");
	/* Further columns are ignored (upstream's lexicons have four). */
	const char *tab = memchr(number.p, '\t', number.n);
	if (tab)
		number.n = (size_t)(tab - number.p);
	if (!parse_number(number, value))
		return tsv_fail(t, e, "'%.*s' is not a number from -%d to %d", STR_FMT(number), TSV_MOST, TSV_MOST);
	return 1;
}

size_t tsv_numbers(struct str columns, double *v, size_t most)
{
	for (size_t n = 0; n < most; n++) {
		const char *tab = memchr(columns.p, '\t', columns.n);
		struct str number = {columns.p, tab ? (size_t)(tab - columns.p) : columns.n};
		if (!parse_number(number, &v[n]))
			return n;
		if (!tab)
			return n + 1;
		columns = (struct str){tab + 1, columns.n - number.n - 1};
	}
	return most;
}
