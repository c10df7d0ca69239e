/* exec.h - hands a batch to a running command and takes its answers: any filter as a step of a worker.
 *
 *     records --stdin--> COMMAND --stdout--> answers, matched with the records (inflight.h)
 *                           |---socket $SENTI_REJECT---> rejects of the tools inside it
 *
 * Each context has its own command, which lives as long as it answers. A batch is complete when all its records are
 * answered, rejected or passed by later ones. A command that dies, is silent for timeout_ms or is out of step is
 * restarted, after 20 ms doubled with each failure in a row; what it did not answer is fed again one record at a time.
 * A record alone with which three fresh commands fail is rejected, unless the exit status (3, 126, 127) says that the
 * environment failed.
 *
 * The stage fails if the command cannot be started; if it fails give_up times, or with give_up records, without an
 * answer in between (once it has answered after its first failure in a batch, only failures of the environment count);
 * or if drain_ms are nearly over after a stop.
 */
#ifndef SENTI_EXEC_H
#define SENTI_EXEC_H

#include "lib/flow/stage.h"

struct exec_conf {
	char *const *argv; /* NULL-terminated, lent */
	int64_t timeout_ms, drain_ms;
	const struct stop *stop; /* after which drain_ms are left; may be NULL */
	unsigned give_up;
	size_t max_record;
	char *folder; /* private, for the sockets */
};

extern const struct stage stage_exec;

/* Checks that the command exists and makes the private folder: 0, or -1 with *e. Set the other members first. */
MUST_USE int exec_conf_open(struct exec_conf *c, struct err *e);
void exec_conf_close(struct exec_conf *c);

#endif
