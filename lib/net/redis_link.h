/* redis_link.h - one connection to Redis: an address, commands, replies, reconnecting.
 *
 *     redis_begin(l);                                    // the commands of one round trip
 *     redis_command(l, 2); redis_word(l, STR("GET")); redis_word(l, key);
 *     if (redis_call(l, mem, e) < 0) ...                 // sends them, reads the replies
 *     const struct redis_reply *r = l->reply;                 // the first; an array is followed by its elements
 *
 * It never sends anything twice.
 */
#ifndef SENTI_REDIS_LINK_H
#define SENTI_REDIS_LINK_H

#include <hiredis/hiredis.h>
#include <stdatomic.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct redis_address {
	char *host; /* NULL: path is a Unix socket */
	char *path;
	char *user, *password; /* NULL: none */
	uint16_t port;
	uint64_t db;
	int64_t timeout_ms; /* for connecting, and for a call; 0: not given */
	char *shown;	    /* for messages: without user and password */
};

/* Fills *a, which redis_address_free clears: 0, or -1 with *e. */
MUST_USE int redis_address_parse(struct redis_address *a, const char *address, struct err *e);
void redis_address_free(struct redis_address *a);

struct redis_reply {
	int type;	 /* REDIS_REPLY_... */
	int64_t n;	 /* an integer's value, an array's length */
	struct str text; /* of a string, status or error; lent by the arena of redis_call */
};

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
	redisContext *context; /* NULL: not connected */
	struct buf out;
	size_t commands; /* in `out` */
	struct redis_reply *reply;
	size_t nreplies, cap;
	struct arena *mem;
	struct trouble away;
	char *in; /* input for hiredis' reader */
	/* Reads that began before floor_ms are not put, since a server that restarts has lost its tombstones. It is the
	 * time of connecting by the server's clock, or the newest time given out over an earlier connection if that is
	 * later (given_ms). */
	int64_t floor_ms, given_ms;
	int64_t call_ms; /* set by the owner: limit of a call, and of connecting; 0: the address's, or a default */
	struct buf info; /* INFO at connecting; empty if refused */
	/* The beginning of the server's run_id, new at each start; "-" if INFO is refused. */
	char run[REDIS_RUN + 1];
	bool fresh;   /* connected since the owner last looked */
	bool replica; /* of another server: what it says of messages may be old, and it takes none */

	/* private */
	bool open;	/* greeted */
	bool errors;	/* among the replies */
	unsigned moves; /* of all links, when this one connected */
	int64_t until_ms;
};

MUST_USE int redis_link_init(struct redis_link *l, const char *address, struct err *e);
void redis_link_free(struct redis_link *l);

/* Connects if it is not connected: 0, or -1 with *e. `force`: without waiting for the pause to end. The name is
 * resolved each time, also after any link of this process has met a server that is no longer the primary. */
int redis_ready(struct redis_link *l, bool force, struct err *e);
/* Closes the connection. */
void redis_leave(struct redis_link *l);
/* Has all links of this process connect again before their next use, so that no read that began before is put. */
void redis_leave_all(void);
void redis_begin(struct redis_link *l);
void redis_command(struct redis_link *l, size_t words);
void redis_word(struct redis_link *l, struct str word);
void redis_number(struct redis_link *l, int64_t n);
/* Needs a connection (redis_ready). 0, with one reply a command; or -1 with *e, and the connection is closed: it broke,
 * or the server says that another one is in charge (READONLY, MASTERDOWN, LOADING, CLUSTERDOWN). */
int redis_call(struct redis_link *l, struct arena *mem, struct err *e);
/* The reply after this one and its elements. */
const struct redis_reply *reply_next(const struct redis_reply *r);
/* Milliseconds of a reply to TIME; -1 if it is not one. */
int64_t reply_time(const struct redis_reply *r);
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
