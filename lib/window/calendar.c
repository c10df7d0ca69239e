/* calendar.c - spans of the local calendar, found by asking localtime_r(3). */
#include "lib/window/calendar.h"

#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/timezone.h"

enum { HOUR = 3600 };

int zone_use(const char *name, struct err *e)
{
	if (!timezone_known(name))
		return err_set(e, ERR_USAGE, "--tz takes a time zone such as Europe/Berlin, not '%s'", name);
	setenv("TZ", name, 1);
	tzset();
	return 0;
}

static int64_t seconds_of(int64_t ms)
{
	return ms / 1000 - (ms % 1000 < 0);
}

static struct tm local(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm = {0};
	localtime_r(&t, &tm);
	return tm;
}

static int64_t offset_at(int64_t seconds)
{
	return local(seconds).tm_gmtoff;
}

/* Days in their order; not every number is one. */
static int64_t day_number(const struct tm *tm)
{
	return ((int64_t)tm->tm_year * 12 + tm->tm_mon) * 32 + tm->tm_mday;
}

/* The first moment of that day (its numbers may be beyond the month's, as mktime(3) takes them). */
static int64_t first_of(int year, int month, int day)
{
	struct tm noon = {.tm_year = year, .tm_mon = month, .tm_mday = day, .tm_hour = 12, .tm_isdst = -1};
	int64_t high = mktime(&noon), low = high - 36 * HOUR, wanted = day_number(&noon);
	while (low + 1 < high) {
		int64_t mid = low + (high - low) / 2;
		struct tm tm = local(mid);
		if (day_number(&tm) >= wanted)
			high = mid;
		else
			low = mid;
	}
	return high;
}

/* The first moment after `low` with the offset of `high`. */
static int64_t change_between(int64_t low, int64_t high)
{
	int64_t offset = offset_at(high);
	while (low + 1 < high) {
		int64_t mid = low + (high - low) / 2;
		if (offset_at(mid) == offset)
			high = mid;
		else
			low = mid;
	}
	return high;
}

static void hour_span(int64_t t, int64_t *start, int64_t *end)
{
	int64_t offset = offset_at(t), past = (t + offset) % HOUR;
	*start = t - (past < 0 ? past + HOUR : past);
	*end = *start + HOUR;
	if (offset_at(*start) != offset)
		*start = change_between(*start, t);
	if (offset_at(*end - 1) != offset)
		*end = change_between(t, *end - 1);
}

void calendar_span(enum period p, int64_t ms, int64_t *start, int64_t *end)
{
	int64_t t = seconds_of(ms);
	struct tm tm = local(t);
	int y = tm.tm_year, m = tm.tm_mon, d = tm.tm_mday, monday = d - (tm.tm_wday + 6) % 7, quarter = m / 3 * 3;
	switch (p) {
	case PERIOD_HOUR:
		hour_span(t, start, end);
		break;
	case PERIOD_DAY:
		*start = first_of(y, m, d);
		*end = first_of(y, m, d + 1);
		break;
	case PERIOD_WEEK:
		*start = first_of(y, m, monday);
		*end = first_of(y, m, monday + 7);
		break;
	case PERIOD_MONTH:
		*start = first_of(y, m, 1);
		*end = first_of(y, m + 1, 1);
		break;
	case PERIOD_QUARTER:
		*start = first_of(y, quarter, 1);
		*end = first_of(y, quarter + 3, 1);
		break;
	case PERIOD_YEAR:
		*start = first_of(y, 0, 1);
		*end = first_of(y + 1, 0, 1);
		break;
	}
	*start *= 1000;
	*end *= 1000;
}

size_t zone_format(int64_t ms, char out[ZONE_TIME_LEN])
{
	int64_t offset = offset_at(seconds_of(ms)), local_ms = ms + offset * 1000;
	if (offset % 60 || !time_in_range(local_ms)) {
		time_format(ms, out);
		return TIME_LEN;
	}
	time_format(local_ms, out);
	int minutes = (int)(offset < 0 ? -offset : offset) / 60;
	char zone[16];
	snprintf(zone, sizeof zone, "%c%02d:%02d", offset < 0 ? '-' : '+', minutes / 60 % 100, minutes % 60);
	memcpy(out + TIME_LEN - 1, zone, 6);
	return ZONE_TIME_LEN;
}
