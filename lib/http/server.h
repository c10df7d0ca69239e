/* server.h - an HTTP server over libmicrohttpd, for any table of routes.
 *
 *     static const struct route routes[] = {{"GET", "/hello", 0, NULL, NULL, hello_get, NULL, false, ""}, {0}};
 *     struct http_conf conf = {.listen = "127.0.0.1:0", .socket = -1, .vendor = "example", .route = routes,
 *         .threads = 1, .max_body = 1 << 20, .max_header = 16384};
 *     struct http_server *s = http_server_start(&conf, &e);
 *     ...
 *     http_server_stop(s);
 *
 * It does for all routes what the protocol demands: HEAD, OPTIONS, 404 and 405 with Allow, 400 for ambiguous requests
 * (audit.h), 403, 415 and 421 for what web pages must not do (guard.h), 413, compression, request ids, traceparent,
 * CORS, deadlines, the access log.
 */
#ifndef SENTI_HTTP_SERVER_H
#define SENTI_HTTP_SERVER_H

#include "lib/base/err.h"
#include "lib/http/connections.h"
#include "lib/http/request.h"

struct http_conf {
	const char
	    *listen; /* "127.0.0.1:8080", "[::1]:8080", ":8080" (all addresses), "unix:PATH"; port 0: any free one */
	int socket;  /* an inherited listening socket, or -1 */
	bool local_only;	   /* refuse to listen where other machines can reach it */
	const char *vendor;	   /* names problems and requests: urn:VENDOR:problem:KIND */
	const char *index;	   /* the path of the API's description, named by 404; may be NULL */
	const struct route *route; /* ends with a route without a path; lent */
	const char *const
	    *cors; /* origins whose pages may send requests and read the answers, or "*"; ends with NULL. NULL: none */
	bool any_host; /* answer whatever Host says; else, on TCP, only those of guard_knows_host, and these: */
	const char *const *hosts; /* ends with NULL. NULL: none */
	/* May answer instead of the route (401, 403). NULL: admits all. */
	void (*admit)(struct request *r, void *arg);
	void *admit_arg;
	/* Called at the end of each request, in its connection's thread. May be NULL. */
	void (*ended)(const struct request *r, void *arg);
	void *ended_arg;
	unsigned threads;
	unsigned connections; /* at most; 0: as many as descriptors allow, a quarter kept for temporary files */
	struct connection_limits limits;
	size_t max_body, max_header;
	struct budget *memory; /* for all that requests hold, bodies and answers included; lent. NULL: no limit */
	struct spools *spools; /* for answers that do not fit in it; lent. NULL: no limit */
	bool access_log;
};

/* Raises this process's limit of descriptors as far as allowed, and returns it. */
unsigned http_descriptors(void);

struct http_server;
/* New: binds and serves. The configuration is copied. NULL and *e on failure. */
struct http_server *http_server_start(const struct http_conf *conf, struct err *e);
/* Where it listens, as text ("127.0.0.1:8080"). Lent. */
const char *http_server_address(const struct http_server *s);
/* Takes no more connections; open ones close with their next answer. */
void http_server_quiesce(struct http_server *s);
/* How many requests are under way. */
size_t http_server_busy(const struct http_server *s);
/* Ends all connections and frees it. All deferred requests must have been resumed. */
void http_server_stop(struct http_server *s);

#endif
