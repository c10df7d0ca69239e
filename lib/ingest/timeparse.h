/* timeparse.h - reads the spellings of time in logs and exports as RFC 3339. */
#ifndef SENTI_TIMEPARSE_H
#define SENTI_TIMEPARSE_H

#include "lib/base/err.h"
#include "lib/base/clock.h"

enum timeparse { TIMEPARSE_BAD = -1, TIMEPARSE_RFC3339 = 0, TIMEPARSE_WRITTEN = 1 };

/* TIMEPARSE_RFC3339: `s` already is RFC 3339 and stays as it is. TIMEPARSE_WRITTEN: `out` holds TIME_LEN bytes, UTC
 * with milliseconds. Blanks around a time are allowed. The forms are:
 *     10/Oct/2000:13:55:36 -0700         (Apache, also in square brackets)
 *     Nov 23 01:02:03                    (syslog: in the last year that puts it at most a day after `now`)
 *     2024-05-01 12:00:00                (also with T, fractions, a zone (+0200), no seconds, no time; '/' for '-')
 *     Wed Oct 10 20:19:24 +0000 2018     (Twitter; also with a zone's name, or none as in C's asctime)
 *     Wed, 10 Oct 2018 20:19:24 +0000    (mail)
 *     2024-05-01 02:05:00 PM
 *     1714557600  1714557600.25  1714557600123   (since 1970: 9 to 11 digits are seconds, 12 to 14 milli-,
 *                                         15 to 17 micro-, 18 and 19 nanoseconds)
 * A time without a zone is local time ($TZ). When the clock is put back, an hour comes twice: its times are those of
 * the first. When it is put forward, a time that is skipped counts as if it had not been. Zone names: UTC, GMT, UT, Z,
 * those of RFC 2822 (EST, EDT, ... PDT) and of Europe (WET, WEST, CET, CEST, EET, EEST). Offsets reach to 23:59. A
 * comment after the zone, as in "+0000 (UTC)", is ignored. */
enum timeparse timeparse_read(struct str s, int64_t now_ms, char out[TIME_LEN]);

/* --- 03/04/2015: the order of day and month, which no single date tells --- */

enum date_order { DATES_UNKNOWN, DATES_MONTH_FIRST, DATES_DAY_FIRST };

/* What a time such as "10/21/2016", "21.10.2016 14:05" or "10-21-2016 2:05 PM" says of the order: DATES_UNKNOWN if it
 * may be either. False if it is not of that form, or is not a day in either order. */
bool timeparse_order(struct str s, enum date_order *order);
/* Reads such a time, in a known order. */
enum timeparse timeparse_numeric(struct str s, enum date_order order, char out[TIME_LEN]);

/* --- formats of the user --- */

enum { TIME_FORMATS = 16 };

struct time_formats {
	struct time_format {
		const char *format; /* lent */
		int64_t unit_ns;    /* of a count since 1970; 0: it is a format of strptime */
		bool yearless;
	} at[TIME_FORMATS];
	size_t n;
};

/* Adds a format as for strptime(3), with %f for the fraction of a second and %Z for a zone's name as above; or epoch,
 * epoch-ms, epoch-us or epoch-ns. `format` is lent. -1: *e (ERR_USAGE) says what is wanted instead, as in "a
 * format with a day, such as %d". */
MUST_USE int time_formats_add(struct time_formats *f, const char *format, struct err *e);
/* Reads a time in the first of the formats that fits; blanks around it are allowed. Never TIMEPARSE_RFC3339. */
enum timeparse time_formats_read(const struct time_formats *f, struct str s, int64_t now_ms, char out[TIME_LEN]);

#endif
