/* stage.h - a verb: what a tool does to a batch of records.
 *
 * A stage decides the fate of each record and may add to it. It never writes, acknowledges or prints. What is wrong
 * with a record is that record's fate (rec_reject); an error returned means the environment failed, and then nothing of
 * the batch is accepted. A stage skips records whose fate is not FATE_OUT.
 *
 * An aggregating stage consumes records (FATE_HELD) and later makes others from them: it adds those to a passing batch
 * (batch_derive) or, when the input has ended, to a batch of their own. Until what it made of a record is out, the
 * record's batch must not be accepted; held_from tells the pump so. A stage whose output depends on time, or is too
 * much for one batch, has an alarm.
 */
#ifndef SENTI_STAGE_H
#define SENTI_STAGE_H

#include "lib/base/err.h"
#include "lib/flow/record.h"

#define HOLDS_NOTHING UINT64_MAX

struct stage {
	const char *name;
	/* True: contexts are independent, so batches may run in several threads at once (-j N). The first stage that is
	 * not pure or holds records, and all stages after it, run in one context each, in batch order, in the thread of
	 * the ports. */
	bool pure;
	/* True: run may block for long, on a child or a server. With jobs, the thread of the ports never runs it. */
	bool waits;
	/* New context for one thread; conf is lent for the whole run of the pump. NULL and *e on failure. */
	void *(*open)(const void *conf, struct err *e);
	int (*run)(void *ctx, struct batch *b, struct err *e);
	/* The number of the oldest batch that is partly held: consumed, but neither out nor saved elsewhere; or
	 * HOLDS_NOTHING. Called after run and end. Once above a batch, it must not return to it. NULL: never holds. */
	uint64_t (*held_from)(void *ctx);
	/* The input has ended normally: a stage that held records may add derived ones to this empty batch, which is
	 * then delivered. After that, what was held is safe. Returns 0; 1 if there is more, to be called again after
	 * the delivery; or -1. May be NULL. */
	int (*end)(void *ctx, struct batch *b, struct err *e);
	/* Returns a descriptor (a timerfd) that is readable while the stage wants to run without input: after each
	 * batch, and while the source waits for one, `run` is called with an empty batch, to which it may add derived
	 * records, until the descriptor is no longer readable. -1: none. Only for stages that hold records; called
	 * once, after open. May be NULL. */
	int (*alarm)(void *ctx);
	void (*close)(void *ctx);
};

/* A stage with its configuration, as the pump takes it. */
struct step {
	const struct stage *stage;
	const void *conf;
};

#endif
