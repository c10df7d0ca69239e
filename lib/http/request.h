/* request.h - one request and its answer, as a route's handlers see it.
 *
 * A handler answers at once, or later from another thread, so that a request which waits does not keep a thread:
 *
 *     static void model_get(struct request *r, void *app)
 *     {
 *         buf_str(&r->out, STR("[]"));
 *         request_answer(r, 200, MEDIA_JSON);
 *     }
 *
 *     later:  request_defer(r); hand r to another thread; return;
 *     there:  ... request_answer(r, 200, MEDIA_JSON); request_resume(r);      // r must not be touched after that
 */
#ifndef SENTI_REQUEST_H
#define SENTI_REQUEST_H

#include <sys/types.h>

#include "lib/base/spool.h"
#include "lib/http/media.h"
#include "lib/http/router.h"

/* Until it is answered or deferred it belongs to its connection's thread; a deferred one belongs to whoever resumes
 * it. */
struct request {
	/* What was asked. */
	const struct route *route; /* NULL: none matched */
	const char *method;	   /* lent */
	const char *path;	   /* as sent, without the query; lent */
	struct str segment;	   /* what stood in place of the braces, percent-decoded, UTF-8 without NUL */
	char media[64];		   /* of the body, in lower case and without parameters; empty: not named */
	struct buf body;
	char request_id[64], traceparent[56];
	unsigned char
	    credential[32]; /* set by http_conf.admit: a digest of what let the request in; zero: nothing was needed */
	char caller[65];    /* set by http_conf.admit: whose credentials these are; empty: none were needed, */
	unsigned granted;   /* and what they allow, in the terms of route->access */
	/* The handler's own; `drop` frees it with the request (NULL: nothing to do). */
	void *state;
	void (*drop)(void *state);
	/* The answer. */
	struct buf out;
	struct spool spool; /* with a file: that is the answer, and `out` is empty */
	unsigned status;
	const char *out_media; /* constant */

	/* For the access log and metrics; set when it has ended. */
	int64_t began_us, took_us;
	uint64_t sent;
	struct request_private *own;
};

/* A header of the request, of several lines the first; NULL if it is absent. Lent. */
const char *request_header(const struct request *r, const char *name);
/* A header whose value is a list, all its lines as one (lists.h); p is NULL if it is absent. Lent by the request. */
struct str request_header_list(struct request *r, const char *name);
/* A parameter of the query, decoded, of several the last; p is NULL if it is absent. Lent by the request. */
struct str request_query(struct request *r, const char *name);

/* Adds a header to the answer. The name is constant; the value may have any length. */
void request_set(struct request *r, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* r->out (or the file of r->spool) is the whole answer; a large one that does not fit into the server's memory moves to
 * a file, or becomes 503. media is constant; NULL: there is no body. */
void request_answer(struct request *r, unsigned status, const char *media);
/* The same with what was compressed by gzip before, `size` bytes then; a client that takes no gzip gets it expanded. */
void request_answer_gzip(struct request *r, unsigned status, const char *media, struct str compressed, size_t size);
/* What a stream's `read` may return instead of how many bytes (at least 1) it has written: the stream ends well, or
 * breaks off. 0: nothing now, and it has called request_pause. */
enum { STREAM_END = -2, STREAM_CUT = -3 };
/* The answer is what `read` returns, piece by piece, for as long as the client takes it; `arg` belongs to it, and
 * `drop` frees that with the request. */
void request_stream(struct request *r, unsigned status, const char *media,
    ssize_t (*read)(struct request *r, void *arg, char *out, size_t max), void *arg, void (*drop)(void *arg));
/* The answer is a problem (problem.h) of this kind, a constant word such as "bad_json"; the rest is its detail, a
 * sentence fragment. */
void request_problem(struct request *r, unsigned status, const char *kind, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Adds a member to the problem that is the answer; `json` is its value. */
void request_problem_member(struct request *r, const char *name, struct str json);
bool request_answered(const struct request *r);

/* ---- the server's memory: http_conf.memory ---- */

/* n more bytes for as long as the request lives, or false: request_busy is the answer then. Body and answer are counted
 * without it. */
MUST_USE bool request_hold(struct request *r, size_t n);
/* So many of them are free again. */
void request_unhold(struct request *r, size_t n);
/* The body is not needed any more. */
void request_free_body(struct request *r);
/* Moves r->out to r->spool if it is large, or if `end` and there is a file. False: the request is answered with 507;
 * or, if *again (which may be NULL), it is not, since others fill the temporary files, and there may be room soon. */
MUST_USE bool request_spool(struct request *r, bool end, bool *again);
/* 503: all is in use; or 413 if the request could never get what it needs. */
void request_busy(struct request *r);

/* Takes the request away from its thread. Must be called there, before any other thread can see the request. */
void request_defer(struct request *r);
/* In route->piece: no more of the body is read until request_resume; in a stream's `read`: it is not called again until
 * then. */
void request_pause(struct request *r);
/* Gives it back: answered, or to go on after a pause. Thread-safe. */
void request_resume(struct request *r);
/* True once its client has closed the connection, or its half of it; a deferred request does not notice by itself.
 * Thread-safe. */
bool request_gone(const struct request *r);
/* Ends the connection of a request that has not ended, whether or not its client takes what it is sent. Thread-safe; a
 * paused request must be resumed as well. */
void request_cut(struct request *r);

#endif
