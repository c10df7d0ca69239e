/* observe.h - what /metrics shows: requests by route, texts by model, the cache's answers, what waits; and the sums of the pump behind POST
 * /v1/messages (counts.h).
 *
 * A request costs a few additions: the series of its route and code are found once and kept.
 */
#ifndef SENTI_OBSERVE_H
#define SENTI_OBSERVE_H

#include "lib/serve/service.h"

struct observe;
struct series;

/* New. The routes, ended as in http.h, and the service are lent for its life. */
struct observe *observe_new(struct service *s, const struct route *routes);
/* The server whose open requests are shown; NULL: none is any more. */
void observe_server(struct observe *o, struct http *h);
/* Once no thread uses it. */
void observe_free(struct observe *o);

/* For http_conf.ended; `app` is the service. */
void observe_ended(const struct request *x, void *app);
/* Texts that were scored by the model of this name: keep the series where it is often needed. */
struct series *observe_model(struct observe *o, struct str model);

/* What a cache said of one message: it had it; it had nothing; it knows that there is none; it is away, or too far behind to be asked. */
enum observe_cache { OBSERVE_HIT, OBSERVE_MISS, OBSERVE_ABSENT, OBSERVE_SKIPPED, OBSERVE_CACHE };
void observe_cache(struct observe *o, enum observe_cache what);

/* GET /metrics */
void observe_get(struct request *x, void *app);

#endif
