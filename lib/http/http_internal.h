/* http_internal.h - what http.c and request.c share. */
#ifndef SENTI_HTTP_INTERNAL_H
#define SENTI_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <stdatomic.h>

#include "lib/base/arena.h"
#include "lib/http/http.h"
#include "lib/http/connections.h"
#include "lib/text/hash.h"

struct pair {
	struct pair *next;
	struct str name, value;
};

struct request_private {
	struct http *http;
	struct MHD_Connection *connection;
	char *uri;
	struct arena mem;   /* begins in `room`, which most requests do not fill */
	struct pair *query; /* last first; decoded on first use */
	bool query_read;
	struct pair *header, **last_header; /* of the answer */
	bool has_body;			    /* or what may be one */
	bool begun, answered, deferred, paused, queued;
	ssize_t (*stream)(struct request *x, void *arg, char *out, size_t max);
	bool cross_origin;	     /* from an origin that conf.cors lets in */
	bool cut;		     /* the body is too large: what comes is thrown away */
	uint64_t arrived;	     /* bytes of body */
	uint64_t held;		     /* what this request has of the server's allowance */
	_Alignas(16) char room[384]; /* the whole stays below the 1,032 bytes up to which malloc has a quick way */
};

struct http {
	struct http_conf conf;
	struct MHD_Daemon *daemon;
	int socket;
	bool unix_socket, quiesced;
	char *address;
	char id[UUID_LEN]; /* what the request ids of this process begin with */
	atomic_size_t busy;
	atomic_uint_fast64_t held;
	struct connections *connections;
};

/* request.c */
struct request *request_new(struct http *h, const char *uri);
void request_free(struct request *x);
/* Reads what the headers say: 0, or -1 with the answer given (400, 404, 405, 413, 415, OPTIONS). */
int request_begin(struct request *x, struct MHD_Connection *c, const char *method, const char *version);
/* A piece of the body: 0, or -1 where the connection must be closed at once. */
int request_take(struct request *x, const char *p, size_t n);
/* Microseconds on a clock that never goes back. */
int64_t request_clock_us(void);
/* Queues the answer. */
enum MHD_Result request_queue(struct request *x);

#endif
