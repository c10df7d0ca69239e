/* verify.h - compares what the cache shows with what the store holds, for a sample of the messages in the cache.
 *
 *     source (names of cached messages) -> verify -> rejects: what is stale; at the end one line of sums
 *
 * A follower may be about to remove a difference: so what differs is looked at again for VERIFY_PATIENCE_MS, and is
 * stale only if the cache then still shows something older than the store did at the first look.
 */
#ifndef SENTI_STAGE_VERIFY_H
#define SENTI_STAGE_VERIFY_H

#include "lib/data/cache.h"
#include "lib/flow/port.h"
#include "lib/flow/stage.h"
#include "lib/score/engine.h"

enum { VERIFY_PATIENCE_MS = 2000 };

/* Rejects of this stage. */
#define CODE_STALE "stale"		 /* the cache shows an older or deleted row */
#define CODE_WRONG_RESULT "wrong_result" /* not the model's result of the text */

struct verify {
	struct cache *cache;
	struct store *store;
	const struct model *model; /* recomputes the sample's cached results; NULL: does not */
	int64_t patience_ms;	   /* 0: VERIFY_PATIENCE_MS */
	const struct stop *stop;   /* ends the second looks */
};

/* New: at most n messages in the cache, from a random place on, as records {"id":...}. */
struct source *source_sample(struct cache *cache, size_t n);
/* conf: struct verify. Holds what is right and rejects what is not; at the end one line
 * {"checked":N,"gone":N,"stale":N,"results":N,"wrong":N}, where gone messages have left the cache meanwhile. */
extern const struct stage stage_verify;

#endif
