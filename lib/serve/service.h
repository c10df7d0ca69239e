/* service.h - what all routes share: the models, the limits, and what each thread has of its own. */
#ifndef SENTI_SERVICE_H
#define SENTI_SERVICE_H

#include <pthread.h>
#include <stdatomic.h>

#include "lib/data/cache.h"
#include "lib/flow/counts.h"
#include "lib/flow/port.h"
#include "lib/http/http.h"
#include "lib/serve/models.h"
#include "lib/stage/score.h"

/* How cmd opens what only it knows. Each call makes a handle for one thread. */
struct ends {
	void *arg;
	struct store *(*store)(void *arg, struct err *e);
	struct cache *(*cache)(void *arg, struct err *e); /* or service.local; give back by service_put_cache */
	/* It counts in c (may be NULL) what concerns queues. NULL: the store is the queue. */
	struct sink *(*queue)(void *arg, struct counts *c, struct err *e);
};

struct service {
	struct ends ends;
	struct models *models;
	size_t max_waiting; /* records that may be under way */
	struct backend *backend;
	struct submit *submit;
	struct news *news;
	struct observe *observe;
	struct health *health;
	struct tokens *tokens; /* NULL: all may do everything */
	struct cache *local;   /* the cache, if it is this process's own: threads may ask it directly */
	struct limits limits;
	size_t max_items;     /* of an array; NDJSON has no limit but --max-body */
	atomic_bool draining; /* /readyz fails from now on */
	pthread_key_t worker; /* each thread's struct worker */
};

/* A stage of scoring as one thread uses it again and again. */
struct scorer {
	struct scorer *next;
	struct series *texts; /* how many, for /metrics */
	struct score_conf conf;
	void *context;
};

struct worker {
	struct batch batch;
	struct scorer *scorers;
	struct buf key;
};

void service_init(struct service *s);
/* Once no thread uses it. */
void service_release(struct service *s);
/* Closes a handle that ends.cache gave, if it is not shared. NULL is not a handle. */
void service_put_cache(struct service *s, struct cache *c);
/* This thread's own; lent for its life. */
struct worker *service_worker(struct service *s);
/* Scores what the batch holds: records without a result of the model get one. */
void worker_score(struct service *service, struct worker *w, struct batch *b, const struct model *model, bool explain);

extern const struct route service_routes[];

/* admit.c: for http_conf.admit: 401 and 403. */
void service_admit(struct request *x, void *app);

/* sentiment.c: POST /v1/sentiment */
void sentiment_begin(struct request *x, void *app);
bool sentiment_piece(struct request *x, void *app, struct str piece);
void sentiment_end(struct request *x, void *app);

/* post.c: POST /v1/messages */
void post_begin(struct request *x, void *app);
bool post_piece(struct request *x, void *app, struct str piece);
void post_end(struct request *x, void *app);
/* For submit_start. */
void post_done(struct rec *r, bool ok);

/* events.c: GET /v1/events */
void events_get(struct request *x, void *app);

/* stats.c: GET /v1/stats */
void stats_get(struct request *x, void *app);

/* messages.c: /v1/messages/{id}, and GET /v1/messages */
void message_get(struct request *x, void *app);
void message_patch_begin(struct request *x, void *app);
void message_patch(struct request *x, void *app);
void message_delete(struct request *x, void *app);
void messages_list(struct request *x, void *app);

#endif
