/* reply.h - an answer of many items, completed by other threads in any order: ordered slots, and a count of references.
 *
 *     owner (the connection's thread)      reply_reserve: a slot for each record, and a reference for whoever fills it
 *     fillers (the pump, await)            reply_fill, then reply_release
 *
 * Items go into `out` once all before them are there. A reply outlives its owner: after the client has gone, fillers go
 * on, and whoever releases the last reference frees it. Nothing here wakes anybody: reply_fill returns whether to wake
 * the sleeping owner, which the caller does without a lock. The owner goes to sleep before it registers, so no wake-up
 * is lost:
 *
 *     if (reply_loaded(r)) { request_pause(request); if (!reply_pause(r)) request_resume(request); }
 *     request_defer(request); if (reply_end(r)) { answer; request_resume(request); }
 */
#ifndef SENTI_REPLY_H
#define SENTI_REPLY_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/spool.h"

/* The owner sleeps while more items, or bytes of records that no batch has taken, are on their way than this, and goes
 * on at half of it. */
enum { REPLY_ITEMS = 4000, REPLY_BYTES = 4 << 20 };

enum reply_form { REPLY_ONE, REPLY_ARRAY, REPLY_LINES };
/* What reply_fill asks of its caller: nothing; to resume the owner, who reads on; to answer for the owner, then resume
 * it. */
enum reply_wake { REPLY_NOTHING, REPLY_READ_ON, REPLY_COMPLETE };

struct reply_slot {
	struct buf text;
	size_t bytes; /* of a record that no batch has taken yet */
	bool full;
};

struct reply {
	enum reply_form form; /* set before the first slot is reserved */
	struct buf out;	      /* the items so far, after those in the spool */
	struct spool spool;
	struct share memory; /* all that it holds */
	struct err no_space; /* why the spool has failed, if it has a message */
	bool failed;	     /* a slot was filled by reply_fail */
	bool late;	     /* a slot kept its text of reply_put */

	/* private */
	pthread_mutex_t lock;
	atomic_size_t references;
	enum { REPLY_RUNS, REPLY_PAUSED, REPLY_WAITS, REPLY_GONE } owner;
	struct reply_slot *slot; /* those from number `gone` on; the first `told` are in the answer */
	size_t nslots, room, told, gone;
	size_t open, bytes, items;
	size_t texts; /* bytes in the slots */
};

/* With one reference, the owner's. Memory and temporary files count against these, which may be NULL (no limit). */
void reply_init(struct reply *r, enum reply_form form, struct budget *memory, struct spools *spools);
/* True for the last reference: the caller then frees what the reply is part of, by reply_free. */
MUST_USE bool reply_release(struct reply *r);
void reply_free(struct reply *r);
/* The reply is complete: moves the text of its items into the empty `out`, or `spool`. False if there was no space. */
MUST_USE bool reply_finish(struct reply *r, struct buf *out, struct spool *spool);

/* ---- the owner's thread ---- */

/* n more slots for these records, and a reference each; false if there is no memory for them. */
MUST_USE bool reply_reserve(struct reply *r, const struct str *record, size_t n);
/* Takes back the n slots reserved last, which nobody will fill. */
void reply_cancel(struct reply *r, size_t n);
/* Too much is on its way. */
bool reply_loaded(struct reply *r);
/* True: the owner sleeps, and a filler will be asked to wake it. False: there is no reason to sleep any more. */
MUST_USE bool reply_pause(struct reply *r);
/* No more slots will be reserved. True: all are filled, so the owner answers. False: a filler will be asked to. */
MUST_USE bool reply_end(struct reply *r);
/* The client has gone: nobody needs waking. Releases the owner's reference, as reply_release. */
MUST_USE bool reply_leave(struct reply *r);

/* ---- any thread with a slot to fill; reply_release follows the last call for a slot ---- */

/* A text in case no other comes in time; the slot stays open. False: the client has gone, so do not wait for another.
 */
bool reply_put(struct reply *r, size_t slot, struct str text);
/* The slot's text. p NULL: that of reply_put stays, and the reply is late. */
MUST_USE enum reply_wake reply_fill(struct reply *r, size_t slot, struct str text);
/* The record's fate is unknown: the slot stays empty, and the reply has failed. */
MUST_USE enum reply_wake reply_fail(struct reply *r, size_t slot);

#endif
