/* cors.c - headers for pages of other origins. Only browsers obey them. */
#include "lib/http/cors.h"

#include <ctype.h>

#define READABLE "Cache-Status, ETag, Link, Location, Preference-Applied, Retry-After, WWW-Authenticate, X-Request-Id"
#define SENDABLE                                                                                                       \
	"Authorization, Content-Type, If-Match, If-None-Match, Last-Event-ID, Prefer, X-GraphQL-Event-Stream-Token, "  \
	"X-Request-Id, traceparent"
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

bool cors_begin(const char *const *origins, const char *origin, struct headers *out)
{
	bool any = false, named = false;
	for (; *origins; origins++) {
		any |= strcmp(*origins, "*") == 0;
		named |= origin && strcmp(*origins, origin) == 0;
	}
	/* A cache must not give one origin's answer to another. */
	if (!any)
		headers_add(out, "Vary", "Origin");
	if (!origin || !(any || named))
		return false;
	headers_add(out, "Access-Control-Allow-Origin", "%s", any ? "*" : origin);
	headers_add(out, "Access-Control-Expose-Headers", "%s", READABLE);
	return true;
}

void cors_preflight(const char *methods, struct headers *out)
{
	headers_add(out, "Access-Control-Allow-Methods", "%s", methods);
	headers_add(out, "Access-Control-Allow-Headers", "%s", SENDABLE);
	headers_add(out, "Access-Control-Max-Age", "%s", REMEMBER);
}
