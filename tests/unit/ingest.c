/* ingest.c - times, rows, patterns, and what the decoding source promises to the one inside it. */
#include <time.h>

#include "lib/base/timezone.h"
#include "lib/flow/mem.h"
#include "lib/ingest/decode.h"
#include "lib/ingest/groups.h"
#include "lib/ingest/row.h"
#include "lib/ingest/timeparse.h"
#include "tests/unit/tap.h"

/* --- times --- */

static void time_is(const char *in, const char *want)
{
	static const int64_t now = 1709294400000; /* 2024-03-01T12:00:00Z */
	char out[TIME_LEN + 1] = {0};
	enum timeparse w = timeparse_read(str_of(in), now, out);
	struct str got = w == TIMEPARSE_BAD	  ? STR("bad")
			 : w == TIMEPARSE_RFC3339 ? STR("same")
						  : (struct str){out, TIME_LEN};
	is_str(got, str_of(want), "time '%s'", in);
}

static void test_times(void)
{
	static const char *const pair[][2] = {
	    {"2024-05-01T12:00:00Z", "same"},
	    {"2024-05-01t12:00:00.25+02:00", "same"},
	    {" 2024-05-01T12:00:00Z ", "2024-05-01T12:00:00.000Z"},
	    {"10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36.000Z"},
	    {"[10/Oct/2000:13:55:36.789 -0700]", "2000-10-10T20:55:36.789Z"},
	    {"Feb 29 01:02:03", "2024-02-29T01:02:03.000Z"},
	    {"Mar  2 11:00:00", "2024-03-02T11:00:00.000Z"},
	    {"Mar  2 13:00:00", "2023-03-02T13:00:00.000Z"},
	    {"Dec 31 23:59:59", "2023-12-31T23:59:59.000Z"},
	    {"Nov 23 01:02:03.5", "2023-11-23T01:02:03.500Z"},
	    {"2024-05-01 12:00:00", "2024-05-01T12:00:00.000Z"},
	    {"2024-05-01T12:00:00,123456", "2024-05-01T12:00:00.123Z"},
	    {"2024-05-01 12:00:00 +0200", "2024-05-01T10:00:00.000Z"},
	    {"2024-05-01T12:00:00+02", "2024-05-01T10:00:00.000Z"},
	    {"2024-05-01 12:00:00 UTC", "2024-05-01T12:00:00.000Z"},
	    {"2024-05-01 12:00", "2024-05-01T12:00:00.000Z"},
	    {"2024-05-01", "2024-05-01T00:00:00.000Z"},
	    {"2024/05/01 12:00:00", "2024-05-01T12:00:00.000Z"},
	    {"Wed Oct 10 20:19:24 +0000 2018", "2018-10-10T20:19:24.000Z"},
	    {"Mon Apr 06 22:19:45 PDT 2009", "2009-04-07T05:19:45.000Z"},
	    {"Mon Apr  6 22:19:45 2009", "2009-04-06T22:19:45.000Z"},
	    {"Wed, 10 Oct 2018 20:19:24 GMT", "2018-10-10T20:19:24.000Z"},
	    {"1714557600", "2024-05-01T10:00:00.000Z"},
	    {"1714557600.25", "2024-05-01T10:00:00.250Z"},
	    {"1714557600123", "2024-05-01T10:00:00.123Z"},
	    {"1714557600123456", "2024-05-01T10:00:00.123Z"},
	    {"1714557600123456789", "2024-05-01T10:00:00.123Z"},
	    {"Wed, 10 Oct 2018 20:19:24 +0200 (CEST)", "2018-10-10T18:19:24.000Z"},
	    {"Wed, 10 Oct 2018 20:19:24 UT", "2018-10-10T20:19:24.000Z"},
	    {"10 Oct 2018 20:19:24 CEST", "2018-10-10T18:19:24.000Z"},
	    {"Mon Jan 06 22:19:45 CET 2020", "2020-01-06T21:19:45.000Z"},
	    {"2024-05-01 12:00:00 Z", "2024-05-01T12:00:00.000Z"},
	    {"2024-05-01T12:00:00+2359", "2024-04-30T12:01:00.000Z"},
	    {"2024-05-01 12:00:00 -2359", "2024-05-02T11:59:00.000Z"},
	    {"2024-05-01T12:00:00+24:00", "bad"},
	    {"2024-05-01T12:00:00+25:00", "bad"},
	    {"2024-05-01T12:00:00-99", "bad"},
	    {"2024-05-01T12:00:00+9959", "bad"},
	    {"2024-05-01T12:00:00+0160", "bad"},
	    {"01/May/2024:12:00:00 +9900", "bad"},
	    {"Wed Oct 10 20:19:24 +2400 2018", "bad"},
	    {"Wed, 10 Oct 2018 20:19:24 -2400", "bad"},
	    {"Wed, 10 Oct 2018 20:19:24 CESTA", "bad"},
	    {"2016-12-31 23:59:60", "2016-12-31T23:59:59.000Z"},
	    {"", "bad"},
	    {"-", "bad"},
	    {"12", "bad"},
	    {"20240501", "bad"},
	    {"2024-02-30 12:00:00", "bad"},
	    {"2023-02-29", "bad"},
	    {"24-05-01", "bad"},
	    {"2024-13-01", "bad"},
	    {"2024-05-01 25:00:00", "bad"},
	    {"2024-05-01 12:00:00 nonsense", "bad"},
	    {"2024-05-01 12:00:00.", "bad"},
	    {"17145576001.", "bad"},
	    {"99999999999999999999", "bad"},
	    {"yesterday", "bad"},
	    {"Feb 30 01:02:03", "bad"},
	};
	for (size_t i = 0; i < COUNT_OF(pair); i++)
		time_is(pair[i][0], pair[i][1]);
	char out[TIME_LEN];
	ok(timeparse_read((struct str){"2024-05-01\0 12:00", 17}, 0, out) == TIMEPARSE_BAD,
	    "a NUL is not part of a time");
}

