/* timeparse.c - uses strptime, and handles what it does not: fractions, zone names, missing years, and nonexistent
 * days. The program never calls setlocale, so month names are English. */
#include "lib/ingest/timeparse.h"

#include <time.h>

#include "lib/base/utf8.h"

enum { MAX_LEN = 64, MAX_OFFSET = (23 * 60 + 59) * 60 };

/* A time's spelling, prepared for strptime. */
struct reading {
	char text[MAX_LEN + 8];
	int64_t fraction_ms;
};

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static struct str trim(struct str s)
{
	s = str_trim(s);
	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']')
		s = (struct str){s.p + 1, s.n - 2};
	return s;
}

static int64_t milliseconds(const char *digits, size_t n)
{
	int64_t ms = 0;
	for (size_t i = 0; i < 3; i++)
		ms = ms * 10 + (i < n ? digits[i] - '0' : 0);
	return ms;
}

static int read_epoch(struct str s, int64_t *ms)
{
	size_t n = 0;
	uint64_t v;
	while (n < s.n && digit(s.p[n]))
		n++;
	if (n < 9 || n > 19 || str_u64((struct str){s.p, n}, &v) < 0)
		return -1;
	size_t rest = s.n - n;
	if (rest) {
		if (n > 11 || rest < 2 || rest > 10 || s.p[n] != '.')
			return -1;
		for (size_t i = n + 1; i < s.n; i++)
			if (!digit(s.p[i]))
				return -1;
	}
	*ms = (int64_t)(n <= 11 ? v * 1000 : n <= 14 ? v : n <= 17 ? v / 1000 : v / 1000000);
	*ms += rest ? milliseconds(s.p + n + 1, rest - 1) : 0;
	return 0;
}

/* Removes ".123" or ",123" from "12:00:00.123". Only after two colons: "12:00,5" has no fraction. */
static int take_fraction(struct reading *r)
{
	char *colon = strchr(r->text, ':');
	colon = colon ? strchr(colon + 1, ':') : NULL;
	/* Apache's format has a colon before the time. */
	char *third = colon ? strchr(colon + 1, ':') : NULL;
	if (third && third - colon == 3 && strchr(r->text, '/'))
		colon = third;
	if (!colon || !digit(colon[1]) || !digit(colon[2]) || (colon[3] != '.' && colon[3] != ','))
		return 0;
	char *from = colon + 3, *to = from + 1;
	while (digit(*to))
		to++;
	if (to == from + 1)
		return -1;
	r->fraction_ms = milliseconds(from + 1, (size_t)(to - from - 1));
	memmove(from, to, strlen(to) + 1);
	return 0;
}

static const struct zone_name {
	char name[5], digits[6];
} zones[] = {{"UTC", "+0000"}, {"GMT", "+0000"}, {"UT", "+0000"}, {"Z", "+0000"}, {"EST", "-0500"}, {"EDT", "-0400"},
    {"CST", "-0600"}, {"CDT", "-0500"}, {"MST", "-0700"}, {"MDT", "-0600"}, {"PST", "-0800"}, {"PDT", "-0700"},
    {"WET", "+0000"}, {"WEST", "+0100"}, {"CET", "+0100"}, {"CEST", "+0200"}, {"EET", "+0200"}, {"EEST", "+0300"}};

/* Replaces a zone name by digits, which strptime needs, and drops a comment after the zone, as in "+0000 (UTC)". */
static void name_zone(struct reading *r)
{
	char *comment = strstr(r->text, " (");
	if (comment && r->text[strlen(r->text) - 1] == ')')
		*comment = 0;
	for (size_t i = 0; i < COUNT_OF(zones); i++) {
		char *at = strstr(r->text, zones[i].name);
		size_t n = strlen(zones[i].name);
		if (!at || at == r->text || at[-1] != ' ' || (at[n] && at[n] != ' '))
			continue;
		memmove(at + 5, at + n, strlen(at + n) + 1);
		memcpy(at, zones[i].digits, 5);
		return;
	}
}

static bool same_day(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon && a->tm_mday == b->tm_mday;
}

