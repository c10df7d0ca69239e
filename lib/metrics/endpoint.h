/* endpoint.h - the HTTP endpoint of --metrics: GET /metrics shows a registry, GET /livez says that the process lives.
 *
 * Its own thread calls the registry's collectors, which must not wait for the thread that works.
 */
#ifndef SENTI_ENDPOINT_H
#define SENTI_ENDPOINT_H

#include "lib/base/err.h"
#include "lib/metrics/registry.h"

struct endpoint;

/* Whether `where` is spelled as endpoint_open takes it: 0, or -1 with *e, an error of usage. */
MUST_USE int endpoint_check(const char *where, struct err *e);
struct endpoint_conf {
	const char *where; /* PORT (on 127.0.0.1), HOST:PORT or [ADDRESS]:PORT; port 0 is any free one */
	struct registry *registry;
	/* True if it may be asked under this name (the value of Host); `bound` is where it listens, ADDRESS:PORT. Other
	 * requests are answered 421. Called from its thread. */
	bool (*knows)(void *arg, const char *bound, struct str host);
	void *arg;
};

/* Starts to listen; its address goes to the log. All that *conf points to is lent for the endpoint's life. New, or NULL
 * with *e. */
struct endpoint *endpoint_open(const struct endpoint_conf *conf, struct err *e);
/* Returns when its thread has ended. */
void endpoint_close(struct endpoint *p);

#endif
