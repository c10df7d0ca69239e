/* intake.h - messages on their way in: gathers those of many requests into one batch, stores (or queues) it in one go,
 * and only then answers each request its part.
 *
 *     HTTP threads -> gather -> submit (score, store, cache) -> accept: the callers are answered      (embedded)
 *     HTTP threads -> gather -> submit -> queue, confirmed -> accept: cache put as version 0,
 *                                                             the callers are answered          (with a queue)
 *
 * So 202 means that the message is committed, or confirmed by the broker. If that fails, every caller of the batch, and
 * every one waiting after it, is answered 503. The pump restarts after a pause; until the store or queue answers again,
 * new records are refused at once. Whether the failed batch was stored is unknown: clients send it again under the same
 * ids.
 */
#ifndef SENTI_INTAKE_H
#define SENTI_INTAKE_H

#include "lib/flow/gather.h"
#include "lib/serve/ends.h"
#include "lib/serve/scored.h"

/* All lent for the intake's life. */
struct intake_conf {
	const struct ends *ends;
	const struct model *model; /* scores, if there is no queue */
	struct scored scored;	   /* counts what it scores */
	struct limits limits;
	size_t max_waiting;    /* records that no batch has taken yet */
	struct budget *memory; /* which they count against; NULL: no limit */
};

/* The first member of every caller. */
struct intake_caller {
	/* Called in the pump's thread for each of its records, once its fate is known (gather.h). rec_put gives a
	 * record that went out as it is stored. */
	gather_done *done;
};

struct intake;

/* New, running. NULL and *e on failure. */
struct intake *intake_start(const struct intake_conf *conf, struct err *e);
/* Hands in n records, all or none, for `caller`, which begins with a struct intake_caller. 0, or -1 if too many are
 * waiting or the store or queue has failed. Thread-safe. */
MUST_USE int intake_add(struct intake *m, const struct str *line, size_t n, void *caller, struct err *e);
struct counts *intake_counts(struct intake *m);
/* True while the store or queue works: it has not failed, nor kept a batch waiting for seconds. Else *e has the reason.
 */
bool intake_ready(struct intake *m, struct err *e);
/* Finishes what was handed in, then frees it. */
void intake_stop(struct intake *m);

#endif
