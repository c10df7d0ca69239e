/* thread_context.c - one context a thread, by a pthread key. */
#include "lib/serve/thread_context.h"

#include <pthread.h>

#include "lib/stage/score.h"

enum { LONG_RECORD = 64 << 10, MANY_RECORDS = 16 << 10 };

/* A scoring stage that one thread reuses. */
struct scorer {
	struct scorer *next;
	struct scored counted;
	struct score_conf conf;
	void *context;
};

struct thread_contexts {
	pthread_key_t key;
	const struct scored_families *counted;
};

static void free_scorers(struct thread_context *t)
{
	for (struct scorer *s = t->scorers, *next; s; s = next) {
		next = s->next;
		score_stage.close(s->context);
		free(s);
	}
	t->scorers = NULL;
}

static void context_free(void *arg)
{
	struct thread_context *t = arg;
	free_scorers(t);
	batch_free(&t->batch);
	buf_free(&t->key);
	json_scan_free(&t->scan);
	arena_free(&t->mem);
	free(t);
}

struct thread_contexts *thread_contexts_new(const struct scored_families *counted)
{
	struct thread_contexts *all = xcalloc(1, sizeof *all);
	all->counted = counted;
	pthread_key_create(&all->key, context_free);
	return all;
}

void thread_contexts_free(struct thread_contexts *all)
{
	if (!all)
		return;
	pthread_key_delete(all->key);
	free(all);
}

struct thread_context *thread_context_get(struct thread_contexts *all)
{
	struct thread_context *t = pthread_getspecific(all->key);
	if (!t) {
		t = xcalloc(1, sizeof *t);
		t->all = all;
		pthread_setspecific(all->key, t);
	}
	return t;
}

static struct scorer *find_scorer(struct thread_context *t, const struct model *model, bool explain)
{
	for (struct scorer *s = t->scorers; s; s = s->next)
		if (s->conf.model == model && s->conf.explain == explain)
			return s;
	struct scorer *s = xcalloc(1, sizeof *s);
	s->conf = (struct score_conf){.model = model,
	    .explain = explain,
	    .form = {
		.text_name = STR("text"), .result_name = STR("sentiment"), .needs_text = true, .text_fixed = true}};
	s->context = score_stage.open(&s->conf, NULL);
	scored_open(&s->counted, t->all->counted, model);
	s->next = t->scorers;
	t->scorers = s;
	return s;
}

void thread_context_score(struct thread_context *t, struct batch *b, const struct model *model, bool explain)
{
	struct scorer *s = find_scorer(t, model, explain);
	struct err never; /* the stage cannot fail */
	score_stage.run(s->context, b, &never);
	scored_add(&s->counted, b);
}

void thread_context_trim(struct thread_context *t)
{
	size_t longest = 0;
	for (size_t i = 0; i < t->batch.n; i++)
		if (t->batch.rec[i].line.n > longest)
			longest = t->batch.rec[i].line.n;
	if (longest < LONG_RECORD && t->batch.cap < MANY_RECORDS)
		return;
	batch_free(&t->batch);
	free_scorers(t);
}
