/* zone.h - the clocks of a time zone, as a table: safe in threads and for several zones at a time, which the C
 * library's localtime_r(3) is not. It reads the same files (RFC 8536, version 2 and later).
 *
 *     struct zone *z = zone_open("Europe/Berlin", &e);
 *     int64_t local = t + zone_offset(z, t);        seconds since 1970-01-01 00:00 on the zone's clocks
 *     zone_free(z);
 */
#ifndef SENTI_ZONE_H
#define SENTI_ZONE_H

#include "lib/base/err.h"

/* From `from` on, in seconds since 1970 UTC, clocks are `offset` seconds ahead of UTC. */
struct zone_span {
	int64_t from, offset;
};

/* The calendar repeats after so many seconds, 400 years, and so do the rules of a zone. */
#define ZONE_CYCLE INT64_C(12622780800)

struct zone {
	struct zone_span *span; /* in order; the first begins before any time */
	size_t n;
	int64_t end; /* from here on it is as one cycle, or several, before */
};

/* New: of a name in the zone database ("Europe/Berlin", "UTC"), or a rule as POSIX has it
 * ("CET-1CEST,M3.5.0,M10.5.0/3"). NULL with *e (ERR_USAGE) for anything else, also a path: the name may be a
 * stranger's. */
struct zone *zone_open(struct str name, struct err *e);
/* NULL is allowed. */
void zone_free(struct zone *z);

/* The index of the span that holds for a time. */
size_t zone_span_at(const struct zone *z, int64_t seconds);
int64_t zone_offset(const struct zone *z, int64_t seconds);
/* The first moment at which clocks show `local` (seconds since 1970-01-01 00:00 on them) or later. */
int64_t zone_first(const struct zone *z, int64_t local);

#endif
