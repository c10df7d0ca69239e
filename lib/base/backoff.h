/* backoff.h - how long to wait before a retry: doubled with each failure in a row, up to a limit. */
#ifndef SENTI_BACKOFF_H
#define SENTI_BACKOFF_H

#include "lib/base/base.h"

/* Returns the pause after `failures` earlier failures in a row: first_ms, doubled each time, at most most_ms. */
int64_t backoff_ms(unsigned failures, int64_t first_ms, int64_t most_ms);
/* Returns a random time from ms / 2 to ms, so that processes that lost the same server do not come back together. */
int64_t backoff_spread(int64_t ms);

#endif
