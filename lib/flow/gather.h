/* gather.h - a source fed by other threads: each hands in records and is told when they are safe.
 *
 * This is how a server batches: requests from many connections gather until the batch closes, run through the stages
 * together, and `done` gives each its part of the answer. Bytes handed in are copied.
 */
#ifndef SENTI_GATHER_H
#define SENTI_GATHER_H

#include "lib/base/budget.h"
#include "lib/flow/port.h"

/* Called in the pump's thread for each record, in order, when its batch is accepted (ok) or abandoned (not ok: its fate
 * is unknown). The record is lent for the call; r->caller is the `caller` of gather_add. */
typedef void gather_done(struct rec *r, bool ok);

/* New. Holds at most `max_waiting` records that no batch has taken yet, in memory from this budget (lent; NULL: no
 * limit). A stop does not end it: its owner decides when the last caller has been served. NULL if the system is out of
 * descriptors. */
struct source *gather_new(size_t max_waiting, struct budget *memory, gather_done *done);
/* Hands in n lines for `caller`, all or none: 0, or -1 with ERR_ENV if they do not fit now or the gatherer is closed.
 * Thread-safe. */
MUST_USE int gather_add(struct source *g, const struct str *line, size_t n, void *caller, struct err *e);
/* Fails every waiting caller whose records no batch has taken yet, because the sink is down. Returns how many records.
 * Call in the pump's thread, between two pumps. */
size_t gather_drop(struct source *g);
/* Accepts no more records: next gives what is left, then ends. Thread-safe. */
void gather_end(struct source *g);

#endif
