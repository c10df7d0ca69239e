/* guard.h - what web pages may make a browser do to a server that trusts whoever can reach it. Pure: no request is
 * needed to ask.
 *
 * A browser sends the requests of any page that its user visits, and two kinds of them pass CORS. A page can write
 * without being asked whether it may ("simple" requests: a form, a body without a type or of text/plain). And a page
 * whose name is rebound, so that it now leads to this machine, is of one origin with the server and reads everything.
 * The first is seen by Sec-Fetch-Site, Origin and Content-Type, the second by Host.
 */
#ifndef SENTI_GUARD_H
#define SENTI_GUARD_H

#include "lib/base/base.h"

/* The names under which a server may be asked, beside those of the loopback. Lent. */
struct guard_names {
	const char *listen, *bound; /* HOST:PORT as the server was told, and as it listens; may be NULL */
	const char *const *more;    /* host names, without a port; ends with NULL; may be NULL */
};

/* True for a host name or address without a port: "example.org", "192.0.2.1", "[2001:db8::1]". */
bool guard_is_name(const char *s);
/* True if `host` (the value of Host: "localhost:8080") is localhost, an address of the loopback, or one of the names,
 * on any port. A server that listens on all addresses is known by any address in digits, which no name can be rebound
 * to. */
bool guard_knows_host(const struct guard_names *names, struct str host);

/* The headers by which a browser tells where a request comes from; NULL if absent. Lent. */
struct guard_source {
	const char *origin, *fetch_site, *forwarded_proto;
};

/* True if no page of another origin than http://HOST caused the request, so that it may write: Sec-Fetch-Site is
 * absent, none (typed, or a bookmark) or same-origin, and Origin is absent or ours. It is https://HOST behind a proxy
 * that ends TLS, as X-Forwarded-Proto or the browser says. */
bool guard_is_ours(const struct guard_source *source, struct str host);

#endif
