/* server.h - senti-serve without its options: opens everything in order, serves until a signal, drains and closes
 * everything in order.
 *
 *     start   models, cache, feed (first of those with threads, so that it misses nothing that is stored here),
 *             invalidator, intake, db pools, health, and at last the listener
 *     run     until SIGTERM or SIGINT; SIGHUP reads the tokens again
 *     drain   /readyz says no, so that whoever spreads requests sends no more of them, and event streams end;
 *             requests that come nonetheless are served for drain_delay_s; then the listener goes, callers who await
 *             results get what there is, and the rest is answered
 *     stop    in the order of start, backwards
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
	    http; /* but for what the server sets: socket, vendor, index, route, local_only, any_host, admit, ended */
	struct ends ends;
	const char *cache_reader; /* the name of the server's place in the outbox, for a cache that others use too */
	struct model_conf model;  /* scores what names no model */
	const char *tokens;	  /* the file of tokens; NULL: everybody may do everything */
	bool insecure;		  /* listen beyond this machine without tokens */
	struct limits limits;	  /* and the stop that ends the server */
	size_t max_items;	  /* of an array; NDJSON has no limit but max_body */
	uint64_t memory, spool;	  /* bytes for all that requests hold, and for temporary files of answers */
	unsigned jobs;		  /* threads that score large bodies */
	size_t max_waiting;	  /* records, and requests to the store, that may be under way */
	unsigned scan_timeout_s;  /* of a page or an aggregate */
	unsigned drain_delay_s;
	struct gql_limits graphql; /* of each operation, but for its deadline, */
	int64_t graphql_ms;	   /* which comes so long after it began; 0: never */
};

/* Returns once it has drained: 0, or -1 with *e if it could not start. */
MUST_USE int server_run(const struct server_conf *conf, struct err *e);

#endif
