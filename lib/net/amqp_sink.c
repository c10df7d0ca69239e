/* amqp_sink.c - a queue or an exchange as a sink: publishes, and waits for the broker's confirms.
 *
 * Messages stay in the window until confirmed; refused ones, and unconfirmed ones of a broken connection, are published
 * again. Rejects differ only in their bodies and headers (outgoing.c).
 */
#include <poll.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/net/amqp.h"
#include "lib/net/amqp_link.h"
#include "lib/net/outgoing.h"

enum { CONFIRM_MS = 30000, REFUSED_PAUSE_MS = 200, REFUSED_MS = 500, PERSISTENT = 2, MOST_HEADERS = 8 };

struct publisher {
	struct sink port;
	struct amqp_link link;
	struct amqp_conf conf;
	enum lane lane;
	bool opened;
	bool dead_unknown; /* the queue of dead letters is not there, or not to be looked at */
	struct window window;
	struct packer packer;
	struct err why; /* why the link broke */
	size_t largest; /* message that this broker takes; 0: not known */
	bool learned;	/* `largest`, on the connection that this has closed */
};

static int ask_for_confirms(struct publisher *p, struct err *e)
{
	amqp_confirm_select(p->link.state, AMQP_CHANNEL);
	if (link_result(&p->link, "cannot ask for confirms", e) != 0)
		return -1;
	window_again(&p->window, 1);
	return 0;
}

static int set_up(struct amqp_link *l, struct err *e)
{
	struct publisher *p = l->owner;
	const struct amqp_address *a = &l->address;
	if (!p->learned) /* it may be another broker now */
		p->largest = 0;
	p->learned = false;
	if (a->queue && amqp_declare(l, a->queue, e) < 0)
		return -1;
	if (a->exchange && *a->exchange) {
		char what[400];
		snprintf(what, sizeof what, "cannot publish to exchange '%s'", a->exchange);
		amqp_exchange_declare(l->state, AMQP_CHANNEL, amqp_cstring_bytes(a->exchange),
		    amqp_cstring_bytes("direct"), 1, 0, 0, 0, amqp_empty_table);
		int rc = link_result(l, what, e);
		/* Of another type, or not ours to look at: what matters is whether it takes messages. */
		if (rc != 0 && rc != 403 && rc != 406)
			return rc > 0 ? link_hopeless(l) : -1;
	}
	return ask_for_confirms(p, e);
}

/* ---- publishing ---- */

static amqp_bytes_t bytes_of(const struct publisher *p, struct window_part s)
{
	return (amqp_bytes_t){s.n, p->window.bytes.p + s.at};
}

static int add_text(const struct publisher *p, amqp_table_entry_t *h, int n, const char *name, struct window_part s)
{
	if (!s.n)
		return n;
	h[n] = (amqp_table_entry_t){
	    .key = amqp_cstring_bytes(name), .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = bytes_of(p, s)}};
	return n + 1;
}

static int headers_of(const struct publisher *p, const struct outgoing *m, amqp_table_entry_t h[MOST_HEADERS])
{
	int n = add_text(p, h, 0, "traceparent", m->trace);
	if (!m->code.n)
		return n;
	n = add_text(p, h, n, "x-senti-error", m->code);
	n = add_text(p, h, n, "x-senti-message", m->why);
	n = add_text(p, h, n, "x-senti-tool", m->tool);
	n = add_text(p, h, n, "x-senti-status", m->status);
	n = add_text(p, h, n, "x-senti-stderr", m->words);
	h[n++] = (amqp_table_entry_t){
	    .key = amqp_cstring_bytes("x-senti-count"), .value = {.kind = AMQP_FIELD_KIND_I64, .value.i64 = m->tries}};
	if (m->truncated)
		h[n++] = (amqp_table_entry_t){.key = amqp_cstring_bytes("x-senti-truncated"),
		    .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}};
	return n;
}

