/* store_verbs.h - the verbs of senti-store. */
#ifndef SENTI_STORE_VERBS_H
#define SENTI_STORE_VERBS_H

#include "cmd/tool.h"
#include "lib/data/store.h"

struct store_options {
	struct filter filter;
	const char *after; /* the id after which query continues */
	uint64_t limit;
	int64_t dead_ms;     /* prune drops readers that have been silent for this long */
	struct store *store; /* opened by the verb */
};

/* Places in store_verbs, for `only` of an option. */
enum {
	STORE_PUT,
	STORE_GET,
	STORE_DELETE,
	STORE_CORRECT,
	STORE_QUERY,
	STORE_EXPORT,
	STORE_STATS,
	STORE_MIGRATE,
	STORE_PRUNE
};

/* They take a struct store_options. */
extern const struct verb store_verbs[];
/* Reads a label into a struct str. */
option_call read_label;

#endif
