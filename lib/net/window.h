/* window.h - messages on their way to a broker: kept until it has confirmed them.
 *
 *     window   [ settled | sent, open ... | not sent ... ]
 *                        ^first           ^sent          ^n
 *
 * The broker numbers what is published on a channel; message i of the window has the number base + i. Nothing here
 * knows a broker.
 */
#ifndef SENTI_NET_WINDOW_H
#define SENTI_NET_WINDOW_H

#include "lib/base/buf.h"

/* A part of window.bytes, which may move while messages are added. */
struct window_part {
	size_t at, n;
};

struct outgoing {
	struct window_part body, id, trace;
	struct window_part code, why, tool, status, words; /* of a dead letter; code.n 0: it is none */
	int64_t tries;
	bool truncated; /* the body is only the beginning of the original */
	bool lines;	/* the body is lines */
	enum { OUTGOING_OPEN, OUTGOING_DONE, OUTGOING_REFUSED } state;
};

struct window {
	struct outgoing *outgoing;
	size_t n, cap;
	size_t sent, first, open; /* open: sent and not settled */
	uint64_t base;
	bool refused; /* one of them was */
	struct buf bytes;
};

/* A new message at the end, zeroed; lent until the next. */
struct outgoing *window_add(struct window *w);
/* Copies s into the window's bytes. */
struct window_part window_keep(struct window *w, struct str s);
struct str window_str(const struct window *w, struct window_part s);
/* The next message is sent. */
void window_sent(struct window *w);
/* The broker's word on number `tag`, or on all up to it. Numbers that it cannot mean are ignored. */
void window_settle(struct window *w, uint64_t tag, bool multiple, bool ok);
/* What is not done stays and is to be sent again, from number `base` on. */
void window_again(struct window *w, uint64_t base);
/* All done: forgets them. */
void window_clear(struct window *w);
void window_free(struct window *w);

#endif
