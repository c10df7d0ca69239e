/* events.c - GET /v1/events: scored messages as server-sent events. */
#include "lib/serve/routes/event_stream.h"
#include "lib/serve/routes/routes.h"

/* Tells the client at once that it is connected, and from where on. */
static void put_start(void *arg, struct buf *out, uint64_t from)
{
	(void)arg;
	buf_printf(out, "retry: 1000\nid: %llu\n\n", (unsigned long long)from);
}

/* A record is one line of JSON, so it needs no splitting. */
static bool put_event(void *arg, struct buf *out, const struct feed_event *ev)
{
	(void)arg;
	buf_printf(out, "event: scored\nid: %llu\ndata: ", (unsigned long long)ev->seq);
	return true;
}

/* What the query and the headers ask for; false with the request answered. */
static bool read_conf(struct request *r, struct subscriber_conf *c)
{
	const char *last = request_header(r, "Last-Event-ID");
	struct str from = last ? str_of(last) : request_query(r, "last-event-id");
	enum label known;
	*c = (struct subscriber_conf){
	    .label = request_query(r, "label"), .source = request_query(r, "source"), .after = LOG_END};
	if (c->label.p && label_parse(c->label, &known) < 0) {
		request_problem(
		    r, 400, "bad_query", "label is positive, neutral or negative, not '%.*s'", STR_FMT(c->label));
		return false;
	}
	if (from.n && str_u64(from, &c->after) < 0) {
		request_problem(r, 400, "bad_event_id", "Last-Event-ID is the id of an event, a number");
		return false;
	}
	return true;
}

void events_get(struct request *r, void *app)
{
	static const struct event_form form = {.begin = put_start, .put = put_event};
	struct subscriber_conf conf;
	if (read_conf(r, &conf))
		event_stream(r, app, &conf, &form, NULL);
}
