/* thread_context.h - what each of the HTTP server's threads keeps from request to request: a batch, room for a key, and
 * its contexts of scoring. */
#ifndef SENTI_THREAD_CONTEXT_H
#define SENTI_THREAD_CONTEXT_H

#include "lib/flow/record.h"
#include "lib/metrics/registry.h"
#include "lib/score/engine.h"

struct scorer;
struct thread_contexts;

struct thread_context {
	struct batch batch; /* reset it before use */
	struct buf key;	    /* clear it before use */
	struct scorer *scorers;
	struct thread_contexts *all;
};

/* New. texts: the family, labelled by the model's name, of how many were scored; lent. */
struct thread_contexts *thread_contexts_new(struct family *texts);
/* Once no thread uses one any more; each context went with its thread. NULL is allowed. */
void thread_contexts_free(struct thread_contexts *all);
/* This thread's own, made at its first call; lent for the thread's life. */
struct thread_context *thread_context_get(struct thread_contexts *all);
/* Scores what the batch holds: records without a result of the model get one. */
void thread_context_score(struct thread_context *t, struct batch *b, const struct model *model, bool explain);

/* Gives back what a long record made grow, in the batch, which is empty then, and in its contexts. */
void thread_context_trim(struct thread_context *t);

#endif
