/* tickets.c - POST /v1/tickets: a ticket for one event stream. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/tickets.h"

/* Without tokens everybody may do everything, so a ticket is not looked at; it is made all the same, so that a client
 * does the same everywhere. */
void tickets_post(struct request *r, void *app)
{
	struct err e;
	(void)app;
	request_set(r, "Cache-Control", "no-store");
	buf_str(&r->out, STR("{\"ticket\":\""));
	if (ticket_make(&r->out, r->credential, clock_wall_ms(), &e) < 0) {
		log_error(e.msg, "request_id", r->request_id, NULL);
		request_busy(r);
		return;
	}
	buf_printf(&r->out, "\",\"expires_in\":%d}\n", TICKET_S);
	request_answer(r, 201, MEDIA_JSON);
}
