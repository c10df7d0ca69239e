/* redis_link.h - one connection to the Redis of an address, made again when it breaks or another server is in charge.
 *
 *     if (redis_ready(l, false, e) < 0) ...
 *     redis_begin(&l->wire); ...                         // the commands, as redis_wire.h says
 *     if (redis_call(l, mem, e) < 0) ...                 // and the replies in l->wire.reply
 *
 * It never sends anything twice.
 */
#ifndef SENTI_REDIS_LINK_H
#define SENTI_REDIS_LINK_H

#include <stdatomic.h>

#include "lib/net/redis_sentinel.h"
#include "lib/net/redis_wire.h"

/* What is logged of a kind of trouble: once in a process when the first handle has it, and once when the last is over
 * it. */
struct notice {
	const char *gone, *back;
	atomic_uint handles;
};

/* A failure, retried after a growing pause. */
struct trouble {
	bool said;
	unsigned tries;
	int64_t retry_ms; /* clock_mono_ms */
};

enum { REDIS_RUN = 8 };

struct redis_link {
	struct redis_address address;
	struct redis_wire wire; /* its context is NULL: not connected */
	struct trouble away;
	/* Reads that began before floor_ms are not put, since a server that restarts has lost its tombstones. It is the
	 * time of connecting by the server's clock, or the newest time given out over an earlier connection if that is
	 * later (given_ms). */
	int64_t floor_ms, given_ms;
	int64_t call_ms; /* set by the owner: limit of a call, and of connecting; 0: the address's, or a default */
	struct buf info; /* INFO at connecting; empty if refused */
	/* Eight digits that are others after each start of the server, and after each time it becomes the primary, also
	 * if it never noticed that another one was; "-" if INFO is refused. */
	char run[REDIS_RUN + 1];
	bool fresh;   /* connected since the owner last looked */
	bool replica; /* of another server: what it says of messages may be old, and it takes none */

	/* private */
	bool open;		     /* greeted */
	unsigned moves;		     /* redis_moves, when it connected */
	struct sentinels *sentinels; /* NULL: the address names the server itself */
	struct redis_place at;	     /* the server, if by TCP */
};

MUST_USE int redis_link_init(struct redis_link *l, const char *address, struct err *e);
void redis_link_free(struct redis_link *l);

/* Connects if it is not connected: 0, or -1 with *e. `force`: without waiting for the pause to end. The name is
 * resolved, or the Sentinels are asked, each time, also after any link of this process has met a server that is no
 * longer the primary. */
int redis_ready(struct redis_link *l, bool force, struct err *e);
/* Closes the connection. */
void redis_leave(struct redis_link *l);
/* Needs a connection (redis_ready). 0, with one reply a command; or -1 with *e, and the connection is closed: it broke,
 * or the server says that another one is in charge (READONLY, MASTERDOWN, LOADING, CLUSTERDOWN). */
int redis_call(struct redis_link *l, struct arena *mem, struct err *e);
/* Checks, after something was invalidated or claimed, that this server was in charge then: 0, or -1 with *e, and the
 * connection is closed. Without Sentinels nobody can tell. */
int redis_confirm(struct redis_link *l, struct err *e);
/* Fills *e from an error reply, saying what to do. Returns -1. */
int redis_refused(const struct redis_link *l, const struct redis_reply *r, struct err *e);
/* The value in a line NAME:VALUE of INFO; p is NULL if absent. */
struct str info_value(struct str info, const char *name);

/* True if it is too early to try again. */
bool trouble_pause(const struct trouble *t);
/* It has failed, or works; the first of each is logged. */
void trouble_failed(struct trouble *t, struct notice *n, const struct err *e);
void trouble_over(struct trouble *t, struct notice *n, const struct redis_link *l);
/* The handle is closed; logs nothing. */
void trouble_end(struct trouble *t, struct notice *n);

#endif
