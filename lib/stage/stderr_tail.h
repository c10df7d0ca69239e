/* stderr_tail.h - the stderr of a command: passed on to ours line by line as it comes, its last lines kept.
 *
 * A thread does it, so that a command that talks while nobody waits for it never stands still.
 */
#ifndef SENTI_STDERR_TAIL_H
#define SENTI_STDERR_TAIL_H

#include <pthread.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { STDERR_TAIL_LINES = 20, STDERR_TAIL_BYTES = 4096 };

struct stderr_tail {
	int fd, quit;
	pthread_t thread;
	struct buf line; /* what has come of a line whose end has not */
	struct buf last; /* at most STDERR_TAIL_LINES lines and STDERR_TAIL_BYTES bytes */
	size_t lines;
};

/* Takes fd, whatever it returns. */
MUST_USE int stderr_tail_start(struct stderr_tail *r, int fd, struct err *e);
/* Passes on what has come by now, and ends the thread. `last` stays until stderr_tail_free. */
void stderr_tail_stop(struct stderr_tail *r);
void stderr_tail_free(struct stderr_tail *r);

#endif
