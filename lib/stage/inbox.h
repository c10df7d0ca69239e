/* inbox.h - a Unix socket on which the tools inside a command hand in their rejects, one connection a tool, one line a reject.
 *
 * A line that ends in the connection's end and not in "\n" was cut by a death and is dropped. Lines over INBOX_LINE bytes are dropped.
 */
#ifndef SENTI_INBOX_H
#define SENTI_INBOX_H

#include <poll.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { INBOX_LINE = 16 << 20, INBOX_TOOLS = 64 };

struct inbox_tool {
	int fd;
	bool skipping; /* the rest of a line that was too long */
	struct buf text;
};

struct inbox {
	int fd;
	char path[108];
	struct inbox_tool tool[INBOX_TOOLS];
	size_t n;
};

/* Listens on a new socket `path`. */
MUST_USE int inbox_open(struct inbox *in, const char *path, struct err *e);
/* Fills in what poll(2) shall watch, at most INBOX_TOOLS + 1 entries: how many. */
size_t inbox_watch(const struct inbox *in, struct pollfd *f);
/* Takes in all that has come by now, new connections too, without waiting. `line` has JSON_PAD readable bytes behind it. */
void inbox_drain(struct inbox *in, void (*take)(void *arg, struct str line), void *arg);
/* Cuts all connections, after what has come was taken in: the command that they belong to is dead. */
void inbox_cut(struct inbox *in);
/* Closes and removes it. */
void inbox_close(struct inbox *in);

#endif
