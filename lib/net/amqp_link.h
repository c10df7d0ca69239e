/* amqp_link.h - one connection with one channel to a broker, remade when it breaks.
 *
 *     link_open(&l, conf, setup, arg, e)      connects; each time, setup declares what the owner needs
 *     link_enter(&l) ... link_leave(&l)       around every use; in between our thread sends heartbeats
 *     link_get(&l, e)                         what has come, piece by piece
 *     link_mend(&l, e)                        after AMQP_BROKEN: reconnects, with back-off, as long as conf allows
 *     link_close(&l)
 *
 * Delivery tags and sequence numbers die with their channel; `epoch` numbers the channels.
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
	_Atomic int tick_ms; /* how often an owner must look at its link */

	/* private */
	bool hopeless;	    /* the last error will come again */
	int64_t trouble_ms; /* since when it has failed; -1: it works */
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

/* Gets what has come, without waiting, into l->in. AMQP_BROKEN: the connection is closed, *e says why. */
enum amqp_got link_get(struct amqp_link *l, struct err *e);
/* Closes an unusable connection. */
void link_drop(struct amqp_link *l);
/* Reconnects a link that `why` broke: 0; -1 with *e if the time is over or it is hopeless; 1 on a stop. */
MUST_USE int link_mend(struct amqp_link *l, const struct err *why, struct err *e);
/* The link works: the next loss gets the full time again. */
void link_works(struct amqp_link *l);
/* The descriptor to poll; -1 if not connected. */
int link_fd(const struct amqp_link *l);
/* Waits until it can be written to; false if something came in first, for link_get, or after `wait_ms`. */
bool link_writable(struct amqp_link *l, int wait_ms);

/* For setup. The outcome of the last call: 0; -1 with *e; or, if the broker closed the channel over it, the code (403,
 * 404, 406), with *e and a new channel. */
MUST_USE int link_result(struct amqp_link *l, const char *what, struct err *e);
/* Marks the error in *e as hopeless; returns -1. */
int link_hopeless(struct amqp_link *l);

/* Declares NAME, NAME.dx and NAME.dead, or only NAME if it ends in ".dead". Without the permission it makes do with
 * what exists. */
MUST_USE int amqp_declare(struct amqp_link *l, const char *queue, struct err *e);
/* How many messages of the queue wait for a consumer; -1 with *e if the broker does not say: then drop the link. */
int64_t amqp_waiting(struct amqp_link *l, const char *queue, struct err *e);

#endif
