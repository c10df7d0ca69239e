/* reject_socket.h - a Unix socket on which the tools inside a command hand in their rejects, one connection a tool, one
 * line a reject.
 *
 * A line that ends in the connection's end and not in "\n" was cut by a death and is dropped. Lines over REJECT_LINE
 * bytes are dropped.
 */
#ifndef SENTI_REJECT_SOCKET_H
#define SENTI_REJECT_SOCKET_H

#include <poll.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { REJECT_LINE = 16 << 20, REJECT_SENDERS = 64 };

struct reject_sender {
	int fd;
	bool skipping; /* the rest of a line that was too long */
	struct buf text;
};

struct reject_socket {
	int fd;
	char path[108];
	struct reject_sender tool[REJECT_SENDERS];
	size_t n;
};

/* Listens on a new socket `path`. */
MUST_USE int reject_socket_open(struct reject_socket *in, const char *path, struct err *e);
/* Fills in what poll(2) shall watch, at most REJECT_SENDERS + 1 entries: how many. */
size_t reject_socket_watch(const struct reject_socket *in, struct pollfd *f);
/* Takes in all that has come by now, new connections too, without waiting. `line` has JSON_PAD readable bytes after
 * it. */
void reject_socket_drain(struct reject_socket *in, void (*take)(void *arg, struct str line), void *arg);
/* Cuts all connections, after what has come was taken in: the command that they belong to is dead. */
void reject_socket_cut(struct reject_socket *in);
/* Closes and removes it. */
void reject_socket_close(struct reject_socket *in);

#endif
