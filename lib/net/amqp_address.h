/* amqp_address.h - what an amqp: end means: broker, credentials, and the queue or exchange. */
#ifndef SENTI_AMQP_ADDRESS_H
#define SENTI_AMQP_ADDRESS_H

#include "lib/base/err.h"

struct amqp_address {
	bool tls;
	char *host, *user, *password, *vhost;
	uint16_t port;
	char *queue;		       /* NULL where an exchange is named */
	char *exchange, *key;	       /* NULL, NULL where a queue is named */
	char *cacert, *cert, *certkey; /* of TLS; NULL: not given */
	unsigned heartbeat_s;	       /* what we ask for; the broker may want a shorter one */
	char *shown;		       /* "amqp://user@host:port/vhost", for messages */
};

/* Fills *a, which amqp_address_free clears. `broker` is $SENTI_AMQP or NULL (then amqp://localhost with guest's account). Messages show no
 * password. */
MUST_USE int amqp_address_parse(struct amqp_address *a, const char *end, const char *broker, struct err *e);
void amqp_address_free(struct amqp_address *a);
/* True if the name ends in ".dead". */
bool amqp_is_dead(const char *queue);

#endif
