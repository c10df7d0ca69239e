/* exec.h - the stage that hands a batch to a running command and takes its answers: any filter as a step of a worker.
 *
 *     records --stdin--> COMMAND --stdout--> answers, matched with the records (inflight.h)
 *                           |---socket $SENTI_REJECT---> rejects of the tools inside it
 *
 * Each context has a command of its own, which lives as long as it answers: a batch is complete when all its records
 * are answered, rejected or passed by later ones. A command that dies, says nothing for timeout_ms or is out of step is
 * ended and started again, after 20 ms doubled with each failure in a row; what it did not answer is fed again one
 * record at a time. One with which it fails three times alone, each time started afresh, is rejected, unless its exit
 * status (3, 126, 127) says that its environment failed.
 *
 * An error of the stage: the command cannot be started; or it fails give_up times, or with give_up records, without an
 * answer in between (but in a batch in which it has shown, since its first failure there, that it works, only failures
 * of the environment count); or a stop was asked for and drain_ms are nearly over.
 */
#ifndef SENTI_EXEC_H
#define SENTI_EXEC_H

#include "lib/flow/stage.h"

struct exec_conf {
	char *const *argv; /* NULL-terminated, lent */
	int64_t timeout_ms, drain_ms;
	const struct stop *stop; /* from then on drain_ms are left; may be NULL */
	unsigned give_up;
	size_t max_record;
	char *folder; /* private, with the sockets in it */
};

extern const struct stage stage_exec;

/* Checks that the command is there and makes the private folder: 0, or -1 with *e. The other members are set before. */
MUST_USE int exec_conf_open(struct exec_conf *c, struct err *e);
void exec_conf_close(struct exec_conf *c);

#endif
