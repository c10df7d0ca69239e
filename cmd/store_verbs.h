/* store_verbs.h - the verbs of senti-store. */
#ifndef SENTI_STORE_VERBS_H
#define SENTI_STORE_VERBS_H

#include "cmd/tool.h"
#include "lib/data/store.h"
#include "lib/stage/tabulate.h"

struct store_options {
	struct filter filter;
	struct store_where {
		struct member_is member[FILTER_MEMBERS];
		size_t n;
	} where;
	struct stats_question stats;
	struct table_conf table;
	bool csv;	   /* correct reads CSV */
	struct zone *zone; /* of the periods; NULL: UTC */
	const char *after; /* query continues after this id */
	uint64_t limit, sample;
	int64_t dead_ms;     /* prune drops readers silent for this long */
	struct store *store; /* opened by the verb */
};

/* Indexes into store_verbs, for `only` of an option. */
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

/* Their `options` is a struct store_options. */
extern const struct verb store_verbs[];
/* The options of senti-store of its own, for a struct store_options. */
extern const struct option_def store_option_defs[];
/* Reads a label into a struct str. */
option_call read_label;

#endif
