/* stop.h - the wish that a run should end: stop reading, finish what was read. Whoever waits is handed one, and waits
 * for it too.
 *
 * Raised by a signal handler (sig.h) or by another thread, and never lowered. A NULL stop never comes.
 */
#ifndef SENTI_STOP_H
#define SENTI_STOP_H

#include <signal.h>

#include "lib/base/base.h"

struct stop {
	volatile sig_atomic_t raised;
	int fd; /* readable once it is raised; nobody reads from it */
};

/* Not raised. Without a free descriptor fd is -1, which poll(2) ignores. */
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
