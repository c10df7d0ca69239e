/* requests.h - the families of an HTTP server: how many requests each route has answered, with which status, and how
 * long they took.
 *
 * A request costs a few additions: the series of its route and status is found once and kept.
 */
#ifndef SENTI_REQUESTS_H
#define SENTI_REQUESTS_H

#include "lib/metrics/registry.h"

struct request_metrics;

/* New, its families added to the registry; for `routes` routes, and for all requests that no route took. */
struct request_metrics *request_metrics_new(struct registry *r, size_t routes);
/* Names route `i`, before any request; path and method are constant. */
void request_metrics_name(struct request_metrics *m, size_t i, const char *path, const char *method);
/* A request has ended: `i` is its route, or the number of routes for none. A status that is not one of HTTP's means
 * that the client left before there was an answer. Thread-safe. */
void request_metrics_ended(struct request_metrics *m, size_t i, unsigned status, double seconds);
/* Before the registry. NULL is allowed. */
void request_metrics_free(struct request_metrics *m);

#endif
