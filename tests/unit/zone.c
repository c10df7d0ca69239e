/* Clocks of zones, held to the C library's; and what is no zone. */
#include "lib/base/zone.h"

#include <time.h>

#include "lib/base/clock.h"
#include "tests/unit/tap.h"

static int64_t library_offset(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm = {0};
	localtime_r(&t, &tm);
	return tm.tm_gmtoff;
}

/* Compares a time, and the first moment of its local hour. */
static bool same_at(const struct zone *z, int64_t t)
{
	int64_t local = t + zone_offset(z, t), first = zone_first(z, local);
	return zone_offset(z, t) == library_offset(t) && first <= t && first + zone_offset(z, first) >= local &&
	       first - 1 + zone_offset(z, first - 1) < local;
}

/* All hours of a few years, moments around each change, and times far off. */
static void test_zone(const char *name)
{
	struct err e = {0};
	struct zone *z = zone_open(str_of(name), &e);
	if (!ok(z != NULL, "%s: %s", name, e.msg))
		return;
	setenv("TZ", name, 1);
	tzset();
	int64_t wrong = 0, looked = 0,
		begin = strchr(name, ',') ? 31536000 : -INT64_C(2000000000); /* a rule is young */
	for (int64_t t = begin; t < INT64_C(20000000000); t += 12345678, looked++)
		wrong += !same_at(z, t);
	for (int64_t t = 1577836800; t < 1704067200; t += 1799, looked++)
		wrong += !same_at(z, t);
	for (size_t i = 1; i < z->n; i++)
		for (int64_t t = z->span[i].from - 1; t <= z->span[i].from && t >= begin; t++, looked++)
			wrong += zone_offset(z, t) != library_offset(t);
	for (int64_t t = z->end - 86400 * 400; t < z->end + 86400 * 400 && t < TIME_END / 1000; t += 3571, looked++)
		wrong += !same_at(z, t);
	ok(wrong == 0, "%s is as the C library has it, at %lld of %lld times not", name, (long long)wrong,
	    (long long)looked);
	zone_free(z);
}

static void test_first(void)
{
	static const struct {
		const char *zone;
		int64_t local;
		const char *want;
	} known[] = {
	    {"Europe/Berlin", 1711850400, "2024-03-31T01:00:00.000Z"},	   /* 02:00, which is left out... */
	    {"Europe/Berlin", 1729994400, "2024-10-27T00:00:00.000Z"},	   /* 02:00, the first of two */
	    {"America/Sao_Paulo", 1541289600, "2018-11-04T03:00:00.000Z"}, /* midnight, which is left out */
	    {"Pacific/Apia", 1325203200, "2011-12-30T10:00:00.000Z"},	   /* a day that is left out */
	    {"UTC", 5, "1970-01-01T00:00:05.000Z"},
	};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		struct err e;
		struct zone *z = zone_open(str_of(known[i].zone), &e);
		char got[TIME_LEN] = {0};
		if (z)
			time_format(zone_first(z, known[i].local) * 1000, got);
		is_str(((struct str){got, TIME_LEN}), str_of(known[i].want), "%s: the first moment", known[i].zone);
		zone_free(z);
	}
}

static void test_bad(void)
{
	static const char *const bad[] = {"", "Europe/Nowhere", "Europe", "CEST", "/etc/localtime", "../zoneinfo/UTC",
	    "./UTC", "/usr/share/zoneinfo/UTC", "tzdata.zi", "leapseconds", ":UTC", "CET-1CEST,M3.5.0",
	    "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,J0,J5", "CET-1CEST,366,5",
	    "CET-1CEST,M3.5.0,M10.5.0/168", "CET-1 ", "CE-1", "<CE-1", "CET-999999999999",
	    "Europe/Berlin/and/a/name/that/is/so/long/that/no/file/of/the/zone/database/can/have/it/nor/a/rule/fill/"
	    "it"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err e;
		struct zone *z = zone_open(str_of(bad[i]), &e);
		ok(!z && e.kind == ERR_USAGE, "'%s' is not a zone", bad[i]);
		zone_free(z);
	}
	struct err e;
	ok(!zone_open((struct str){"UTC\0x", 5}, &e), "nor is one with a NUL");
}

int main(void)
{
	static const char *const names[] = {"Europe/Berlin", "America/New_York", "America/Sao_Paulo", "America/Havana",
	    "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kolkata", "Asia/Gaza", "Africa/Casablanca", "Europe/Dublin",
	    "Antarctica/Troll", "America/Nuuk", "Asia/Tehran", "Pacific/Kiritimati", "Etc/GMT+12", "UTC",
	    "CET-1CEST,M3.5.0,M10.5.0/3", "NZST-12NZDT,M9.5.0,M4.1.0/3", "<+0330>-3:30<+0430>,J79/24,J263/24",
	    "EST5EDT", "XXX3", "AAA0BBB-2:30:15,10/-1,200/25"};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		test_zone(names[i]);
	test_first();
	test_bad();
	return tap_done();
}
