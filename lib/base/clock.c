/* clock.c - clocks and RFC 3339. */
#include "lib/base/clock.h"

#include <time.h>

static int64_t read_ms(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
	return read_ms(CLOCK_MONOTONIC);
}

int64_t clock_wall_ms(void)
{
	return read_ms(CLOCK_REALTIME);
}

/* Days from 1970-01-01 to a date in the proleptic Gregorian calendar. Years are counted from March, so that the leap
 * day comes last; eras are 400 years of 146,097 days. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
	y -= m <= 2;
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year = y - era * 400;
	int64_t day = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * 146097 + year * 365 + year / 4 - year / 100 + day - 719468;
}

static void date_of(int64_t days, int64_t *y, int64_t *m, int64_t *d)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t in_era = days - era * 146097;
	int64_t year = (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	int64_t in_year = in_era - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * in_year + 2) / 153;
	*d = in_year - (153 * month + 2) / 5 + 1;
	*m = month + (month < 10 ? 3 : -9);
	*y = era * 400 + year + (*m <= 2);
}

static int digits(struct str s, size_t *at, size_t n, int64_t *out)
{
	uint64_t v;
	if (s.n - *at < n || str_u64((struct str){s.p + *at, n}, &v) < 0)
		return -1;
	*at += n;
	*out = (int64_t)v;
	return 0;
}

static int character(struct str s, size_t *at, const char *any)
{
	if (*at >= s.n || !s.p[*at] || !strchr(any, s.p[*at]))
		return -1;
	return s.p[(*at)++];
}

int time_parse(struct str s, int64_t *ms)
{
	static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int64_t y, mo, d, h, mi, sec, frac = 0, zone = 0;
	size_t at = 0;
	if (digits(s, &at, 4, &y) < 0 || character(s, &at, "-") < 0 || digits(s, &at, 2, &mo) < 0 ||
	    character(s, &at, "-") < 0 || digits(s, &at, 2, &d) < 0 || character(s, &at, "Tt ") < 0 ||
	    digits(s, &at, 2, &h) < 0 || character(s, &at, ":") < 0 || digits(s, &at, 2, &mi) < 0 ||
	    character(s, &at, ":") < 0 || digits(s, &at, 2, &sec) < 0)
		return -1;
	if (at < s.n && s.p[at] == '.') {
		int64_t unit = 100, digit;
		size_t first = ++at;
		while (at < s.n && digits(s, &at, 1, &digit) == 0) {
			frac += digit * unit;
			unit /= 10;
		}
		if (at == first)
			return -1;
	}
	int sign = character(s, &at, "Zz+-");
	if (sign < 0)
		return -1;
	if (sign == '+' || sign == '-') {
		int64_t zh, zm;
		if (digits(s, &at, 2, &zh) < 0 || character(s, &at, ":") < 0 || digits(s, &at, 2, &zm) < 0 || zh > 23 ||
		    zm > 59)
			return -1;
		zone = (zh * 60 + zm) * (sign == '+' ? 1 : -1);
	}
	bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	if (at != s.n || y < 1 || mo < 1 || mo > 12 || d < 1 || d > month_days[mo - 1] + (leap && mo == 2) || h > 23 ||
	    mi > 59 || sec > 60)
		return -1;
	if (sec == 60) {
		sec = 59;
		frac = 999;
	}
	int64_t t = (((days_of(y, mo, d) * 24 + h) * 60 + mi - zone) * 60 + sec) * 1000 + frac;
	if (!time_in_range(t))
		return -1;
	*ms = t;
	return 0;
}

static void put_digits(char *p, int64_t v, int n)
{
	while (n--) {
		p[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

void time_format(int64_t ms, char out[TIME_LEN])
{
	int64_t day = ms / 86400000, in_day = ms % 86400000, y, m, d;
	if (in_day < 0) {
		in_day += 86400000;
		day--;
	}
	date_of(day, &y, &m, &d);
	memcpy(out, "0000-00-00T00:00:00.000Z", TIME_LEN);
	put_digits(out, y, 4);
	put_digits(out + 5, m, 2);
	put_digits(out + 8, d, 2);
	put_digits(out + 11, in_day / 3600000, 2);
	put_digits(out + 14, in_day / 60000 % 60, 2);
	put_digits(out + 17, in_day / 1000 % 60, 2);
	put_digits(out + 20, in_day % 1000, 3);
}
