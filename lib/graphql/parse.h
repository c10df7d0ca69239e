/* parse.h - a GraphQL document as a tree (October 2021, section 2 and 3; descriptions of operations as in graphql-js
 * 16).
 *
 *     struct gql_document doc;
 *     if (gql_parse(&doc, text, &(struct gql_parse_limits){.depth = 100}, &arena) < 0)
 *             ... doc.error at gql_place_of(text, doc.error_at) ...
 *     for (const struct gql_node *def = doc.definitions; def; def = def->next)
 *
 * All nodes are one struct; which members a kind has stands beside it. Lists are linked by `next`, in the document's
 * order. Everything lives in the arena, and slices point into the text.
 */
#ifndef SENTI_GQL_PARSE_H
#define SENTI_GQL_PARSE_H

#include "lib/base/map.h"
#include "lib/graphql/lex.h"

/* Deeper nesting is refused whatever the limits are: each level costs stack. */
enum { GQL_MAX_DEPTH = 2048 };

enum gql_kind {
	/* executable */
	GQL_OPERATION,		 /* name?, operation, variables, directives, selections */
	GQL_FRAGMENT,		 /* name, type (condition), directives, selections */
	GQL_VARIABLE_DEFINITION, /* name, type, value? (default), directives */
	GQL_FIELD,		 /* alias?, name, arguments, directives, selections? */
	GQL_FRAGMENT_SPREAD,	 /* name, directives */
	GQL_INLINE_FRAGMENT,	 /* type?, directives, selections */
	GQL_ARGUMENT,		 /* name, value */
	GQL_DIRECTIVE,		 /* name, arguments */
	/* values; `name` is the spelling of a number or enum value, what a string means, and a variable's name */
	GQL_VALUE_VARIABLE,
	GQL_VALUE_INT,
	GQL_VALUE_FLOAT,
	GQL_VALUE_STRING,  /* block */
	GQL_VALUE_BOOLEAN, /* "true" or "false" */
	GQL_VALUE_NULL,
	GQL_VALUE_ENUM,
	GQL_VALUE_LIST,	  /* items */
	GQL_VALUE_OBJECT, /* items: GQL_OBJECT_FIELD */
	GQL_OBJECT_FIELD, /* name, value */
	/* type references */
	GQL_TYPE_NAME,	   /* name */
	GQL_TYPE_LIST,	   /* type */
	GQL_TYPE_NON_NULL, /* type */
	/* type system: each may have description and directives; an extension has `extends` */
	GQL_SCHEMA_DEFINITION,	    /* fields: GQL_OPERATION_TYPE */
	GQL_OPERATION_TYPE,	    /* operation, type */
	GQL_SCALAR_DEFINITION,	    /* name */
	GQL_OBJECT_DEFINITION,	    /* name, types (interfaces), fields */
	GQL_INTERFACE_DEFINITION,   /* name, types (interfaces), fields */
	GQL_UNION_DEFINITION,	    /* name, types (members) */
	GQL_ENUM_DEFINITION,	    /* name, fields: GQL_ENUM_VALUE_DEFINITION */
	GQL_INPUT_DEFINITION,	    /* name, fields: GQL_INPUT_VALUE_DEFINITION */
	GQL_DIRECTIVE_DEFINITION,   /* name, fields: GQL_INPUT_VALUE_DEFINITION, repeatable, types (locations) */
	GQL_FIELD_DEFINITION,	    /* name, variables: GQL_INPUT_VALUE_DEFINITION, type */
	GQL_INPUT_VALUE_DEFINITION, /* name, type, value? (default) */
	GQL_ENUM_VALUE_DEFINITION,  /* name */
};

enum gql_operation { GQL_QUERY, GQL_MUTATION, GQL_SUBSCRIPTION };

struct gql_node {
	enum gql_kind kind;
	uint8_t operation; /* enum gql_operation */
	bool block, repeatable, extends;
	bool used;		/* the validator's: of a fragment or variable */
	bool has_selections;	/* of a field: it has braces */
	uint32_t at, end;	/* its bytes of the document */
	uint32_t name_at;	/* where its name begins */
	uint32_t selections_at; /* where its braces open */
	struct str name, alias; /* absent if not given */
	struct gql_node *next;
	union {
		struct gql_node *selections, *items, *fields;
	};
	union {
		struct gql_node *arguments, *variables;
	};
	struct gql_node *directives, *type, *value, *types, *description;
	void *mark; /* the validator's own */
};

struct gql_parse_limits {
	size_t tokens; /* at most so many; 0: any number */
	size_t depth;  /* of selections, values and types; 0: GQL_MAX_DEPTH, which is also the most */
};

struct gql_document {
	struct str text;
	struct gql_node *definitions;
	struct map fragments; /* by name; filled by gql_validate */
	size_t tokens;
	uint32_t error_at;
	struct str error; /* "Syntax Error: Expected Name, found <EOF>." */
};

/* 0, or -1 with doc->error. The text and the arena are lent for the document's life; the text must be valid UTF-8. */
MUST_USE int gql_parse(
    struct gql_document *doc, struct str text, const struct gql_parse_limits *limits, struct arena *mem);

/* Frees what is not in the arena. */
void gql_document_free(struct gql_document *doc);

#endif
