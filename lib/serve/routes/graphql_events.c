/* graphql_events.c - answers as server-sent events: the distinct connections mode of the graphql-sse protocol, a
 * connection an operation.
 *
 *     event: next        data: the answer of a query or mutation; of a subscription one for each message
 *     event: complete    after the answer of a query or mutation; a subscription ends with its connection
 *
 * A subscription's events are run in the connection's own thread: they need neither store nor cache.
 */
#include "lib/base/clock.h"
#include "lib/data/fold.h"
#include "lib/serve/routes/event_stream.h"
#include "lib/serve/routes/graphql_internal.h"
#include "lib/serve/thread_context.h"

struct subscription {
	struct gql_request q;
	struct graphql_operation op; /* its scanner is the thread's, for each event */
	struct filter filter;
	struct buf folded, scratch; /* the text of the filter */
	struct arena mem;	    /* one event's message */
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

/* What the field `scored` asks for: true, or false with call->out set. The subscriber looks at label and source. */
static bool read_conf(struct gql_call *call, struct filter *f, struct subscriber_conf *conf)
{
	if (!graphql_filter(call, &call->args[0], f))
		return false;
	*conf = (struct subscriber_conf){.label = f->label, .source = f->source, .after = LOG_END};
	const struct gql_value *after = &call->args[1];
	if (!graphql_given(after) || str_u64(after->text, &conf->after) == 0)
		return true;
	call->out = graphql_bad_input(call, "after is the seq of a message");
	return false;
}

/* True if the filter of a subscription lets a message through, but for its label and source. */
static bool passes_members(struct subscription *s, struct str record, const struct shown_message *m)
{
	const struct filter *f = &s->filter;
	bool corrected = m->sentiment && m->sentiment->corrected;
	if ((f->unscored && m->sentiment) || (f->scored && !m->sentiment) || (f->corrected && !corrected) ||
	    (f->not_corrected && corrected))
		return false;
	for (size_t i = 0; i < f->nwhere; i++) {
		static const char columns[] = " id text source time sentiment version ";
		struct str spaced = arena_printf(&s->mem, " %.*s ", STR_FMT(f->where[i].name));
		if (memmem(columns, sizeof columns - 1, spaced.p, spaced.n))
			return false;
		struct str value = message_member(json_padded(&s->mem, record), f->where[i].name, s->op.scan, &s->mem);
		if (!value.p || !str_eq(value, f->where[i].value))
			return false;
	}
	return true;
}

static bool passes(struct subscription *s, struct str record, const struct shown_message *m)
{
	const struct filter *f = &s->filter;
	int64_t time;
	bool has_time = m->time.p && time_parse(m->time, &time) == 0;
	if ((f->has_since && !(has_time && time >= f->since)) || (f->has_until && !(has_time && time < f->until)))
		return false;
	if (f->has_least && !(m->sentiment && strtod(m->sentiment->score.p, NULL) >= f->least))
		return false;
	if (f->has_most && !(m->sentiment && strtod(m->sentiment->score.p, NULL) <= f->most))
		return false;
	if (f->model.p && !(m->sentiment && str_eq(m->sentiment->model, f->model)))
		return false;
	if (s->folded.n && !fold_contains(m->text.p ? m->text : STR(""), buf_view(&s->folded), &s->scratch))
		return false;
	return passes_members(s, record, m);
}

struct subscription *subscription_new(
    struct graphql *g, struct gql_request *q, struct subscriber_conf *conf, struct buf *refusal)
{
	struct gql_call call = {0};
	struct subscription *s = xcalloc(1, sizeof *s);
	s->op.g = g;
	gql_request_move(&s->q, q); /* without a deadline: each event is a run */
	if (gql_request_root(&s->q, &call) && read_conf(&call, &s->filter, conf)) {
		fold_text(&s->folded, s->filter.text.p ? s->filter.text : STR(""));
		return s;
	}
	struct gql_error *e = call.out.kind == GQL_OUT_ERROR ? gql_error_add(&s->q.errors, NULL, GQL_AT(call.node->at),
								   "%.*s", STR_FMT(call.out.text))
							     : NULL;
	if (e)
		e->code = call.out.code;
	gql_request_refuse(&s->q, refusal);
	subscription_free(s);
	return NULL;
}

void subscription_free(struct subscription *s)
{
	if (!s)
		return;
	gql_request_free(&s->q);
	buf_free(&s->folded);
	buf_free(&s->scratch);
	arena_free(&s->mem);
	free(s);
}

size_t subscription_bytes(const struct subscription *s)
{
	return sizeof *s + arena_size(&s->q.mem) + gql_valid_bytes(s->q.document); /* which it may share with others */
}

/* What one event needs is given back after it: many subscriptions are idle most of the time. */
bool subscription_put(struct subscription *s, struct buf *out, const struct feed_event *ev)
{
	s->op.scan = &thread_context_get(s->op.g->conf.threads)->scan;
	struct shown_message *m = graphql_message(ev->record, s->op.scan, &s->mem);
	bool wanted = m && passes(s, ev->record, m);
	if (wanted) {
		m->seq = arena_printf(&s->mem, "%llu", (unsigned long long)ev->seq);
		gql_request_run(&s->q, m, &s->op, out);
		out->n--; /* the line end */
	}
	arena_free(&s->mem);
	arena_free(&s->q.run);
	return wanted;
}

/* ---- a connection an operation ---- */

static void put_start(void *arg, struct buf *out, uint64_t from)
{
	(void)arg;
	(void)from;
	buf_str(out, STR(":\n\n")); /* so that the client knows at once that it is connected */
}

static bool put_event(void *arg, struct buf *out, const struct feed_event *ev)
{
	buf_str(out, STR("event: next\ndata: "));
	if (subscription_put(arg, out, ev))
		buf_str(out, STR("\n\n"));
	else
		buf_clear(out);
	return false;
}

static void drop(void *arg)
{
	subscription_free(arg);
}

void graphql_subscribe(struct graphql *g, struct request *r, struct subscription *s, const struct subscriber_conf *conf)
{
	static const struct event_form form = {.begin = put_start, .put = put_event, .drop = drop};
	request_free_body(r);
	if (request_hold(r, subscription_bytes(s))) {
		event_stream(r, g->conf.subscribers, conf, &form, s);
		return;
	}
	subscription_free(s);
	request_busy(r);
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
