/* validate.h - is a document a sensible question to a schema? All rules of October 2021, section 5, under the names
 * that graphql-js gives them.
 *
 *     struct gql_errors errors = {.mem = &arena, .text = text, .most = 100};
 *     if (gql_validate(schema, &doc, &errors))
 *             ... run it ...
 *
 * Every rule takes time linear in the document: work that a hostile document would multiply (fragments that spread
 * one another, fields of one name) is remembered, and counted against a budget in proportion to the document's
 * length; one that exceeds it is refused as too complex.
 */
#ifndef SENTI_GQL_VALIDATE_H
#define SENTI_GQL_VALIDATE_H

#include "lib/graphql/schema.h"

struct gql_error {
	struct str message;
	const char *rule;   /* "KnownTypeNames"; NULL: of no rule */
	const char *code;   /* extensions.code, constant; NULL: none */
	const uint32_t *at; /* the bytes of the document that it is about */
	size_t nat;
	struct str path; /* JSON: where in the answer; absent: nowhere */
	struct gql_error *next;
};

struct gql_errors {
	struct arena *mem; /* lent, as the text */
	struct str text;
	size_t most; /* after so many the rest is not reported */
	struct gql_error *first, **last;
	size_t n;
	bool full;
};

void gql_errors_init(struct gql_errors *l, struct arena *mem, struct str text, size_t most);
/* Appends; `at` is copied. Returns it, NULL where there are too many. */
struct gql_error *gql_error_add(
    struct gql_errors *l, const char *rule, const uint32_t *at, size_t nat, const char *fmt, ...) PRINTF_LIKE(5, 6);
/* The places of an error: gql_error_add(l, rule, GQL_AT(a->at, b->at), "...") */
#define GQL_AT(...) ((const uint32_t[]){__VA_ARGS__}), COUNT_OF(((const uint32_t[]){__VA_ARGS__}))
/* {"message":…,"locations":[…],"path":[…],"extensions":{"code":…}} */
void gql_error_put(struct buf *out, const struct gql_errors *l, const struct gql_error *e);

/* Adds what is wrong to *errors; true if nothing was. doc's nodes are marked, so one thread validates a document
 * once. */
MUST_USE bool gql_validate(const struct gql_schema *s, struct gql_document *doc, struct gql_errors *errors);

/* The fragment of that name, NULL where the document has none; after gql_validate. */
struct gql_node *gql_fragment_find(const struct gql_document *doc, struct str name);

#endif
