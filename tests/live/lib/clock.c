/* clock.c - gives the program that it is preloaded into a wall clock that is wrong by CLOCK_AHEAD seconds; the others
 * stay right. */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int clock_gettime(clockid_t clock, struct timespec *t)
{
	const char *ahead = getenv("CLOCK_AHEAD");
	int rc = (int)syscall(SYS_clock_gettime, clock, t);
	if (rc == 0 && clock == CLOCK_REALTIME && ahead)
		t->tv_sec += atol(ahead);
	return rc;
}
