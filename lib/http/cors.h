/* cors.h - which web pages of other origins may send requests and read the answers (CORS in the Fetch standard). */
#ifndef SENTI_CORS_H
#define SENTI_CORS_H

#include "lib/http/headers.h"

/* True for "*", and for an origin as browsers send it: "https://example.org", "http://localhost:3000". */
bool cors_is_origin(const char *s);
/* Adds what every answer needs; true if the request's Origin (NULL: none) is one of the origins, which end with NULL.
 */
bool cors_begin(const char *const *origins, const char *origin, struct headers *out);
/* Adds what the answer to a preflight of such an origin needs; the methods are as in Allow. */
void cors_preflight(const char *methods, struct headers *out);

#endif
