/* health.c - GET /livez: the process works. GET /readyz: so does what it needs. */
#include "lib/serve/health.h"
#include "lib/serve/routes/routes.h"

void livez_get(struct request *r, void *app)
{
	(void)app;
	buf_str(&r->out, STR("{\"status\":\"ok\"}\n"));
	request_answer(r, 200, MEDIA_JSON);
}

void readyz_get(struct request *r, void *app)
{
	struct health *h = app;
	struct buf checks = {0};
	bool ready = health_put(h, &checks), draining = health_draining(h);
	request_set(r, "Cache-Control", "no-store");
	if (ready && !draining) {
		buf_str(&r->out, STR("{\"status\":\"ok\",\"checks\":"));
		buf_str(&r->out, buf_view(&checks));
		buf_str(&r->out, STR("}\n"));
		request_answer(r, 200, MEDIA_JSON);
	} else {
		request_set(r, "Retry-After", draining ? "5" : "1");
		request_problem(r, 503, draining ? "draining" : "not_ready",
		    draining ? "the server is shutting down" : "a dependency does not answer");
		request_problem_member(r, "checks", buf_view(&checks));
	}
	buf_free(&checks);
}
