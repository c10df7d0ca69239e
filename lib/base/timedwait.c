/* timedwait.c - pthread_cond_timedwait on the monotonic clock. */
#include "lib/base/timedwait.h"

#include <errno.h>
#include <time.h>

#include "lib/base/clock.h"

void cond_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
}

bool cond_wait_until(pthread_cond_t *c, pthread_mutex_t *lock, int64_t deadline)
{
	struct timespec t = {.tv_sec = deadline / 1000, .tv_nsec = deadline % 1000 * 1000000};
	return pthread_cond_timedwait(c, lock, &t) != ETIMEDOUT;
}

bool cond_pause(pthread_cond_t *c, pthread_mutex_t *lock, const bool *ending, int64_t ms)
{
	pthread_mutex_lock(lock);
	if (!*ending)
		cond_wait_until(c, lock, clock_mono_ms() + ms);
	bool go_on = !*ending;
	pthread_mutex_unlock(lock);
	return go_on;
}
