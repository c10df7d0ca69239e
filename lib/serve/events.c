/* events.c - GET /v1/events: server-sent events, each a message that has been scored. */
#include "lib/serve/news.h"
#include "lib/serve/rest.h"

void events_get(struct request *x, void *app)
{
	struct service *s = app;
	struct news_filter f = {.label = request_query(x, "label"), .source = request_query(x, "source")};
	const char *last = request_header(x, "Last-Event-ID");
	struct str from = last ? str_of(last) : request_query(x, "last-event-id");
	uint64_t after = LOG_END;
	enum label known;
	if (f.label.p && label_parse(f.label, &known) < 0) {
		request_problem(
		    x, 400, "bad_query", "label is positive, neutral or negative, not '%.*s'", STR_FMT(f.label));
		return;
	}
	if (from.n && str_u64(from, &after) < 0) {
		request_problem(x, 400, "bad_event_id", "Last-Event-ID is the id of an event, a number");
		return;
	}
	request_set(x, "Cache-Control", "no-store");
	request_set(x, "X-Accel-Buffering", "no");
	request_stream(x, 200, "text/event-stream", news_read, news_listen(s->news, x, &f, after), news_leave);
}
