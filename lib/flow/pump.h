/* pump.h - the one loop of every filter and of the server.
 *
 *     fill a batch -> run the stages on it (commit) -> rejects to their sink, records to theirs -> flush both (confirm)
 *     -> accept the batch at the source (acknowledge)
 *
 * The law it keeps: a record leaves only when the tool is done with it, and the source learns of it only after that. Killed
 * anywhere, a run may repeat records and loses none. Batches leave in the order in which they came, also with jobs > 1, where
 * `stage->run` runs in that many threads, the caller's among them, and all ports stay with the caller's thread.
 * Rejects of a batch are safe before its records go out.
 */
#ifndef SENTI_PUMP_H
#define SENTI_PUMP_H

#include "lib/flow/counts.h"
#include "lib/flow/port.h"
#include "lib/flow/stage.h"

struct pump {
	struct source *source; /* lent, as all of these */
	const struct step *step;
	size_t nsteps;
	struct sink *out, *rejects;
	struct limits limits;
	unsigned jobs; /* 1: no threads */
	struct counts *counts;
	/* Called after each delivered batch, and while jobs run at least each time one ends; may be NULL. For progress. */
	void (*tick)(void *arg, const struct counts *c);
	void *tick_arg;
};

/* Until the source ends or something fails: 0, or -1 with *e, and then no batch that was not wholly delivered was accepted. */
MUST_USE int pump(const struct pump *p, struct err *e);

#endif
