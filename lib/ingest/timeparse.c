/* timeparse.c - uses strptime, and handles what it does not: fractions, zone names, missing years, and nonexistent
 * days. The program never calls setlocale, so month names are English. */
#include "lib/ingest/timeparse.h"

#include <time.h>

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

/* Replaces a zone name by digits, which strptime needs, and drops a comment after the zone, as in "+0000 (UTC)". */
static void name_zone(struct reading *r)
{
	static const struct {
		char name[5];
		char digits[6];
	} zone[] = {{"UTC", "+0000"}, {"GMT", "+0000"}, {"UT", "+0000"}, {"Z", "+0000"}, {"EST", "-0500"},
	    {"EDT", "-0400"}, {"CST", "-0600"}, {"CDT", "-0500"}, {"MST", "-0700"}, {"MDT", "-0600"}, {"PST", "-0800"},
	    {"PDT", "-0700"}, {"WET", "+0000"}, {"WEST", "+0100"}, {"CET", "+0100"}, {"CEST", "+0200"},
	    {"EET", "+0200"}, {"EEST", "+0300"}};
	char *comment = strstr(r->text, " (");
	if (comment && r->text[strlen(r->text) - 1] == ')')
		*comment = 0;
	for (size_t i = 0; i < COUNT_OF(zone); i++) {
		char *at = strstr(r->text, zone[i].name);
		size_t n = strlen(zone[i].name);
		if (!at || at == r->text || at[-1] != ' ' || (at[n] && at[n] != ' '))
			continue;
		memmove(at + 5, at + n, strlen(at + n) + 1);
		memcpy(at, zone[i].digits, 5);
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
static int guess_year(struct tm *tm, int64_t now_ms, int64_t *ms)
{
	time_t now = (time_t)(now_ms / 1000);
	struct tm today;
	if (!localtime_r(&now, &today))
		return -1;
	/* On New Year's Eve a fast clock writes 1 January. */
	for (int back = -1; back <= 8; back++) {
		tm->tm_year = today.tm_year - back;
		if (to_ms(tm, false, ms) == 0 && *ms <= now_ms + 86400000)
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
		return form[i].yearless ? guess_year(&tm, now_ms, ms) : to_ms(&tm, zoned, ms);
	}
	return -1;
}

enum timeparse timeparse_read(struct str s, int64_t now_ms, char out[TIME_LEN])
{
	struct reading r = {0};
	int64_t ms;
	size_t whole = s.n;
	s = trim(s);
	bool rfc3339 = time_parse(s, &ms) == 0;
	if (rfc3339 && s.n == whole)
		return TIMEPARSE_RFC3339;
	if (!rfc3339 && read_epoch(s, &ms) < 0) {
		if (s.n > MAX_LEN || memchr(s.p ? s.p : "", 0, s.n))
			return TIMEPARSE_BAD;
		memcpy(r.text, s.p ? s.p : "", s.n);
		if (take_fraction(&r) < 0)
			return TIMEPARSE_BAD;
		name_zone(&r);
		if (read_calendar(&r, now_ms, &ms) < 0)
			return TIMEPARSE_BAD;
		ms += r.fraction_ms;
	}
	if (!time_in_range(ms))
		return TIMEPARSE_BAD;
	time_format(ms, out);
	return TIMEPARSE_WRITTEN;
}