static int publish(struct publisher *p, const struct outgoing *m)
{
	const struct amqp_address *a = &p->link.address;
	amqp_table_entry_t header[MOST_HEADERS];
	amqp_basic_properties_t props = {
	    ._flags = AMQP_BASIC_CONTENT_TYPE_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG | AMQP_BASIC_TIMESTAMP_FLAG,
	    .content_type = amqp_cstring_bytes(m->lines ? "application/x-ndjson" : "application/json"),
	    .delivery_mode = PERSISTENT,
	    .timestamp = (uint64_t)clock_wall_ms() / 1000,
	};
	if (m->id.n) {
		props._flags |= AMQP_BASIC_MESSAGE_ID_FLAG;
		props.message_id = bytes_of(p, m->id);
	}
	props.headers = (amqp_table_t){headers_of(p, m, header), header};
	if (props.headers.num_entries)
		props._flags |= AMQP_BASIC_HEADERS_FLAG;
	return amqp_basic_publish(p->link.state, AMQP_CHANNEL, amqp_cstring_bytes(a->queue ? "" : a->exchange),
	    amqp_cstring_bytes(a->queue ? a->queue : a->key), 1, 0, &props, bytes_of(p, m->body));
}

static int came_back(const struct publisher *p, struct err *e)
{
	const struct amqp_address *a = &p->link.address;
	const struct amqp_message *m = &p->link.in.message;
	if (a->queue)
		return err_set(e, ERR_ENV, "queue '%s' of the broker %s took no message (%.*s): was it deleted?",
		    a->queue, a->at.shown, (int)m->text.n, m->text.p);
	return err_set(e, ERR_ENV, "no queue takes what exchange '%s' of the broker %s gets with the key '%s' (%.*s)",
	    a->exchange, a->at.shown, a->key, (int)m->text.n, m->text.p);
}

/* Results of the functions below: success, a new connection may help, or nothing will. */
enum sent { FINE, BROKEN, FAILED };

static enum sent take_news(struct publisher *p, bool *any, struct err *e)
{
	struct amqp_link *l = &p->link;
	*any = false;
	for (;;) {
		enum amqp_got got = link_get(l, e);
		switch (got) {
		case AMQP_NOTHING:
			return FINE;
		case AMQP_ACK:
		case AMQP_NACK:
			window_settle(&p->window, l->in.tag, l->in.multiple, got == AMQP_ACK);
			if (got == AMQP_ACK)
				link_works(l);
			*any = true;
			break;
		case AMQP_RETURNED:
			came_back(p, e);
			return FAILED;
		case AMQP_BROKEN:
			return l->hopeless ? FAILED : BROKEN;
		case AMQP_MESSAGE:
			break; /* no consumer on this channel */
		}
	}
}

static enum sent patience_lost(struct publisher *p, const char *what, struct err *e)
{
	err_set(e, ERR_ENV, "the broker %s has %s for %d s", p->link.address.at.shown, what, CONFIRM_MS / 1000);
	link_drop(&p->link);
	return BROKEN;
}

/* True if the broker reads nothing, and somebody waits for more than that. */
static bool is_blocked(const struct publisher *p, struct err *e)
{
	if (!p->conf.impatient || !p->link.in.blocked)
		return false;
	err_set(
	    e, ERR_BUSY, "the broker %s takes no messages: it is short of memory or disk", p->link.address.at.shown);
	return true;
}

/* Publishes what is not sent yet. Each message waits until the broker reads, since the library would block. */
static enum sent send_rest(struct publisher *p, struct err *e)
{
	struct window *w = &p->window;
	int64_t until = 0;
	while (w->sent < w->n) {
		bool any = false;
		enum sent got = FINE;
		if (link_fd(&p->link) < 0)
			return take_news(p, &any, e);
		bool writable = link_writable(&p->link, p->link.tick_ms);
		if (!writable && (got = take_news(p, &any, e)) != FINE)
			return got;
		if (is_blocked(p, e))
			return FAILED;
		if (!writable) {
			int64_t now = clock_mono_ms();
			until = until && !any ? until : now + CONFIRM_MS;
			if (now >= until)
				return patience_lost(p, "taken nothing", e);
			continue;
		}
		int rc = publish(p, &w->outgoing[w->sent]);
		if (rc < 0) {
			/* The broker's last frames say more than the failed write. */
			if (take_news(p, &any, e) != FINE)
				return p->link.hopeless ? FAILED : BROKEN;
			err_set(e, ERR_ENV, "the connection to the broker %s: %s", p->link.address.at.shown,
			    amqp_error_string2(rc));
			link_drop(&p->link);
			return BROKEN;
		}
		window_sent(w);
		until = 0;
	}
	return FINE;
}