static void numeric(const char *in, enum date_order says, const char *month_first, const char *day_first)
{
	const char *const want[] = {month_first, day_first};
	enum date_order order;
	ok(timeparse_order(str_of(in), &order) && order == says, "'%s' says which order", in);
	for (int i = 0; i < 2; i++) {
		char out[TIME_LEN];
		bool good =
		    timeparse_numeric(str_of(in), i ? DATES_DAY_FIRST : DATES_MONTH_FIRST, out) == TIMEPARSE_WRITTEN;
		struct str got = {good ? out : "bad", good ? TIME_LEN : 3};
		is_str(got, str_of(want[i]), "'%s', order %d", in, i);
	}
}

static void test_dates(void)
{
	enum date_order order;
	numeric("03/04/2015", DATES_UNKNOWN, "2015-03-04T00:00:00.000Z", "2015-04-03T00:00:00.000Z");
	numeric("10/21/2016", DATES_MONTH_FIRST, "2016-10-21T00:00:00.000Z", "bad");
	numeric(" 21.10.2016 14:05 ", DATES_DAY_FIRST, "bad", "2016-10-21T14:05:00.000Z");
	numeric("3-4-2015 2:05:06.5 PM", DATES_UNKNOWN, "2015-03-04T14:05:06.500Z", "2015-04-03T14:05:06.500Z");
	numeric("3-4-2015 2:05:06 PM", DATES_UNKNOWN, "2015-03-04T14:05:06.000Z", "2015-04-03T14:05:06.000Z");
	numeric("3/4/2015, 12:05 AM", DATES_UNKNOWN, "2015-03-04T00:05:00.000Z", "2015-04-03T00:05:00.000Z");
	numeric("3/4/2015T14:05:06.25+0200", DATES_UNKNOWN, "2015-03-04T12:05:06.250Z", "2015-04-03T12:05:06.250Z");
	numeric("29/2/2016", DATES_DAY_FIRST, "bad", "2016-02-29T00:00:00.000Z");
	numeric("2/3/2015 nonsense", DATES_UNKNOWN, "bad", "bad");
	static const char *const others[] = {"2015-03-04", "3/4", "3/4/15", "3/4.2015", "3/4/20155", "123/4/2015",
	    "/3/2015", "3/4/0015", "2/30/2015", "13/13/2015", "0/1/2015", "29/2/2015", "", "3",
	    "10/Oct/2000:13:55:36 -0700"};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		ok(!timeparse_order(str_of(others[i]), &order), "'%s' is not of that form", others[i]);
}

