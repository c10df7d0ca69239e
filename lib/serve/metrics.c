/* metrics.c - the server's own families. */
#include "lib/serve/metrics.h"

#include "lib/metrics/counts.h"
#include "lib/metrics/process.h"

/* ---- what is asked at each scrape ---- */

static void put_dependencies(struct health *h, struct buf *out)
{
	static const char name[] = "senti_dependency_up";
	exposition_family(out, METRIC_GAUGE, name, "Whether what the server needs answers, as /readyz tells.");
	for (int i = 0; i < HEALTH_COUNT; i++) {
		enum health_state state = health_state(h, (enum health_part)i);
		struct buf label = {0};
		if (state == HEALTH_NONE)
			continue;
		exposition_label(&label, "dependency", str_of(health_name((enum health_part)i)));
		exposition_count(out, name, buf_view(&label), state == HEALTH_OK);
		buf_free(&label);
	}
}

static void write_server(void *arg, struct buf *out)
{
	struct server_metrics *m = arg;
	struct http_server *h = atomic_load(&m->http);
	exposition_gauge(out, "senti_http_requests_open", "Requests under way, event streams included.",
	    h ? (double)http_server_busy(h) : 0);
	exposition_gauge(
	    out, "senti_events_listeners", "Subscribers of /v1/events.", (double)subscribers_count(m->subscribers));
	exposition_gauge(out, "senti_follow_lag_seconds",
	    "Age of the last moment from before which nothing is left to follow.", (double)feed_lag_ms(m->feed) / 1000);
	exposition_gauge(out, "senti_draining", "1 once the server has been told to end.", health_draining(m->health));
	put_dependencies(m->health, out);
	counts_expose(intake_counts(m->intake), NULL, 0, out);
}

/* ---- its life ---- */

void server_metrics_init(struct server_metrics *m, const struct route *routes, size_t nroutes)
{
	static const struct family_def cache = {.kind = METRIC_COUNTER,
	    .name = "senti_cache_requests_total",
	    .help = "Messages looked up in the cache, by outcome.",
	    .label = {"result"}};
	static const char *const answer[] = {
	    [CACHE_HIT] = "hit", [CACHE_MISS] = "miss", [CACHE_ABSENT] = "absent", [CACHE_SKIPPED] = "skipped"};
	m->routes = routes;
	m->nroutes = nroutes;
	m->registry = registry_new();
	process_build_info(m->registry, "senti-serve");
	m->requests = request_metrics_new(m->registry, nroutes);
	scored_families_add(&m->scored, m->registry);
	struct family *f = registry_family(m->registry, &cache);
	for (size_t i = 0; i < CACHE_ANSWERS; i++)
		m->cache[i] = family_series(f, (struct str[]){str_of(answer[i])});
}

void server_metrics_watch(struct server_metrics *m)
{
	for (size_t i = 0; i < m->nroutes; i++)
		request_metrics_name(m->requests, i, m->routes[i].path, m->routes[i].method);
	registry_collect(m->registry, write_server, m);
	registry_collect(m->registry, process_write, NULL);
}

void server_metrics_release(struct server_metrics *m)
{
	request_metrics_free(m->requests);
	registry_free(m->registry);
}

void server_metrics_ended(const struct request *r, void *metrics)
{
	struct server_metrics *m = metrics;
	size_t route = r->route ? (size_t)(r->route - m->routes) : m->nroutes;
	request_metrics_ended(m->requests, route, r->status, (double)r->took_us / 1e6);
}
