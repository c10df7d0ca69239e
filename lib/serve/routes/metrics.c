/* metrics.c - GET /metrics. */
#include "lib/serve/routes/routes.h"

void metrics_get(struct request *r, void *app)
{
	request_set(r, "Cache-Control", "no-store");
	registry_write(app, &r->out);
	request_answer(r, 200, EXPOSITION_TYPE);
}
