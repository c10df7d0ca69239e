/* audit.h - refuses requests that two servers may read differently, so that nobody can smuggle one past a proxy in
 * front of us (RFC 9112, section 11.2).
 *
 * One pass over the headers, which also keeps the few that every request needs.
 */
#ifndef SENTI_AUDIT_H
#define SENTI_AUDIT_H

#include "lib/base/base.h"

/* A zeroed struct has seen nothing. */
struct audit {
	unsigned lengths, hosts, codings, credentials, encodings;
	bool bad_name, bad_value, bad_coding, folded;
	size_t lines, bytes; /* of all headers, without what separates them */
	/* The last of each; lent. */
	const char *content_type, *content_length, *content_encoding, *request_id, *traceparent, *host;
	const char *origin, *fetch_site, *forwarded_proto;
};

/* Looks at one header. The value may be NULL. */
void audit_header(struct audit *a, const char *name, const char *value);
/* What is ambiguous about a request for this target with these headers, a constant; NULL if nothing is. */
const char *audit_verdict(const struct audit *a, const char *target, bool http_1_0);

#endif
