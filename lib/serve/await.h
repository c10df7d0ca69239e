/* await.h - callers who wait until a deadline for the result of a message that they submitted (Prefer: wait), by its id
 * and text.
 *
 * Any thread adds callers; the feed's thread, which sees what is stored, answers them. A result may have been stored
 * before its caller began to wait, and then no change will announce it: so each new caller's row is read once from the
 * store.
 */
#ifndef SENTI_AWAIT_H
#define SENTI_AWAIT_H

#include "lib/base/budget.h"
#include "lib/data/store.h"
#include "lib/json/scan.h"

struct await;

/* Called once, in the feed's thread, with the scored record, without a line end; or p NULL after the deadline, or at
 * the server's end. */
typedef void await_done(void *caller, size_t item, struct str record);

/* New; `event` (event.h) wakes the feed's thread. Waiters count against this budget, which is lent. */
struct await *await_new(int event, struct budget *memory);
/* After the last caller is answered. NULL is allowed. */
void await_free(struct await *a);
/* Waits for the message with this id and text; both are copied. `deadline` is on clock_mono_ms. False if there is no
 * memory for it. Thread-safe. */
MUST_USE bool await_add(
    struct await *a, struct str id, struct str text, int64_t deadline, await_done *done, void *caller, size_t item);
/* From now on every caller is answered as if its deadline had passed. Thread-safe. */
void await_end(struct await *a);

/* ---- the feed's thread ---- */

bool await_any(struct await *a);
/* A scored message's row: answers the callers who wait for this id and text. A row with another text is older than what
 * they submitted, or somebody else's. */
void await_met(struct await *a, const struct message *row, struct str record);
/* Looks up new callers' rows in the store: 1, 0 if there are no new callers, or -1. */
int await_check(struct await *a, struct store *s, struct arena *mem, struct json_scan *scan, struct err *e);
/* Answers those whose deadline has passed. Returns the earliest deadline left, or INT64_MAX. */
int64_t await_expire(struct await *a, int64_t now);

#endif
