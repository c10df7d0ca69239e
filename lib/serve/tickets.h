/* tickets.h - tickets, each of which opens one event stream for a client that cannot send a bearer token, such as a
 * browser's EventSource.
 *
 *     ticket_ and 84 characters of base64url: nonce (15 bytes), holder (8), expires (8, ms since 1970), signature (32)
 *
 * The signature is an HMAC-SHA-256 under a key that derives from the stored hash of the token that asked for the
 * ticket; the holder is the beginning of that hash. So servers that have the same file of tokens take each other's
 * tickets and share nothing else for that, and a removed token takes its tickets with it. The time is that of the wall
 * clock, since monotonic clocks of two machines cannot be compared.
 */
#ifndef SENTI_TICKETS_H
#define SENTI_TICKETS_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum { TICKET_HASH = 32, TICKET_NONCE = 15, TICKET_HOLDER = 8, TICKET_SIGNATURE = 32, TICKET_NAME = 20 };
enum { TICKET_S = 60, TICKET_SKEW_S = 5 /* by which servers' clocks may differ */ };

struct ticket {
	unsigned char nonce[TICKET_NONCE], holder[TICKET_HOLDER];
	int64_t expires_ms;
	unsigned char signature[TICKET_SIGNATURE];
};

enum ticket_fate {
	TICKET_GOOD,
	TICKET_BAD, /* malformed, forged, or of a token that is not known */
	TICKET_EXPIRED,
	TICKET_EARLY, /* the clock of the server that made it is ahead */
	TICKET_USED,
	TICKET_CROWDED, /* too many are remembered */
	TICKET_UNSURE,	/* the shared cache does not say whether it has been used */
};

/* Appends a new ticket for the token of this hash: 0, or -1 with *e. */
MUST_USE int ticket_make(struct buf *out, const unsigned char hash[TICKET_HASH], int64_t now_ms, struct err *e);
/* Splits a ticket, whose signature nobody has checked yet; false if it has another form. */
bool ticket_read(struct str text, struct ticket *t);
/* What names it in a cache: TICKET_NAME characters, lent by the text of a ticket that ticket_read accepts. */
struct str ticket_name(struct str text);
/* True if the signature is by this token. Takes the same time for every signature. */
bool ticket_is_of(const struct ticket *t, const unsigned char hash[TICKET_HASH]);
/* GOOD, EXPIRED or EARLY. */
enum ticket_fate ticket_time(const struct ticket *t, int64_t now_ms);

/* ---- the tickets that this process has taken ---- */

struct used_tickets;
/* New. It takes nothing that expires before `since_ms`, which may have been used before this process began. */
struct used_tickets *used_tickets_new(int64_t since_ms);
/* NULL is allowed. */
void used_tickets_free(struct used_tickets *u);
/* GOOD, once for each ticket, even if the clock is set back; or EXPIRED, USED or CROWDED. Thread-safe. */
enum ticket_fate used_tickets_take(struct used_tickets *u, const struct ticket *t, int64_t now_ms);

#endif
