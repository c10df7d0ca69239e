/* clock.h - time: a monotonic clock for waiting, wall-clock milliseconds, RFC 3339. */
#ifndef SENTI_CLOCK_H
#define SENTI_CLOCK_H

#include "lib/base/base.h"

/* Milliseconds on a clock that never goes back. Only differences are meaningful. */
int64_t clock_mono_ms(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);

/* The range of times that RFC 3339 can express: the first millisecond of year 1, and the first after year 9999. */
#define TIME_FIRST INT64_C(-62135596800000)
#define TIME_END INT64_C(253402300800000)

static inline bool time_in_range(int64_t ms)
{
	return ms >= TIME_FIRST && ms < TIME_END;
}

/* Parses an RFC 3339 date-time such as "2024-05-01T12:00:00.5+02:00" to milliseconds since 1970 UTC: 0 or -1. It also
 * accepts 't', 'z' and a space for the 'T', reads a leap second :60 as :59.999, and drops digits beyond milliseconds.
 * Years 0001-9999. */
MUST_USE int time_parse(struct str s, int64_t *ms);
#define TIME_LEN 24 /* "2024-05-01T10:00:00.500Z" */
/* Writes TIME_LEN bytes without a NUL: UTC with milliseconds. time_in_range(ms) must hold. */
void time_format(int64_t ms, char out[TIME_LEN]);

#endif
