/* await.h - callers who wait for the result of a message that they submitted (Prefer: wait), by its id and text, until
 * a deadline.
 *
 * Any thread adds callers; the feed's thread, which sees what is stored, answers them. A result may have been stored
 * before its caller began to wait, or long ago, and then no change announces it any more: so each new caller's row is
 * read from the store once.
 */
#ifndef SENTI_AWAIT_H
#define SENTI_AWAIT_H

#include "lib/base/budget.h"
#include "lib/data/store.h"
#include "lib/json/scan.h"

struct await;

/* Called once, in the feed's thread: the stored record, without a line end, once it is scored; or p NULL after the
 * deadline, or when the server ends. */
typedef void await_done(void *caller, size_t item, struct str record);

/* New; `event` (event.h) wakes the feed's thread. The waiters are in memory of this budget, lent. */
struct await *await_new(int event, struct budget *memory);
/* Once nobody waits any more. NULL is allowed. */
void await_free(struct await *a);
/* Waits for the message with this id and text; both are copied. `deadline` is on clock_mono_ms. False: there is no
 * memory for it. Thread-safe. */
MUST_USE bool await_add(
    struct await *a, struct str id, struct str text, int64_t deadline, await_done *done, void *caller, size_t item);
/* From now on every caller is answered as if its deadline had passed. Thread-safe. */
void await_end(struct await *a);

/* ---- the feed's thread ---- */

bool await_any(struct await *a);
/* The row of a scored message: answers the callers who wait for this id and text. A row of another text is older than
 * what was submitted, or belongs to somebody else. */
void await_met(struct await *a, const struct message *row, struct str record);
/* Looks new callers up in the store: 1, 0 if there are none, or -1. */
int await_check(struct await *a, struct store *s, struct arena *mem, struct json_scan *scan, struct err *e);
/* Answers those whose deadline has passed: the earliest deadline that is left, or INT64_MAX. */
int64_t await_expire(struct await *a, int64_t now);

#endif
