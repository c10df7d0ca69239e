/* requests.c - requests by route and status. */
#include "lib/metrics/requests.h"

#include <stdatomic.h>

/* HTTP statuses. CODE_GONE: the client left before there was an answer; we never send it. */
enum { CODE_FIRST = 100, CODES = 500, CODE_GONE = 499 };

struct route_metrics {
	const char *path, *method;
	struct series *seconds;
	_Atomic(struct series *) code[CODES]; /* made when first needed */
};

struct request_metrics {
	struct family *requests, *duration;
	struct route_metrics *route; /* one for each route, and one more */
};

/* From a cached answer to a long wait for workers. */
static const double bounds[] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};

struct request_metrics *request_metrics_new(struct registry *r, size_t routes)
{
	static const struct family_def requests = {.kind = METRIC_COUNTER,
	    .name = "senti_http_requests_total",
	    .help = "Requests by route and status (499: the client left before the answer).",
	    .label = {"route", "code", "method"}};
	static const struct family_def duration = {.kind = METRIC_HISTOGRAM,
	    .name = "senti_http_request_duration_seconds",
	    .help = "Time from a request's first line to its end.",
	    .label = {"route", "method"},
	    .bound = bounds,
	    .nbounds = COUNT_OF(bounds)};
	struct request_metrics *m = xcalloc(1, sizeof *m);
	m->requests = registry_family(r, &requests);
	m->duration = registry_family(r, &duration);
	m->route = xcalloc(routes + 1, sizeof *m->route);
	request_metrics_name(m, routes, "other", "other");
	return m;
}

void request_metrics_name(struct request_metrics *m, size_t i, const char *path, const char *method)
{
	m->route[i].path = path;
	m->route[i].method = method;
	m->route[i].seconds = family_series(m->duration, (struct str[]){str_of(path), str_of(method)});
}

static struct series *series_of(struct request_metrics *m, struct route_metrics *r, unsigned status)
{
	unsigned code = status >= CODE_FIRST && status < CODE_FIRST + CODES ? status : CODE_GONE;
	_Atomic(struct series *) *kept = &r->code[code - CODE_FIRST];
	struct series *s = atomic_load_explicit(kept, memory_order_acquire);
	if (s)
		return s;
	char text[8];
	snprintf(text, sizeof text, "%u", code);
	s = family_series(m->requests, (struct str[]){str_of(r->path), str_of(text), str_of(r->method)});
	atomic_store_explicit(kept, s, memory_order_release);
	return s;
}

void request_metrics_ended(struct request_metrics *m, size_t i, unsigned status, double seconds)
{
	struct route_metrics *r = &m->route[i];
	series_add(series_of(m, r, status), 1);
	series_observe(r->seconds, seconds);
}

void request_metrics_free(struct request_metrics *m)
{
	if (!m)
		return;
	free(m->route);
	free(m);
}
