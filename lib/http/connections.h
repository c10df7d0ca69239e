/* connections.h - the open connections: the deadlines that the library does not keep, and how many each address may have.
 *
 * The library's timeout starts anew with each byte, so that a client who drips its headers or its body, or sips its answer, would stay for ever.
 * One thread looks at all connections twice a second and shuts those down whose time is over; the library then sees their end.
 */
#ifndef SENTI_CONNECTIONS_H
#define SENTI_CONNECTIONS_H

#include <sys/socket.h>

#include "lib/base/err.h"
#include "lib/http/http.h"

struct connections;
struct connection;

/* Between requests; its headers; its body; an answer that we owe (no deadline); an answer that it has to take. */
enum phase { PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER, PHASE_SEND };

/* New. The conf is lent for its life. */
struct connections *connections_new(const struct http_conf *conf, struct err *e);
/* Once all have left. */
void connections_free(struct connections *all);
/* A connection has come: new. Where its address has too many already it is shut down at once. */
struct connection *connections_join(struct connections *all, int fd, const struct sockaddr *address);
/* It is about to be closed; taken. */
void connections_leave(struct connection *p);
/* Cheap: no lock. */
void connection_enter(struct connection *p, enum phase phase);
/* PHASE_SEND of so many bytes. */
void connection_send(struct connection *p, uint64_t bytes);
/* True for ::1, 127.0.0.0/8 and Unix sockets. */
bool address_is_local(const struct sockaddr *a);

#endif
