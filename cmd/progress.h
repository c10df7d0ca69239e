/* progress.h - how far a run has come, on one line of a terminal, else a line now and then. */
#ifndef SENTI_PROGRESS_H
#define SENTI_PROGRESS_H

#include "cmd/tool.h"

struct progress {
	const struct tool *tool;
	int64_t shown_ms;
	bool terminal, any;
};

/* The pump's tick: shows the progress if it is time. `arg` is a struct progress. */
void progress_show(void *arg, const struct counts *c);
/* The same for work after the input, such as fitting a model: "training, 3 of 10". */
void progress_step(void *arg, const char *what, unsigned done, unsigned total);
/* What clears a terminal's line. */
#define PROGRESS_CLEAR STR("\r\033[K")

/* Clears the line of a terminal. */
void progress_end(const struct progress *p);

#endif