/* Waits until all sent messages are settled. */
static enum sent await(struct publisher *p, struct err *e)
{
	int64_t until = clock_mono_ms() + CONFIRM_MS;
	while (p->window.open) {
		bool any;
		enum sent got = take_news(p, &any, e);
		if (got != FINE)
			return got;
		if (is_blocked(p, e))
			return FAILED;
		int64_t now = clock_mono_ms();
		if (any) {
			until = now + CONFIRM_MS;
			continue;
		}
		if (now >= until)
			return patience_lost(p, "confirmed nothing", e);
		struct pollfd f = {.fd = link_fd(&p->link), .events = POLLIN};
		poll(&f, 1, p->link.tick_ms);
	}
	return FINE;
}

/* A refused message may be accepted a moment later. But a channel that met a quorum queue without a leader may refuse
 * for as long as it lives (RabbitMQ 3.10): only a new one helps. A full queue refuses until there is room. */
static int refused_again(struct publisher *p, int64_t *since, struct err *e)
{
	int64_t now = clock_mono_ms();
	if (!*since) {
		*since = now;
		log_warn("the broker refused messages, publishing them again", NULL);
		poll(NULL, 0, REFUSED_PAUSE_MS);
		window_again(&p->window, p->window.base + p->window.sent);
		return 0;
	}
	err_set(&p->why, ERR_ENV, "the broker %s refuses messages; is the queue full?", p->link.address.at.shown);
	if (p->conf.impatient && now - *since > REFUSED_MS) {
		*e = p->why;
		return -1;
	}
	return link_mend(&p->link, &p->why, e) < 0 ? -1 : 0;
}

/* Returns once the whole window is confirmed. */
static int settle(struct publisher *p, struct err *e)
{
	struct window *w = &p->window;
	int64_t refused_since = 0;
	for (;;) {
		enum sent o = send_rest(p, &p->why);
		if (o == FINE)
			o = await(p, &p->why);
		if (o == FAILED) {
			*e = p->why;
			return -1;
		}
		if (o == BROKEN) {
			if (link_mend(&p->link, &p->why, e) < 0) /* set_up has put the window back */
				return -1;
		} else if (w->refused) {
			if (refused_again(p, &refused_since, e) < 0)
				return -1;
		} else {
			window_clear(w);
			return 0;
		}
	}
}

/* ---- the port ---- */

static int open_link(struct publisher *p, struct err *e)
{
	if (p->opened)
		return 0;
	if (link_open(&p->link, &p->conf, set_up, e) < 0)
		return -1;
	p->opened = true;
	return 0;
}

static bool has_any(const struct batch *b, enum fate fate)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].fate == fate)
			return true;
	return false;
}

static int publisher_put(struct sink *port, const struct batch *b, struct source *from, struct err *e)
{
	struct publisher *p = (struct publisher *)port;
	const enum fate fate = p->lane == LANE_OUT ? FATE_OUT : FATE_REJECTED;
	if (!has_any(b, fate))
		return 0;
	if (open_link(p, e) < 0)
		return -1;
	int rc = p->lane == LANE_OUT ? pack_records(&p->packer, &p->window, b)
				     : pack_rejects(&p->packer, &p->window, b, p->conf.tool, from, e);
	if (rc < 0)
		return -1;
	link_enter(&p->link);
	/* The broker can begin; flush will find what goes wrong here. */
	if (send_rest(p, &p->why) == FAILED) {
		*e = p->why;
		rc = -1;
	}
	link_leave(&p->link);
	return rc;
}

/* The broker names its limit as it closes the channel over a longer message. */
static bool publisher_refuse(struct sink *port, struct batch *b)
{
	struct publisher *p = (struct publisher *)port;
	const size_t end = p->packer.most > 1; /* of a line */
	bool now = p->link.in.max_size > 0;
	if (now) {
		p->largest = p->link.in.max_size;
		p->link.in.max_size = 0;
		p->link.hopeless = false;
		p->learned = true;
		window_drop(&p->window);
	}
	if (!p->largest)
		return false;
	bool any = now && (p->packer.bytes ? p->packer.bytes : PACK_BYTES) > p->largest;
	p->packer.bytes = p->largest < PACK_BYTES ? p->largest : PACK_BYTES;
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT || r->line.n + r->add.n + end <= p->largest)
			continue;
		rec_reject(b, r, CODE_TOO_LONG, "the broker takes messages of at most %zu bytes, this one has %zu",
		    p->largest, r->line.n + r->add.n);
		any = true;
	}
	return any;
}

