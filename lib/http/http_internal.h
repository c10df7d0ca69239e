/* http_internal.h - what server.c and request.c share. */
#ifndef SENTI_HTTP_INTERNAL_H
#define SENTI_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "lib/base/arena.h"
#include "lib/base/expand.h"
#include "lib/http/guard.h"
#include "lib/http/headers.h"
#include "lib/http/listener.h"
#include "lib/http/query.h"
#include "lib/http/server.h"
#include "lib/text/hash.h"

/* The library gets so much more for a request's headers than are allowed, so that all near the limit reach us; it takes
 * about HEADER_COST for each line, and needs HEADER_ROOM for an answer. Longer headers of an answer need memory beside
 * those of the request, and beside its copy of a Cookie; where they find none, the client gets no answer. */
enum { HEADER_SPARE = 4096, HEADER_COST = 80, HEADER_ROOM = 1536 };

struct request_private {
	struct http_server *server;
	struct MHD_Connection *connection;
	char *uri;
	struct arena mem; /* begins in `room`, which suffices for most requests */
	struct param *query;
	struct headers headers;	       /* of the answer */
	size_t head_bytes, head_lines; /* of the request line and headers */
	bool has_body;		       /* or may have one */
	bool begun, answered, deferred, paused, queued;
	bool cross_origin; /* from an origin that conf.cors lets in */
	bool cut;	   /* the body is too large: the rest is dropped */
	bool crowded;	   /* its headers leave the library no room for an answer */
	bool written;	   /* its answer has been, whole, without the library */
	bool compressed;   /* the answer is */
	bool used_one;	   /* the next piece begins with a byte that `coding` has had */
	ssize_t (*stream)(struct request *r, void *arg, char *out, size_t max);
	struct expander *coding;      /* of the body; NULL: none */
	struct gzipper *packing;      /* of an answer in a file; NULL: none */
	uint64_t arrived;	      /* bytes of body, expanded */
	uint64_t announced;	      /* by Content-Length; 0: unknown */
	uint64_t body_held, out_held; /* of `memory` */
	struct share memory;	      /* all that this request holds */
	_Alignas(16) char room[256];
};

struct http_server {
	struct http_conf conf;
	struct MHD_Daemon *daemon;
	struct listener listener;
	struct connections *connections;
	bool checks_host;
	struct guard_names names;
	bool quiesced;
	char id[UUID_LEN]; /* the prefix of this process's request ids */
	atomic_size_t busy;
};

/* request.c */
struct request *request_new(struct http_server *s, const char *uri);
void request_free(struct request *r);
/* Reads the headers: 0, or -1 with the request answered (400, 403, 404, 405, 413, 415, 421, OPTIONS, or refused by the
 * route or admit). */
int request_begin(struct request *r, struct MHD_Connection *c, const char *method, const char *version);
/* Takes a piece of the body, which keeps what must be given again after a pause: 0, or -1 if the connection must be
 * closed at once. */
int request_take(struct request *r, struct str *piece);
/* The body has arrived: lets the route answer, if nobody has. */
void request_end(struct request *r);
/* Microseconds on a monotonic clock. */
int64_t request_clock_us(void);
/* Writes an answer to the connection, which is closed afterwards, without the library. */
void request_write(struct request *r);
/* Queues the answer. MHD_NO: the connection must be closed; the answer may have been written. */
enum MHD_Result request_queue(struct request *r);

#endif
