/* documents.h - trusted GraphQL documents: the files of a folder, each known by its SHA-256.
 *
 *     DIR/page.graphql, of which `sha256sum` says 3f0a...: clients ask for it by that hash
 *
 * A file that ends with a line end is also known by the hash of what stands before it, as programs hash a document that
 * they have in a string.
 */
#ifndef SENTI_DOCUMENTS_H
#define SENTI_DOCUMENTS_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Is this a document that can be run? 0, or -1 with *e. */
typedef int document_check(struct str text, void *arg, struct err *e);

struct documents;

/* Reads every file of `dir` whose name ends in .graphql: new, or NULL and *e, which names the file. */
struct documents *documents_open(const char *dir, document_check *check, void *arg, struct err *e);
/* Reads them again: 0, or -1 with *e, and all is as it was. Thread-safe, as documents_find is. */
MUST_USE int documents_reload(struct documents *d, struct err *e);
void documents_free(struct documents *d); /* NULL is allowed */
size_t documents_count(struct documents *d);

enum { DOCUMENT_HASH = 64 };
/* The text of this hash, in lower-case hexadecimal: a copy in mem; absent: there is none. */
struct str documents_find(struct documents *d, struct str hash, struct arena *mem);
/* The hash of a text. */
void documents_hash(struct str text, char out[DOCUMENT_HASH]);

#endif
