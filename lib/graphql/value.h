/* value.h - arguments and variables, coerced to what the schema expects (October 2021, sections 3.10, 5.6 and 6.4.1).
 * */
#ifndef SENTI_GQL_VALUE_H
#define SENTI_GQL_VALUE_H

#include "lib/graphql/validate.h"

enum gql_value_kind {
	GQL_ABSENT, /* not given, and there is no default: differs from null */
	GQL_NULL,
	GQL_INTEGER,
	GQL_NUMBER,
	GQL_TRUTH,
	GQL_TEXT, /* of a string, an ID or an enum value */
	GQL_ITEMS,
	/* Of an input object: by the index of its type's fields. Of a scalar of the schema's own: any, with names. */
	GQL_MEMBERS,
};

struct gql_value {
	enum gql_value_kind kind;
	union {
		int64_t integer;
		double number;
		bool truth;
		struct str text;
		struct {
			struct gql_value *item;
			size_t n;
		};
	};
	struct str name; /* of a member of a scalar of the schema's own */
};

/* The variables of one request. */
struct gql_variables {
	const struct gql_node *definitions;
	struct gql_value *value; /* in the order of the definitions */
};

/* Coerces the JSON object `json` (absent: none are given): true, or false with errors added (code BAD_USER_INPUT). */
MUST_USE bool gql_variables_read(struct gql_variables *v, const struct gql_schema *s, const struct gql_node *operation,
    struct str json, struct gql_errors *errors);
/* The arguments that a field or directive is given, by the index of their definitions: new in mem, or NULL with an
 * error added. */
struct gql_value *gql_arguments(const struct gql_variables *v, const struct gql_input *args, size_t nargs,
    const struct gql_node *node, struct gql_errors *errors);
/* A literal as the type expects it: true and *out, or false where it is not one. */
bool gql_value_of(struct gql_value *out, const struct gql_node *literal, const struct gql_ref *type,
    const struct gql_variables *v, struct arena *mem);
/* True unless @skip or @include leave the selection out. */
bool gql_included(const struct gql_schema *s, const struct gql_node *selection, const struct gql_variables *v,
    struct gql_errors *errors);

#endif
