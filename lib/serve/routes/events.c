/* events.c - GET /v1/events: scored messages as server-sent events. */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/serve/db_context.h"
#include "lib/serve/routes/event_stream.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/tokens.h"

/* Another server forgets a ticket only if its clock is behind by almost as much. */
enum { CLAIM_MS = 600000 };

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

static void open_stream(struct request *r, const struct events_conf *c)
{
	static const struct event_form form = {.begin = put_start, .put = put_event};
	struct subscriber_conf conf;
	if (read_conf(r, &conf))
		event_stream(r, c->subscribers, &conf, &form, NULL);
}

/* If the cache is away the ticket is refused: another server may have taken it. */
static void claim(struct db_context *c, struct request *r, const struct events_conf *conf)
{
	struct err e;
	int rc = c->cache->claim(c->cache, ticket_name(request_query(r, "ticket")), CLAIM_MS, &e);
	if (rc < 0)
		log_warn("a ticket is refused", "error", e.msg, "request_id", r->request_id, NULL);
	if (rc > 0)
		open_stream(r, conf);
	else
		tokens_refuse_ticket(r, rc == 0 ? TICKET_USED : TICKET_UNSURE);
}

static void claim_all(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	for (size_t i = 0; i < n; i++)
		claim(c, r[i], app);
}

void events_get(struct request *r, void *app)
{
	const struct events_conf *c = app;
	struct subscriber_conf ignored;
	struct ticket ticket;
	if (r->granted != SCOPE_TICKET) {
		open_stream(r, c);
		return;
	}
	if (!read_conf(r, &ignored)) /* a mistake costs no ticket */
		return;
	enum ticket_fate fate = ticket_read(request_query(r, "ticket"), &ticket)
				    ? used_tickets_take(c->tickets, &ticket, clock_wall_ms())
				    : TICKET_BAD;
	if (fate != TICKET_GOOD)
		tokens_refuse_ticket(r, fate);
	else if (c->claims)
		db_pool_do(c->claims, r, claim_all);
	else
		open_stream(r, c);
}
