/* stderr_tail.h - passes a command's stderr on to ours, line by line, and keeps its last lines.
 *
 * It is a thread, so that a command never blocks on its stderr.
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
	struct buf line; /* an incomplete line */
	struct buf last; /* at most STDERR_TAIL_LINES lines and STDERR_TAIL_BYTES bytes */
	size_t lines;
};

/* Takes fd, even on failure. */
MUST_USE int stderr_tail_start(struct stderr_tail *r, int fd, struct err *e);
/* Passes on what has come, and ends the thread. `last` stays until stderr_tail_free. */
void stderr_tail_stop(struct stderr_tail *r);
void stderr_tail_free(struct stderr_tail *r);

#endif
