/* server.h - senti-serve without its options: opens everything in order, serves until a signal, drains, and closes
 * everything in reverse.
 *
 *     start   models, cache, feed (the first thread, so that it misses nothing that is stored here),
 *             invalidator, intake, db pools, health, and at last the listener
 *     run     until SIGTERM or SIGINT; SIGHUP reads the tokens again
 *     drain   /readyz fails, so that load balancers send no more requests, and event streams end;
 *             requests are still served for drain_delay_s; then the listener closes, callers who await
 *             results get what there is, and the rest is answered
 *     stop    in reverse order of the start
 *
 * sig.h's alarm ends a drain that takes too long.
 */
#ifndef SENTI_SERVER_H
#define SENTI_SERVER_H

#include "lib/graphql/limits.h"
#include "lib/http/server.h"
#include "lib/score/engine.h"
#include "lib/serve/ends.h"

/* All lent while the server runs. */
struct server_conf {
	struct http_conf
	    http; /* except what the server sets: socket, vendor, index, route, local_only, any_host, admit, ended */
	struct ends ends;
	const char *cache_reader; /* the server's place in the outbox, for a cache that others share */
	struct model_conf model;  /* the default model */
	const char *tokens;	  /* the file of tokens; NULL: everybody may do everything */
	bool read_only;		  /* refuse to store, correct and delete messages */
	bool insecure;		  /* allow listening beyond this machine without tokens */
	struct limits limits;	  /* with the stop that ends the server */
	size_t max_items;	  /* of an array; NDJSON has no limit but max_body */
	uint64_t memory, spool;	  /* bytes, for all that requests hold and for temporary files */
	unsigned jobs;		  /* threads that score large bodies */
	size_t max_waiting;	  /* records, and requests to the store, that may be under way */
	unsigned scan_timeout_s;  /* of a page or an aggregate */
	unsigned drain_delay_s;
	struct gql_limits graphql; /* of each operation */
	int64_t graphql_ms;	   /* its deadline; 0: none */
	const char *documents;	   /* the folder of the documents that may be run; NULL: any may */
};

/* Returns after draining: 0, or -1 with *e if it could not start. */
MUST_USE int server_run(const struct server_conf *conf, struct err *e);

#endif
