/* cache.h - valid documents, and a cache of them by their text.
 *
 *     struct gql_valid *v = gql_cache_find(c, text);                // a reference, or NULL
 *     if (!v) {
 *             v = gql_valid_new(text, true);
 *             ... gql_parse(&v->doc, v->doc.text, ..., &v->mem), gql_validate(...) ...
 *             gql_cache_add(c, v);
 *     }
 *     ...
 *     gql_valid_release(v);
 *
 * Once a document is valid, it does not change, so any number of threads may run it. The cache drops what has not been
 * asked for longest; whoever still has a reference keeps the document.
 */
#ifndef SENTI_GQL_CACHE_H
#define SENTI_GQL_CACHE_H

#include <stdatomic.h>

#include "lib/base/budget.h"
#include "lib/graphql/parse.h"

struct gql_valid {
	struct gql_document doc;
	struct arena mem; /* of the tree, and of a copied text */
	atomic_uint references;
	/* The cache's own. */
	struct gql_valid *newer, *older;
	size_t bytes;
};

/* New, with one reference and nothing but doc.text: a copy, or lent. */
struct gql_valid *gql_valid_new(struct str text, bool copy);
void gql_valid_release(struct gql_valid *v); /* NULL is allowed */
/* Bytes that it occupies. */
size_t gql_valid_bytes(const struct gql_valid *v);

struct gql_cache;

/* New, of documents for one schema: at most `most` bytes, which count against `memory` (lent; NULL: no limit). */
struct gql_cache *gql_cache_new(size_t most, struct budget *memory);
void gql_cache_free(struct gql_cache *c); /* NULL is allowed */
/* The document of this text: a reference, or NULL. Thread-safe. */
struct gql_valid *gql_cache_find(struct gql_cache *c, struct str text);
/* Keeps a document, whose text is its own, unless there is one of the same text or no memory for it. Thread-safe. */
void gql_cache_add(struct gql_cache *c, struct gql_valid *v);

#endif
