/* validate_internal.h - what the files of the validator share. */
#ifndef SENTI_GQL_VALIDATE_INTERNAL_H
#define SENTI_GQL_VALIDATE_INTERNAL_H

#include "lib/graphql/validate.h"

/* Where a variable is used, and what is expected there. */
struct gql_usage {
	const struct gql_node *variable;
	const struct gql_ref *type; /* NULL: unknown */
	bool has_default;
	struct gql_usage *next;
};

/* What is known of an operation or fragment. node->mark of its definition points here. */
struct gql_scope {
	struct gql_node *definition;
	struct gql_usage *usages, **last_usage;
	struct gql_node **spreads; /* of fragments in it, not through fragments */
	size_t nspreads;
	size_t visit; /* the last search that came here */
	bool on_path, cycles_checked;
	size_t path_index;
	size_t depth; /* of its selections, through fragments; 0: not known yet */
	struct gql_scope *next;
};

struct gql_validation {
	const struct gql_schema *s;
	struct gql_document *doc;
	struct gql_errors *errors;
	struct arena *mem;
	struct gql_scope *scopes, **last_scope, *scope; /* the one that is being walked */
	size_t searches;
	size_t budget; /* steps left */
	bool cyclic;   /* some fragments spread themselves */
	bool aborted;
};

/* Spends so much of the budget: true while some is left. */
bool gql_spend(struct gql_validation *v, size_t steps);

/* fragments.c: the rules that follow spreads. */
void gql_check_spreads(struct gql_validation *v);
/* overlap.c: OverlappingFieldsCanBeMerged. */
void gql_check_overlaps(struct gql_validation *v);

#endif
