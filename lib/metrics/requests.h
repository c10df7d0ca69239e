/* requests.h - the families of an HTTP server: requests by route and status, and how long they took.
 *
 * A request costs a few additions: the series of each route and status is looked up once.
 */
#ifndef SENTI_REQUESTS_H
#define SENTI_REQUESTS_H

#include "lib/metrics/registry.h"

struct request_metrics;

/* New, with its families in the registry; for `routes` routes, and for requests that no route took. */
struct request_metrics *request_metrics_new(struct registry *r, size_t routes);
/* Names route `i`, before any request; path and method are constant. */
void request_metrics_name(struct request_metrics *m, size_t i, const char *path, const char *method);
/* A request has ended: `i` is its route, or the number of routes if it had none. A status out of HTTP's range means
 * that the client left before there was an answer. Thread-safe. */
void request_metrics_ended(struct request_metrics *m, size_t i, unsigned status, double seconds);
/* Call it before registry_free. NULL is allowed. */
void request_metrics_free(struct request_metrics *m);

#endif
