/* window.h - messages on their way to a broker, kept until confirmed.
 *
 *     window   [ settled | sent, open ... | not sent ... ]
 *                        ^first           ^sent          ^n
 *
 * The broker numbers the messages published on a channel; message i of the window has number base + i.
 */
#ifndef SENTI_NET_WINDOW_H
#define SENTI_NET_WINDOW_H

#include "lib/base/buf.h"

/* A part of window.bytes, which may move when messages are added. */
struct window_part {
	size_t at, n;
};

struct outgoing {
	struct window_part body, id, trace;
	struct window_part code, why, tool, status, words; /* of a dead letter; code.n 0: not one */
	int64_t tries;
	bool truncated; /* the body is cut */
	bool lines;	/* the body is lines */
	enum { OUTGOING_OPEN, OUTGOING_DONE, OUTGOING_REFUSED } state;
};

struct window {
	struct outgoing *outgoing;
	size_t n, cap;
	size_t sent, first, open; /* open: sent and not settled */
	uint64_t base;
	bool refused; /* one of them was refused */
	struct buf bytes;
};

/* A new message at the end, zeroed; lent until the next. */
struct outgoing *window_add(struct window *w);
/* Copies s into the window's bytes. */
struct window_part window_keep(struct window *w, struct str s);
struct str window_str(const struct window *w, struct window_part s);
/* The next message is sent. */
void window_sent(struct window *w);
/* The broker's answer for number `tag`, or for all up to it. Impossible numbers are ignored. */
void window_settle(struct window *w, uint64_t tag, bool multiple, bool ok);
/* What is not confirmed is to be sent again, numbered from `base`. */
void window_again(struct window *w, uint64_t base);
/* Forgets all messages, which were sent. */
void window_clear(struct window *w);
/* Forgets all messages of a channel that is closed. */
void window_drop(struct window *w);
void window_free(struct window *w);

#endif
