/* stage.h - a verb: what a tool does to a batch of records.
 *
 * A stage decides the fate of each record and may add to it. It never writes, acknowledges or prints. An error
 * that it returns is one of the environment, and then nothing of the batch is accepted; what is wrong with a record is
 * that record's fate (rec_reject). A stage skips records whose fate is already other than FATE_OUT.
 */
#ifndef SENTI_STAGE_H
#define SENTI_STAGE_H

#include "lib/base/err.h"
#include "lib/flow/record.h"

struct stage {
	const char *name;
	/* True: contexts are independent, so that batches may run in several threads at once (-j N). A stage that is not pure keeps the
	 * whole pump on one context. */
	bool pure;
	/* True: run may wait long, for a child or a server. The thread that keeps the ports then never runs it when there are jobs. */
	bool waits;
	/* A new context, for one thread; conf is lent for the pump's whole run. NULL and *e on failure. */
	void *(*open)(const void *conf, struct err *e);
	int (*run)(void *ctx, struct batch *b, struct err *e);
	/* The input has ended: a stage that held records may add some to this empty batch, which then goes out. May be NULL. */
	int (*end)(void *ctx, struct batch *b, struct err *e);
	void (*close)(void *ctx);
};

/* A stage with its configuration, as the pump takes it. */
struct step {
	const struct stage *stage;
	const void *conf;
};

#endif
