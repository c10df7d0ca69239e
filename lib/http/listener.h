/* listener.h - the socket on which a server listens: TCP, Unix, or inherited. */
#ifndef SENTI_LISTENER_H
#define SENTI_LISTENER_H

#include <sys/types.h>

#include "lib/base/err.h"

struct listener {
	int fd;
	char *address;	  /* "127.0.0.1:8080", "unix:PATH" */
	const char *path; /* of a Unix socket that it has made; else NULL. Lent */
	dev_t device;
	ino_t inode;
};

/* Listens where `to` says (http_conf.listen), whose text is lent, or on the inherited socket (-1: none), which is
 * taken: 0, or -1 with *e. local_only refuses what other machines can reach. A Unix socket that nobody listens on is
 * replaced; any other file in its place is refused. */
MUST_USE int listener_open(struct listener *l, const char *to, int inherited, bool local_only, struct err *e);
/* Removes the Unix socket if the one at its path is still its own, and closes the descriptor, unless that has been
 * closed for it (by libmicrohttpd). */
void listener_close(struct listener *l, bool closed);

#endif
