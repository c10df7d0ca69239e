/* peers.h - the open connections: the deadlines that the library does not keep, and how many each address may have.
 *
 * The library's timeout starts anew with each byte, so that a client who drips its headers or its body, or sips its answer, would stay for ever.
 * One thread looks at all connections twice a second and shuts those down whose time is over; the library then sees their end.
 */
#ifndef SENTI_PEERS_H
#define SENTI_PEERS_H

#include <sys/socket.h>

#include "lib/base/err.h"
#include "lib/serve/http.h"

struct peers;
struct peer;

/* Between requests; its headers; its body; an answer that we owe (no deadline); an answer that it has to take. */
enum phase { PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER, PHASE_SEND };

/* New. The conf is lent for its life. */
struct peers *peers_new(const struct http_conf *conf, struct err *e);
/* Once all have left. */
void peers_free(struct peers *all);
/* A connection has come: new. Where its address has too many already it is shut down at once. */
struct peer *peers_join(struct peers *all, int fd, const struct sockaddr *address);
/* It is about to be closed; taken. */
void peers_leave(struct peer *p);
/* Cheap: no lock. */
void peer_enter(struct peer *p, enum phase phase);
/* PHASE_SEND of so many bytes. */
void peer_send(struct peer *p, uint64_t bytes);
/* True for ::1, 127.0.0.0/8 and Unix sockets. */
bool address_is_local(const struct sockaddr *a);

#endif
