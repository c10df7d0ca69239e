/* stage.h - a verb: what a tool does to a batch of records.
 *
 * A stage decides the fate of each record and may add to it. It never writes, acknowledges or prints. An error
 * that it returns is one of the environment, and then nothing of the batch is accepted; what is wrong with a record is
 * that record's fate (rec_reject). A stage skips records whose fate is already other than FATE_OUT.
 *
 * A stage that aggregates takes records in (FATE_HELD) and gives others for them later: it adds those to a batch that
 * is passing (batch_derive) or, when the input has ended, to one of their own. Until what it made of a record is out,
 * the record's batch must not be accepted: held_from says so. One whose output depends on time, or is too much for one
 * batch, has an alarm.
 */
#ifndef SENTI_STAGE_H
#define SENTI_STAGE_H

#include "lib/base/err.h"
#include "lib/flow/record.h"

#define HOLDS_NOTHING UINT64_MAX

struct stage {
	const char *name;
	/* True: contexts are independent, so that batches may run in several threads at once (-j N). The first stage of
	 * a pump that is not pure, or that holds records, and all after it run in one context each, in the order of the
	 * batches, in the thread that keeps the ports. */
	bool pure;
	/* True: run may wait long, for a child or a server. The thread that keeps the ports then never runs it when
	 * there are jobs. */
	bool waits;
	/* A new context, for one thread; conf is lent for the pump's whole run. NULL and *e on failure. */
	void *(*open)(const void *conf, struct err *e);
	int (*run)(void *ctx, struct batch *b, struct err *e);
	/* The number of the oldest batch of which something is held: taken in, and neither out nor kept safe elsewhere;
	 * or HOLDS_NOTHING. Asked after run and end. A batch that it once was above must not come back. NULL: never
	 * holds. */
	uint64_t (*held_from)(void *ctx);
	/* The input has ended, as it should: a stage that held records may add derived ones to this empty batch, which
	 * then goes out. What was held is safe once they are. 0; 1: there is more, so it is called again once these are
	 * out; -1. May be NULL. */
	int (*end)(void *ctx, struct batch *b, struct err *e);
	/* A descriptor (a timerfd) that is readable when the stage wants to run although nothing comes: after each
	 * batch, and while the source waits for one, `run` is then called with an empty batch, to which it may add
	 * derived records, until it is no longer readable. -1: there is none. Only of stages that hold records; asked
	 * once, after open. NULL: never. */
	int (*alarm)(void *ctx);
	void (*close)(void *ctx);
};

/* A stage with its configuration, as the pump takes it. */
struct step {
	const struct stage *stage;
	const void *conf;
};

#endif
