/* events.c - GET /v1/events: server-sent events, each a message that has been scored. */
#include "lib/serve/news.h"
#include "lib/serve/rest.h"

void events_get(struct exchange *x, void *app)
{
	struct service *s = app;
	struct news_filter f = {.label = exchange_query(x, "label"), .source = exchange_query(x, "source")};
	const char *last = exchange_header(x, "Last-Event-ID");
	struct str from = last ? str_of(last) : exchange_query(x, "last-event-id");
	uint64_t after = LOG_END;
	enum label known;
	if (f.label.p && label_parse(f.label, &known) < 0) {
		exchange_problem(
		    x, 400, "bad_query", "label is positive, neutral or negative, not '%.*s'", STR_FMT(f.label));
		return;
	}
	if (from.n && str_u64(from, &after) < 0) {
		exchange_problem(x, 400, "bad_event_id", "Last-Event-ID is the id of an event, a number");
		return;
	}
	exchange_set(x, "Cache-Control", "no-store");
	exchange_set(x, "X-Accel-Buffering", "no");
	exchange_stream(x, 200, "text/event-stream", news_read, news_listen(s->news, x, &f, after), news_leave);
}
