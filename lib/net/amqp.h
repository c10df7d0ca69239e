/* amqp.h - queues of an AMQP 0-9-1 broker (RabbitMQ) as ports.
 *
 * An end is "amqp:QUEUE" on the broker of $SENTI_AMQP, or a whole address:
 * amqp://user:password@host:port/vhost?queue=NAME, to publish also ?exchange=E&key=K; amqps: is TLS (arguments
 * cacertfile, certfile, keyfile, else $SENTI_AMQP_CACERT, _CERT, _KEY). host:port may be a list (h1:5672,h2:5672),
 * tried in turn; heartbeat=SECONDS is what to ask for (default 30). For a queue NAME both kinds of port declare NAME
 * (durable, quorum, delivery limit 100), the exchange NAME.dx and the queue NAME.dead after it; for a NAME that ends in
 * ".dead" only that queue.
 *
 * A message is one record, or, as application/x-ndjson, several lines. The source acknowledges when a batch is
 * accepted, the sink returns from flush when the broker has confirmed all. Both survive lost connections: they
 * reconnect for as long as `retry_ms` allows; deliveries of the old connection are then not acknowledged (the broker
 * redelivers them), and unconfirmed messages are published again. Heartbeats keep connections alive while their owner
 * does other work.
 */
#ifndef SENTI_AMQP_H
#define SENTI_AMQP_H

#include "lib/flow/counts.h"
#include "lib/flow/port.h"

/* All strings are lent for the port's life. */
struct amqp_conf {
	const char *end;       /* as the user named it */
	const char *tool;      /* for the broker's list of connections, and in the headers of dead letters */
	int64_t retry_ms;      /* how long to go on trying after a connection was lost */
	bool retry_first;      /* also for the very first connection */
	struct counts *counts; /* for the counters of queues; may be NULL */
	/* Of a source: */
	int64_t idle_ms;	 /* ends after so long without a delivery, once the queue is empty; -1: never */
	const struct stop *stop; /* ends the input, and waiting for a broker; may be NULL */
	size_t prefetch;	 /* messages in hand; at most 65535 */
	bool rejects;		 /* dead letters come as the reject objects that senti-ingest -F reject reads */
	/* Of a sink: */
	size_t pack; /* records in a message; 1: each alone, as application/json */
	/* Clients wait: a broker that is short of memory is an error at once (ERR_BUSY, until `check` succeeds), and
	 * one that refuses messages (a full queue) soon. */
	bool impatient;
};

/* New: the end for the dead letters of a source's queue, or NULL if that is itself one of dead letters. */
char *amqp_dead_end(const char *end);

/* New: the name of a source's queue; *shown (new): its broker, without a password. NULL with *e. */
char *amqp_queue(const char *end, char **shown, struct err *e);

/* New; connected, and consuming. NULL with *e. */
struct source *amqp_source(const struct amqp_conf *conf, struct err *e);
/* New. A sink of the lane OUT is connected; one of rejects connects with its first reject. Rejects of records that came
 * as messages are dead letters: the original bytes, with the reason in the headers x-senti-error, -message, -tool,
 * -count (deliveries) and -truncated; others are reject objects. NULL with *e. */
struct sink *amqp_sink(const struct amqp_conf *conf, enum lane lane, struct err *e);

#endif
