/* server.c - the life of the server. */
#include "lib/serve/server.h"

#include <poll.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/log.h"
#include "lib/base/sig.h"
#include "lib/base/systemd.h"
#include "lib/serve/db_context.h"
#include "lib/serve/invalidator.h"
#include "lib/serve/metrics.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/thread_context.h"
#include "lib/serve/tokens.h"
#include "lib/serve/work.h"

enum { SPOOL_PART = 4 }; /* of the descriptors, for temporary files */
enum {
	POINT_THREADS = 2,
	SCAN_THREADS = 2,
	SCANS_WAITING = 32,
	GRAPHQL_THREADS = 4,
	GRAPHQL_WAITING = 1024,
	DRAIN_POLL_MS = 10,
	DAY_MS = 86400000,
};

struct server {
	const struct server_conf *conf;
	struct ends ends;
	struct budget memory;
	struct spools spools;
	struct share cache;
	struct cache_watch watch;
	struct models *models;
	struct tokens *tokens;
	struct used_tickets *tickets;
	int event; /* of the feed */
	struct await *await;
	struct subscribers *subscribers;
	struct feed *feed;
	struct invalidator *invalidator;
	struct intake *intake;
	struct db_pool *pool, *scans, *graphql_pool;
	struct graphql *graphql;
	struct work_pool *work;
	struct health *health;
	struct server_metrics metrics;
	struct thread_contexts *threads;
	struct routes routes;
	struct route route[ROUTES + 1];
	struct http_server *http;
	int socket; /* inherited, or -1 */
	int hup;
	int64_t watchdog_ms, next_tick, began_ms;
};

/* ---- start ---- */

/* The process's own cache takes part of the memory. */
static int open_local(struct server *s, struct err *e)
{
	struct cache_stats stats = {0};
	if (ends_open_local(&s->ends, e) < 0 || (s->ends.local && s->ends.local->stats(s->ends.local, &stats, e) < 0))
		return -1;
	if (stats.limit > s->memory.limit / 2)
		return err_set(e, ERR_USAGE, "a cache in this process is at most half of --memory");
	s->cache.of = &s->memory;
	share_add(&s->cache, stats.limit);
	s->memory.fixed = stats.limit;
	return 0;
}

static bool has_shared_cache(const struct server *s)
{
	return s->ends.cache && !s->ends.local;
}

/* Without a shared cache nobody knows which of the tickets made until now were used, here or elsewhere. */
static void open_tickets(struct server *s)
{
	s->tickets = used_tickets_new(has_shared_cache(s) ? 0 : clock_wall_ms() + (int64_t)TICKET_S * 1000);
}

static int start_feed(struct server *s, struct err *e)
{
	s->event = event_open();
	if (s->event < 0)
		return err_sys(e, "cannot make a descriptor");
	s->await = await_new(s->event, &s->memory);
	s->subscribers = subscribers_new(s->event, &s->memory);
	if (s->tokens)
		subscribers_admit(s->subscribers, tokens_know, s->tokens);
	const struct feed_conf conf = {
	    .ends = &s->ends, .await = s->await, .subscribers = s->subscribers, .event = s->event};
	s->feed = feed_start(&conf, e);
	if (!s->feed)
		return -1;
	if (!has_shared_cache(s))
		return 0;
	return (s->invalidator = invalidator_start(&s->ends, s->conf->cache_reader, e)) ? 0 : -1;
}

static int start_intake(struct server *s, struct err *e)
{
	const struct model *model = models_default(s->models);
	struct intake_conf conf = {.ends = &s->ends,
	    .model = model,
	    .limits = s->conf->limits,
	    .max_waiting = s->conf->max_waiting,
	    .memory = &s->memory};
	scored_open(&conf.scored, &s->metrics.scored, model);
	return (s->intake = intake_start(&conf, e)) ? 0 : -1;
}

static int start_pools(struct server *s, struct err *e)
{
	const struct db_pool_conf points = {
	    .ends = &s->ends, .threads = POINT_THREADS, .max_waiting = s->conf->max_waiting};
	const struct db_pool_conf scans = {.ends = &s->ends,
	    .threads = SCAN_THREADS,
	    .max_waiting = SCANS_WAITING,
	    .scan_ms = (int64_t)s->conf->scan_timeout_s * 1000};
	return (s->pool = db_pool_start(&points, e)) && (s->scans = db_pool_start(&scans, e)) &&
		       (s->work = work_pool_start(s->conf->jobs, e))
		   ? 0
		   : -1;
}

