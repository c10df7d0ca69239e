/* stop.h - a request to end the run: stop reading, finish what was read. Everything that waits is handed the stop, and
 * waits for it too.
 *
 * Raised by a signal handler (sig.h) or by another thread, and never lowered. A NULL stop is never raised.
 */
#ifndef SENTI_STOP_H
#define SENTI_STOP_H

#include <signal.h>

#include "lib/base/base.h"

struct stop {
	volatile sig_atomic_t raised;
	int fd; /* readable once raised; nobody reads from it */
};

/* Initializes it, not raised. If no descriptor is free, fd is -1, which poll(2) ignores. */
void stop_init(struct stop *s);
/* Safe in a signal handler. */
void stop_raise(struct stop *s);

static inline bool stop_raised(const struct stop *s)
{
	return s && s->raised;
}

static inline int stop_fd(const struct stop *s)
{
	return s ? s->fd : -1;
}

#endif
