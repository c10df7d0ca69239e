/* schema.h - types, from one SDL text: what documents are held to, what resolvers serve, what introspection shows.
 *
 *     struct gql_schema *s = gql_schema_new(sdl, &e);
 *     gql_schema_bind(s, STR("Query"), STR("message"), resolve_message, NULL, &e);
 *     ...
 *     gql_schema_free(s);
 *
 * The SDL is the developer's own: gql_schema_new checks what the rest relies on (names that exist, input and output
 * types in their places, fields of interfaces, a query type) and names the line of what is wrong. The five built-in
 * scalars, the directives skip, include, deprecated and specifiedBy, and the types of introspection are added. Once
 * it is bound a schema does not change, and any thread may use it.
 */
#ifndef SENTI_GQL_SCHEMA_H
#define SENTI_GQL_SCHEMA_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/base/map.h"
#include "lib/graphql/parse.h"

enum gql_type_kind { GQL_SCALAR, GQL_OBJECT, GQL_INTERFACE, GQL_UNION, GQL_ENUM, GQL_INPUT };

struct gql_type;

/* A reference to a type: [T!]! is NON_NULL of LIST of NON_NULL of T. */
enum gql_wrap { GQL_NAMED, GQL_LIST, GQL_NON_NULL };
struct gql_ref {
	enum gql_wrap wrap;
	const struct gql_ref *of;    /* of a list or non-null */
	const struct gql_type *type; /* the named type within */
};

/* An argument, or a field of an input type. */
struct gql_input {
	struct str name, description, deprecated; /* deprecated: the reason; absent where it is not */
	const struct gql_ref *type;
	const struct gql_node *fallback; /* the default's literal, or NULL */
	size_t index;			 /* within its list */
};

struct gql_call; /* execute.h */
typedef void gql_resolve(struct gql_call *call, size_t n, void *app);

struct gql_field {
	struct str name, description, deprecated;
	const struct gql_type *owner;
	const struct gql_ref *type;
	struct gql_input *args;
	size_t nargs;
	gql_resolve *resolve; /* NULL until bound */
	void *bound;	      /* the binder's own: gql_schema_bind */
};

struct gql_enum_value {
	struct str name, description, deprecated;
};

struct gql_value; /* value.h */
struct gql_type {
	enum gql_type_kind kind;
	struct str name, description, specified_by;
	bool builtin, introspection;
	struct gql_ref ref;	  /* to itself */
	struct gql_field *fields; /* of objects and interfaces */
	size_t nfields;
	struct gql_input *inputs; /* of input types */
	size_t ninputs;
	struct gql_enum_value *values;
	size_t nvalues;
	const struct gql_type **interfaces; /* that it implements */
	size_t ninterfaces;
	const struct gql_type **possible; /* object types of an interface or union */
	size_t npossible;
	bool (*check)(const struct gql_value *v); /* of a scalar of the schema's own: is this one? NULL: anything is */
	struct map by_name;			  /* its fields, inputs or values */
	size_t index;				  /* within the schema */
};

enum gql_location {
	GQL_ON_QUERY,
	GQL_ON_MUTATION,
	GQL_ON_SUBSCRIPTION,
	GQL_ON_FIELD,
	GQL_ON_FRAGMENT_DEFINITION,
	GQL_ON_FRAGMENT_SPREAD,
	GQL_ON_INLINE_FRAGMENT,
	GQL_ON_VARIABLE_DEFINITION,
	GQL_ON_SCHEMA,
	GQL_ON_SCALAR,
	GQL_ON_OBJECT,
	GQL_ON_FIELD_DEFINITION,
	GQL_ON_ARGUMENT_DEFINITION,
	GQL_ON_INTERFACE,
	GQL_ON_UNION,
	GQL_ON_ENUM,
	GQL_ON_ENUM_VALUE,
	GQL_ON_INPUT_OBJECT,
	GQL_ON_INPUT_FIELD_DEFINITION,
	GQL_LOCATIONS
};
extern const char *const gql_location_name[GQL_LOCATIONS];

struct gql_directive {
	struct str name, description;
	struct gql_input *args;
	size_t nargs;
	bool repeatable;
	uint32_t locations; /* bits: 1 << enum gql_location */
};

struct gql_schema {
	struct arena mem;
	struct gql_type **types; /* in the order of their definition; the built-in ones last */
	size_t ntypes;
	struct gql_directive *directives;
	size_t ndirectives;
	const struct gql_type *root[3]; /* by enum gql_operation; NULL if absent */
	struct str description;
	struct gql_type *everywhere; /* no type that can be named: __typename, __schema and __type are its fields */
	const struct gql_field *type_name; /* __typename, a field of every composite type */
	struct map by_name;
};

/* New; the SDL is lent for its life. NULL with *e. */
struct gql_schema *gql_schema_new(struct str sdl, struct err *e);
void gql_schema_free(struct gql_schema *s);

const struct gql_type *gql_type_find(const struct gql_schema *s, struct str name);
const struct gql_directive *gql_directive_find(const struct gql_schema *s, struct str name);
/* A field that the type defines. */
const struct gql_field *gql_field_find(const struct gql_type *t, struct str name);
/* The same with __typename and, on the query type, __schema and __type: what a selection may name. */
const struct gql_field *gql_field_select(const struct gql_schema *s, const struct gql_type *t, struct str name);
const struct gql_input *gql_input_find(const struct gql_input *list, size_t n, struct str name);
const struct gql_enum_value *gql_enum_find(const struct gql_type *t, struct str name);

/* Sets who answers for a field; `bound` is lent and reaches the resolver as call->field->bound. -1 with *e where
 * there is no such field. */
MUST_USE int gql_schema_bind(
    struct gql_schema *s, struct str type, struct str field, gql_resolve *resolve, void *bound, struct err *e);

static inline bool gql_is_composite(const struct gql_type *t)
{
	return t->kind == GQL_OBJECT || t->kind == GQL_INTERFACE || t->kind == GQL_UNION;
}
static inline bool gql_is_leaf(const struct gql_type *t)
{
	return t->kind == GQL_SCALAR || t->kind == GQL_ENUM;
}
static inline bool gql_is_input(const struct gql_type *t)
{
	return gql_is_leaf(t) || t->kind == GQL_INPUT;
}
/* True if an object of type `o` may stand where `t` is asked for. */
bool gql_is_possible(const struct gql_type *t, const struct gql_type *o);
/* True if some object type is possible for both. */
bool gql_overlap(const struct gql_type *a, const struct gql_type *b);
/* True if each value of `a` is one of `b`, as types of results go. */
bool gql_is_subtype(const struct gql_ref *a, const struct gql_ref *b);
bool gql_ref_eq(const struct gql_ref *a, const struct gql_ref *b);
/* The type that a reference in a document means: new in mem, or NULL where it names none. */
const struct gql_ref *gql_ref_of(const struct gql_schema *s, const struct gql_node *type, struct arena *mem);
/* As it is spelled: [T!]! */
void gql_ref_put(struct buf *out, const struct gql_ref *r);

#endif
