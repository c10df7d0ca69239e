/* connections.h - the open connections: deadlines that the library lacks, and limits by address.
 *
 * The library's timeout restarts with each byte, so a client that sends a request, or takes an answer, byte by byte
 * could stay for ever. One thread looks at all connections twice a second and shuts down those whose time is over or
 * whose client has hung up in the middle of a request; the library then sees their end.
 */
#ifndef SENTI_CONNECTIONS_H
#define SENTI_CONNECTIONS_H

#include <sys/socket.h>

#include "lib/base/err.h"

struct connections;
struct connection;

/* Seconds a client has to send its headers, to send its body (or take an answer), to begin its next request; and how
 * many connections one address (of IPv6 one /64) may have, loopback exempt. 0: no limit. */
struct connection_limits {
	unsigned header_s, body_s, idle_s, per_address;
};

/* What the connection is doing. ANSWER: we owe the answer, so there is no deadline. */
enum phase { PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER, PHASE_SEND };

/* New; NULL and *e on failure. */
struct connections *connections_new(const struct connection_limits *limits, struct err *e);
/* After all have left. */
void connections_free(struct connections *all);
/* New, for a connection that has come. It is shut down at once if its address has too many. */
struct connection *connections_join(struct connections *all, int fd, const struct sockaddr *address);
/* The connection is about to be closed; frees p. */
void connections_leave(struct connection *p);
/* Takes no lock. */
void connection_enter(struct connection *p, enum phase phase);
/* Enters PHASE_SEND, of so many bytes. */
void connection_send(struct connection *p, uint64_t bytes);
/* Its answer is sent while the client may still be sending: once it is closed here, what comes is read and dropped for
 * a while, since the client's system drops an answer if the rest of the request meets a closed connection (RFC 9112,
 * section 9.6). */
void connection_linger(struct connection *p);
/* True for ::1, 127.0.0.0/8 and Unix sockets. */
bool address_is_local(const struct sockaddr *a);

#endif
