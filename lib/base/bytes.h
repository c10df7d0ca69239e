/* bytes.h - streams of bytes, and filters around them, such as a decompressor.
 *
 *     struct bytes *b = bytes_filter(bytes_fd(fd, "x.gz"), &unpack, unpack_new("x.gz"));
 *     ssize_t n = b->read(b, to, size, &e);
 *     b->close(b);
 */
#ifndef SENTI_BYTES_H
#define SENTI_BYTES_H

#include <sys/types.h>

#include "lib/base/err.h"

enum { BYTES_LATER = -2 };

struct bytes {
	/* Reads up to n (at least BYTES_ROOM) bytes: how many, 0 at the end, BYTES_LATER if the descriptor has to be
	 * waited for, or -1 with *e, which the next call repeats. */
	ssize_t (*read)(struct bytes *, char *to, size_t n, struct err *e);
	/* True if it has more without reading the descriptor. */
	bool (*pending)(const struct bytes *);
	/* True if it passes the descriptor's bytes on as they are, and holds none of them. */
	bool (*plain)(const struct bytes *);
	/* Frees it, and what it is made of; the descriptor stays open. */
	void (*close)(struct bytes *);
};

/* The least room that a filter needs to make progress. */
#define BYTES_ROOM 16

struct byte_filter {
	/* Takes bytes from the front of *in and writes at most max: returns how many, or -1 with *e. It may leave bytes
	 * for its next call, which then has more of them; at the `end` there are no more. It fills the room while it
	 * can. */
	ssize_t (*run)(void *ctx, struct str *in, char *out, size_t max, bool end, struct err *e);
	/* True once all that follows passes unchanged. May be NULL. */
	bool (*plain)(const void *ctx);
	void (*free)(void *ctx);
};

/* New. The name is for messages, lent. */
struct bytes *bytes_fd(int fd, const char *name);
/* New; `from` and ctx are taken, the filter is constant. */
struct bytes *bytes_filter(struct bytes *from, const struct byte_filter *filter, void *ctx);

#endif
