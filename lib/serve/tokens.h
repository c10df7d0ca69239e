/* tokens.h - bearer tokens (RFC 6750), whose hashes are kept in a file.
 *
 *     # name   scopes      hash
 *     shop     read,write  sha256:60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752
 *
 * A token is 256 random bits, so its SHA-256 needs neither salt nor a slow hash, which protect passwords. write
 * includes read, admin includes both. A name may have several lines, for the time in which one token replaces another.
 */
#ifndef SENTI_TOKENS_H
#define SENTI_TOKENS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/serve/tickets.h"

struct request;

enum { TOKEN_NAME = 64, TOKEN_HASH = 32 };
/* Each includes those before it. In route.access: the scope that a request needs; SCOPE_NONE: no token; SCOPE_TICKET: a
 * ticket (tickets.h) in the query does too. */
enum scope { SCOPE_NONE, SCOPE_TICKET, SCOPE_READ, SCOPE_WRITE, SCOPE_ADMIN };

struct tokens;

/* New, from the file; or NULL and *e, which names file and line. */
struct tokens *tokens_open(const char *path, struct err *e);
/* Reads the file again: 0, or -1 with *e and nothing changed. Thread-safe. */
MUST_USE int tokens_reload(struct tokens *t, struct err *e);
void tokens_free(struct tokens *t);
size_t tokens_count(struct tokens *t);

/* What this token allows, its name and its hash; SCOPE_NONE if it is not in the file. Takes the same time for every
 * token. */
enum scope tokens_find(struct tokens *t, struct str token, char name[TOKEN_NAME + 1], unsigned char hash[TOKEN_HASH]);
/* What a ticket is worth now, and the name and the hash of the token that signed it. Whether it was used before, others
 * know. */
enum ticket_fate tokens_find_ticket(
    struct tokens *t, struct str ticket, int64_t now_ms, char name[TOKEN_NAME + 1], unsigned char hash[TOKEN_HASH]);
/* True if the token of this hash is still in the file. The argument is the struct tokens: for subscribers_admit. */
bool tokens_know(const unsigned char hash[TOKEN_HASH], void *tokens);

/* Makes a token for NAME:SCOPES ("shop:read,write"), and its line for the file, with a line end: 0, or -1 with *e. */
MUST_USE int tokens_make(const char *wanted, struct buf *token, struct buf *line, struct err *e);

/* For http_conf.admit, with the tokens as its argument (NULL: no token is needed). Answers 401 or 403 unless the
 * request's token or ticket allows its route's scope, and sets r->granted to the scope that it has: SCOPE_TICKET means
 * that the route has to find out whether the ticket was used. */
void tokens_admit(struct request *r, void *tokens);
/* Answers what is wrong with a ticket: 401, or 503 if that is not known. */
void tokens_refuse_ticket(struct request *r, enum ticket_fate fate);

#endif
