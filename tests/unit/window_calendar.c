/* Spans of the calendar in zones whose clocks do odd things, and conditions of alerts. */
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/window/alert.h"
#include "lib/window/calendar.h"
#include "tests/unit/tap.h"

/* The span that holds a time, as "START END" in the zone's own spelling. */
static void is_span(const char *zone, enum period p, const char *time, const char *want)
{
	struct err e;
	int64_t ms, start, end;
	char text[2 * ZONE_TIME_LEN + 1];
	if (zone_use(zone, &e) < 0 || time_parse(str_of(time), &ms) < 0) {
		ok(false, "%s %s: %s", zone, time, e.msg);
		return;
	}
	calendar_span(p, ms, &start, &end);
	size_t n = zone_format(start, text);
	text[n++] = ' ';
	n += zone_format(end, text + n);
	is_str(((struct str){text, n}), str_of(want), "%s at %s", zone, time);
	ok(start <= ms && ms < end, "it is in its span");
	for (int64_t t = start; t < end; t += (end - start) / 7 + 1) {
		int64_t s, f;
		calendar_span(p, t, &s, &f);
		if (s != start || f != end)
			ok(false, "%s: %lld is in another span", time, (long long)t);
	}
}

static void test_spans(void)
{
	static const char berlin[] = "Europe/Berlin";
	is_span(
	    berlin, PERIOD_DAY, "2024-03-31T12:00:00Z", "2024-03-31T00:00:00.000+01:00 2024-04-01T00:00:00.000+02:00");
	is_span(
	    berlin, PERIOD_DAY, "2024-10-27T00:30:00Z", "2024-10-27T00:00:00.000+02:00 2024-10-28T00:00:00.000+01:00");
	is_span(
	    berlin, PERIOD_HOUR, "2024-10-27T00:30:00Z", "2024-10-27T02:00:00.000+02:00 2024-10-27T02:00:00.000+01:00");
	is_span(
	    berlin, PERIOD_HOUR, "2024-10-27T01:30:00Z", "2024-10-27T02:00:00.000+01:00 2024-10-27T03:00:00.000+01:00");
	is_span(berlin, PERIOD_WEEK, "2024-03-31T21:59:59.999Z",
	    "2024-03-25T00:00:00.000+01:00 2024-04-01T00:00:00.000+02:00");
	is_span(berlin, PERIOD_MONTH, "2024-02-29T12:00:00Z",
	    "2024-02-01T00:00:00.000+01:00 2024-03-01T00:00:00.000+01:00");
	is_span(berlin, PERIOD_QUARTER, "2024-12-31T22:59:59Z",
	    "2024-10-01T00:00:00.000+02:00 2025-01-01T00:00:00.000+01:00");
	is_span(
	    berlin, PERIOD_YEAR, "1969-12-31T23:00:00Z", "1970-01-01T00:00:00.000+01:00 1971-01-01T00:00:00.000+01:00");
	/* Midnight did not exist, or came twice, or is not on a whole hour; a day was left out. */
	is_span("America/Sao_Paulo", PERIOD_DAY, "2018-11-04T12:00:00Z",
	    "2018-11-04T01:00:00.000-02:00 2018-11-05T00:00:00.000-02:00");
	is_span("America/Havana", PERIOD_DAY, "2023-11-05T12:00:00Z",
	    "2023-11-05T00:00:00.000-04:00 2023-11-06T00:00:00.000-05:00");
	is_span("Australia/Lord_Howe", PERIOD_HOUR, "2024-04-06T15:10:00Z",
	    "2024-04-07T01:30:00.000+10:30 2024-04-07T02:00:00.000+10:30");
	is_span("Pacific/Apia", PERIOD_DAY, "2011-12-31T01:00:00Z",
	    "2011-12-31T00:00:00.000+14:00 2012-01-01T00:00:00.000+14:00");
	is_span("Asia/Kolkata", PERIOD_HOUR, "2024-01-01T00:00:00Z",
	    "2024-01-01T05:00:00.000+05:30 2024-01-01T06:00:00.000+05:30");
	is_span(
	    "UTC", PERIOD_DAY, "0001-01-02T12:00:00Z", "0001-01-02T00:00:00.000+00:00 0001-01-03T00:00:00.000+00:00");
}

static void test_zones(void)
{
	static const char *const bad[] = {"", "Europe/Nowhere", "Europe", "CEST"};
	struct err e;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(zone_use(bad[i], &e) < 0 && e.kind == ERR_USAGE, "'%s' is no zone", bad[i]);
	char text[ZONE_TIME_LEN];
	ok(zone_use("Europe/Berlin", &e) == 0, "Berlin is one");
	is_str(((struct str){text, zone_format(-3000000000000, text)}), STR("1874-12-07T18:40:00.000Z"),
	    "where an offset has seconds, times are UTC");
}

static bool holds(const char *text, double mean, double count)
{
	struct err e;
	double figure[FIGURES] = {[FIGURE_MEAN] = mean, [FIGURE_COUNT] = count, [FIGURE_NEGATIVE] = 0.5};
	struct condition *c = condition_parse(text, "alert", &e);
	if (!c) {
		ok(false, "%s: %s", text, e.msg);
		return false;
	}
	bool h = condition_holds(c, figure);
	condition_free(c);
	return h;
}

static void test_conditions(void)
{
	ok(holds("mean < -0.3 and count >= 20", -0.4, 20), "both hold");
	ok(!holds("mean < -0.3 and count >= 20", -0.3, 20), "one does not");
	ok(holds("mean<0 or mean>1 and count==0", -1, 7), "and binds closer than or");
	ok(!holds("(mean<0 or mean>1) and count==0", -1, 7), "unless there are parentheses");
	ok(holds("not not mean != 0", 1, 0) && !holds("not (mean <= 1)", 1, 0), "not");
	ok(holds("negative == .5 and 1e1 > +2", 0, 0), "shares, and numbers with each other");
	static const struct {
		const char *text, *where;
	} bad[] = {{"", "column 1"}, {"mean", "column 5"}, {"mean = 1", "column 6"}, {"mean < 1 and", "column 13"},
	    {"mean < 1 count > 2", "column 10"}, {"(mean < 1", "column 10"}, {"mean < x", "column 8"},
	    {"mean < nan", "column 8"}, {"means < 1", "column 1"}, {"mean < 1)", "column 9"},
	    {"mean < 0x10", "column 8"}};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct err e = {0};
		struct condition *c = condition_parse(bad[i].text, "alert", &e);
		ok(!c && e.kind == ERR_USAGE && strstr(e.msg, bad[i].where), "'%s': %s", bad[i].text, e.msg);
		condition_free(c);
	}
	struct buf deep = {0};
	struct err e;
	for (int i = 0; i < 100000; i++)
		buf_char(&deep, '(');
	buf_char(&deep, 0);
	ok(!condition_parse(deep.p, "alert", &e), "many parentheses are too many");
	buf_clear(&deep);
	for (int i = 0; i < 1000; i++)
		buf_str(&deep, STR("mean < 1 or "));
	buf_str(&deep, STR("mean < 1"));
	buf_char(&deep, 0);
	ok(!condition_parse(deep.p, "alert", &e), "and so are many comparisons");
	buf_free(&deep);
}

int main(void)
{
	test_spans();
	test_zones();
	test_conditions();
	return tap_done();
}
