/* redis_sentinel.h - asks Sentinels where the primary is.
 *
 * All links of a process with one address share the connections to its Sentinels and what they have said. The primary
 * is the one that most of those name that answer, so that one which is cut off from the others, perhaps together with a
 * primary that has been replaced, is outvoted. They are asked until more than half agree; those that answered last come
 * first. One thread asks at a time; the others wait for it, each until its own limit. What a link relies on
 * (redis_link.h):
 *
 * - A link is used only if the Sentinels were asked within the last second (SENTINEL_LOOK_MS), and named its server
 *   then. So a primary that can still be reached after another has taken over is left within a second.
 * - As soon as they name another server, or the same after another (a place has an epoch), all links leave theirs,
 *   before anything is read or written there.
 * - Changes count as invalidated, and names as claimed, only if the Sentinels, asked afterwards, still name the server
 *   where that was done. So nobody can have put into a new primary what is older than a change that was invalidated in
 *   the old one only.
 *
 * Sentinels that are silent change nothing: what they have said last holds. Nor does a thread that had too little time
 * left to ask them, since it waited for another one.
 */
#ifndef SENTI_REDIS_SENTINEL_H
#define SENTI_REDIS_SENTINEL_H

#include "lib/net/redis_wire.h"

enum { SENTINEL_LOOK_MS = 1000 };

/* What so many Sentinels say. */
struct sentinel_vote {
	struct redis_place at;
	size_t count;
};

/* The place that most of the n votes name, from any of so many Sentinels; of several the one with the latest epoch, or
 * else the known one. An epoch only grows, so a place with an earlier one than the known place's needs more than half
 * of all Sentinels, as after SENTINEL RESET. `known` may be NULL if n is not 0. Lent, of `v` or `known`. */
const struct redis_place *sentinels_elect(
    const struct sentinel_vote *v, size_t n, size_t sentinels, const struct redis_place *known);

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
/* True if, asked now, they name this server; if all are silent, or were so when another thread asked last and there was
 * no time to ask again, if they have named it last. */
bool sentinels_confirm(struct sentinels *s, const struct redis_place *at, int64_t most_ms);

#endif
