/* pump.h - the one loop of every filter and of the server.
 *
 *     fill a batch -> run the stages on it (commit) -> rejects to their sink, records to theirs -> flush both (confirm)
 *     -> accept the batch at the source (acknowledge)
 *
 * The law: a record leaves only when the tool is done with it, and the source learns of it only after that. Killed at
 * any point, a run may repeat records but loses none. Batches leave in the order in which they came. With jobs > 1,
 * that many threads, the caller's included, run the pure stages; the ports, and all stages from the first that is not
 * pure or holds records, stay in the caller's thread. A batch's rejects are safe before its records go out.
 *
 * A stage may hold records of a batch (stage.h: held_from). This batch and all after it are then delivered, in order,
 * but not accepted until nothing of it is held. 40 bytes are kept per waiting record. At most PUMP_HELD records wait,
 * or fewer if the source's window is smaller; holding more is an error, since the source might wait forever for it.
 * Such a stage must make what it holds safe (in a state file) and then say that it holds nothing. If the source has
 * nothing to accept (stdin), nothing is kept and there is no limit.
 *
 * in = out - derived + rejected + held, where derived records are those that stages made. Checked at the end.
 *
 * While it waits for input, the pump watches the reader of its output and fails with ERR_PIPE once that is gone. If a
 * stop cut the input short (source->interrupted), the pump delivers what was read and then fails; aggregates do not
 * come out.
 */
#ifndef SENTI_PUMP_H
#define SENTI_PUMP_H

#include "lib/flow/counts.h"
#include "lib/flow/port.h"
#include "lib/flow/stage.h"

/* The most records that may wait to be accepted. */
enum { PUMP_HELD = 1 << 20 };

struct pump {
	struct source *source; /* lent, like all pointers here */
	const struct step *step;
	size_t nsteps;
	struct sink *out, *rejects;
	struct limits limits;
	unsigned jobs; /* 1: no threads */
	struct counts *counts;
	/* Called after each delivered batch and, with jobs > 1, whenever a job finishes one. For progress; may be
	 * NULL. */
	void (*tick)(void *arg, const struct counts *c);
	void *tick_arg;
};

/* Runs until the source ends or something fails: 0, or -1 with *e. On failure, only batches that were fully delivered
 * have been accepted. */
MUST_USE int pump(const struct pump *p, struct err *e);

#endif
