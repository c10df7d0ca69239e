/* timedwait.h - condition variables whose deadlines are on the monotonic clock (clock_mono_ms). */
#ifndef SENTI_TIMEDWAIT_H
#define SENTI_TIMEDWAIT_H

#include <pthread.h>

#include "lib/base/base.h"

/* Use it instead of pthread_cond_init; pthread_cond_destroy as ever. */
void cond_init(pthread_cond_t *c);
/* Waits, with `lock` held, until it is signalled: true; false after `deadline` (clock_mono_ms). It may also wake for
 * nothing. */
bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline);
/* Waits for `ms`, or until *ending is set under `lock` and `c` signalled. False if it is set. */
bool cond_pause(pthread_cond_t *c, pthread_mutex_t *lock, const bool *ending, int64_t ms);

#endif
