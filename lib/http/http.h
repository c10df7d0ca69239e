/* http.h - an HTTP server: routes and requests, over libmicrohttpd.
 *
 * A server has a table of routes. A request is answered by its route's handler: at once, or later from another thread, without a thread
 * a request:
 *
 *     static void get_model(struct request *x, void *app)
 *     {
 *         buf_str(&x->out, STR("[]"));
 *         request_answer(x, 200, MEDIA_JSON);
 *     }
 *
 *     later:  request_defer(x); hand x to another thread; return;
 *     there:  ... request_answer(x, 200, MEDIA_JSON); request_resume(x);      // x must not be touched after that
 *
 * What the protocol asks for is done here for all routes: HEAD, OPTIONS, 404 and 405 with Allow, 400 for requests that two servers could
 * read in two ways (smuggling), 413, compression, request ids, traceparent, the access log.
 */
#ifndef SENTI_HTTP_H
#define SENTI_HTTP_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define MEDIA_JSON "application/json"
#define MEDIA_NDJSON "application/x-ndjson"
#define MEDIA_PROBLEM "application/problem+json"

struct request;

struct route {
	const char *method; /* "GET" answers HEAD as well */
	const char *path;   /* "/v1/messages/{id}": a segment in braces takes any one segment that is not empty */
	unsigned access;    /* what `admit` makes of it */
	/* Called once the headers are in; may answer, and then the body is not read. May be NULL. */
	void (*begin)(struct request *x, void *app);
	/* Takes the body piece by piece as it arrives; false, or NULL: the piece is collected in x->body. */
	bool (*piece)(struct request *x, void *app, struct str piece);
	/* Called once the body is in: answers or defers. */
	void (*end)(struct request *x, void *app);
	void *app; /* for the three above; lent */
};

struct http_conf {
	const char *
	    listen; /* "127.0.0.1:8080", "[::1]:8080", ":8080" (all addresses), "unix:PATH"; port 0: any that is free */
	int socket; /* a listening socket that was inherited, or -1 */
	const struct route *route; /* ended by one without a path; lent */
	bool local_only;	   /* refuse to listen where others than this machine can reach it */
	const char *const *cors;   /* origins whose pages may read the answers, ended by NULL, or "*"; NULL: none */
	/* May answer instead of the route (401, 403). NULL: all are let in. */
	void (*admit)(struct request *x, void *arg);
	void *admit_arg;
	/* Called for each request that has ended, in the thread of its connection. May be NULL. */
	void (*ended)(const struct request *x, void *arg);
	void *ended_arg;
	unsigned threads;
	unsigned connections; /* at most; 0: as many as descriptors allow */
	unsigned per_address; /* connections of one address (IPv6: of one /64), loopback exempt; 0: no limit */
	size_t max_body, max_header;
	uint64_t max_held; /* bytes of bodies and answers held in memory at a time, for all */
	unsigned header_s, body_s,
	    idle_s; /* deadlines: headers complete; body complete, and answer taken; next request begun */
	bool access_log;
};

struct http;
/* Binds and serves from now on. NULL and *e on failure. */
struct http *http_start(const struct http_conf *conf, struct err *e);
/* Where it listens, as text ("127.0.0.1:8080"). Lent. */
const char *http_address(const struct http *h);
/* Takes no more connections; those that are open are told to close with their next answer. */
void http_quiesce(struct http *h);
/* Requests that are not answered yet. */
size_t http_busy(const struct http *h);
/* Ends all connections and frees it. What is deferred must have been resumed before. */
void http_stop(struct http *h);

/* One request and its answer. Until it is answered or deferred it belongs to its connection's thread, a deferred one to who resumes it. */
struct request {
	/* The request. */
	const struct route *route; /* NULL: none matched */
	const char *method;	   /* lent */
	const char *path;	   /* as sent, without the query; lent */
	struct str segment;	   /* what stood in the braces, percent-decoded, UTF-8 without NUL */
	char media[64];		   /* of the body, in lower case and without parameters; empty: not named */
	struct buf body;
	char request_id[64], traceparent[56];
	char caller[65]; /* whose token it is; empty: none was needed */
	/* The handler's own; `drop` frees it with the request (NULL: nothing to do). */
	void *state;
	void (*drop)(void *state);
	/* The answer. */
	struct buf out;
	int out_fd; /* >= 0: the body is this file's content instead, which is taken */
	unsigned status;
	const char *out_media; /* constant */

	/* For the access log and metrics; set when it has ended. */
	int64_t began_us, took_us;
	uint64_t sent;
	struct request_private *own;
};

/* A header of the request, or NULL. Lent. */
const char *request_header(const struct request *x, const char *name);
/* A parameter of the query, decoded, of several the last; absent: p NULL. Lent by the request. */
struct str request_query(struct request *x, const char *name);
/* Adds a header to the answer. */
void request_set(struct request *x, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* x->out (or out_fd) is the whole answer. media is constant; NULL: there is no body. */
void request_answer(struct request *x, unsigned status, const char *media);
/* What a stream's `read` may answer beside how many bytes (at least 1) it has written. 0: nothing now, and it has called request_pause. */
enum { STREAM_END = -2, STREAM_CUT = -3 };
/* The answer is what `read` gives, piece by piece, for as long as the client takes it; `arg` belongs to it, and `drop` frees that with the request. */
void request_stream(struct request *x, unsigned status, const char *media,
    ssize_t (*read)(struct request *x, void *arg, char *out, size_t max), void *arg, void (*drop)(void *arg));
/* The answer is a problem (RFC 9457) of this kind, a constant word such as "bad_json"; `detail` is a sentence fragment. */
void request_problem(struct request *x, unsigned status, const char *kind, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Adds a member to the problem that is the answer; `json` is its value. */
void request_problem_member(struct request *x, const char *name, struct str json);
bool request_answered(const struct request *x);
/* True if the request's Accept-like list `header` names `value` with a weight above 0, or does not exist and `absent` is true. */
bool request_accepts(const struct request *x, const char *header, const char *value, bool absent);

/* Takes the request away from its thread. Must be called there, before any other thread can see it. */
void request_defer(struct request *x);
/* In route->piece: no more of the body is read until request_resume; in a stream's `read`: it is not called again until then. */
void request_pause(struct request *x);
/* Gives it back: answered, or to go on reading after a pause. Thread-safe. */
void request_resume(struct request *x);

/* Ends the connection of a request that has not ended, whether or not its client takes what it is sent. Thread-safe; one that is paused must be
 * resumed as well. */
void request_cut(struct request *x);

/* Percent-decodes into a new NUL-terminated string: its length, or -1 where an escape is broken or the result is not UTF-8 or has a NUL. `plus`: a '+' is a blank. */
MUST_USE long percent_decode(struct str in, bool plus, char **out);

#endif