static int publisher_flush(struct sink *port, struct err *e)
{
	struct publisher *p = (struct publisher *)port;
	if (!p->window.n)
		return 0;
	link_enter(&p->link);
	int rc = settle(p, e);
	link_leave(&p->link);
	return rc;
}

/* Reconnects a lost connection, within the time that conf allows. */
static int publisher_check(struct sink *port, struct err *e)
{
	struct publisher *p = (struct publisher *)port;
	bool any;
	if (open_link(p, e) < 0)
		return -1;
	link_enter(&p->link);
	enum sent o = take_news(p, &any, &p->why);
	int rc = o == FINE && !is_blocked(p, e) ? 0 : -1;
	if (o == BROKEN)
		rc = link_mend(&p->link, &p->why, e) == 0 ? 0 : -1;
	else if (o == FAILED)
		*e = p->why;
	link_leave(&p->link);
	return rc;
}

/* Messages in a queue, or -1 with *e. A refusal ends the channel, and the next one must confirm too. */
static int64_t count_messages(struct publisher *p, const char *queue, struct err *e)
{
	struct amqp_link *l = &p->link;
	char what[400];
	struct err ignored;
	snprintf(what, sizeof what, "cannot look at queue '%s'", queue);
	const amqp_queue_declare_ok_t *ok =
	    amqp_queue_declare(l->state, AMQP_CHANNEL, amqp_cstring_bytes(queue), 1, 0, 0, 0, amqp_empty_table);
	int64_t n = ok ? (int64_t)ok->message_count : -1;
	bool hopeless = l->hopeless;
	int rc = link_result(l, what, e);
	l->hopeless = hopeless; /* it concerns this look alone */
	if (rc > 0) {
		frames_reset(&l->in);
		rc = ask_for_confirms(p, &ignored);
	}
	if (rc < 0)
		link_drop(l);
	return n;
}

/* Without dead letters of its own, or the permission to look at them, their number alone is unknown. */
static int publisher_depth(struct sink *port, struct queue_depth *out, struct err *e)
{
	struct publisher *p = (struct publisher *)port;
	const char *queue = p->link.address.queue;
	struct err ignored;
	char dead[400];
	*out = (struct queue_depth){-1, -1};
	if (!queue)
		return err_set(e, ERR_ENV, "messages go to an exchange, not to a queue");
	snprintf(dead, sizeof dead, "%s.dead", queue);
	link_enter(&p->link);
	if (p->link.state)
		out->messages = count_messages(p, queue, e);
	else
		err_set(e, ERR_ENV, "no connection to the broker %s", p->link.address.at.shown);
	if (p->link.state && out->messages >= 0 && !amqp_is_dead(queue) && !p->dead_unknown) {
		out->dead = count_messages(p, dead, &ignored);
		p->dead_unknown = out->dead < 0 && p->link.state;
	}
	link_leave(&p->link);
	return out->messages < 0 ? -1 : 0;
}

static int publisher_close(struct sink *port, struct err *e)
{
	struct publisher *p = (struct publisher *)port;
	(void)e; /* all that was promised is flushed */
	if (p->opened)
		link_close(&p->link);
	else
		amqp_address_free(&p->link.address);
	window_free(&p->window);
	packer_free(&p->packer);
	free(p);
	return 0;
}

struct sink *amqp_sink(const struct amqp_conf *conf, enum lane lane, struct err *e)
{
	struct publisher *p = xcalloc(1, sizeof *p);
	p->port = (struct sink){.put = publisher_put,
	    .flush = publisher_flush,
	    .refuse = lane == LANE_OUT ? publisher_refuse : NULL,
	    .close = publisher_close,
	    .check = publisher_check,
	    .depth = publisher_depth};
	p->conf = *conf;
	p->lane = lane;
	p->port.dead_letters = lane == LANE_REJECTS;
	counts_queue(conf->counts);
	p->packer.most = conf->pack ? conf->pack : 1;
	p->window.base = 1;
	p->link.owner = p;
	if (amqp_address_parse(&p->link.address, conf->end, env_get("SENTI_AMQP"), e) < 0)
		goto fail;
	if (lane == LANE_OUT && open_link(p, e) < 0)
		goto fail;
	p->conf.retry_first = true;
	return &p->port;
fail:
	amqp_address_free(&p->link.address);
	free(p);
	return NULL;
}
