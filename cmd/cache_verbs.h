/* cache_verbs.h - the verbs of senti-cache. */
#ifndef SENTI_CACHE_VERBS_H
#define SENTI_CACHE_VERBS_H

#include "cmd/tool.h"
#include "lib/score/engine.h"
#include "lib/stage/cache.h"
#include "lib/stage/follow.h"
#include "lib/stage/verify.h"

struct cache_options {
	struct cache_verb verb;
	struct model_conf model;
	struct option_words texts; /* for key */
	struct follow follow;
	struct verify verify;
	uint64_t sample; /* for verify: how many messages */
	/* Set by the verbs, which free them. */
	struct model *loaded;
	char *reader; /* follow's default */
};

/* Indexes into cache_verbs, for `only` of an option. */
enum { CACHE_GET, CACHE_PUT, CACHE_INVALIDATE, CACHE_FOLLOW, CACHE_VERIFY, CACHE_KEY, CACHE_STATS };

/* Their `options` is a struct cache_options, whose words they free. */
extern const struct verb cache_verbs[];

#endif
