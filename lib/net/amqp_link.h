/* amqp_link.h - one connection with one channel to a broker, which is made again when it breaks.
 *
 *     link_open(&l, conf, setup, arg, e)      connects; setup declares what the owner needs, each time anew
 *     link_enter(&l) ... link_leave(&l)       around every use of it; outside of them a thread of ours sends heartbeats
 *     link_get(&l, e)                         what has come, piece by piece
 *     link_mend(&l, e)                        after AMQP_BROKEN: connects again, with back-off, as long as conf allows
 *     link_close(&l)
 *
 * All that belongs to a channel (delivery tags, sequence numbers) dies with it: `epoch` tells one channel from the
 * next.
 */
#ifndef SENTI_AMQP_LINK_H
#define SENTI_AMQP_LINK_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/net/amqp.h"
#include "lib/net/amqp_address.h"
#include "lib/net/amqp_frame.h"

enum { AMQP_CHANNEL = 1 };

struct amqp_link {
	const struct amqp_conf *conf; /* lent */
	struct amqp_address address;
	int (*setup)(struct amqp_link *, struct err *);
	void *owner;
	bool consumes;
	const struct stop *stop; /* ends link_mend; may be NULL */

	amqp_connection_state_t state; /* NULL: not connected */
	uint64_t epoch;
	struct amqp_frames in;
	_Atomic int tick_ms; /* how long an owner may wait before it looks at its link again */

	/* private */
	bool hopeless;	    /* the last error will be the same the next time */
	int64_t trouble_ms; /* since when it has not worked; -1: it works */
	unsigned tries;
	pthread_mutex_t lock;
	struct amqp_link *next;
};

/* Connects. 0, or -1 with *e and nothing to close. */
MUST_USE int link_open(
    struct amqp_link *l, const struct amqp_conf *conf, int (*setup)(struct amqp_link *, struct err *), struct err *e);
void link_close(struct amqp_link *l);

void link_enter(struct amqp_link *l);
void link_leave(struct amqp_link *l);

/* What has come, without waiting; l->in has it. AMQP_BROKEN: the connection is closed, *e says why. */
enum amqp_got link_get(struct amqp_link *l, struct err *e);
/* Closes a connection that cannot be used any more. */
void link_drop(struct amqp_link *l);
/* Connects again: 0; -1 with *e when the time is over or it is hopeless; 1 when a stop was asked for . `why` broke
 * it. */
MUST_USE int link_mend(struct amqp_link *l, const struct err *why, struct err *e);
/* It works: the next loss gets the whole time again. */
void link_works(struct amqp_link *l);
/* The descriptor to wait for; -1 when not connected. */
int link_fd(const struct amqp_link *l);
/* Waits until it can be written to; false when something came in first, which stays for link_get, or `wait_ms` is
 * over. */
bool link_writable(struct amqp_link *l, int wait_ms);

/* For setup. The outcome of the call just made: 0; -1 with *e; or, where the broker closed the channel over it, the
 * code (403, 404, 406), with *e, and a new channel is open. */
MUST_USE int link_result(struct amqp_link *l, const char *what, struct err *e);
/* Marks what *e says as hopeless; returns -1. */
int link_hopeless(struct amqp_link *l);

/* Declares NAME, NAME.dx and NAME.dead, or only NAME where that ends in ".dead"; without the permission for it what is
 * there must do. */
MUST_USE int amqp_declare(struct amqp_link *l, const char *queue, struct err *e);

#endif
