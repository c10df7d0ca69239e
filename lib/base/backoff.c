/* backoff.c - pauses between retries. */
#include "lib/base/backoff.h"

#include <time.h>
#include <unistd.h>

int64_t backoff_ms(unsigned failures, int64_t first_ms, int64_t most_ms)
{
	int64_t ms = first_ms;
	while (failures-- && ms < most_ms)
		ms *= 2;
	return ms < most_ms ? ms : most_ms;
}

int64_t backoff_spread(int64_t ms)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	uint64_t z = ((uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec) ^ (uint64_t)getpid() << 40;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9; /* splitmix64 */
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return ms / 2 + (int64_t)((z ^ z >> 31) % (uint64_t)(ms / 2 + 1));
}
