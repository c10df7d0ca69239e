/* routes.h - the handlers of all routes, one file a resource, and the table of them. */
#ifndef SENTI_ROUTES_H
#define SENTI_ROUTES_H

#include "lib/flow/record.h"
#include "lib/graphql/limits.h"
#include "lib/http/request.h"
#include "lib/serve/metrics.h"

struct await;
struct cache;
struct db_pool;
struct feed;
struct health;
struct intake;
struct models;
struct subscribers;
struct thread_contexts;
struct used_tickets;
struct work_pool;

enum { ROUTES = 24 };

/* What the handlers of each resource use; all lent while the server runs. */
struct routes {
	struct sentiment_conf {
		struct models *models;
		struct thread_contexts *threads;
		struct work_pool *pool;
		size_t max_record, max_items;
	} sentiment;
	struct post_conf {
		struct intake *intake;
		struct await *await; /* NULL: messages are scored here, and nobody waits for workers */
		struct thread_contexts *threads;
		struct work_pool *pool;
		struct budget *memory;
		struct spools *spools;
		size_t max_record, max_items;
	} post;
	struct messages_conf {
		struct db_pool *pool, *scans;
		struct thread_contexts *threads;
		struct feed *feed;
		struct cache *local;	       /* the cache, if it is this process's own; else NULL */
		struct series *const *answers; /* by enum cache_answer */
	} messages;
	struct events_conf {
		struct subscribers *subscribers;
		struct used_tickets *tickets;
		struct db_pool *claims; /* whose cache tells servers which tickets are used; NULL: they share none */
	} events;
	struct terms_conf {
		struct db_pool *scans;
		struct models *models;
	} terms;
	struct status_conf {
		struct db_pool *scans;
		struct models *models;
		struct health *health;
		struct feed *feed;
		struct subscribers *subscribers;
		struct series *const *answers; /* by enum cache_answer */
		int64_t began_ms;	       /* on clock_mono_ms */
	} status;
	struct graphql *graphql;
	struct db_pool *scans;
	struct models *models;
	struct health *health;
	struct registry *registry;
};

/* What GraphQL's resolvers use; lent likewise. */
struct graphql_conf {
	struct db_pool *pool;	/* its own, so that nothing else waits for its operations */
	struct db_pool *points; /* of GET /v1/messages/{id}, for operations that only do the same */
	struct cache *local;	/* as in messages_conf */
	struct models *models;
	struct thread_contexts *threads;
	struct feed *feed;
	struct health *health;
	struct intake *intake;
	struct await *await; /* NULL as in post_conf */
	struct subscribers *subscribers;
	struct series *const *answers;
	struct budget *memory;
	size_t max_record, max_items;
	struct gql_limits limits; /* but for the deadline */
	int64_t timeout_ms;	  /* of an operation; 0: none */
	const char *documents;	  /* the folder of those that may be run; NULL: all may */
	bool read_only;		  /* refuse mutations */
};

/* Fills the table, whose last entry ends it. */
void routes_fill(struct route table[ROUTES + 1], struct routes *routes);

/* Has the filled table refuse what needs the scope write. */
void routes_only_read(struct route table[ROUTES + 1]);

/* sentiment.c: POST /v1/sentiment */
void sentiment_begin(struct request *r, void *app);
bool sentiment_piece(struct request *r, void *app, struct str piece);
void sentiment_end(struct request *r, void *app);

/* messages_post.c: POST /v1/messages */
void post_begin(struct request *r, void *app);
bool post_piece(struct request *r, void *app, struct str piece);
void post_end(struct request *r, void *app);

/* message.c: /v1/messages/{id} */
void message_get(struct request *r, void *app);
void message_patch_begin(struct request *r, void *app);
void message_patch(struct request *r, void *app);
void message_delete(struct request *r, void *app);
/* What the cache said in a look-up (lookaside.h). */
struct look;
enum cache_answer message_cache_answer(const struct look *l);

/* messages.c: GET /v1/messages */
void messages_list(struct request *r, void *app);

/* graphql.c, graphql_http.c: /graphql. New, or NULL with *e; for the routes' `app`. */
struct graphql;
struct graphql *graphql_new(const struct graphql_conf *conf, struct err *e);
/* NULL is allowed. */
void graphql_free(struct graphql *g);
/* Reads the trusted documents again, if there are: how many, or -1 with *e, and all is as it was. Thread-safe. */
MUST_USE int graphql_reload(struct graphql *g, struct err *e);
void graphql_get(struct request *r, void *app);
void graphql_post_begin(struct request *r, void *app);
void graphql_post(struct request *r, void *app);
void graphql_put(struct request *r, void *app);
void graphql_delete(struct request *r, void *app);

/* events.c: GET /v1/events */
void events_get(struct request *r, void *app);

/* tickets.c: POST /v1/tickets */
void tickets_post(struct request *r, void *app);

/* stats.c: GET /v1/stats */
void stats_get(struct request *r, void *app);

/* terms.c: GET /v1/terms */
void terms_get(struct request *r, void *app);

/* status.c: GET /v1/status */
void status_get(struct request *r, void *app);

/* models.c: GET /v1/models */
void models_get(struct request *r, void *app);

/* health.c: GET /livez, GET /readyz */
void livez_get(struct request *r, void *app);
void readyz_get(struct request *r, void *app);

/* metrics.c: GET /metrics */
void metrics_get(struct request *r, void *app);

/* docs.c: GET /openapi.json, with the version and the names of the models filled in; GET /docs, the same as a
 * self-contained page. */
void openapi_get(struct request *r, void *app);
void docs_get(struct request *r, void *app);

/* assets.c: GET / (the dashboard), GET /graphiql and GET /assets/{name}: the web pages, if they were built */
void assets_get(struct request *x, void *app);

#endif
