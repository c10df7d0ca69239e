/* docs.h - what the server says about itself. */
#ifndef SENTI_DOCS_H
#define SENTI_DOCS_H

#include "lib/http/http.h"

/* GET /openapi.json: openapi.json, with the version and the names of the models filled in. */
void openapi_get(struct request *x, void *app);
/* GET /docs: the same as a page that needs nothing from elsewhere. */
void docs_get(struct request *x, void *app);
/* GET /: leads there. */
void home_get(struct request *x, void *app);

#endif
