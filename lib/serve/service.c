/* service.c - the table of routes, the small ones among them, and what each thread keeps. */
#include "lib/metrics/registry.h"
#include "lib/serve/health.h"
#include "lib/serve/observe.h"

#include "lib/serve/docs.h"

static void get_livez(struct request *x, void *app)
{
	(void)app;
	buf_str(&x->out, STR("{\"status\":\"ok\"}\n"));
	request_answer(x, 200, MEDIA_JSON);
}

static void get_models(struct request *x, void *app)
{
	models_put(((struct service *)app)->models, &x->out);
	request_answer(x, 200, MEDIA_JSON);
}

const struct route service_routes[] = {
    {"POST", "/v1/sentiment", SCOPE_READ, sentiment_begin, sentiment_piece, sentiment_end},
    {"POST", "/v1/messages", SCOPE_WRITE, post_begin, post_piece, post_end},
    {"GET", "/v1/messages", SCOPE_READ, NULL, NULL, messages_list},
    {"GET", "/v1/messages/{id}", SCOPE_READ, NULL, NULL, message_get},
    {"PATCH", "/v1/messages/{id}", SCOPE_WRITE, message_patch_begin, NULL, message_patch},
    {"DELETE", "/v1/messages/{id}", SCOPE_WRITE, NULL, NULL, message_delete},
    {"GET", "/v1/events", SCOPE_READ, NULL, NULL, events_get},
    {"GET", "/v1/stats", SCOPE_READ, NULL, NULL, stats_get},
    {"GET", "/v1/models", SCOPE_READ, NULL, NULL, get_models},
    {"GET", "/livez", SCOPE_NONE, NULL, NULL, get_livez},
    {"GET", "/readyz", SCOPE_NONE, NULL, NULL, health_get},
    {"GET", "/metrics", SCOPE_READ, NULL, NULL, observe_get},
    {"GET", "/openapi.json", SCOPE_NONE, NULL, NULL, openapi_get},
    {"GET", "/docs", SCOPE_NONE, NULL, NULL, docs_get},
    {"GET", "/", SCOPE_NONE, NULL, NULL, home_get},
    {0},
};

static void worker_free(void *arg)
{
	struct worker *w = arg;
	for (struct scorer *s = w->scorers, *next; s; s = next) {
		next = s->next;
		score_stage.close(s->context);
		free(s);
	}
	batch_free(&w->batch);
	buf_free(&w->key);
	free(w);
}

void service_init(struct service *s)
{
	pthread_key_create(&s->worker, worker_free);
}

void service_release(struct service *s)
{
	pthread_key_delete(s->worker);
	models_free(s->models);
}

void service_put_cache(struct service *s, struct cache *c)
{
	if (c && c != s->local)
		c->close(c);
}

struct worker *service_worker(struct service *s)
{
	struct worker *w = pthread_getspecific(s->worker);
	if (!w) {
		w = xcalloc(1, sizeof *w);
		pthread_setspecific(s->worker, w);
	}
	return w;
}

static struct scorer *find_scorer(struct service *service, struct worker *w, const struct model *model, bool explain)
{
	for (struct scorer *s = w->scorers; s; s = s->next)
		if (s->conf.model == model && s->conf.explain == explain)
			return s;
	struct scorer *s = xcalloc(1, sizeof *s);
	s->conf = (struct score_conf){.model = model,
	    .explain = explain,
	    .form = {
		.text_name = STR("text"), .result_name = STR("sentiment"), .needs_text = true, .text_fixed = true}};
	s->context = score_stage.open(&s->conf, NULL);
	s->texts = observe_model(service->observe, str_of(model->name));
	s->next = w->scorers;
	w->scorers = s;
	return s;
}

void worker_score(struct service *service, struct worker *w, struct batch *b, const struct model *model, bool explain)
{
	struct scorer *s = find_scorer(service, w, model, explain);
	uint64_t before = b->counter[COUNTER_SCORED];
	struct err never; /* the stage cannot fail */
	score_stage.run(s->context, b, &never);
	series_add(s->texts, b->counter[COUNTER_SCORED] - before);
}
