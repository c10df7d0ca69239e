/* event_stream.c - writes a subscriber's events to its connection. */
#include "lib/serve/routes/event_stream.h"

#include "lib/base/log.h"

enum { COPIED = 4096 };

/* What to send next: a text, perhaps followed by an event's record and its end. */
struct stream {
	struct request *request;
	struct subscriber *subscriber;
	const struct event_form *form;
	void *arg;
	struct buf text;
	size_t sent;		  /* of the text and the record */
	struct feed_event *event; /* whose record follows the text; or NULL */
	size_t held;
};

static void let_go(struct stream *s)
{
	if (s->event)
		feed_event_release(s->event);
	s->event = NULL;
	if (s->held)
		buf_free(&s->text);
	request_unhold(s->request, s->held);
	s->held = 0;
	buf_clear(&s->text);
	s->sent = 0;
}

/* The client may be slow, so what is large counts against the memory while it waits. If there is none the stream breaks
 * off, and the client comes again. */
static ssize_t hold(struct stream *s, size_t n)
{
	if (!request_hold(s->request, n))
		return STREAM_CUT;
	s->held = n;
	return 1;
}

/* Takes the event: 1, 0 if the form skips it, or STREAM_CUT. A small record is copied; a long one is shared by all its
 * readers, and counts for each. */
static ssize_t put_event(struct stream *s, struct feed_event *ev)
{
	bool record = s->form->put(s->arg, &s->text, ev);
	if (record && ev->record.n >= COPIED) {
		s->event = ev;
		return hold(s, ev->record.n);
	}
	if (record) {
		buf_str(&s->text, ev->record);
		buf_str(&s->text, STR("\n\n"));
	}
	feed_event_release(ev);
	return s->text.n > COPIED ? hold(s, s->text.cap) : s->text.n > 0;
}

/* Gets what to send next: 1, or what stream_read returns instead. */
static ssize_t fill(struct stream *s)
{
	struct feed_event *ev;
	ssize_t rc;
	let_go(s);
	for (;;)
		switch (subscriber_next(s->subscriber, &ev)) {
		case SUBSCRIBER_EVENT:
			if ((rc = put_event(s, ev)) != 0)
				return rc;
			continue;
		case SUBSCRIBER_BEAT:
			buf_str(&s->text, STR(":\n\n"));
			return 1;
		case SUBSCRIBER_END:
			return STREAM_END;
		case SUBSCRIBER_CUT:
			return STREAM_CUT;
		case SUBSCRIBER_NOTHING:
			return 0;
		}
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

static ssize_t stream_read(struct request *r, void *arg, char *out, size_t max)
{
	struct stream *s = arg;
	ssize_t rc = next_bytes(s).n ? 1 : fill(s);
	(void)r;
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
	if (s->form->drop)
		s->form->drop(s->arg);
	buf_free(&s->text);
	free(s);
}

/* ---- the subscriber's calls ---- */

static void pause_stream(void *arg)
{
	request_pause(((struct stream *)arg)->request);
}

static void resume_stream(void *arg)
{
	request_resume(((struct stream *)arg)->request);
}

static void cut_stream(void *arg)
{
	struct request *r = ((struct stream *)arg)->request;
	log_info("a subscriber was too slow", "request_id", r->request_id, NULL);
	request_cut(r);
}

void event_stream(struct request *r, struct subscribers *all, const struct subscriber_conf *conf,
    const struct event_form *form, void *arg)
{
	struct subscriber_conf c = *conf;
	uint64_t from;
	struct stream *s = xcalloc(1, sizeof *s);
	*s = (struct stream){.request = r, .form = form, .arg = arg};
	c.arg = s;
	c.pause = pause_stream;
	c.resume = resume_stream;
	c.cut = cut_stream;
	memcpy(c.credential, r->credential, sizeof c.credential);
	s->subscriber = subscribe(all, &c, &from);
	form->begin(arg, &s->text, from);
	request_set(r, "Cache-Control", "no-store");
	request_set(r, "X-Accel-Buffering", "no");
	request_stream(r, 200, MEDIA_EVENTS, stream_read, s, stream_drop);
}
