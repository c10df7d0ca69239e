/* cors.h - which web pages of other origins may read the answers (the Fetch standard's CORS). */
#ifndef SENTI_CORS_H
#define SENTI_CORS_H

#include "lib/http/http.h"

/* True for "*", and for an origin as browsers send it: "https://example.org", "http://localhost:3000". */
bool cors_is_origin(const char *s);
/* Sets what any answer needs; true if the request comes from one of the origins (ended by NULL). */
bool cors_begin(struct request *x, const char *const *origins);
/* Sets what the answer to such a preflight needs: methods as in Allow. */
void cors_preflight(struct request *x, const char *allow);

#endif