static void formatted(const char *format, const char *in, const char *want)
{
	static const int64_t now = 1709294400000; /* 2024-03-01T12:00:00Z */
	struct time_formats f = {0};
	struct err e;
	char out[TIME_LEN];
	ok(time_formats_add(&f, format, &e) == 0, "'%s' is a format", format);
	bool good = time_formats_read(&f, str_of(in), now, out) == TIMEPARSE_WRITTEN;
	struct str got = {good ? out : "bad", good ? TIME_LEN : 3};
	is_str(got, str_of(want), "'%s' as '%s'", in, format);
}

static void test_formats(void)
{
	formatted("%m/%d/%y", " 03/04/15 ", "2015-03-04T00:00:00.000Z");
	formatted("%d.%m.%Y %H:%M:%S.%f", "03.04.2015 10:11:12.1239", "2015-04-03T10:11:12.123Z");
	formatted("%I:%M:%S.%f %p, %d %B %Y", "02:03:04.5 PM, 3 April 2015", "2015-04-03T14:03:04.500Z");
	formatted("%d/%b/%Y:%T %z", "10/Oct/2000:13:55:36 -0700", "2000-10-10T20:55:36.000Z");
	formatted("%a %b %d %T %Z %Y", "Mon Apr 06 22:19:45 PDT 2009", "2009-04-07T05:19:45.000Z");
	formatted("%a %b %d %T %Z %Y", "Mon Apr 06 22:19:45 +0200 2009", "2009-04-06T20:19:45.000Z");
	formatted("%a %b %d %T %Z %Y", "Mon Apr 06 22:19:45 XYZ 2009", "bad");
	formatted("%d/%m %H:%M", "29/02 10:00", "2024-02-29T10:00:00.000Z");
	formatted("%d/%m %H:%M %z", "29/02 10:00 +0200", "2024-02-29T08:00:00.000Z");
	formatted("%Y-%j", "2024-060", "2024-02-29T00:00:00.000Z");
	formatted("100%% %F", "100% 2024-02-29", "2024-02-29T00:00:00.000Z");
	formatted("%F", "2024-02-30", "bad");
	formatted("%F", "2024-02-28 12:00", "bad");
	formatted("%F", "", "bad");
	formatted("%F %T.%f", "2024-02-28 12:00:00.", "bad");
	formatted("%F %z", "2024-02-28 +2400", "bad");
	formatted("epoch", "1714557600", "2024-05-01T10:00:00.000Z");
	formatted("epoch", "-1.5", "1969-12-31T23:59:58.500Z");
	formatted("epoch", "5", "1970-01-01T00:00:05.000Z");
	formatted("epoch", "1e9", "bad");
	formatted("epoch", "1.", "bad");
	formatted("epoch", "99999999999999999999", "bad");
	formatted("epoch", "9999999999999999", "bad");
	formatted("epoch-ms", "1714557600123", "2024-05-01T10:00:00.123Z");
	formatted("epoch-us", "1714557600123456", "2024-05-01T10:00:00.123Z");
	formatted("epoch-ns", "1714557600123456789", "2024-05-01T10:00:00.123Z");
	formatted("epoch-ns", "1714557600123456", "1970-01-20T20:15:57.600Z");
}

