/* cache.h - the verbs of senti-cache that work on records: get, put, invalidate, key.
 *
 * get and put never fail because of the cache: what it cannot answer or take is counted as skipped, and the records go
 * on. They add to a record what senti-score would have written, byte for byte.
 */
#ifndef SENTI_STAGE_CACHE_H
#define SENTI_STAGE_CACHE_H

#include "lib/data/cache.h"
#include "lib/flow/stage.h"
#include "lib/score/engine.h"

struct cache_verb {
	struct cache *cache; /* NULL: no shared cache, all is skipped */
	/* get: opens a handle for a thread, so that one batch is looked up while another is scanned. */
	struct cache *(*open)(const void *arg, struct err *e);
	const void *arg;
	struct store *store;	   /* put: has the present messages; NULL: trust the records */
	const struct model *model; /* get, key: whose results */
	struct rec_form form;	   /* which member is the text, and which the result */
	int wait_ms;		   /* how long gathering a batch may have taken */
};

/* All take a struct cache_verb, lent for the pump's run; only one at a time may use its cache.
 *
 * get (pure): gives a record without a result of the model the cached one. Counters: hits, misses, skipped; kept: had
 * one already. */
extern const struct stage stage_cache_get;
/* put: caches each result that is as senti-score writes it, and the message of each record with a version. Counters, of
 * entries: stored, refused, skipped. */
extern const struct stage stage_cache_put;
/* invalidate: invalidates messages by id. Fails if the cache does. Counter: buried. */
extern const struct stage stage_cache_invalidate;
/* key: adds the member "keys". */
extern const struct stage stage_cache_key;

#endif
