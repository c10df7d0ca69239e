/* put_batch.h - puts the records of a batch as messages, each id once; for stage_store_put and stage_submit.
 *
 *     put_batch_begin(&p, b->n);
 *     for (i = 0; i < b->n; i++)
 *         if (put_batch_read(&p, b, i) == 0)
 *             put_batch_add(&p, i);
 *     if (put_batch_store(&p, b, store, e) < 0) ...
 *     ... p.slot[i].stored->m is record i as stored; NULL: not added, or rejected
 *
 * Of several records with one id the last wins. They are chained, and only the last is put; if the database refuses it,
 * the one before takes its place in a second round:
 *
 *     records  a1  b1  a2  c1  a3          chain of a: a3 -> a2 -> a1
 *     round 1      b1      c1  a3 refused
 *     round 2          a2                  a1 shares a2's row
 */
#ifndef SENTI_PUT_BATCH_H
#define SENTI_PUT_BATCH_H

#include "lib/base/map.h"
#include "lib/data/store.h"

#define CODE_REFUSED "refused"

struct put_slot {
	struct message m;
	struct put_slot *older;	       /* the record before this one with the same id */
	const struct put_slot *stored; /* the one of the chain that was put */
	bool added, last;	       /* last: no later record of the batch has this id */
};

/* A zeroed struct is empty. */
struct put_batch {
	struct put_slot *slot; /* one for each record */
	size_t n, cap;
	struct message **live; /* those for the store */
	size_t nlive;
	struct map newest; /* id to slot */
	struct json_scan scan, inner;
	struct buf line;
};

void put_batch_free(struct put_batch *p);
void put_batch_begin(struct put_batch *p, size_t n);
/* Reads record i into its slot, or rejects it and returns -1. A record without id gets a fresh UUID, in slot and
 * record; with `line` also in its line. */
int put_batch_read(struct put_batch *p, struct batch *b, size_t i, bool line);
void put_batch_add(struct put_batch *p, size_t i);
/* Puts the added records: 0, or -1 with *e. Those that the database refuses are rejected as CODE_REFUSED. */
int put_batch_store(struct put_batch *p, struct batch *b, struct store *store, struct err *e);

#endif