/* What strptime would silently read as another time is refused. */
static void test_bad_formats(void)
{
	static const char *const bad[][2] = {{"nonsense", "as for strptime(3)"}, {"%s", "epoch for seconds"},
	    {"%d/%Q/%Y", "without %Q,"}, {"%d/%\xc3\xa9/%Y", "without %\xc3\xa9,"}, {"%d/%m/%", "follows each %"},
	    {"%Y", "with a day"}, {"%H:%M", "with a day"}, {"%d/%Y", "with a month"}, {"%G-W%V-%u", "without %G,"},
	    {"%C%y-%m-%d", "without %C,"}, {"%Ey-%m-%d", "without %E,"}, {"%F %I:%M", "with %p"},
	    {"%F %l:%M %P", "without %P,"}, {"%F %H:%M %p", "as %I"}, {"%F %f %f", "once"}, {"epochs", "epoch-ns"},
	    {"", "as for strptime(3)"}};
	struct time_formats f = {0};
	struct err e;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(time_formats_add(&f, bad[i][0], &e) < 0 && strstr(e.msg, bad[i][1]), "'%s': %s", bad[i][0], e.msg);
	for (size_t i = 0; i < TIME_FORMATS; i++)
		ok(time_formats_add(&f, "%F", &e) == 0, "format %zu", i + 1);
	ok(time_formats_add(&f, "%F", &e) < 0 && strstr(e.msg, "at most 16"), "one too many: %s", e.msg);
}

