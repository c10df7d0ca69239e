/* listener.h - the socket on which a server listens: TCP, Unix, or inherited. */
#ifndef SENTI_LISTENER_H
#define SENTI_LISTENER_H

#include <sys/types.h>

#include "lib/base/err.h"

struct listener {
	int fd;
	char *address;	  /* "127.0.0.1:8080", "unix:PATH" */
	const char *path; /* of the Unix socket that it made, or NULL; lent */
	dev_t device;
	ino_t inode;
};

/* Listens at `to` (as http_conf.listen), which is lent, or on the inherited socket (-1: none), which is taken: 0, or -1
 * with *e. local_only refuses what other machines can reach. A stale Unix socket is replaced, any other file in its
 * place refused. */
MUST_USE int listener_open(struct listener *l, const char *to, int inherited, bool local_only, struct err *e);
/* Removes the Unix socket if the one at its path is still ours, and closes the descriptor unless it is `closed` already
 * (by libmicrohttpd). */
void listener_close(struct listener *l, bool closed);

#endif
