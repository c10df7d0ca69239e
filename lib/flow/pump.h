/* pump.h - the one loop of every filter and of the server.
 *
 *     fill a batch -> run the stages on it (commit) -> rejects to their sink, records to theirs -> flush both (confirm)
 *     -> accept the batch at the source (acknowledge)
 *
 * The law it keeps: a record leaves only when the tool is done with it, and the source learns of it only after that.
 * Killed anywhere, a run may repeat records and loses none. Batches leave in the order in which they came, also with
 * jobs > 1, where `run` of the pure stages runs in that many threads, the caller's among them; all ports, and the
 * stages from the first that is not pure or holds records, stay with the caller's thread. Rejects of a batch are safe
 * before its records go out.
 *
 * A stage may hold records of a batch (stage.h: held_from). Then this batch and all after it are delivered and not
 * accepted, until nothing of it is held; the order stays. Of a batch that waits so, 40 bytes a record are kept, its
 * bytes are not; and at most PUMP_HELD records wait, or as many as the source's window allows: a stage that would hold
 * more is an error, since the source might wait for ever for it. Such a stage must make safe what it holds (a state
 * file) and then say that it holds nothing. Where the source accepts nothing (stdin), nothing is kept and there is no
 * bound.
 *
 * in = out - derived + rejected + held, derived being the records that stages made; checked at the end.
 *
 * While the pump waits for input it watches the reader of its output: once that has gone, the pump fails with ERR_PIPE.
 * An input that a stop cut before its end (source->interrupted) is an error too, after all that was read is delivered;
 * aggregates do not come out then.
 */
#ifndef SENTI_PUMP_H
#define SENTI_PUMP_H

#include "lib/flow/counts.h"
#include "lib/flow/port.h"
#include "lib/flow/stage.h"

/* Records that may wait for their acceptance. */
enum { PUMP_HELD = 1 << 20 };

struct pump {
	struct source *source; /* lent, as all of these */
	const struct step *step;
	size_t nsteps;
	struct sink *out, *rejects;
	struct limits limits;
	unsigned jobs; /* 1: no threads */
	struct counts *counts;
	/* Called after each delivered batch, and while jobs run at least each time one ends; may be NULL. For
	 * progress. */
	void (*tick)(void *arg, const struct counts *c);
	void *tick_arg;
};

/* Until the source ends or something fails: 0, or -1 with *e, and then no batch that was not wholly delivered was
 * accepted. */
MUST_USE int pump(const struct pump *p, struct err *e);

#endif
