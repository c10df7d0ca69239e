/* amqp_address.h - the parts of an amqp: end: broker, credentials, and the queue or exchange. */
#ifndef SENTI_AMQP_ADDRESS_H
#define SENTI_AMQP_ADDRESS_H

#include "lib/base/err.h"

/* One node of a cluster. */
struct amqp_host {
	char *host;
	uint16_t port;
	char *shown; /* "amqp://user@host:port/vhost", for messages */
};

struct amqp_address {
	bool tls;
	struct amqp_host at;	 /* the one to connect to */
	struct amqp_host *other; /* to try after it */
	size_t nothers, turn;
	char *user, *password, *vhost;
	char *queue;		       /* NULL if an exchange is named */
	char *exchange, *key;	       /* NULL if a queue is named */
	char *cacert, *cert, *certkey; /* of TLS; NULL: not given */
	unsigned heartbeat_s;	       /* what we ask for; the broker may demand less */
};

/* Fills *a, which amqp_address_free clears. `broker` is $SENTI_AMQP or NULL (amqp://localhost as guest). Messages show
 * no password. */
MUST_USE int amqp_address_parse(struct amqp_address *a, const char *end, const char *broker, struct err *e);
/* Makes the next host the one to connect to; nothers + 1 calls go round all. */
void amqp_address_turn(struct amqp_address *a);
void amqp_address_free(struct amqp_address *a);
/* True if the name ends in ".dead". */
bool amqp_is_dead(const char *queue);

#endif
