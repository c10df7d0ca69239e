/* thread_context.h - what each HTTP thread keeps between requests: a batch, a key, a scanner, an arena and its contexts
 * of scoring. */
#ifndef SENTI_THREAD_CONTEXT_H
#define SENTI_THREAD_CONTEXT_H

#include "lib/serve/scored.h"

struct scorer;
struct thread_contexts;

struct thread_context {
	struct batch batch; /* reset it before use */
	struct buf key;	    /* clear it before use */
	struct json_scan scan;
	struct arena mem; /* reset it before use */
	struct scorer *scorers;
	struct thread_contexts *all;
};

/* New. `counted` is lent. */
struct thread_contexts *thread_contexts_new(const struct scored_families *counted);
/* After its threads have ended, each of which frees its own context. NULL is allowed. */
void thread_contexts_free(struct thread_contexts *all);
/* This thread's own, made on its first call; lent for the thread's life. */
struct thread_context *thread_context_get(struct thread_contexts *all);
/* Gives each record of the batch, in which nothing has been counted yet, a result of the model unless it has one. */
void thread_context_score(struct thread_context *t, struct batch *b, const struct model *model, bool explain);

/* Frees what a long record made grow in the batch, which is then empty, and in the contexts. */
void thread_context_trim(struct thread_context *t);

#endif
