/* state.h - --state of tools that aggregate: where a run over a queue keeps what it has taken (lib/learn/checkpoint.h).
 */
#ifndef SENTI_STATE_H
#define SENTI_STATE_H

#include "cmd/tool.h"
#include "lib/learn/checkpoint.h"

/* Before tool_run: opens the state of a run whose source is a queue, at `path` or, if NULL, at TOOL.QUEUE.state in
 * $XDG_STATE_HOME/senti, else in the working directory. 0 with *checkpoint (NULL: not a queue), or -1 with *e. */
MUST_USE int state_open(const struct tool *t, const char *path, struct checkpoint **checkpoint, struct err *e);
/* The names of such a state, for tools that keep it in another form: new, the file's (that of `path` unless it is NULL)
 * and whose it is. 0, or -1 with *e. */
MUST_USE int state_of_queue(const struct tool *t, const char *path, char **file, char **owner, struct err *e);
/* What went to a file (-o) may still be in memory only: makes it durable. */
MUST_USE int state_sync_output(const struct tool *t, struct err *e);
/* After tool_run, with its status: syncs a report in a file, and removes the state if all is done. Returns the status.
 */
int state_close(const struct tool *t, struct checkpoint *checkpoint, int status);

#endif
