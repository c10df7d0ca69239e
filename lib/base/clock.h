/* clock.h - time: a monotonic clock for waiting, wall-clock milliseconds, RFC 3339. */
#ifndef SENTI_CLOCK_H
#define SENTI_CLOCK_H

#include "lib/base/base.h"

/* Milliseconds on a clock that never goes back; only differences mean anything. */
int64_t clock_mono_ms(void);
/* Milliseconds since 1970-01-01T00:00:00Z. */
int64_t clock_wall_ms(void);

/* The first millisecond of year 1, and that after year 9999: the times that RFC 3339 can spell lie between them. */
#define TIME_FIRST INT64_C(-62135596800000)
#define TIME_END INT64_C(253402300800000)

static inline bool time_in_range(int64_t ms)
{
	return ms >= TIME_FIRST && ms < TIME_END;
}

/* RFC 3339 date-time ("2024-05-01T12:00:00.5+02:00"; 't', 'z' and a space for the 'T' are taken too; a leap second :60
 * is read as :59.999...) to milliseconds since 1970 UTC, digits beyond them cut. Years 0001-9999. 0 or -1. */
MUST_USE int time_parse(struct str s, int64_t *ms);
#define TIME_LEN 24 /* "2024-05-01T10:00:00.500Z" */
/* Writes TIME_LEN bytes and no NUL; UTC with milliseconds. time_in_range(ms) must hold. */
void time_format(int64_t ms, char out[TIME_LEN]);

#endif
