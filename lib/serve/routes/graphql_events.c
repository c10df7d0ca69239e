/* graphql_events.c - answers as server-sent events: the distinct connections mode of the graphql-sse protocol, a
 * connection an operation.
 *
 *     event: next        data: the answer of a query or mutation; of a subscription one for each message
 *     event: complete    after the answer of a query or mutation; a subscription ends with its connection
 *
 * A subscription's events are run in the connection's own thread: they need neither store nor cache.
 */
#include "lib/data/outbox.h"
#include "lib/serve/routes/event_stream.h"
#include "lib/serve/routes/graphql_internal.h"

struct subscription {
	struct gql_request q;
	struct graphql_operation op;
	struct json_scan scan;
	struct arena mem; /* of one event's message */
};

void graphql_events_answer(struct request *r)
{
	static const char next[] = "event: next\ndata: ";
	size_t n = r->out.n, head = sizeof next - 1;
	buf_reserve(&r->out, head);
	memmove(r->out.p + head, r->out.p, n);
	memcpy(r->out.p, next, head);
	r->out.n += head;
	buf_str(&r->out, STR("\nevent: complete\ndata: \n\n"));
	request_set(r, "Cache-Control", "no-store");
	request_answer(r, 200, MEDIA_EVENTS);
}

/* ---- a subscription ---- */

static void put_start(void *arg, struct buf *out, uint64_t from)
{
	(void)arg;
	(void)from;
	buf_str(out, STR(":\n\n")); /* so that the client knows at once that it is connected */
}

static bool put_event(void *arg, struct buf *out, const struct feed_event *ev)
{
	struct subscription *s = arg;
	arena_reset(&s->mem);
	struct shown_message *m = graphql_message(ev->record, &s->scan, &s->mem);
	if (!m)
		return false;
	m->seq = arena_printf(&s->mem, "%llu", (unsigned long long)ev->seq);
	buf_str(out, STR("event: next\ndata: "));
	gql_request_run(&s->q, m, &s->op, out);
	buf_char(out, '\n');
	return false;
}

static void subscription_drop(void *arg)
{
	struct subscription *s = arg;
	gql_request_free(&s->q);
	json_scan_free(&s->scan);
	arena_free(&s->mem);
	free(s);
}

/* What the field `scored` asks for: true, or false with call->out set. */
static bool read_conf(struct gql_call *call, struct subscriber_conf *conf)
{
	struct filter f;
	if (!graphql_filter(call, &call->args[0], &f))
		return false;
	if (f.model.p || f.text.p || f.has_since || f.has_until || f.unscored || f.corrected) {
		call->out = graphql_not_supported(call, "filters of subscriptions but label and source");
		return false;
	}
	*conf = (struct subscriber_conf){.label = f.label, .source = f.source, .after = LOG_END};
	const struct gql_value *after = &call->args[1];
	if (!graphql_given(after) || str_u64(after->text, &conf->after) == 0)
		return true;
	call->out = graphql_bad_input(call, "after is the seq of a message");
	return false;
}

static void refuse(struct request *r, struct gql_request *q, const struct gql_call *call)
{
	if (call->out.kind == GQL_OUT_ERROR) {
		struct gql_error *e =
		    gql_error_add(&q->errors, NULL, GQL_AT(call->node->at), "%.*s", STR_FMT(call->out.text));
		if (e)
			e->code = call->out.code;
	}
	gql_request_refuse(q, &r->out);
	graphql_events_answer(r);
}

void graphql_subscribe(struct graphql *g, struct request *r, struct gql_request *q)
{
	static const struct event_form form = {.begin = put_start, .put = put_event, .drop = subscription_drop};
	struct gql_call call = {0};
	struct subscriber_conf conf;
	if (!gql_request_root(q, &call) || !read_conf(&call, &conf)) {
		refuse(r, q, &call);
		gql_request_free(q);
		return;
	}
	struct subscription *s = xcalloc(1, sizeof *s);
	s->q = *q;
	s->q.limits.deadline_ms = 0; /* each event is a run of its own */
	s->op = (struct graphql_operation){.g = g, .scan = &s->scan};
	event_stream(r, g->conf.subscribers, &conf, &form, s);
}

static void scored(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_object(call[i].parent);
}

const struct graphql_binding graphql_event_fields[] = {
    {"Subscription", "scored", scored, NULL},
    {0},
};
