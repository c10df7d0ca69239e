/* intake.h - messages on their way in: those of many requests are gathered into one batch, which is stored (or queued)
 * in one go, and only then does each request get its part of the answer.
 *
 *     HTTP threads -> gather -> submit (score, store, cache) -> accept: the callers are answered      (embedded)
 *     HTTP threads -> gather -> submit -> queue, confirmed -> accept: cache put as version 0,
 *                                                             the callers are answered          (with a queue)
 *
 * So 202 means that the message is committed, or confirmed by the broker. If that fails, every caller of the batch is
 * answered 503, and so are those who wait after it; the pump starts anew after a pause, and until what it writes to
 * answers again new records are refused at once. What it was about to store is not known to be stored: clients send
 * again, under the same id.
 */
#ifndef SENTI_INTAKE_H
#define SENTI_INTAKE_H

#include "lib/flow/gather.h"
#include "lib/metrics/registry.h"
#include "lib/score/engine.h"
#include "lib/serve/ends.h"

/* All lent for the intake's life. */
struct intake_conf {
	const struct ends *ends;
	const struct model *model; /* to score with, without a queue */
	struct series *texts;	   /* counts what it has scored */
	struct limits limits;
	size_t max_waiting;    /* records that no batch has taken yet, */
	struct budget *memory; /* in memory of this; NULL: no limit */
};

/* What every caller begins with. */
struct intake_caller {
	/* Called for each of its records, in the pump's thread, once it is known what becomes of it (gather.h): rec_put
	 * gives one that went out as it is stored. */
	gather_done *done;
};

struct intake;

/* New, running. NULL and *e on failure. */
struct intake *intake_start(const struct intake_conf *conf, struct err *e);
/* Hands in n records for `caller`, which begins with a struct intake_caller, all or none: 0, or -1 if too many are
 * waiting, or what it writes to has failed. Thread-safe. */
MUST_USE int intake_add(struct intake *m, const struct str *line, size_t n, void *caller, struct err *e);
struct counts *intake_counts(struct intake *m);
/* True while what it writes to answers: it has not failed, and it has not kept a batch waiting for seconds. Else the
 * reason is in *e. */
bool intake_ready(struct intake *m, struct err *e);
/* Works off what was handed in, then ends and frees it. */
void intake_stop(struct intake *m);

#endif
