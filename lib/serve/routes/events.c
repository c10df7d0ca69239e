/* events.c - GET /v1/events: scored messages as server-sent events. */
#include "lib/base/log.h"
#include "lib/data/store.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/subscribers.h"

enum { COPIED = 4096 };

/* The stream of one subscriber. */
struct stream {
	struct request *x;
	struct subscriber *subscriber;
	struct buf text;	  /* what is to be sent next, */
	size_t sent;		  /* and so much of it has been; */
	struct feed_event *event; /* then its record, and the event's end; NULL: none */
	size_t held;
};

static void let_go(struct stream *s)
{
	if (s->event)
		feed_event_release(s->event);
	s->event = NULL;
	request_unhold(s->x, s->held);
	s->held = 0;
}

/* A record is one line of JSON, so it needs no splitting. A small one is copied; a long one stays with all who read it,
 * but it counts for each, who may be slow: without memory for it the stream breaks off, and the client comes again. */
static ssize_t put_event(struct stream *s, struct feed_event *ev)
{
	buf_printf(&s->text, "event: scored\nid: %llu\ndata: ", (unsigned long long)ev->seq);
	if (ev->record.n < COPIED) {
		buf_str(&s->text, ev->record);
		buf_str(&s->text, STR("\n\n"));
		feed_event_release(ev);
		return 1;
	}
	s->event = ev;
	if (!request_hold(s->x, ev->record.n))
		return STREAM_CUT;
	s->held = ev->record.n;
	return 1;
}

/* Gets the next text: 1, or what stream_read returns without one. */
static ssize_t fill(struct stream *s)
{
	struct feed_event *ev;
	let_go(s);
	buf_clear(&s->text);
	s->sent = 0;
	switch (subscriber_next(s->subscriber, &ev)) {
	case SUBSCRIBER_EVENT:
		return put_event(s, ev);
	case SUBSCRIBER_BEAT:
		buf_str(&s->text, STR(":\n\n"));
		return 1;
	case SUBSCRIBER_END:
		return STREAM_END;
	case SUBSCRIBER_CUT:
		return STREAM_CUT;
	case SUBSCRIBER_NOTHING:
		break;
	}
	return 0;
}

/* The next bytes: of the text, then of the event's record and its end. */
static struct str next_bytes(const struct stream *s)
{
	size_t at = s->sent;
	if (at < s->text.n)
		return (struct str){s->text.p + at, s->text.n - at};
	at -= s->text.n;
	if (!s->event || at >= s->event->record.n + 2)
		return STR_NONE;
	if (at < s->event->record.n)
		return (struct str){s->event->record.p + at, s->event->record.n - at};
	return at == s->event->record.n ? STR("\n\n") : STR("\n");
}

static ssize_t stream_read(struct request *x, void *arg, char *out, size_t max)
{
	struct stream *s = arg;
	ssize_t rc = next_bytes(s).n ? 1 : fill(s);
	(void)x;
	if (rc != 1)
		return rc;
	struct str next = next_bytes(s);
	size_t n = next.n < max ? next.n : max;
	memcpy(out, next.p, n);
	s->sent += n;
	return (ssize_t)n;
}

static void stream_drop(void *arg)
{
	struct stream *s = arg;
	let_go(s);
	subscriber_leave(s->subscriber);
	buf_free(&s->text);
	free(s);
}

/* ---- the subscriber's calls ---- */

static void pause_stream(void *arg)
{
	request_pause(((struct stream *)arg)->x);
}

static void resume_stream(void *arg)
{
	request_resume(((struct stream *)arg)->x);
}

static void cut_stream(void *arg)
{
	struct request *x = ((struct stream *)arg)->x;
	log_info("a listener was too slow", "request_id", x->request_id, NULL);
	request_cut(x);
}

/* What the query and the headers ask for; false with the request answered. */
static bool read_conf(struct request *x, struct subscriber_conf *c)
{
	const char *last = request_header(x, "Last-Event-ID");
	struct str from = last ? str_of(last) : request_query(x, "last-event-id");
	enum label known;
	*c = (struct subscriber_conf){
	    .label = request_query(x, "label"), .source = request_query(x, "source"), .after = LOG_END};
	if (c->label.p && label_parse(c->label, &known) < 0) {
		request_problem(
		    x, 400, "bad_query", "label is positive, neutral or negative, not '%.*s'", STR_FMT(c->label));
		return false;
	}
	if (from.n && str_u64(from, &c->after) < 0) {
		request_problem(x, 400, "bad_event_id", "Last-Event-ID is the id of an event, a number");
		return false;
	}
	return true;
}

void events_get(struct request *x, void *app)
{
	struct subscriber_conf conf;
	uint64_t from;
	if (!read_conf(x, &conf))
		return;
	struct stream *s = xcalloc(1, sizeof *s);
	s->x = x;
	conf.arg = s;
	conf.pause = pause_stream;
	conf.resume = resume_stream;
	conf.cut = cut_stream;
	memcpy(conf.credential, x->credential, sizeof conf.credential);
	s->subscriber = subscribe(app, &conf, &from);
	/* so that the client knows at once that it is connected, and from where on */
	buf_printf(&s->text, "retry: 1000\nid: %llu\n\n", (unsigned long long)from);
	request_set(x, "Cache-Control", "no-store");
	request_set(x, "X-Accel-Buffering", "no");
	request_stream(x, 200, "text/event-stream", stream_read, s, stream_drop);
}