static int start_health(struct server *s, struct err *e)
{
	const struct health_conf conf = {
	    .ends = &s->ends, .feed = s->feed, .intake = s->intake, .read_only = s->conf->read_only};
	return (s->health = health_start(&conf, e)) ? 0 : -1;
}

static int start_graphql(struct server *s, struct err *e)
{
	const struct server_conf *c = s->conf;
	const struct db_pool_conf pool = {.ends = &s->ends,
	    .threads = GRAPHQL_THREADS,
	    .max_waiting = GRAPHQL_WAITING,
	    .scan_ms = c->graphql_ms ? c->graphql_ms : DAY_MS,
	    .cached = true};
	s->graphql_pool = db_pool_start(&pool, e);
	const struct graphql_conf conf = {.pool = s->graphql_pool,
	    .points = s->pool,
	    .local = s->ends.local,
	    .models = s->models,
	    .threads = s->threads,
	    .feed = s->feed,
	    .health = s->health,
	    .intake = s->intake,
	    .await = s->ends.queue ? s->await : NULL,
	    .subscribers = s->subscribers,
	    .answers = s->metrics.cache,
	    .memory = &s->memory,
	    .max_record = c->limits.max_record,
	    .max_items = c->max_items,
	    .limits = c->graphql,
	    .timeout_ms = c->graphql_ms,
	    .read_only = c->read_only,
	    .documents = c->documents};
	return s->graphql_pool && (s->graphql = graphql_new(&conf, e)) ? 0 : -1;
}

static void fill_routes(struct server *s)
{
	const struct server_conf *c = s->conf;
	s->routes = (struct routes){
	    .sentiment = {.models = s->models,
		.threads = s->threads,
		.pool = s->work,
		.max_record = c->limits.max_record,
		.max_items = c->max_items},
	    .post = {.intake = s->intake,
		.await = s->ends.queue ? s->await : NULL,
		.threads = s->threads,
		.pool = s->work,
		.memory = &s->memory,
		.spools = &s->spools,
		.max_record = c->limits.max_record,
		.max_items = c->max_items},
	    .messages = {.pool = s->pool,
		.scans = s->scans,
		.threads = s->threads,
		.feed = s->feed,
		.local = s->ends.local,
		.answers = s->metrics.cache},
	    .events = {.subscribers = s->subscribers,
		.tickets = s->tickets,
		.claims = has_shared_cache(s) ? s->pool : NULL},
	    .terms = {.scans = s->scans, .models = s->models},
	    .status = {.scans = s->scans,
		.models = s->models,
		.health = s->health,
		.feed = s->feed,
		.subscribers = s->subscribers,
		.answers = s->metrics.cache,
		.began_ms = s->began_ms},
	    .graphql = s->graphql,
	    .scans = s->scans,
	    .models = s->models,
	    .health = s->health,
	    .registry = s->metrics.registry,
	};
	routes_fill(s->route, &s->routes);
	if (c->read_only)
		routes_only_read(s->route);
}

static void watch(struct server *s)
{
	s->metrics.feed = s->feed;
	s->metrics.subscribers = s->subscribers;
	s->metrics.intake = s->intake;
	s->metrics.health = s->health;
	server_metrics_watch(&s->metrics);
}

static int listen_now(struct server *s, struct err *e)
{
	struct http_conf http = s->conf->http;
	http.route = s->route;
	http.socket = s->socket;
	http.memory = &s->memory;
	http.spools = &s->spools;
	http.vendor = "senti";
	http.index = "/openapi.json";
	http.local_only = !s->tokens && !s->conf->insecure;
	http.any_host = s->tokens && !http.hosts; /* a rebound page has no token */
	http.admit = tokens_admit;
	http.admit_arg = s->tokens;
	http.ended = server_metrics_ended;
	http.ended_arg = &s->metrics;
	s->http = http_server_start(&http, e);
	atomic_store(&s->metrics.http, s->http);
	return s->http ? 0 : -1;
}

static int start(struct server *s, struct err *e)
{
	const struct server_conf *c = s->conf;
	s->memory.limit = c->memory;
	s->spools.bytes.limit = c->spool;
	s->spools.files.limit = http_descriptors() / SPOOL_PART;
	server_metrics_init(&s->metrics, s->route, ROUTES);
	s->threads = thread_contexts_new(&s->metrics.scored);
	if (systemd_socket(&s->socket, e) < 0 || (c->tokens && !(s->tokens = tokens_open(c->tokens, e))) ||
	    !(s->models = models_new(&c->model, e)) || open_local(s, e) < 0 || start_feed(s, e) < 0 ||
	    start_intake(s, e) < 0 || start_pools(s, e) < 0 || start_health(s, e) < 0 || start_graphql(s, e) < 0)
		return -1;
	open_tickets(s);
	fill_routes(s);
	watch(s);
	return listen_now(s, e);
}

