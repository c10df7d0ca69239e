/* cors.h - which web pages of other origins may ask and read the answers (the Fetch standard's CORS). */
#ifndef SENTI_CORS_H
#define SENTI_CORS_H

#include "lib/http/headers.h"

/* True for "*", and for an origin as browsers send it: "https://example.org", "http://localhost:3000". */
bool cors_is_origin(const char *s);
/* Adds what any answer needs; true if the request's Origin (NULL: it has none) is one of the origins, which end with
 * NULL. */
bool cors_begin(const char *const *origins, const char *origin, struct headers *out);
/* Adds what the answer to a preflight of such an origin needs; the methods are as in Allow. */
void cors_preflight(const char *methods, struct headers *out);

#endif
