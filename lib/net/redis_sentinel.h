/* redis_sentinel.h - asks Sentinels where the primary is.
 *
 * All links of a process with one address share the connections to its Sentinels and what they have said. The primary
 * is the one that most of those name that answer, so that one which is cut off from the others, perhaps together with a
 * primary that has been replaced, is outvoted. They are asked until more than half agree; those that answered last come
 * first. What a link relies on (redis_link.h):
 *
 * - A link is used only if the Sentinels were asked within the last second (SENTINEL_LOOK_MS), and named its server
 *   then. So a primary that can still be reached after another has taken over is left within a second.
 * - As soon as they name another server, or the same after another (a place has an epoch), all links leave theirs,
 *   before anything is read or written there.
 * - Changes count as invalidated, and names as claimed, only if the Sentinels, asked afterwards, still name the server
 *   where that was done. So nobody can have put into a new primary what is older than a change that was invalidated in
 *   the old one only.
 *
 * Sentinels that are silent change nothing: what they have said last holds.
 */
#ifndef SENTI_REDIS_SENTINEL_H
#define SENTI_REDIS_SENTINEL_H

#include "lib/net/redis_wire.h"

enum { SENTINEL_LOOK_MS = 1000 };

struct sentinels;

/* Has all links of this process connect again before their next use, so that no read that began before is put. */
void redis_leave_all(void);
/* How often that was. */
unsigned redis_moves(void);

/* Those of an address with `primary`; sentinels_leave gives them back. Connects to none yet. */
struct sentinels *sentinels_join(const struct redis_address *a);
void sentinels_leave(struct sentinels *s);
/* Asks where the primary is, unless another thread has done so since `since_ms`: 0 with *at, and with *moves, what
 * redis_moves says before any link has left that server; or -1 with *e if none of them answers in time (both
 * times: clock_mono_ms) or knows the name. */
int sentinels_ask(
    struct sentinels *s, int64_t since_ms, int64_t until_ms, struct redis_place *at, unsigned *moves, struct err *e);
/* Asks if the last time is SENTINEL_LOOK_MS ago and nobody else is asking. Takes at most `most_ms`. */
void sentinels_look(struct sentinels *s, int64_t most_ms);
/* True if, asked now, they name this server, or all are silent. */
bool sentinels_confirm(struct sentinels *s, const struct redis_place *at, int64_t most_ms);

#endif
