/* redis_link.h - one connection to Redis: an address, commands in, replies out, and coming back after it broke.
 *
 *     redis_begin(l);                                    // the commands of one round trip
 *     redis_command(l, 2); redis_word(l, STR("GET")); redis_word(l, key);
 *     if (redis_call(l, mem, e) < 0) ...                 // sends them, reads the replies
 *     const struct redis_reply *r = l->reply;                 // the first; an array is followed by its elements
 *
 * Nothing is ever sent twice from here.
 */
#ifndef SENTI_REDIS_LINK_H
#define SENTI_REDIS_LINK_H

#include <hiredis/hiredis.h>
#include <stdatomic.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

struct redis_address {
	char *host; /* NULL: path is a Unix socket's */
	char *path;
	char *user, *password; /* NULL: none */
	uint16_t port;
	uint64_t db;
	char *shown; /* for messages: without user and password */
};

/* Fills *a, which redis_address_free clears: 0, or -1 with *e. */
MUST_USE int redis_address_parse(struct redis_address *a, const char *address, struct err *e);
void redis_address_free(struct redis_address *a);

struct redis_reply {
	int type;	 /* REDIS_REPLY_... */
	int64_t n;	 /* an integer's value, an array's length */
	struct str text; /* of a string, status or error; lent by the arena of redis_call */
};

/* What is said of a kind of trouble: once in a process when the first handle has it, and once when the last is over
 * it. */
struct notice {
	const char *gone, *back;
	atomic_uint handles;
};

/* What goes wrong is tried again after a pause that grows. */
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
	char *in; /* what recv gives to hiredis' reader */
	/* Reads that began before are not put: by the server's clock the time of connecting, or the newest that was
	 * given out over an earlier connection, for a server that starts again may have lost its tombstones, and its
	 * clock may be another. */
	int64_t floor_ms, given_ms;
	struct buf info; /* the section "memory" of INFO, as connecting found it; empty: refused */
	/* The beginning of the server's run_id, another one each time that it starts; "-" where INFO is refused. */
	char run[REDIS_RUN + 1];
	bool fresh; /* connected since the owner last looked */
};

MUST_USE int redis_link_init(struct redis_link *l, const char *address, struct err *e);
void redis_link_free(struct redis_link *l);

/* Connects if it is not connected: 0, or -1 with *e. `force`: without waiting for the pause to end. */
int redis_ready(struct redis_link *l, bool force, struct err *e);
void redis_begin(struct redis_link *l);
void redis_command(struct redis_link *l, size_t words);
void redis_word(struct redis_link *l, struct str word);
void redis_number(struct redis_link *l, int64_t n);
/* Needs a connection (redis_ready). 0, one reply a command; -1 with *e, and the connection is gone. */
int redis_call(struct redis_link *l, struct arena *mem, struct err *e);
/* The reply after this one and its elements. */
const struct redis_reply *reply_next(const struct redis_reply *r);
/* Milliseconds of a reply to TIME, -1 if it is none. */
int64_t reply_time(const struct redis_reply *r);
/* Fills *e from an error reply, in words that say what to do. Returns -1. */
int redis_refused(const struct redis_link *l, const struct redis_reply *r, struct err *e);
/* A line NAME:VALUE of what INFO says; p is NULL where it has none. */
struct str info_value(struct str info, const char *name);

/* True where it is too early to try again. */
bool trouble_pause(const struct trouble *t);
/* It has failed, or works; the first time of each is logged. */
void trouble_failed(struct trouble *t, struct notice *n, const struct err *e);
void trouble_over(struct trouble *t, struct notice *n, const struct redis_link *l);
/* The handle is closed: nothing is said. */
void trouble_end(struct trouble *t, struct notice *n);

#endif