static int64_t offset_at(time_t t)
{
	struct tm tm;
	return localtime_r(&t, &tm) ? tm.tm_gmtoff : 0;
}

/* The instant of a local time, which is given as if it were UTC. Not by mktime, whose answer for the hour that a change
 * of the clock repeats depends on what it was asked before. */
static time_t from_local(time_t t)
{
	enum { DAY = 86400 };
	int64_t before = offset_at(t - DAY), after = offset_at(t + DAY);
	bool follows = before != after && offset_at(t - before) != before && offset_at(t - after) == after;
	return t - (follows ? after : before);
}

/* Fails for nonexistent days such as 31 April, which the C library would turn into 1 May. */
static int to_ms(const struct tm *read, bool zoned, int64_t *ms)
{
	struct tm utc = *read;
	if (utc.tm_sec == 60)
		utc.tm_sec = 59;
	time_t t = timegm(&utc);
	/* strptime reads "24" as the year 24, which nobody means. */
	if (!same_day(&utc, read) || read->tm_year < 1000 - 1900 || read->tm_year > 9999 - 1900)
		return -1;
	if (zoned && labs(read->tm_gmtoff) > MAX_OFFSET)
		return -1;
	*ms = (int64_t)(zoned ? t - read->tm_gmtoff : from_local(t)) * 1000;
	return 0;
}

/* The year is missing: chooses the latest in which the day exists and is at most a day ahead. */
static int guess_year(struct tm *tm, bool zoned, int64_t now_ms, int64_t *ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm today;
	if (!localtime_r(&now, &today))
		return -1;
	/* On New Year's Eve a fast clock writes 1 January. */
	for (int back = -1; back <= 8; back++) {
		tm->tm_year = today.tm_year - back;
		if (to_ms(tm, zoned, ms) == 0 && *ms <= now_ms + 86400000)
			return 0;
	}
	return -1;
}

static int read_calendar(const struct reading *r, int64_t now_ms, int64_t *ms)
{
	static const struct {
		const char *form;
		bool yearless;
	} form[] = {
	    {"%d/%b/%Y:%H:%M:%S", false},
	    {"%Y-%m-%dT%H:%M:%S", false},
	    {"%Y-%m-%d %H:%M:%S", false},
	    {"%Y-%m-%dT%H:%M", false},
	    {"%Y-%m-%d %H:%M", false},
	    {"%Y-%m-%d", false},
	    {"%Y/%m/%d %H:%M:%S", false},
	    {"%Y/%m/%d %H:%M", false},
	    {"%Y/%m/%d", false},
	    {"%b %d %H:%M:%S", true},
	    {"%a %b %d %H:%M:%S %z %Y", false},
	    {"%a %b %d %H:%M:%S %Y", false},
	    {"%a, %d %b %Y %H:%M:%S", false},
	    {"%d %b %Y %H:%M:%S", false},
	    {"%Y-%m-%d %I:%M:%S %p", false},
	    {"%Y-%m-%d %I:%M %p", false},
	};
	for (size_t i = 0; i < COUNT_OF(form); i++) {
		struct tm tm = {.tm_mday = 1};
		const char *rest = strptime(r->text, form[i].form, &tm);
		if (!rest)
			continue;
		bool zoned = strstr(form[i].form, "%z") != NULL;
		if (*rest && !zoned && strchr(form[i].form, ':') && !form[i].yearless) {
			rest = strptime(rest, "%z", &tm);
			zoned = true;
		}
		if (!rest || *rest)
			continue;
		return form[i].yearless ? guess_year(&tm, zoned, now_ms, ms) : to_ms(&tm, zoned, ms);
	}
	return -1;
}

/* A time that is neither RFC 3339 nor a count. */
static int read_spelled(struct str s, int64_t now_ms, int64_t *ms)
{
	struct reading r = {0};
	if (s.n > MAX_LEN || memchr(s.p ? s.p : "", 0, s.n))
		return -1;
	memcpy(r.text, s.p ? s.p : "", s.n);
	if (take_fraction(&r) < 0)
		return -1;
	name_zone(&r);
	if (read_calendar(&r, now_ms, ms) < 0)
		return -1;
	*ms += r.fraction_ms;
	return 0;
}

