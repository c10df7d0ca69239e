/* connections.h - the open connections: the deadlines that the library does not keep, and how many each address may
 * have.
 *
 * The library's timeout starts anew with each byte, so a client that sends its headers or body, or takes its answer,
 * byte by byte would stay for ever. One thread looks at all connections twice a second and shuts those down whose time
 * is over, or whose client has hung up in the middle of a request; the library then sees their end.
 */
#ifndef SENTI_CONNECTIONS_H
#define SENTI_CONNECTIONS_H

#include <sys/socket.h>

#include "lib/base/err.h"

struct connections;
struct connection;

/* Seconds until a client must have sent its headers, sent its body (or taken an answer), begun its next request; and
 * how many connections one address (of IPv6 one /64) may have, loopback exempt. 0: no limit. */
struct connection_limits {
	unsigned header_s, body_s, idle_s, per_address;
};

/* Between requests; its headers; its body; an answer that we owe (no deadline); an answer that it has to take. */
enum phase { PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER, PHASE_SEND };

/* New; NULL and *e on failure. */
struct connections *connections_new(const struct connection_limits *limits, struct err *e);
/* Once all have left. */
void connections_free(struct connections *all);
/* New: a connection has come. If its address has too many already, it is shut down at once. */
struct connection *connections_join(struct connections *all, int fd, const struct sockaddr *address);
/* The connection is about to be closed. Taken. */
void connections_leave(struct connection *p);
/* Cheap: no lock. */
void connection_enter(struct connection *p, enum phase phase);
/* PHASE_SEND of so many bytes. */
void connection_send(struct connection *p, uint64_t bytes);
/* True for ::1, 127.0.0.0/8 and Unix sockets. */
bool address_is_local(const struct sockaddr *a);

#endif
