/* interrupt.c - ends a long read of a store early. */
#include "lib/data/interrupt.h"

#include "lib/base/clock.h"

bool interrupt_due(struct interrupt *i)
{
	if (!i || i->why)
		return i;
	int64_t now = clock_mono_ms();
	if (i->deadline && now >= i->deadline) {
		i->why = INTERRUPT_DEADLINE;
	} else if (i->gone && now >= i->look_at) {
		i->look_at = now + INTERRUPT_LOOK_MS;
		if (i->gone(i->arg))
			i->why = INTERRUPT_GONE;
	}
	return i->why;
}

int interrupt_check(struct interrupt *i, struct err *e)
{
	return interrupt_due(i) ? err_set(e, ERR_ENV, "the read has been ended early") : 0;
}

int64_t interrupt_left(const struct interrupt *i, int64_t most)
{
	if (!i || !i->deadline)
		return most;
	int64_t left = i->deadline - clock_mono_ms();
	return left < 1 ? 1 : left < most ? left : most;
}