static enum timeparse write_time(int64_t ms, char out[TIME_LEN])
{
	if (!time_in_range(ms))
		return TIMEPARSE_BAD;
	time_format(ms, out);
	return TIMEPARSE_WRITTEN;
}

enum timeparse timeparse_read(struct str s, int64_t now_ms, char out[TIME_LEN])
{
	int64_t ms;
	size_t whole = s.n;
	s = trim(s);
	bool rfc3339 = time_parse(s, &ms) == 0;
	if (rfc3339 && s.n == whole)
		return TIMEPARSE_RFC3339;
	if (!rfc3339 && read_epoch(s, &ms) < 0 && read_spelled(s, now_ms, &ms) < 0)
		return TIMEPARSE_BAD;
	return write_time(ms, out);
}

/* --- 03/04/2015 --- */

struct numeric {
	unsigned first, second, year;
	struct str clock; /* the time of day; may be empty */
};

/* One or two digits at s.p[*at], then the separator. */
static bool take_part(struct str s, size_t *at, char separator, unsigned *out)
{
	size_t from = *at;
	for (*out = 0; *at < s.n && *at - from < 2 && digit(s.p[*at]); ++*at)
		*out = *out * 10 + (unsigned)(s.p[*at] - '0');
	return *at > from && *at < s.n && s.p[(*at)++] == separator;
}

static bool read_numeric(struct str s, struct numeric *n)
{
	size_t at = 0;
	s = str_trim(s);
	while (at < s.n && at < 2 && digit(s.p[at]))
		at++;
	char separator = at && at < s.n ? s.p[at] : 0;
	at = 0;
	if (!separator || !strchr("/.-", separator) || !take_part(s, &at, separator, &n->first) ||
	    !take_part(s, &at, separator, &n->second) || s.n < at + 4 || s.p[at] == '0')
		return false;
	n->year = 0;
	for (size_t end = at + 4; at < end; at++) {
		if (!digit(s.p[at]))
			return false;
		n->year = n->year * 10 + (unsigned)(s.p[at] - '0');
	}
	n->clock = (struct str){s.p + at, s.n - at};
	while (n->clock.n && strchr(" ,T", *n->clock.p) && *n->clock.p)
		n->clock = (struct str){n->clock.p + 1, n->clock.n - 1};
	return n->clock.n == 0 || n->clock.n < s.n - at;
}

static bool is_day(unsigned year, unsigned month, unsigned day)
{
	static const unsigned char days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 || year % 400 == 0);
	return month >= 1 && month <= 12 && day >= 1 && day <= days[month - 1] && (month != 2 || day < 29 || leap);
}

bool timeparse_order(struct str s, enum date_order *order)
{
	struct numeric n;
	if (!read_numeric(s, &n))
		return false;
	bool month_first = is_day(n.year, n.first, n.second), day_first = is_day(n.year, n.second, n.first);
	*order = month_first == day_first ? DATES_UNKNOWN : month_first ? DATES_MONTH_FIRST : DATES_DAY_FIRST;
	return month_first || day_first;
}

enum timeparse timeparse_numeric(struct str s, enum date_order order, char out[TIME_LEN])
{
	struct numeric n;
	char text[MAX_LEN + 16];
	int64_t ms;
	if (!read_numeric(s, &n) || n.clock.n > MAX_LEN - 16 || memchr(n.clock.p, 0, n.clock.n))
		return TIMEPARSE_BAD;
	bool month_first = order == DATES_MONTH_FIRST;
	unsigned month = month_first ? n.first : n.second, day = month_first ? n.second : n.first;
	if (!is_day(n.year, month, day))
		return TIMEPARSE_BAD;
	if (!n.clock.n) {
		struct tm tm = {.tm_year = (int)n.year - 1900, .tm_mon = (int)month - 1, .tm_mday = (int)day};
		return write_time((int64_t)from_local(timegm(&tm)) * 1000, out);
	}
	int len = snprintf(text, sizeof text, "%u-%02u-%02u %.*s", n.year, month, day, (int)n.clock.n, n.clock.p);
	return read_spelled((struct str){text, (size_t)len}, 0, &ms) < 0 ? TIMEPARSE_BAD : write_time(ms, out);
}

