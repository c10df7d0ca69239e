/* redis_wire.h - the wire to one Redis or Sentinel: commands there, replies back, with TLS or without.
 *
 *     redis_wire_open(w, &address, &at, until_ms, e);
 *     redis_begin(w);                                    // the commands of one round trip
 *     redis_command(w, 2); redis_word(w, STR("GET")); redis_word(w, key);
 *     if (redis_wire_call(w, mem, e) < 0) ...            // sends them, reads the replies
 *     const struct redis_reply *r = w->reply;            // the first; an array is followed by its elements
 *
 * It never sends anything twice, and raises no SIGPIPE.
 */
#ifndef SENTI_REDIS_WIRE_H
#define SENTI_REDIS_WIRE_H

#include <hiredis/hiredis.h>

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/net/redis_address.h"

struct redis_reply {
	int type;	 /* REDIS_REPLY_... */
	int64_t n;	 /* an integer's value, an array's length */
	struct str text; /* of a string, status or error; lent by the arena of redis_wire_call */
};

/* A server as an address or a Sentinel names it. */
struct redis_place {
	char host[REDIS_MOST_HOST + 1];
	uint16_t port;
	uint64_t epoch; /* of the failover since which it is the primary; 0: none, or no Sentinel has named it */
};
struct redis_place redis_place_of(const struct redis_host *h);

struct redis_wire {
	const char *shown;     /* for messages; lent */
	redisContext *context; /* NULL: closed */
	struct buf out;
	struct redis_reply *reply;
	size_t nreplies;
	bool errors;	  /* among the replies */
	int64_t until_ms; /* limit of a call (clock_mono_ms); 0: each wait in it has a limit, not the whole */

	/* private */
	struct tls *tls;
	size_t commands; /* in `out` */
	size_t cap;
	struct arena *mem;
	char *in; /* input for hiredis' reader */
};

void redis_wire_init(struct redis_wire *w, const char *shown);
void redis_wire_free(struct redis_wire *w);
/* Connects to the socket or, at `at`, with the TLS of the address: 0, or -1 with *e. until_ms as above. */
int redis_wire_open(
    struct redis_wire *w, const struct redis_address *a, const struct redis_place *at, int64_t until_ms, struct err *e);
void redis_wire_close(struct redis_wire *w);
/* Sets how long sending or receiving anything may wait: 0, or -1 with *e, and it is closed. */
int redis_wire_patience(struct redis_wire *w, int64_t ms, struct err *e);
/* False if the server has stopped or hung up, or has sent what nobody asked for. */
bool redis_wire_is_idle(struct redis_wire *w);

void redis_begin(struct redis_wire *w);
void redis_command(struct redis_wire *w, size_t words);
void redis_word(struct redis_wire *w, struct str word);
void redis_number(struct redis_wire *w, int64_t n);
/* AUTH, as one command. */
void redis_auth(struct redis_wire *w, const char *user, const char *password);
/* Overwrites the commands, which hold a password. */
void redis_wipe(struct redis_wire *w);
/* 0, with one reply a command; or -1 with *e, and it is closed. */
int redis_wire_call(struct redis_wire *w, struct arena *mem, struct err *e);
/* The reply after this one and its elements. */
const struct redis_reply *reply_next(const struct redis_reply *r);
/* Milliseconds of a reply to TIME; -1 if it is not one. */
int64_t reply_time(const struct redis_reply *r);

#endif
