/* rate.h - a source slowed down to so many records in a given time, evenly. */
#ifndef SENTI_RATE_H
#define SENTI_RATE_H

#include "lib/flow/port.h"

struct rate {
	uint64_t records; /* 0: not limited */
	int64_t per_ms;
};

/* "100", "100/s", "30/m", "5/h": 0, or -1 with *e. */
MUST_USE int rate_parse(const char *s, struct rate *out, struct err *e);
/* New; `from` is taken. */
struct source *source_rate(struct source *from, struct rate rate);

#endif
