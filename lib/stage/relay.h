/* relay.h - the stderr of a command: passed on to ours line by line as it comes, its last lines kept.
 *
 * A thread does it, so that a command that talks while nobody waits for it never stands still.
 */
#ifndef SENTI_RELAY_H
#define SENTI_RELAY_H

#include <pthread.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { RELAY_LINES = 20, RELAY_BYTES = 4096 };

struct relay {
	int fd, quit;
	pthread_t thread;
	struct buf line; /* what has come of a line whose end has not */
	struct buf last; /* at most RELAY_LINES lines and RELAY_BYTES bytes */
	size_t lines;
};

/* Takes fd, whatever it returns. */
MUST_USE int relay_start(struct relay *r, int fd, struct err *e);
/* Passes on what has come by now, and ends the thread. `last` stays until relay_free. */
void relay_stop(struct relay *r);
void relay_free(struct relay *r);

#endif
