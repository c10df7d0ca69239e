/* limits.h - how much a document may ask for. A limit of 0 is none.
 *
 * Aliases, root fields, directives and cost are counted in the operation that runs, through its fragments, each time
 * they are spread; the count stops at its limit, so that a document cannot make the counting long.
 */
#ifndef SENTI_GQL_LIMITS_H
#define SENTI_GQL_LIMITS_H

#include "lib/graphql/value.h"

struct gql_limits {
	size_t tokens; /* of the document */
	size_t depth;  /* of fields in fields; those of introspection count as far as they go beyond it */
	size_t aliases;
	size_t root_fields;
	size_t directives;
	/* 1 for a field, times the number of objects that may have it: `first`, or the length of a list that is
	 * given */
	uint64_t cost;
	size_t answer_bytes;   /* of the data */
	int64_t deadline_ms;   /* clock_mono_ms at which it must have been answered; looked at between levels */
	size_t errors;	       /* at most so many are reported; 0: 100 */
	bool no_introspection; /* __schema and __type are refused */
	/* Asked now and then while an operation runs whether it may have so many bytes of memory in all; false ends it.
	 * NULL: it may. */
	bool (*hold)(void *arg, size_t bytes);
	void *hold_arg;
};

/* True if the operation is within the limits; else false with an error whose code is the name of the limit, as
 * DEPTH_LIMIT. */
MUST_USE bool gql_limits_check(const struct gql_limits *l, const struct gql_schema *s, const struct gql_document *doc,
    const struct gql_node *operation, const struct gql_variables *v, struct gql_errors *errors);

#endif
