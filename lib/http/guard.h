/* guard.h - keeps web pages from using a browser against a server that trusts whoever can reach it. Pure functions.
 *
 * Two kinds of requests by a page that the user visits pass CORS. "Simple" requests (a form, a body without a type or
 * of text/plain) are sent without a preflight, so a page can write. And a page whose name is rebound to this machine
 * shares the server's origin, so it can read everything. Sec-Fetch-Site, Origin and Content-Type reveal the first, Host
 * the second.
 */
#ifndef SENTI_GUARD_H
#define SENTI_GUARD_H

#include "lib/base/base.h"

/* The names that a server answers to, beside those of the loopback. Lent. */
struct guard_names {
	const char *listen, *bound; /* HOST:PORT as configured, and as bound; may be NULL */
	const char *const *more;    /* host names, without a port; ends with NULL; may be NULL */
};

/* True for a host name or address without a port: "example.org", "192.0.2.1", "[2001:db8::1]". */
bool guard_is_name(const char *s);
/* True if `host` (the value of Host: "localhost:8080") is localhost, an address of the loopback, or one of the names,
 * on any port. A server that listens on all addresses also answers to any numeric address, since those cannot be
 * rebound. */
bool guard_knows_host(const struct guard_names *names, struct str host);

/* The headers in which a browser says where a request comes from; NULL if absent. Lent. */
struct guard_source {
	const char *origin, *fetch_site, *forwarded_proto;
};

/* True if no page of another origin caused the request, so that it may write: Sec-Fetch-Site is absent, none (typed, or
 * a bookmark) or same-origin, and Origin is absent or http://HOST; https://HOST if X-Forwarded-Proto or the browser
 * says that a proxy ends TLS. */
bool guard_is_ours(const struct guard_source *source, struct str host);

#endif
