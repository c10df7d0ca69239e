/* request.h - one request and its answer, as a route's handlers see it.
 *
 * A handler answers at once, or later from another thread, so that a waiting request does not occupy one:
 *
 *     static void model_get(struct request *r, void *app)
 *     {
 *         buf_str(&r->out, STR("[]"));
 *         request_answer(r, 200, MEDIA_JSON);
 *     }
 *
 *     later:  request_defer(r); hand r to another thread; return;
 *     there:  ... request_answer(r, 200, MEDIA_JSON); request_resume(r);      // r must not be touched after this
 */
#ifndef SENTI_REQUEST_H
#define SENTI_REQUEST_H

#include <sys/types.h>

#include "lib/base/spool.h"
#include "lib/http/media.h"
#include "lib/http/query.h"
#include "lib/http/router.h"

/* It belongs to its connection's thread; a deferred one to whoever will resume it. */
struct request {
	/* What was asked. */
	const struct route *route; /* NULL if none matched */
	const char *method;	   /* lent */
	const char *path;	   /* as sent, without the query; lent */
	struct str segment;	   /* what matched the braces, percent-decoded, UTF-8 without NUL */
	char media[64];		   /* of the body, in lower case, without parameters; empty if not given */
	struct buf body;
	char request_id[64], traceparent[56];
	unsigned char
	    credential[32]; /* set by http_conf.admit: a digest of its credentials; zero if none were needed */
	char caller[65];    /* set by http_conf.admit: whose credentials these are; empty if none were needed; */
	unsigned granted;   /* what they allow, in terms of route->access */
	/* The handler's own; `drop` (NULL: nothing) frees it with the request. */
	void *state;
	void (*drop)(void *state);
	/* The answer. */
	struct buf out;
	struct spool spool; /* if it has a file, that is the answer, and `out` is empty */
	unsigned status;
	const char *out_media; /* constant */

	/* For the access log and metrics; set at its end. */
	int64_t began_us, took_us;
	uint64_t sent;
	struct request_private *own;
};

/* The first line of a header of the request; NULL if absent. Lent. */
const char *request_header(const struct request *r, const char *name);
/* A header that is a list, all its lines as one (lists.h); p is NULL if absent. Lent by the request. */
struct str request_header_list(struct request *r, const char *name);
/* A parameter of the query, decoded, of several the last; p is NULL if absent. Lent by the request. */
struct str request_query(struct request *r, const char *name);
/* All of them (query.h), the last first. Lent likewise. */
const struct param *request_queries(const struct request *r);

/* Adds a header to the answer. The name is constant; the value may have any length. */
void request_set(struct request *r, const char *name, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* r->out (or the file of r->spool) is the whole answer, also of a 304, which has its length and sends none of it; one
 * that does not fit into the server's memory moves to a file or becomes 503. media is constant; NULL: no type. */
void request_answer(struct request *r, unsigned status, const char *media);
/* The same for content that is gzipped already, `size` bytes when expanded; a client that does not accept gzip gets it
 * expanded. */
void request_answer_gzip(struct request *r, unsigned status, const char *media, struct str compressed, size_t size);
/* A stream's `read` returns how many bytes it has written, at least 1; 0 if there is nothing now and it has called
 * request_pause; or that the stream ends well or breaks off. */
enum { STREAM_END = -2, STREAM_CUT = -3 };
/* Answers with what `read` writes, piece by piece, until it ends or the client leaves; `drop` frees `arg` with the
 * request. The handler's own state is dropped at once. */
void request_stream(struct request *r, unsigned status, const char *media,
    ssize_t (*read)(struct request *r, void *arg, char *out, size_t max), void *arg, void (*drop)(void *arg));
/* Answers with a problem (problem.h). `kind` is a constant word such as "bad_json", the rest its detail, a sentence
 * fragment. */
void request_problem(struct request *r, unsigned status, const char *kind, const char *fmt, ...) PRINTF_LIKE(4, 5);
/* Adds a member to the problem just answered; `json` is its value. */
void request_problem_member(struct request *r, const char *name, struct str json);
bool request_answered(const struct request *r);

/* ---- the server's memory: http_conf.memory ---- */

/* Holds n more bytes until the request ends, or returns false: answer with request_busy then. Body and answer are
 * counted by themselves. */
MUST_USE bool request_hold(struct request *r, size_t n);
/* Gives n of them back. */
void request_unhold(struct request *r, size_t n);
/* Frees the body early. */
void request_free_body(struct request *r);
/* Moves r->out to r->spool if it is large, or if `end` and there is a file. False: the request is answered with 507;
 * or, if *again (may be NULL) is set, it is not, because others fill the temporary files now. */
MUST_USE bool request_spool(struct request *r, bool end, bool *again);
/* Answers 503: all memory is in use. */
void request_busy(struct request *r);
/* The same for n bytes that request_hold refused, but 413 if there is never room for as many. */
void request_too_much(struct request *r, uint64_t n);

/* Takes the request from its thread. Call it in that thread, before another can see the request. */
void request_defer(struct request *r);
/* In route->piece: reads no more of the body until request_resume. In a stream's `read`: is not called again until
 * then. */
void request_pause(struct request *r);
/* Gives it back, answered or after a pause. Thread-safe. */
void request_resume(struct request *r);
/* True once the client has closed its side of the connection, which a deferred request does not notice by itself.
 * Thread-safe. */
bool request_gone(const struct request *r);
/* Ends the connection of a request, whether or not its client reads. Thread-safe; a paused request must be resumed as
 * well. */
void request_cut(struct request *r);

#endif
