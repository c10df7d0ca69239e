/* cors.c - headers for pages of other origins. Browsers hold pages to them; they protect no one from other clients. */
#include "lib/http/cors.h"

#include <ctype.h>

#define READABLE "Cache-Status, ETag, Link, Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id"
#define SENDABLE                                                                                                       \
	"Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, Prefer, X-Request-Id, traceparent"
#define REMEMBER "600" /* seconds */

bool cors_is_origin(const char *s)
{
	if (strcmp(s, "*") == 0)
		return true;
	const char *host = strstr(s, "://");
	if (!host || host == s || !host[3])
		return false;
	for (const char *p = s; p < host; p++)
		if (!islower((unsigned char)*p) && !(p > s && (isdigit((unsigned char)*p) || strchr("+-.", *p))))
			return false;
	for (const char *p = host + 3; *p; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && !strchr("-.:[]_", *p))
			return false;
	return true;
}

bool cors_begin(struct request *x, const char *const *origins)
{
	const char *origin = request_header(x, "Origin");
	bool any = false, named = false;
	for (; *origins; origins++) {
		any |= strcmp(*origins, "*") == 0;
		named |= origin && strcmp(*origins, origin) == 0;
	}
	/* Else a cache would give one origin's answer to another. */
	if (!any)
		request_set(x, "Vary", "Origin");
	if (!origin || !(any || named))
		return false;
	request_set(x, "Access-Control-Allow-Origin", "%s", any ? "*" : origin);
	request_set(x, "Access-Control-Expose-Headers", "%s", READABLE);
	return true;
}

void cors_preflight(struct request *x, const char *allow)
{
	if (!request_header(x, "Access-Control-Request-Method"))
		return;
	request_set(x, "Access-Control-Allow-Methods", "%s", allow);
	request_set(x, "Access-Control-Allow-Headers", "%s", SENDABLE);
	request_set(x, "Access-Control-Max-Age", "%s", REMEMBER);
}