/* --- formats of the user --- */

enum { MAX_FORMAT = 100 };

/* Whether the format has one of these conversions. */
static bool has(const char *format, const char *letters)
{
	for (const char *p = format; (p = strchr(p, '%')) && p[1]; p += 2)
		if (strchr(letters, p[1]))
			return true;
	return false;
}

static size_t times_of(const char *format, char letter)
{
	size_t n = 0;
	for (const char *p = format; (p = strchr(p, '%')) && p[1]; p += 2)
		n += p[1] == letter;
	return n;
}

/* What the format lacks, or NULL: strptime would silently take January, the 1st, or the morning. */
static const char *lack(const char *format)
{
	bool month = has(format, "bBhmcDFxj"), day = has(format, "decDFxj"), half = has(format, "pr");
	if (!month || !day)
		return !day ? "a format with a day, such as %d" : "a format with a month, such as %m or %b";
	if (has(format, "Il") && !half)
		return "a format with %p beside %I, the hour of half a day";
	return half && !has(format, "Ilr") ? "a format with the hour as %I beside %p" : NULL;
}

/* 0, or -1 and what is wanted instead. */
static int check_format(const char *format, struct err *e)
{
	if (strlen(format) > MAX_FORMAT)
		return err_set(e, ERR_USAGE, "a format of at most %d bytes", MAX_FORMAT);
	if (!strchr(format, '%'))
		return err_set(e, ERR_USAGE,
		    "a format as for strptime(3), such as %%m/%%d/%%Y, epoch, epoch-ms, epoch-us or epoch-ns");
	for (const char *p = format; (p = strchr(p, '%')); p += 2) {
		if (p[1] == 's')
			return err_set(e, ERR_USAGE, "epoch for seconds since 1970");
		if (!p[1])
			return err_set(e, ERR_USAGE, "a format in which a letter follows each %%");
		if (!strchr("aAbBcdDeFhHIjklmMnprRStTuwxXyYzZf%", p[1]))
			return err_set(e, ERR_USAGE, "a format without %%%.*s, which is not a conversion of times",
			    (int)utf8_sequence(p + 1, p + strlen(p)), p + 1);
	}
	if (times_of(format, 'f') > 1 || times_of(format, 'Z') > 1)
		return err_set(e, ERR_USAGE, "a format with %%f and %%Z at most once");
	const char *wanted = lack(format);
	return wanted ? err_set(e, ERR_USAGE, "%s", wanted) : 0;
}

int time_formats_add(struct time_formats *f, const char *format, struct err *e)
{
	static const struct {
		const char *name;
		int64_t unit_ns;
	} counts[] = {{"epoch", 1000000000}, {"epoch-ms", 1000000}, {"epoch-us", 1000}, {"epoch-ns", 1}};
	struct time_format one = {.format = format, .yearless = !has(format, "YyDFcx")};
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		if (strcmp(counts[i].name, format) == 0)
			one.unit_ns = counts[i].unit_ns;
	if (f->n == TIME_FORMATS)
		return err_set(e, ERR_USAGE, "at most %d formats", TIME_FORMATS);
	if (!one.unit_ns && check_format(format, e) < 0)
		return -1;
	f->at[f->n++] = one;
	return 0;
}

