/* execute.h - runs an operation: level by level, so that resolvers are asked in batches (October 2021, section 6).
 *
 *     struct gql_request q;
 *     gql_request_init(&q, schema, text, &(struct gql_limits){...});
 *     if (gql_request_prepare(&q, operation_name, variables_json))
 *             gql_request_run(&q, root, app, &out);
 *     else
 *             gql_request_refuse(&q, &out);          // {"errors":[...]}
 *     gql_request_free(&q);
 *
 * All fields of one level that have the same definition reach their resolver in one call, whatever their aliases,
 * their parents and the lists they stand in: thirty look-ups by id are one array of thirty. Mutations run one after
 * the other, each with all below it.
 *
 *     static void message_text(struct gql_call *call, size_t n, void *app)
 *     {
 *             for (size_t i = 0; i < n; i++)
 *                     call[i].out = gql_text(((const struct message *)call[i].parent)->text);
 *     }
 *
 * A field that fails, or that is null where it must not be, makes the nearest field around it null that may be; the
 * rest is answered all the same.
 */
#ifndef SENTI_GQL_EXECUTE_H
#define SENTI_GQL_EXECUTE_H

#include "lib/graphql/cache.h"
#include "lib/graphql/limits.h"
#include "lib/graphql/value.h"

enum gql_out_kind {
	GQL_OUT_NULL,
	GQL_OUT_INT,
	GQL_OUT_FLOAT,
	GQL_OUT_SPELLED,
	GQL_OUT_BOOL,
	GQL_OUT_TEXT,
	GQL_OUT_OBJECT,
	GQL_OUT_LIST,
	GQL_OUT_ERROR
};

/* What a resolver answers. Texts are UTF-8, except in messages of errors. Texts and objects are lent until the request
 * has run; gql_call.mem is a place for them. */
struct gql_out {
	enum gql_out_kind kind;
	const char *code; /* of an error: extensions.code, constant, or NULL */
	union {
		int64_t integer;
		double number;
		bool truth;
		struct str
		    text; /* of a string, ID, enum value or scalar of the schema's own; or the message of an error */
		struct {
			const void *object;
			const struct gql_type
			    *type; /* of an object where the field's type is an interface or union, else NULL */
		};
		struct {
			struct gql_out *item; /* new in gql_call.mem */
			size_t n;
		};
	};
};

struct gql_call {
	const struct gql_field *field;
	const void *parent; /* the object whose field it is; of a root field what was given to gql_request_run */
	const struct gql_value *args; /* by the index of their definitions */
	struct arena *mem;	      /* the request's */
	struct gql_out out;	      /* null unless it is set */
	const struct gql_node *node;  /* its place in the document */
	struct run *run;	      /* private */
};

static inline struct gql_out gql_text(struct str s)
{
	return s.p ? (struct gql_out){.kind = GQL_OUT_TEXT, .text = s} : (struct gql_out){.kind = GQL_OUT_NULL};
}
static inline struct gql_out gql_object(const void *p)
{
	return p ? (struct gql_out){.kind = GQL_OUT_OBJECT, .object = p} : (struct gql_out){.kind = GQL_OUT_NULL};
}
static inline struct gql_out gql_integer(int64_t v)
{
	return (struct gql_out){.kind = GQL_OUT_INT, .integer = v};
}
static inline struct gql_out gql_number(double v)
{
	return (struct gql_out){.kind = GQL_OUT_FLOAT, .number = v};
}
/* A Float that is there as JSON: `text` is the number as spelled, lent as texts are; absent: null. */
static inline struct gql_out gql_spelled(struct str number)
{
	return number.p ? (struct gql_out){.kind = GQL_OUT_SPELLED, .text = number}
			: (struct gql_out){.kind = GQL_OUT_NULL};
}
static inline struct gql_out gql_truth(bool v)
{
	return (struct gql_out){.kind = GQL_OUT_BOOL, .truth = v};
}
/* message is lent as texts are. */
static inline struct gql_out gql_failure(struct str message, const char *code)
{
	return (struct gql_out){.kind = GQL_OUT_ERROR, .text = message, .code = code};
}
/* A list of n nulls, to be filled. */
struct gql_out gql_list(struct gql_call *call, size_t n);
/* For resolvers that take much time or memory, now and then: false once a limit has ended the operation, and then
 * nothing that they still give is looked at. */
bool gql_may_go_on(const struct gql_call *call);

struct gql_request {
	const struct gql_schema *schema;
	struct gql_limits limits;
	struct gql_cache *cache; /* of documents for this schema and limit of tokens; lent; NULL: none */
	struct str text;
	struct gql_valid *document; /* a reference */
	struct arena mem, run;	    /* of the variables; of one run, and of the errors before it */
	struct gql_errors errors;
	const struct gql_node *operation;
	struct gql_variables variables;
};

/* text is lent for its life; with a cache, which is to be set next, until it is prepared. */
void gql_request_init(
    struct gql_request *q, const struct gql_schema *s, struct str text, const struct gql_limits *limits);
/* Parses and validates, unless the cache has the document; holds it to the limits, chooses the operation and reads the
 * variables (a JSON object; absent: none). `operation` is absent where the document has one only. False with q->errors.
 */
MUST_USE bool gql_request_prepare(struct gql_request *q, struct str operation, struct str variables);
/* Appends {"errors":[...],"data":{...}}, without "errors" where there are none. May be called again, as for each
 * event of a subscription; what it needs from the arena is then given back at the next call. Returns false if data is
 * null. */
bool gql_request_run(struct gql_request *q, const void *root, void *app, struct buf *out);
/* Appends {"errors":[...]}. */
void gql_request_refuse(const struct gql_request *q, struct buf *out);
void gql_request_free(struct gql_request *q);
/* Moves a prepared request, with nothing that a run or the preparation has left; `from` is then as if freed. */
void gql_request_move(struct gql_request *to, struct gql_request *from);
/* The one field of a subscription, as gql_call has it: its definition and arguments. */
bool gql_request_root(struct gql_request *q, struct gql_call *call);

#endif
