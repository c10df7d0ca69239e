/* calendar.h - hours, days, weeks, months, quarters and years of a time zone, by the C library's rules.
 *
 *     if (zone_use("Europe/Berlin", &e) < 0) ...            once, before any thread
 *     calendar_span(PERIOD_DAY, ms, &start, &end);           start <= ms < end, all since 1970 UTC
 *
 * A day begins at its first moment, which is not 00:00 where a clock skips that, and on the days when clocks change it
 * has 23 or 25 hours. A week begins on Monday. An hour is 60 minutes also when the clock shows it twice; it is shorter
 * only where clocks change within one.
 */
#ifndef SENTI_CALENDAR_H
#define SENTI_CALENDAR_H

#include "lib/base/err.h"

enum period { PERIOD_HOUR, PERIOD_DAY, PERIOD_WEEK, PERIOD_MONTH, PERIOD_QUARTER, PERIOD_YEAR };

/* Makes it the zone of the process: 0, or -1 with *e for what is not one (timezone.h). */
MUST_USE int zone_use(const char *name, struct err *e);
void calendar_span(enum period p, int64_t ms, int64_t *start, int64_t *end);

#define ZONE_TIME_LEN 29 /* "2024-05-01T10:00:00.500+02:00" */
/* Writes the time with the zone's offset; where that is not of whole minutes (long ago), as UTC. Returns the bytes
 * written, without a NUL. The time in UTC must be in range (clock.h). */
size_t zone_format(int64_t ms, char out[ZONE_TIME_LEN]);

#endif
