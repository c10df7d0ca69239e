/* submit.h - messages on their way in: those of many requests are gathered into one batch, which is stored (or queued) in one go, and
 * only then does each request get its part of the answer.
 *
 *     HTTP threads -> gather -> prepare -> score -> store put -> cache put -> accept: the callers are answered        (embedded)
 *     HTTP threads -> gather -> prepare -> queue, confirmed -> accept: cache put as version 0, the callers are answered (with a queue)
 *
 * So 202 means that the message is committed, or confirmed by the broker. Where that fails, every caller of the batch is told (503), the
 * pump starts anew after a pause, and what it was about to store is not known to be stored: clients send again, under the same id. So are those
 * told that wait behind it, and until what it writes to answers again new ones are refused at once.
 */
#ifndef SENTI_SUBMIT_H
#define SENTI_SUBMIT_H

#include "lib/data/cache.h"
#include "lib/flow/counts.h"
#include "lib/flow/gather.h"
#include "lib/serve/service.h"

struct submit;

/* New, running. `done` is told what becomes of each record (gather.h), in the pump's thread: rec_put gives one that went out as it is
 * stored. NULL and *e on failure. */
struct submit *submit_start(struct service *s, gather_done *done, struct err *e);
/* Hands in n records for `caller`, all or none: 0, or -1 where too many are waiting, or what it writes to has failed. Thread-safe. */
MUST_USE int submit_add(struct submit *m, const struct str *line, size_t n, void *caller, struct err *e);
struct counts *submit_counts(struct submit *m);
/* True while what it writes to answers: it has not failed, and it has not kept a batch waiting for seconds. Else the reason is in *e. */
bool submit_ready(struct submit *m, struct err *e);
/* Works off what was handed in, then ends and frees it. */
void submit_stop(struct submit *m);

#endif
