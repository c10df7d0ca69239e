/* observe.c - figures of the server for a scraper. */
#include "lib/serve/observe.h"

#include "lib/base/clock.h"
#include "lib/metrics/counts.h"
#include "lib/metrics/process.h"
#include "lib/serve/health.h"
#include "lib/serve/news.h"
#include "lib/serve/submit.h"

/* Statuses of HTTP. CODE_GONE is shown where the client left before there was an answer; no answer of ours has it. */
enum { CODE_FIRST = 100, CODES = 500, CODE_GONE = 499 };

/* Of one route, or of all requests that no route took. */
struct road {
	const char *path, *method;
	struct series *seconds;
	_Atomic(struct series *) code[CODES]; /* made when first needed */
};

struct observe {
	struct service *service;
	_Atomic(struct http *) http;
	struct registry *registry;
	struct family *requests, *texts;
	struct series *cache[OBSERVE_CACHE];
	const struct route *routes;
	struct road *road; /* one a route, and one more */
	size_t nroutes;
};

/* From what a cached answer takes to what a client waits for workers. */
static const double seconds[] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

/* ---- what is asked at each scrape ---- */

static void put_dependencies(const struct service *s, struct buf *out)
{
	static const char name[] = "senti_dependency_up";
	exposition_family(out, METRIC_GAUGE, name, "Whether what the server needs answers, as /readyz tells.");
	for (int i = 0; i < HEALTH_COUNT; i++) {
		enum health_state state = health_state(s->health, (enum health_part)i);
		struct buf label = {0};
		if (state == HEALTH_NONE)
			continue;
		exposition_label(&label, "dependency", str_of(health_name((enum health_part)i)));
		exposition_count(out, name, buf_view(&label), state == HEALTH_OK);
		buf_free(&label);
	}
}

static void write_service(void *arg, struct buf *out)
{
	struct observe *o = arg;
	const struct service *s = o->service;
	struct http *h = atomic_load(&o->http);
	exposition_gauge(out, "senti_http_requests_open",
	    "Requests that have begun and are not over, event streams among them.", h ? (double)http_busy(h) : 0);
	exposition_gauge(out, "senti_events_listeners", "Listeners of /v1/events.", (double)news_listeners(s->news));
	exposition_gauge(out, "senti_follow_lag_seconds",
	    "Age of the last moment from before which nothing is left to follow.", (double)news_lag_ms(s->news) / 1000);
	exposition_gauge(out, "senti_draining", "1 once the server has been told to end.", atomic_load(&s->draining));
	put_dependencies(s, out);
}

static void write_submit(void *arg, struct buf *out)
{
	const struct observe *o = arg;
	counts_expose(submit_counts(o->service->submit), NULL, 0, out);
}

/* ---- its life ---- */

static void make_roads(struct observe *o, const struct route *routes)
{
	static const struct family_def requests = {.kind = METRIC_COUNTER,
	    .name = "senti_http_requests_total",
	    .help = "Requests that are over, by route and status (499: the client left before there was an answer).",
	    .label = {"route", "code", "method"}};
	static const struct family_def duration = {.kind = METRIC_HISTOGRAM,
	    .name = "senti_http_request_duration_seconds",
	    .help = "Time from a request's first line to its end.",
	    .label = {"route", "method"},
	    .bound = seconds,
	    .nbounds = COUNT_OF(seconds)};
	o->requests = registry_family(o->registry, &requests);
	struct family *family = registry_family(o->registry, &duration);
	while (routes[o->nroutes].path)
		o->nroutes++;
	o->routes = routes;
	o->road = xcalloc(o->nroutes + 1, sizeof *o->road);
	for (size_t i = 0; i <= o->nroutes; i++) {
		struct road *r = &o->road[i];
		r->path = i < o->nroutes ? routes[i].path : "other";
		r->method = i < o->nroutes ? routes[i].method : "other";
		r->seconds = family_series(family, (struct str[]){str_of(r->path), str_of(r->method)});
	}
}

static void make_cache(struct observe *o)
{
	static const struct family_def cache = {.kind = METRIC_COUNTER,
	    .name = "senti_cache_requests_total",
	    .help = "Messages that were looked for in the cache, by what it said.",
	    .label = {"result"}};
	static const char *const name[] = {
	    [OBSERVE_HIT] = "hit", [OBSERVE_MISS] = "miss", [OBSERVE_ABSENT] = "absent", [OBSERVE_SKIPPED] = "skipped"};
	struct family *f = registry_family(o->registry, &cache);
	for (size_t i = 0; i < OBSERVE_CACHE; i++)
		o->cache[i] = family_series(f, (struct str[]){str_of(name[i])});
}

struct observe *observe_new(struct service *s, const struct route *routes)
{
	static const struct family_def texts = {.kind = METRIC_COUNTER,
	    .name = "senti_score_texts_total",
	    .help = "Texts that were scored.",
	    .label = {"model"}};
	struct observe *o = xcalloc(1, sizeof *o);
	o->service = s;
	o->registry = registry_new();
	process_build_info(o->registry, "senti-serve");
	make_roads(o, routes);
	o->texts = registry_family(o->registry, &texts);
	make_cache(o);
	registry_collect(o->registry, write_service, o);
	registry_collect(o->registry, write_submit, o);
	registry_collect(o->registry, process_write, NULL);
	return o;
}

void observe_server(struct observe *o, struct http *h)
{
	atomic_store(&o->http, h);
}

void observe_free(struct observe *o)
{
	if (!o)
		return;
	registry_free(o->registry);
	free(o->road);
	free(o);
}

/* ---- counting ---- */

static struct series *code_of(struct observe *o, struct road *r, unsigned status)
{
	unsigned code = status >= CODE_FIRST && status < CODE_FIRST + CODES ? status : CODE_GONE;
	_Atomic(struct series *) *kept = &r->code[code - CODE_FIRST];
	struct series *s = atomic_load_explicit(kept, memory_order_acquire);
	if (s)
		return s;
	char text[8];
	snprintf(text, sizeof text, "%u", code);
	s = family_series(o->requests, (struct str[]){str_of(r->path), str_of(text), str_of(r->method)});
	atomic_store_explicit(kept, s, memory_order_release);
	return s;
}

void observe_ended(const struct request *x, void *app)
{
	struct observe *o = ((struct service *)app)->observe;
	struct road *r = &o->road[x->route ? (size_t)(x->route - o->routes) : o->nroutes];
	series_add(code_of(o, r, x->status), 1);
	series_observe(r->seconds, (double)x->took_us / 1e6);
}

struct series *observe_model(struct observe *o, struct str model)
{
	return family_series(o->texts, &model);
}

void observe_cache(struct observe *o, enum observe_cache what)
{
	series_add(o->cache[what], 1);
}

void observe_get(struct request *x, void *app)
{
	request_set(x, "Cache-Control", "no-store");
	registry_write(((struct service *)app)->observe->registry, &x->out);
	request_answer(x, 200, EXPOSITION_TYPE);
}
