/* metrics.c - GET /metrics. */
#include "lib/serve/routes/routes.h"

void metrics_get(struct request *x, void *app)
{
	request_set(x, "Cache-Control", "no-store");
	registry_write(app, &x->out);
	request_answer(x, 200, EXPOSITION_TYPE);
}
