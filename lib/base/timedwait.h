/* timedwait.h - condition variables whose deadlines are on the monotonic clock (clock_mono_ms). */
#ifndef SENTI_TIMEDWAIT_H
#define SENTI_TIMEDWAIT_H

#include <pthread.h>

#include "lib/base/base.h"

/* Replaces pthread_cond_init; pthread_cond_destroy as usual. */
void cond_init(pthread_cond_t *c);
/* Waits, with `lock` held, until signalled (true) or until `deadline` (false; clock_mono_ms). May wake spuriously. */
bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline);
/* Waits for `ms`, or until *ending is set under `lock` and `c` signalled. False if it is set. */
bool cond_pause(pthread_cond_t *c, pthread_mutex_t *lock, const bool *ending, int64_t ms);

#endif
