/* submit.h - messages as people hand them in, in one pass: each record is scanned once, scored, put, and replaced with
 * what the store then holds; or, where a queue takes them, checked and given an id.
 *
 * A stage whose only context is its configuration, since what it has read of a batch is needed once more when a queue
 * has confirmed it:
 *
 *     struct submit *s = submit_new(&conf);
 *     struct step step = {&stage_submit, s};
 *     ... pump ...                                  with a queue, in the source's accept: submit_confirmed(s, b)
 *     submit_free(s);
 *
 * What is stored may be another thing than what was sent, because a person's correction stays: so the records show the
 * rows. They are put in the cache at once, so that a client that has its answer finds its message there. Counters:
 * scored, kept, stored, unchanged.
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
	const struct model *model; /* to score with; without a store not needed */
	size_t max_record;	   /* bytes */
};

struct submit;

extern const struct stage stage_submit; /* conf: a struct submit */

struct submit *submit_new(const struct submit_conf *conf);
void submit_free(struct submit *s);
/* Puts the batch's messages, which the stage has just seen, in the cache as submitted and not stored yet. */
void submit_confirmed(struct submit *s, struct batch *b);

#endif
