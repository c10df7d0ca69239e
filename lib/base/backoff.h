/* backoff.h - how long to wait before trying again: doubled with each failure in a row, up to a limit. */
#ifndef SENTI_BACKOFF_H
#define SENTI_BACKOFF_H

#include "lib/base/base.h"

/* After `failures` earlier failures in a row: first_ms, twice that, ... and never more than most_ms. */
int64_t backoff_ms(unsigned failures, int64_t first_ms, int64_t most_ms);
/* Between half of it and all of it, different each time, so that processes that lost the same server do not come back
 * together. */
int64_t backoff_spread(int64_t ms);

#endif
