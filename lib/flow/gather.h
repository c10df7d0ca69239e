/* gather.h - a source fed by other threads: each hands in some records and is told when they are safe.
 *
 * This is how a server batches: requests from many connections gather until the batch closes, run through the stages
 * together, and `done` hands each its own part of the answer. Bytes handed in are copied.
 */
#ifndef SENTI_GATHER_H
#define SENTI_GATHER_H

#include "lib/base/budget.h"
#include "lib/flow/port.h"

/* Called in the pump's thread for each record, in order, when its batch is accepted (ok) or abandoned (not ok: nothing
 * is known of it). The record is lent for the call; r->caller is what gather_add was given. */
typedef void gather_done(struct rec *r, bool ok);

/* New; it holds at most `max_waiting` records that no batch has taken yet, in memory of this budget (lent; NULL: no
 * limit). A stop does not end it: who feeds it decides when the last caller has been served. NULL where the system has
 * no descriptor left. */
struct source *gather_new(size_t max_waiting, struct budget *memory, gather_done *done);
/* Hands in n lines for `caller`, all or none: 0, or -1 with ERR_ENV when that many do not fit now, or when it is
 * closed. Thread-safe. */
MUST_USE int gather_add(struct source *g, const struct str *line, size_t n, void *caller, struct err *e);
/* Tells all that wait and that no batch has taken that nothing is known of them, for where they were to go is away: how
 * many. In the pump's thread, between two pumps. */
size_t gather_drop(struct source *g);
/* No more records: next gives what is left, then ends. Thread-safe. */
void gather_end(struct source *g);

#endif
