/* tokens.h - who may ask: bearer tokens (RFC 6750), of which a file keeps the hashes.
 *
 *     # name   scopes      hash
 *     shop     read,write  sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
 *
 * A token is 256 random bits, so nobody can try them all, and its plain SHA-256 needs neither salt nor a slow hash,
 * which protect only what people think up. write includes read, admin includes both. A name may stand on several lines,
 * while one token replaces another.
 */
#ifndef SENTI_TOKENS_H
#define SENTI_TOKENS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct request;

enum { TOKEN_NAME = 64, TOKEN_HASH = 32 };
/* Each includes those before it. As route.access: what a token must allow; SCOPE_NONE: none is needed. */
enum scope { SCOPE_NONE, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN };

struct tokens;

/* Reads the file: new, or NULL and *e, which names the file and the line. */
struct tokens *tokens_open(const char *path, struct err *e);
/* Reads it again: 0, or -1 with *e, and all is as it was. Thread-safe. */
MUST_USE int tokens_reload(struct tokens *t, struct err *e);
void tokens_free(struct tokens *t);
size_t tokens_count(struct tokens *t);

/* What this token allows, its name and its hash; SCOPE_NONE: it is not in the file. How long it takes does not depend
 * on which it is. */
enum scope tokens_find(struct tokens *t, struct str token, char name[TOKEN_NAME + 1], unsigned char hash[TOKEN_HASH]);
/* True if the token of this hash is still in the file. The argument is the struct tokens: for subscribers_admit. */
bool tokens_know(const unsigned char hash[TOKEN_HASH], void *tokens);

/* A new token for what `wanted` says ("shop:read,write"), and its line for the file with a line end: 0, or -1 with *e.
 */
MUST_USE int tokens_make(const char *wanted, struct buf *token, struct buf *line, struct err *e);

/* For http_conf.admit, with the tokens as its argument (NULL: everybody may do everything): 401 or 403 for a request
 * without a token that allows what its route needs, an enum scope in route.access. r->granted is the enum scope that it
 * has. */
void tokens_admit(struct request *r, void *tokens);

#endif
