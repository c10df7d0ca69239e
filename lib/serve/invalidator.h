/* invalidator.h - one thread follows the store's changes and invalidates their entries in a cache that other processes
 * share (Redis).
 *
 * Its place in the outbox has a name and moves only after the entries are gone, so changes made while no server runs
 * are not missed. Several servers, and `senti-cache follow`, may share the name: each invalidates what it is given
 * before it moves the place. While the cache is down only this thread waits.
 */
#ifndef SENTI_INVALIDATOR_H
#define SENTI_INVALIDATOR_H

#include "lib/serve/ends.h"

struct invalidator;

/* New, running; `ends` and `reader`, the name of the place, are lent for its life. NULL and *e on failure. */
struct invalidator *invalidator_start(const struct ends *ends, const char *reader, struct err *e);
/* Ends and frees it; unmarked changes come again at the next start. */
void invalidator_stop(struct invalidator *v);

#endif
