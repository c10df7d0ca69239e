/* invalidator.h - keeps a cache that other processes use too (Redis) from showing rows that have changed since: one
 * thread follows the store's changes and invalidates their entries there.
 *
 * It has a named place in the outbox, marked only after the entries are gone, so nothing that changes while no server
 * runs is missed. Several servers, and `senti-cache follow`, may share the name: each invalidates what it is given
 * before it marks it. A cache that is away holds up this thread alone.
 */
#ifndef SENTI_INVALIDATOR_H
#define SENTI_INVALIDATOR_H

#include "lib/serve/ends.h"

struct invalidator;

/* New, running; `ends` and the name of the place, `reader`, are lent for its life. NULL and *e on failure. */
struct invalidator *invalidator_start(const struct ends *ends, const char *reader, struct err *e);
/* Ends and frees it; what is not marked yet comes again at the next start. */
void invalidator_stop(struct invalidator *v);

#endif
