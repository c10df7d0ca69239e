/* submit.h - submitted messages, in one pass: each record is scanned once, scored, put, and replaced with the stored
 * one; or, for a queue, checked and given an id.
 *
 * The stage's configuration is its only context, since what it has read of a batch is needed again after the queue's
 * confirm:
 *
 *     struct submit *s = submit_new(&conf);
 *     struct step step = {&stage_submit, s};
 *     ... pump ...                                  with a queue, in the source's accept: submit_confirmed(s, b)
 *     submit_free(s);
 *
 * The records show the rows, which may differ from what was sent because a person's correction stays. They are cached
 * at once, so that a client finds its message there after the answer. Counters: scored, kept, stored, unchanged.
 */
#ifndef SENTI_STAGE_SUBMIT_H
#define SENTI_STAGE_SUBMIT_H

#include "lib/data/cache.h"
#include "lib/flow/stage.h"
#include "lib/score/engine.h"

/* All lent. */
struct submit_conf {
	struct store *store;	   /* NULL: a queue takes the records, unscored */
	struct cache *cache;	   /* NULL: none */
	const struct model *model; /* scores; not needed without a store */
	size_t max_record;	   /* bytes */
};

struct submit;

extern const struct stage stage_submit; /* conf: a struct submit */

struct submit *submit_new(const struct submit_conf *conf);
void submit_free(struct submit *s);
/* Caches the messages of the batch that the stage has just seen as submitted but not stored. */
void submit_confirmed(struct submit *s, struct batch *b);

#endif