static void test_zone(void)
{
	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	time_is("2024-05-01 12:00:00", "2024-05-01T10:00:00.000Z");
	time_is("2024-01-01 12:00:00", "2024-01-01T11:00:00.000Z");
	/* Whatever was asked before: the C library remembers which half of the year that was in. */
	static const char *const before[] = {"2024-01-01 12:00:00", "2024-07-01 12:00:00"};
	for (size_t i = 0; i < COUNT_OF(before); i++) {
		time_is(before[i], i ? "2024-07-01T10:00:00.000Z" : "2024-01-01T11:00:00.000Z");
		time_is("2024-10-27 01:59:59", "2024-10-26T23:59:59.000Z");
		time_is("2024-10-27 02:00:00", "2024-10-27T00:00:00.000Z");
		time_is("2024-10-27 02:59:59", "2024-10-27T00:59:59.000Z");
		time_is("2024-10-27 03:00:00", "2024-10-27T02:00:00.000Z");
		time_is("2024-10-27 23:00:00", "2024-10-27T22:00:00.000Z");
		time_is("2024-03-31 01:59:59", "2024-03-31T00:59:59.000Z");
		time_is("2024-03-31 02:30:00", "2024-03-31T01:30:00.000Z");
		time_is("2024-03-31 03:00:00", "2024-03-31T01:00:00.000Z");
		time_is("2024-03-30 12:00:00", "2024-03-30T11:00:00.000Z");
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

static void test_zone_names(void)
{
	static const char *const known[] = {
	    "UTC", ":UTC", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0530>-5:30", "EST5EDT", "/etc/passwd"};
	static const char *const unknown[] = {
	    "Europe/Berln", "nonsense", ":nonsense", "CET", "X1", "/nowhere", "/etc", "+1"};
	setenv("TZDIR", "/nowhere", 1);
	for (size_t i = 0; i < COUNT_OF(known); i++)
		ok(timezone_known(known[i]), "%s is a zone", known[i]);
	for (size_t i = 0; i < COUNT_OF(unknown); i++)
		ok(!timezone_known(unknown[i]), "%s is not a zone", unknown[i]);
	unsetenv("TZDIR");
}

/* --- rows --- */

/* All rows as "[cell][cell]@line" or "!reason-less raw@line", one after the other. */
static void read_rows(const char *text, char delimiter, bool tsv, size_t expect, size_t max, struct buf *out)
{
	struct rows *rows = rows_new(delimiter, tsv);
	struct row row;
	uint64_t number = 0;
	buf_clear(out);
	for (bool more = true; more;) {
		const char *nl = strchr(text, '\n');
		size_t n = nl ? (size_t)(nl - text) + 1 : strlen(text);
		more = n > 0;
		if (more)
			rows_feed(rows, (struct str){text, n}, ++number);
		else
			rows_cut(rows);
		text += n;
		for (enum row_got got; (got = rows_next(rows, expect, max, &row)) != ROW_NONE;) {
			for (size_t i = 0; i < row.n; i++)
				buf_printf(out, "[%.*s]", STR_FMT(row.cell[i]));
			if (got == ROW_BROKEN)
				buf_printf(out, "!%.*s", (int)strcspn(row.raw.p, "\r\n"), row.raw.p);
			buf_printf(out, "@%llu", (unsigned long long)row.line);
			if (row.sub)
				buf_printf(out, ".%u", row.sub);
			buf_char(out, ' ');
		}
	}
	ok(rows_held(rows) == 0, "nothing is kept back");
	rows_free(rows);
}

static void test_rows(void)
{
	static const struct {
		const char *name, *text, *want;
		char delimiter;
		bool tsv;
		size_t max;
	} sample[] = {
	    {"plain", "a,b\nc,d\n", "[a][b]@1 [c][d]@2 ", ',', false, 100},
	    {"no last end", "a,b\r\nc,d", "[a][b]@1 [c][d]@2 ", ',', false, 100},
	    {"old Mac line ends", "a,b\rc,d\re,f", "[a][b]@1 [c][d]@1.1 [e][f]@1.2 ", ',', false, 100},
	    {"blank lines", "\n\r\na,b\n\n", "[a][b]@3 ", ',', false, 100},
	    {"blanks are kept", " a , b\n", "[ a ][ b]@1 ", ',', false, 100},
	    {"doubled quotes", "\"a \"\"x\"\"\",\n", "[a \"x\"][]@1 ", ',', false, 100},
	    {"quoted line ends", "\"a\r\n\nb\",c\nd,e\n", "[a\r\n\nb][c]@1 [d][e]@4 ", ',', false, 100},
	    {"a quoted lone CR", "\"a\rb\",c\n", "[a\rb][c]@1 ", ',', false, 100},
	    {"a quote inside a field", "5\" disk,x\n", "[5\" disk][x]@1 ", ',', false, 100},
	    {"quotes not doubled", "\"say \"hi\" now\",x\n", "[say \"hi\" now][x]@1 ", ',', false, 100},
	    {"an open quote does not swallow the file", "\"a,b\nc,d\ne,f\n", "!\"a,b@1 [c][d]@2 [e][f]@3 ", ',', false,
		100},
	    {"nor rows beyond max", "\"a,b\nc,d\ne,f\ng,h\n", "!\"a,b@1 [c][d]@2 [e][f]@3 [g][h]@4 ", ',', false, 8},
	    {"a stray quote meets another", "\"a\"b,c\n\"d\",e\n", "!\"a\"b,c@1 [d][e]@2 ", ',', false, 100},
	    {"two open quotes", "\"a,b\nx,\"y\nc,d\n", "!\"a,b@1 !x,\"y@2 [c][d]@3 ", ',', false, 100},
	    {"semicolons", "a;b,c\n", "[a][b,c]@1 ", ';', false, 100},
	    {"tsv", "a\tb\n", "[a][b]@1 ", '\t', true, 100},
	    {"tsv as spreadsheets write it", "a\t\"b \"\"c\"\"\"\n", "[a][b \"c\"]@1 ", '\t', true, 100},
	    {"tsv with a stray quote", "a\t\"b\nc\td\n", "[a][\"b]@1 [c][d]@2 ", '\t', true, 100},
	    {"tsv with a row over lines", "\"a\nb\"\tc\nd\te\n", "[a\nb][c]@1 [d][e]@3 ", '\t', true, 100},
	    {"tsv, ragged with a quote", "\"a\nb\tc\n", "!\"a@1 [b][c]@2 ", '\t', true, 100},
	};
	struct buf out = {0};
	for (size_t i = 0; i < COUNT_OF(sample); i++) {
		read_rows(sample[i].text, sample[i].delimiter, sample[i].tsv, 2, sample[i].max, &out);
		is_str(buf_view(&out), str_of(sample[i].want), "rows: %s", sample[i].name);
	}
	buf_free(&out);
}

/* A stream has no end that would show an open quote: the limit must. */
static void test_rows_limit(void)
{
	struct rows *rows = rows_new(',', false);
	struct row row;
	rows_feed(rows, STR("\"a,b\n"), 1);
	ok(rows_next(rows, 2, 8, &row) == ROW_NONE, "an open quote waits");
	rows_feed(rows, STR("c,d\n"), 2);
	ok(rows_next(rows, 2, 8, &row) == ROW_BROKEN && row.line == 1, "until the row is too long");
	ok(rows_next(rows, 2, 8, &row) == ROW_READY && row.line == 2, "then the lines behind it are rows");
	ok(rows_held(rows) == 0, "and nothing is kept");
	rows_free(rows);
}

/* Each row begins a quote: were lines read again for each, this would take minutes. */
static void test_rows_linear(void)
{
	struct rows *rows = rows_new(',', false);
	struct row row;
	size_t broken = 0, whole = 0;
	for (uint64_t i = 1; i <= 200000; i++) {
		rows_feed(rows, i % 2 ? STR("x,\"a\"b\n") : STR("\"a,b\n"), i);
		if (i == 200000)
			rows_cut(rows);
		for (enum row_got got; (got = rows_next(rows, 2, 1 << 20, &row)) != ROW_NONE;)
			*(got == ROW_BROKEN ? &broken : &whole) += 1;
	}
	is_u64(broken + whole, 200000, "every line of bad quotes comes out");
	rows_free(rows);
}

/* --- patterns --- */

static void test_patterns(void)
{
	struct err e;
	struct str group[4];
	const struct str *name;
	const char *why = "";
	ok(!groups_new("(", &e) && e.kind == ERR_USAGE && strstr(e.msg, "character 2"), "a broken expression is told");
	ok(!groups_new("(a)", &e) && strstr(e.msg, "(?<text>"), "an expression without named groups gets a remedy");
	struct groups *p = groups_new("(?<b>x)?(?<a>\\pL+)", &e);
	is_u64(groups_names(p, &name), 2, "two groups");
	is_str(name[0], STR("b"), "in the order of the expression");
	ok(groups_match(p, STR("7 \xc3\xa4h"), group, &why), "a match");
	ok(!group[0].p, "a group without part is absent");
	is_str(group[1], STR("\xc3\xa4h"), "UTF-8 letters are letters");
	ok(!groups_match(p, STR("7"), group, &why), "no match");
	groups_free(p);

	/* Exponential in the length, were there no limit. */
	p = groups_new("^(?<text>(a+)+)$", &e);
	struct buf line = {0};
	for (size_t i = 0; i < 5000; i++)
		buf_char(&line, 'a');
	buf_char(&line, '!');
	ok(!groups_match(p, buf_view(&line), group, &why) && strstr(why, "steps"), "a hostile line is given up");
	groups_free(p);
	p = groups_new("(?<text>b)", &e);
	buf_char(&line, 'b');
	ok(!groups_match(p, buf_view(&line), group, &why), "a match must begin within %d bytes", GROUPS_START_MAX);
	groups_free(p);
	buf_free(&line);
}

/* --- decoding --- */

static const struct limits limits = {.records = 2, .bytes = 1 << 20, .max_record = 1 << 20};

static void test_accept(void)
{
	static const char *const line[] = {
	    "id,text\n", "1,a\n", "2,\"b\n", "b\n", "b\",\n", "3,\"c\n", "c\"\n", "4,d\n", "5,\"open\n", "6,f\n"};
	struct mem_source m;
	struct err e;
	struct batch b = {0};
	struct ingest conf = {.format = &format_csv};
	mem_source_init(&m, line, COUNT_OF(line));
	struct source *s = source_decode(&conf, &m.port, false);
	struct buf seen = {0};
	for (enum next next; (next = s->next(s, &b, &limits, -1, &e)) == NEXT_BATCH; batch_reset(&b)) {
		for (size_t i = 0; i < b.n; i++)
			buf_printf(&seen, "%llu%s ", (unsigned long long)b.rec[i].lineno,
			    b.rec[i].fate == FATE_OUT ? "" : "!");
		size_t before = m.accepted;
		/* Line 6 opens a row that line 7 ends: the batch of 5 and 6 waits for it. */
		ok(s->accept(s, &b, &e) == 0, "accepts");
		buf_printf(&seen, "<%zu-%zu> ", before, m.accepted);
	}
	is_str(buf_view(&seen), STR("2 <0-2> 3! <2-4> 6 8 <4-8> 9! 10 <8-10> "), "what was delivered and accepted");
	s->close(s, &e);
	buf_free(&seen);
	batch_free(&b);
}

static void test_abandon(void)
{
	static const char *const line[] = {"text\n", "\"a\n", "b\"\n", "c\n"};
	struct mem_source m;
	struct err e;
	struct batch b = {0};
	struct ingest conf = {.format = &format_csv};
	mem_source_init(&m, line, COUNT_OF(line));
	struct source *s = source_decode(&conf, &m.port, false);
	ok(s->next(s, &b, &limits, -1, &e) == NEXT_BATCH, "a row over two inner batches");
	s->abandon(s, &b);
	is_u64(m.abandoned, 4, "all inner batches are abandoned");
	s->close(s, &e);
	batch_free(&b);
}

static const char *const joined = "joined.txt";

/* As source_lines gives a file. */
static enum next next_of_file(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct mem_source of;
	mem_source_init(&of, NULL, 0);
	enum next next = of.port.next(s, b, l, wake, e);
	for (size_t i = 0; i < b->n; i++)
		b->rec[i].origin = joined;
	return next;
}

/* Delivers and accepts all: "LINE! <BEFORE-AFTER> " per batch, "!" for rejects, and what the inner source was told. */
static void run_join(struct mem_source *m, struct buf *seen)
{
	struct err e;
	struct batch b = {0};
	struct ingest conf = {.format = &format_text, .join = "^\\[", .path = &joined, .npaths = 1};
	m->port.next = next_of_file;
	struct source *s = source_decode(&conf, &m->port, false);
	for (enum next next; (next = s->next(s, &b, &limits, -1, &e)) == NEXT_BATCH; batch_reset(&b)) {
		for (size_t i = 0; i < b.n; i++)
			buf_printf(
			    seen, "%llu%s ", (unsigned long long)b.rec[i].lineno, b.rec[i].fate == FATE_OUT ? "" : "!");
		size_t before = m->accepted;
		ok(s->accept(s, &b, &e) == 0, "accepts");
		buf_printf(seen, "<%zu-%zu> ", before, m->accepted);
	}
	s->close(s, &e);
	batch_free(&b);
}

static void test_join(void)
{
	static const char *const line[] = {"[1\n", "a\n", "[3\n", "[4\n", "b\n", "c\n", "[7\n", "\n"};
	struct mem_source m;
	struct buf seen = {0};
	mem_source_init(&m, line, COUNT_OF(line));
	run_join(&m, &seen);
	/* Lines 5 and 6 continue line 4, so the batch of 3 and 4 waits for line 7, and no batch longer than that. */
	is_str(buf_view(&seen), STR("1 3 <0-2> 4 <2-6> 7 <6-8> "), "joined lines: what was delivered and accepted");
	buf_clear(&seen);
	mem_source_init(&m, line, COUNT_OF(line));
	m.stop_after = 6;
	run_join(&m, &seen);
	is_str(buf_view(&seen), STR("1 3 <0-2> "), "a record that a stop cut short stays where it is");
	buf_free(&seen);
}

static void test_inner_failure(void)
{
	static const char *const line[] = {"text\n", "a\n", "b\n"};
	struct mem_source m;
	struct err e;
	struct batch b = {0};
	struct ingest conf = {.format = &format_csv};
	mem_source_init(&m, line, COUNT_OF(line));
	m.fail_next_at = 2;
	struct source *s = source_decode(&conf, &m.port, false);
	ok(s->next(s, &b, &limits, -1, &e) == NEXT_BATCH, "what came before");
	batch_reset(&b);
	ok(s->next(s, &b, &limits, -1, &e) == NEXT_ERROR && strstr(e.msg, "told to fail"), "then the failure");
	s->close(s, &e);
	batch_free(&b);
}

int main(void)
{
	setenv("TZ", "UTC", 1);
	test_times();
	test_dates();
	test_formats();
	test_bad_formats();
	test_zone();
	test_zone_names();
	test_rows();
	test_rows_limit();
	test_rows_linear();
	test_patterns();
	test_accept();
	test_abandon();
	test_join();
	test_inner_failure();
	return tap_done();
}
