/* reject_socket.h - a Unix socket that takes the rejects of the tools inside a command, one connection a tool, one line
 * a reject.
 *
 * A line without "\n" at the connection's end was cut by a crash and is dropped. So are lines over REJECT_LINE bytes.
 */
#ifndef SENTI_REJECT_SOCKET_H
#define SENTI_REJECT_SOCKET_H

#include <poll.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { REJECT_LINE = 16 << 20, REJECT_SENDERS = 64 };

struct reject_sender {
	int fd;
	bool skipping; /* in the rest of an over-long line */
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
/* Fills in what to poll(2), at most REJECT_SENDERS + 1 entries. Returns how many. */
size_t reject_socket_watch(const struct reject_socket *in, struct pollfd *f);
/* Takes in all that has come, new connections too, without waiting. `line` has JSON_PAD readable bytes after it. */
void reject_socket_drain(struct reject_socket *in, void (*take)(void *arg, struct str line), void *arg);
/* Closes all connections, after a drain: their command is dead. */
void reject_socket_cut(struct reject_socket *in);
/* Closes and removes it. */
void reject_socket_close(struct reject_socket *in);

#endif
