/* interrupt.h - ends a long read of a store early: at a deadline, or once nobody wants its answer.
 *
 *     struct interrupt i = {.deadline = clock_mono_ms() + 10000, .gone = client_gone, .arg = x};
 *     store->interrupt = &i;
 *     n = store->query(store, ...);       // -1 with i.why set if it was ended early
 *     store->interrupt = NULL;
 */
#ifndef SENTI_INTERRUPT_H
#define SENTI_INTERRUPT_H

#include "lib/base/err.h"

struct interrupt {
	int64_t deadline;	 /* on clock_mono_ms; 0: none */
	bool (*gone)(void *arg); /* asked at most every INTERRUPT_LOOK_MS, in the reading thread; or NULL */
	void *arg;
	enum { INTERRUPT_NONE, INTERRUPT_DEADLINE, INTERRUPT_GONE } why; /* why the read was ended */

	int64_t look_at; /* private */
};

enum { INTERRUPT_LOOK_MS = 20 };

/* True, with `why` set, once the read must end; never for NULL. Cheap. */
bool interrupt_due(struct interrupt *i);
/* Before a read: 0, or -1 with *e if it need not begin. */
int interrupt_check(struct interrupt *i, struct err *e);
/* Milliseconds until the deadline, from 1 to `most`. */
int64_t interrupt_left(const struct interrupt *i, int64_t most);

#endif
