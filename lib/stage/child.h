/* child.h - one running command: a process group of its own, with pipes for stdin, stdout and stderr.
 *
 *     child_start(&c, argv, envp, &e);
 *     ... write to c.in, read from c.out; neither blocks ...
 *     child_close_in(&c);            // its end of input
 *     child_end(&c, 1000, status);   // waits this long, then kills the group
 */
#ifndef SENTI_CHILD_H
#define SENTI_CHILD_H

#include "lib/stage/stderr_tail.h"

struct child {
	int pid;
	int in, out; /* -1: closed */
	int pidfd;   /* readable once it has ended; -1 if the system has none */
	struct stderr_tail tail;
};

/* Looks up the command as a shell does: 0, or -1 with *e if there is none to run. */
MUST_USE int child_find(const char *command, struct err *e);
MUST_USE int child_start(struct child *c, char *const *argv, char *const *envp, struct err *e);
void child_close_in(struct child *c);
/* Kills the group; its pipes can still be read. */
void child_kill(struct child *c);
/* Waits up to wait_ms for the leader's end, kills the rest of the group, and closes all. Returns waitpid's status;
 * tail.last stays until child_forget. */
int child_end(struct child *c, int64_t wait_ms);
void child_forget(struct child *c);
/* "exit status 7", "signal 9 (Killed)". Returns how many bytes, at most `size` - 1. */
size_t child_spell_status(int status, char *out, size_t size);

#endif
