/* zone.c - reads files and rules of time zones. */
#include "lib/base/zone.h"

#include <ctype.h>
#include <endian.h>

#include "lib/base/buf.h"

enum {
	FILE_MOST = 1 << 20,
	HEAD = 44, /* of each block of a file: "TZif", the version, 15 bytes, six counts */
	RULE_MOST = 100,
	HOUR = 3600,
	DAY = 86400,
	YEARS = 400,   /* of a cycle */
	FAR = 8 * DAY, /* beyond any offset, which has at most 167 hours */
};
#define BEFORE_ALL (INT64_MIN / 4)

/* ---- the table ---- */

static void add_span(struct zone *z, int64_t from, int64_t offset)
{
	if (z->n && (z->span[z->n - 1].offset == offset || z->span[z->n - 1].from >= from))
		return;
	if ((z->n & (z->n - 1)) == 0)
		z->span = xreallocarray(z->span, z->n ? 2 * z->n : 1, sizeof *z->span);
	z->span[z->n++] = (struct zone_span){from, offset};
}

size_t zone_span_at(const struct zone *z, int64_t seconds)
{
	size_t low = 0, high = z->n;
	if (seconds >= z->end)
		seconds -= ((seconds - z->end) / ZONE_CYCLE + 1) * ZONE_CYCLE;
	while (low + 1 < high) {
		size_t mid = low + (high - low) / 2;
		if (z->span[mid].from <= seconds)
			low = mid;
		else
			high = mid;
	}
	return low;
}

int64_t zone_offset(const struct zone *z, int64_t seconds)
{
	return z->span[zone_span_at(z, seconds)].offset;
}

int64_t zone_first(const struct zone *z, int64_t local)
{
	int64_t end = z->end - FAR, cycles = local < end ? 0 : ((local - end) / ZONE_CYCLE + 1) * ZONE_CYCLE;
	local -= cycles;
	for (size_t i = zone_span_at(z, local - FAR);; i++) {
		int64_t from = z->span[i].from, at = local - z->span[i].offset;
		at = at > from ? at : from;
		if (i + 1 == z->n || at < z->span[i + 1].from)
			return at + cycles;
	}
}

/* ---- rules ---- */

/* A day of the year, and the time of it, when clocks change. */
struct clock_change {
	enum { CHANGE_MONTH, CHANGE_JULIAN, CHANGE_DAY } form;
	int month, week, day; /* Mmonth.week.day; Jday, from 1 and never 29 February; day, from 0 */
	int64_t time;
};

static bool read_number(const char **p, int least, int most, int *out)
{
	int n = 0, digits = 0;
	for (; isdigit((unsigned char)**p) && digits < 5; digits++)
		n = 10 * n + *(*p)++ - '0';
	*out = n;
	return digits && n >= least && n <= most;
}

static bool read_name(const char **p)
{
	const char *s = *p;
	if (*s == '<')
		while (*++s && *s != '>')
			;
	else
		while (isalpha((unsigned char)*s))
			s++;
	bool good = s - *p >= 3 && (**p != '<' || *s == '>');
	*p = s + (*s == '>');
	return good;
}

/* [+-]hh[:mm[:ss]] */
static bool read_time(const char **p, int64_t *seconds)
{
	int sign = **p == '-' ? -1 : 1, h, m = 0, s = 0;
	*p += **p == '-' || **p == '+';
	if (!read_number(p, 0, 167, &h))
		return false;
	for (int i = 0; i < 2 && **p == ':'; i++) {
		++*p;
		if (!read_number(p, 0, 59, i ? &s : &m))
			return false;
	}
	*seconds = sign * (h * (int64_t)HOUR + m * 60 + s);
	return true;
}

static bool read_change(const char **p, struct clock_change *c)
{
	*c = (struct clock_change){.form = **p == 'M'	? CHANGE_MONTH
					   : **p == 'J' ? CHANGE_JULIAN
							: CHANGE_DAY,
	    .time = 2 * HOUR};
	*p += c->form != CHANGE_DAY;
	if (c->form == CHANGE_MONTH) {
		if (!read_number(p, 1, 12, &c->month) || *(*p)++ != '.' || !read_number(p, 1, 5, &c->week) ||
		    *(*p)++ != '.' || !read_number(p, 0, 6, &c->day))
			return false;
	} else if (!read_number(p, c->form == CHANGE_JULIAN, 365, &c->day)) {
		return false;
	}
	if (**p != '/')
		return true;
	++*p;
	return read_time(p, &c->time);
}

