/* rate.h - slows a source down to a number of records per time, evenly spread. */
#ifndef SENTI_RATE_H
#define SENTI_RATE_H

#include "lib/flow/port.h"

struct rate {
	uint64_t records; /* 0: unlimited */
	int64_t per_ms;
};

/* "100", "100/s", "30/m", "5/h": 0, or -1 with *e. */
MUST_USE int rate_parse(const char *s, struct rate *out, struct err *e);
/* New; `from` is taken. */
struct source *source_rate(struct source *from, struct rate rate);

#endif