/* A count since 1970, with or without a fraction. */
static int read_count(struct str s, int64_t unit_ns, int64_t *ms)
{
	bool negative = s.n && *s.p == '-';
	if (negative)
		s = (struct str){s.p + 1, s.n - 1};
	const char *dot = s.n ? memchr(s.p, '.', s.n) : NULL;
	struct str whole = {s.p, dot ? (size_t)(dot - s.p) : s.n}, rest = {dot, dot ? s.n - whole.n : 0};
	uint64_t v;
	uint64_t most = (uint64_t)INT64_MAX / (uint64_t)(unit_ns > 1000000 ? unit_ns / 1000000 : 1);
	if (str_u64(whole, &v) < 0 || v > most || rest.n == 1)
		return -1;
	for (size_t i = 1; i < rest.n; i++)
		if (!digit(rest.p[i]))
			return -1;
	*ms = unit_ns >= 1000000 ? (int64_t)v * (unit_ns / 1000000) : (int64_t)v / (1000000 / unit_ns);
	if (unit_ns == 1000000000 && rest.n)
		*ms += milliseconds(rest.p + 1, rest.n - 1);
	*ms = negative ? -*ms : *ms;
	return 0;
}

/* The first conversion of that letter, or NULL. */
static char *conversion(char *format, char letter)
{
	for (char *p = format; (p = strchr(p, '%')); p += 2)
		if (p[1] == letter)
			return p;
	return NULL;
}

static void replace(char *at, size_t n, const char *by)
{
	size_t len = strlen(by);
	memmove(at + len, at + n, strlen(at + n) + 1);
	memcpy(at, by, len);
}

/* Where in the text the conversion's value begins, or NULL. */
static char *value_at(struct reading *r, const char *format, const char *conversion_at)
{
	char before[MAX_FORMAT + 8];
	struct tm tm = {0};
	size_t n = (size_t)(conversion_at - format);
	memcpy(before, format, n);
	before[n] = 0;
	return strptime(r->text, before, &tm);
}

/* Takes the digits of %f out of the text. */
static bool cut_fraction(struct reading *r, char *format, char *at)
{
	char *p = value_at(r, format, at);
	size_t n = 0;
	while (p && digit(p[n]))
		n++;
	if (!n)
		return false;
	r->fraction_ms = milliseconds(p, n);
	replace(p, n, "");
	replace(at, 2, "");
	return true;
}

/* Makes %z of %Z, and digits of the zone's name. */
static bool cut_zone(struct reading *r, char *format, char *at)
{
	char *p = value_at(r, format, at);
	size_t n = 0;
	while (p && ((p[n] >= 'A' && p[n] <= 'Z') || (p[n] >= 'a' && p[n] <= 'z')))
		n++;
	at[1] = 'z';
	for (size_t i = 0; n && i < COUNT_OF(zones); i++)
		if (strlen(zones[i].name) == n && memcmp(zones[i].name, p, n) == 0) {
			replace(p, n, zones[i].digits);
			return true;
		}
	return n == 0;
}

static int read_format(const struct time_format *f, struct str s, int64_t now_ms, int64_t *ms)
{
	struct reading r = {0};
	struct tm tm = {.tm_mday = 1};
	char format[MAX_FORMAT + 8], *at;
	if (f->unit_ns)
		return read_count(s, f->unit_ns, ms);
	if (s.n > MAX_LEN || memchr(s.p, 0, s.n))
		return -1;
	memcpy(r.text, s.p, s.n);
	memcpy(format, f->format, strlen(f->format) + 1);
	if ((at = conversion(format, 'f')) && !cut_fraction(&r, format, at))
		return -1;
	if ((at = conversion(format, 'Z')) && !cut_zone(&r, format, at))
		return -1;
	const char *rest = strptime(r.text, format, &tm);
	if (!rest || *rest)
		return -1;
	bool zoned = conversion(format, 'z') != NULL;
	if ((f->yearless ? guess_year(&tm, zoned, now_ms, ms) : to_ms(&tm, zoned, ms)) < 0)
		return -1;
	*ms += r.fraction_ms;
	return 0;
}

enum timeparse time_formats_read(const struct time_formats *f, struct str s, int64_t now_ms, char out[TIME_LEN])
{
	int64_t ms;
	s = str_trim(s);
	for (size_t i = 0; s.n && i < f->n; i++)
		if (read_format(&f->at[i], s, now_ms, &ms) == 0)
			return write_time(ms, out);
	return TIMEPARSE_BAD;
}