struct rule {
	int64_t standard, summer; /* offsets */
	bool changes;
	struct clock_change to_summer, to_standard;
};

static bool read_rule(const char *p, struct rule *r)
{
	*r = (struct rule){0};
	if (!read_name(&p) || !read_time(&p, &r->standard))
		return false;
	r->standard = -r->standard;
	if (!*p)
		return true;
	r->changes = true;
	r->summer = r->standard + HOUR;
	if (!read_name(&p))
		return false;
	if (*p && *p != ',') {
		if (!read_time(&p, &r->summer))
			return false;
		r->summer = -r->summer;
	}
	if (!*p)
		p = ",M3.2.0,M11.1.0"; /* as the C library */
	return *p++ == ',' && read_change(&p, &r->to_summer) && *p++ == ',' && read_change(&p, &r->to_standard) && !*p;
}

/* Days since 1970-01-01 of a date. */
static int64_t day_of(int64_t year, int month, int day)
{
	int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool is_leap(int64_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

/* When clocks change in a year, on the clocks of before the change. */
static int64_t change_at(const struct clock_change *c, int64_t year)
{
	int64_t first = day_of(year, 1, 1);
	if (c->form == CHANGE_DAY)
		return (first + c->day) * DAY + c->time;
	if (c->form == CHANGE_JULIAN)
		return (first + c->day - 1 + (is_leap(year) && c->day >= 60)) * DAY + c->time;
	int64_t begin = day_of(year, c->month, 1);
	int64_t end = c->month == 12 ? day_of(year + 1, 1, 1) : day_of(year, c->month + 1, 1);
	int64_t weekday = ((begin + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	int64_t day = begin + (c->day - weekday + 7) % 7 + 7 * (c->week - 1);
	return (day < end ? day : day - 7) * DAY + c->time;
}

static int64_t year_of(int64_t seconds)
{
	int64_t year = 1970 + (seconds >= 0 ? seconds : seconds - 366 * (int64_t)DAY) / (366 * (int64_t)DAY);
	while (day_of(year + 1, 1, 1) * DAY <= seconds)
		year++;
	return year;
}

/* What a rule says, of a whole cycle of years after the table's last span; from 1970 on if there is none. */
static void add_rule(struct zone *z, const struct rule *r)
{
	int64_t last = z->n > 1 ? z->span[z->n - 1].from : 0, year = year_of(last > 0 ? last : 0);
	if (!z->n)
		add_span(z, BEFORE_ALL, r->standard);
	if (!r->changes)
		return;
	z->end = day_of(year + 1 + YEARS, 1, 1) * DAY;
	for (int64_t y = year; y <= year + YEARS; y++) {
		struct zone_span summer = {change_at(&r->to_summer, y) - r->standard, r->summer},
				 standard = {change_at(&r->to_standard, y) - r->summer, r->standard};
		struct zone_span *first = summer.from < standard.from ? &summer : &standard,
				 *second = first == &summer ? &standard : &summer;
		add_span(z, first->from, first->offset);
		add_span(z, second->from, second->offset);
	}
}

/* ---- files ---- */

struct zone_bytes {
	const unsigned char *p, *end;
};

/* The next n bytes; NULL if there are fewer. */
static const unsigned char *take(struct zone_bytes *r, size_t n)
{
	const unsigned char *p = r->p;
	if ((size_t)(r->end - p) < n)
		return NULL;
	r->p += n;
	return p;
}

static uint32_t u32(const unsigned char *p)
{
	uint32_t be;
	memcpy(&be, p, sizeof be);
	return be32toh(be);
}

static int64_t i64(const unsigned char *p)
{
	uint64_t be;
	memcpy(&be, p, sizeof be);
	return (int64_t)be64toh(be);
}

enum count { COUNT_UT, COUNT_STD, COUNT_LEAP, COUNT_TIME, COUNT_TYPE, COUNT_CHAR, COUNTS };

/* The counts of the block that begins here, and how long it is if times have `size` bytes. */
static bool read_head(struct zone_bytes *r, uint32_t n[COUNTS], size_t size, size_t *length)
{
	const unsigned char *head = take(r, HEAD);
	if (!head || memcmp(head, "TZif", 4) != 0 || head[4] < '2')
		return false;
	for (int i = 0; i < COUNTS; i++) {
		n[i] = u32(head + 20 + 4 * i);
		if (n[i] > FILE_MOST)
			return false;
	}
	*length = n[COUNT_TIME] * (size + 1) + n[COUNT_TYPE] * 6 + n[COUNT_CHAR] + n[COUNT_LEAP] * (size + 4) +
		  n[COUNT_STD] + n[COUNT_UT];
	return true;
}

/* The second block of a file has 64-bit times; after it a rule stands on a line of its own. */
static bool read_file(struct zone *z, struct zone_bytes *r)
{
	uint32_t n[COUNTS];
	size_t length;
	char text[RULE_MOST];
	struct rule rule;
	if (!read_head(r, n, 4, &length) || !take(r, length) || !read_head(r, n, 8, &length) || !n[COUNT_TYPE])
		return false;
	const unsigned char *time = take(r, length), *kind, *type;
	if (!time)
		return false;
	kind = time + 8 * (size_t)n[COUNT_TIME];
	type = kind + n[COUNT_TIME];
	add_span(z, BEFORE_ALL, (int32_t)u32(type));
	for (uint32_t i = 0; i < n[COUNT_TIME]; i++) {
		if (kind[i] >= n[COUNT_TYPE])
			return false;
		add_span(z, i64(time + 8 * (size_t)i), (int32_t)u32(type + 6 * kind[i]));
	}
	const unsigned char *line = take(r, 1);
	const unsigned char *end = line ? memchr(r->p, '\n', (size_t)(r->end - r->p)) : NULL;
	if (!end || *line != '\n' || (size_t)(end - r->p) >= sizeof text)
		return false;
	snprintf(text, sizeof text, "%.*s", (int)(end - r->p), (const char *)r->p);
	if (*text && !read_rule(text, &rule))
		return false;
	if (*text)
		add_rule(z, &rule);
	return true;
}

static bool open_file(struct zone *z, const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
	const char *folder = env_get("TZDIR");
	struct buf path = {0};
	bool good = false;
	if (*name == '/' || strspn(name, letters) != strlen(name))
		return false; /* it has no dot, so it leads to no other folder */
	buf_printf(&path, "%s/%s%c", folder ? folder : "/usr/share/zoneinfo", name, 0);
	FILE *f = fopen(path.p, "re");
	if (f) {
		unsigned char *bytes = xmalloc(FILE_MOST);
		size_t n = fread(bytes, 1, FILE_MOST, f);
		good = n < FILE_MOST && read_file(z, &(struct zone_bytes){bytes, bytes + n});
		free(bytes);
		fclose(f);
	}
	buf_free(&path);
	return good;
}

struct zone *zone_open(struct str name, struct err *e)
{
	char text[RULE_MOST];
	struct rule rule;
	struct zone *z = xcalloc(1, sizeof *z);
	z->end = INT64_MAX / 4;
	snprintf(text, sizeof text, "%.*s", STR_FMT(name));
	if (name.n >= sizeof text || strlen(text) != name.n || !name.n) {
		*text = 0;
	} else if (strcmp(text, "UTC") == 0) {
		add_span(z, BEFORE_ALL, 0);
		return z;
	} else if (open_file(z, text)) {
		return z;
	}
	z->n = 0; /* of a file that is none */
	if (read_rule(text, &rule)) {
		add_rule(z, &rule);
		return z;
	}
	zone_free(z);
	err_set(e, ERR_USAGE, "a time zone is a name such as Europe/Berlin, not '%.*s'", STR_FMT(name));
	return NULL;
}

void zone_free(struct zone *z)
{
	if (!z)
		return;
	free(z->span);
	free(z);
}