/* ---- run and drain ---- */

/* Reports to the service manager from the thread that would stop the server. */
static void tick(struct server *s)
{
	int64_t now = clock_mono_ms();
	if (s->watchdog_ms && now >= s->next_tick) {
		systemd_notify("WATCHDOG=1");
		s->next_tick = now + s->watchdog_ms / 2;
	}
}

/* A bad file changes nothing. */
static void reload_tokens(struct server *s)
{
	struct err e;
	char n[24];
	if (tokens_reload(s->tokens, &e) < 0) {
		log_error(e.msg, "tokens", "as before", NULL);
	} else {
		snprintf(n, sizeof n, "%zu", tokens_count(s->tokens));
		subscribers_review(s->subscribers);
		log_info("tokens reloaded", "tokens", n, NULL);
	}
}

static void reload_documents(struct server *s)
{
	struct err e;
	char text[24];
	int n = graphql_reload(s->graphql, &e);
	snprintf(text, sizeof text, "%d", n);
	if (n < 0)
		log_error(e.msg, "documents", "as before", NULL);
	else
		log_info("documents read again", "documents", text, NULL);
}

static void reload(struct server *s)
{
	if (s->tokens)
		reload_tokens(s);
	if (s->conf->documents)
		reload_documents(s);
	if (!s->tokens && !s->conf->documents)
		log_info("nothing to reload: there is no --tokens", NULL);
}

static void run(struct server *s)
{
	const struct stop *stop = s->conf->limits.stop;
	char state[256];
	snprintf(state, sizeof state, "READY=1\nSTATUS=listening on %s", http_server_address(s->http));
	log_info("listening", "address", http_server_address(s->http), NULL);
	systemd_notify(state);
	while (!stop_raised(stop)) {
		struct pollfd p[2] = {{.fd = stop_fd(stop), .events = POLLIN}, {.fd = s->hup, .events = POLLIN}};
		int64_t most = s->watchdog_ms / 4 + 1;
		tick(s);
		poll(p, COUNT_OF(p), !s->watchdog_ms ? -1 : most < INT32_MAX ? (int)most : INT32_MAX);
		if (sig_hup_taken(s->hup))
			reload(s);
	}
}

static void doze(struct server *s)
{
	nanosleep(&(struct timespec){.tv_nsec = DRAIN_POLL_MS * 1000000L}, NULL);
	tick(s);
}

static void drain(struct server *s)
{
	int64_t until = clock_mono_ms() + (int64_t)s->conf->drain_delay_s * 1000;
	systemd_notify("STOPPING=1\nSTATUS=finishing requests");
	health_drain(s->health);
	subscribers_end(s->subscribers);
	while (clock_mono_ms() < until)
		doze(s);
	http_server_quiesce(s->http);
	await_end(s->await);
	while (http_server_busy(s->http))
		doze(s);
	atomic_store(&s->metrics.http, NULL);
	http_server_stop(s->http);
}

/* ---- stop ---- */

static void stop(struct server *s)
{
	if (s->work)
		work_pool_stop(s->work);
	if (s->graphql_pool)
		db_pool_stop(s->graphql_pool);
	graphql_free(s->graphql);
	if (s->pool)
		db_pool_stop(s->pool);
	if (s->scans)
		db_pool_stop(s->scans);
	if (s->health)
		health_stop(s->health);
	if (s->intake)
		intake_stop(s->intake);
	if (s->invalidator)
		invalidator_stop(s->invalidator);
	if (s->feed)
		feed_stop(s->feed);
	subscribers_free(s->subscribers);
	await_free(s->await);
	if (s->event >= 0)
		close(s->event);
	ends_close_local(&s->ends);
	models_free(s->models);
	used_tickets_free(s->tickets);
	if (s->tokens)
		tokens_free(s->tokens);
	thread_contexts_free(s->threads);
	server_metrics_release(&s->metrics);
}

int server_run(const struct server_conf *conf, struct err *e)
{
	struct server s = {.conf = conf,
	    .ends = conf->ends,
	    .event = -1,
	    .socket = -1,
	    .watchdog_ms = systemd_watchdog_ms(),
	    .began_ms = clock_mono_ms()};
	s.hup = sig_hup_fd(); /* before the threads start, which must not receive the signal */
	s.ends.watch = &s.watch;
	int rc = start(&s, e);
	if (rc == 0) {
		run(&s);
		drain(&s);
	}
	stop(&s);
	return rc;
}
