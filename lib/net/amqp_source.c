/* amqp_source.c - a queue as a source: takes deliveries, and acknowledges them when their batch is accepted.
 *
 * A record's token is the delivery tag up to which all is done when this record is: that of its message for a message's
 * last record, the one before for the others. Its upper bits number the channel; tags of a lost channel are never
 * acknowledged.
 */
#include "lib/net/amqp.h"

#include "lib/base/clock.h"
#include "lib/base/expand.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/net/body.h"
#include "lib/net/amqp_link.h"

enum { EPOCH_SHIFT = 48, SLOW_MS = 100 };
/* The longest content of a compressed pack: what RabbitMQ takes of a plain message by default. */
#define CONTENT_MAX ((size_t)128 << 20)

struct queue {
	struct source port;
	struct amqp_link link;
	struct amqp_conf conf;
	struct json_scan scan;
	struct buf composed; /* scratch: a dead letter as a reject object */
	struct buf expanded; /* scratch: a compressed body's content */

	/* The message that is being made into records. */
	bool has, lines;
	const char *coding_code; /* its compressed body cannot be expanded: a reject's code and reason; NULL: it can */
	char coding_why[120];
	struct str left; /* of its lines */
	size_t nth;

	bool reading;	      /* consuming */
	uint64_t seen, acked; /* tags of the last delivery and the last acknowledgement */
	int64_t last_ms;      /* of the last delivery */
	struct err why;	      /* why the link broke */
};

/* Tags number the deliveries of one channel. */
static void report(const struct queue *q)
{
	counts_unacked(q->conf.counts, q->link.state ? q->seen - q->acked : 0);
}

static int subscribe(struct amqp_link *l, struct err *e)
{
	struct queue *q = l->owner;
	const char *name = l->address.queue;
	char what[400];
	snprintf(what, sizeof what, "cannot consume from queue '%s'", name);
	amqp_basic_qos(l->state, AMQP_CHANNEL, 0, (uint16_t)q->conf.prefetch, 0);
	int rc = link_result(l, what, e);
	if (rc == 0) {
		amqp_basic_consume(
		    l->state, AMQP_CHANNEL, amqp_cstring_bytes(name), amqp_empty_bytes, 0, 0, 0, amqp_empty_table);
		rc = link_result(l, what, e);
	}
	if (rc)
		return rc == 403 || rc == 406 ? link_hopeless(l) : -1;
	q->seen = q->acked = 0;
	q->has = false;
	report(q);
	q->last_ms = clock_mono_ms();
	return 0;
}

/* Consumes only from the first `next` on: deliveries are counted, so none may come before the other ends are open. */
static int set_up(struct amqp_link *l, struct err *e)
{
	const struct queue *q = l->owner;
	if (amqp_declare(l, l->address.queue, e) < 0)
		return -1;
	return q->reading ? subscribe(l, e) : 0;
}

/* ---- messages to records ---- */

/* The message's own id; for the nth line of a pack (0: not a pack) with the line's number. */
static struct str id_of(const struct amqp_message *m, struct batch *b, size_t nth)
{
	struct str id = buf_view(&m->id);
	return id.n && nth ? arena_printf(&b->mem, "%.*s.%zu", STR_FMT(id), nth) : arena_str(&b->mem, id);
}

static struct rec *add(struct queue *q, struct batch *b, struct str raw, size_t nth, bool last)
{
	const struct amqp_message *m = &q->link.in.message;
	struct envelope *envelope = arena_alloc(&b->mem, sizeof *envelope);
	*envelope = (struct envelope){.body = json_padded(&b->mem, raw),
	    .id = id_of(m, b, nth),
	    .trace = arena_str(&b->mem, buf_view(&m->trace)),
	    .tries = m->deliveries + 1};
	struct rec *r = batch_add(b);
	r->line = envelope->body;
	r->origin = q->link.address.queue;
	r->envelope = envelope;
	r->token = q->link.epoch << EPOCH_SHIFT | (m->tag - !last);
	b->counter[COUNTER_REDELIVERED] += m->redelivered;
	return r;
}

static void reject_long(struct batch *b, struct rec *r, uint64_t size, size_t max)
{
	r->truncated = r->line.n < size;
	rec_reject(b, r, CODE_TOO_LONG, "the record is longer than %zu bytes (--max-record)", max);
}

/* A dead letter whose reason is in its headers becomes a reject object. */
static void compose(struct queue *q, struct batch *b, struct rec *r)
{
	const struct amqp_message *m = &q->link.in.message;
	bool of_broker = !m->code.n && m->death.n;
	if (!m->code.n && !of_broker)
		return; /* it is a reject object already */
	struct rec dead = {.line = body_line(&b->mem, r->line), .truncated = m->truncated || r->truncated};
	char *code = str_dup(of_broker ? buf_view(&m->death) : buf_view(&m->code));
	char *tool = str_dup(of_broker ? STR("broker") : buf_view(&m->tool));
	dead.code = code;
	dead.why = buf_view(&m->why);
	if (!dead.why.p)
		dead.why = STR("");
	buf_clear(&q->composed);
	rec_put_reject(&q->composed, &dead, tool);
	r->line = json_padded(&b->mem, buf_view(&q->composed));
	free(code);
	free(tool);
}

static struct str cut(struct str s)
{
	return (struct str){s.p, s.n < AMQP_KEEP ? s.n : AMQP_KEEP};
}

static void take_single(struct queue *q, struct batch *b, const struct limits *l)
{
	const struct amqp_message *m = &q->link.in.message;
	bool too_long = m->size > l->max_record && !q->conf.rejects;
	struct rec *r =
	    add(q, b, too_long || m->size > m->body.n ? cut(buf_view(&m->body)) : buf_view(&m->body), 0, true);
	q->has = false;
	if (too_long) {
		reject_long(b, r, m->size, l->max_record);
		return;
	}
	r->truncated = r->line.n < m->size;
	if (q->conf.rejects)
		compose(q, b, r);
	r->truncated = false;
	r->line = body_line(&b->mem, r->line);
	if (!r->line.n)
		rec_reject(b, r, CODE_BAD_JSON, "the message is empty");
	else if (!q->conf.rejects)
		body_id(b, r, &q->scan, r->envelope->id, 0);
}

static void take_line(struct queue *q, struct batch *b, const struct limits *l)
{
	struct str line, ahead, after = q->left;
	if (!body_next(&after, &line)) { /* no line that is not blank */
		struct rec *r = add(q, b, STR(""), 0, true);
		q->has = false;
		rec_reject(b, r, CODE_BAD_JSON, "the message is empty");
		return;
	}
	q->left = after;
	q->has = body_next(&after, &ahead);
	q->nth++;
	bool too_long = line.n > l->max_record;
	size_t nth = q->nth == 1 && !q->has ? 0 : q->nth;
	struct rec *r = add(q, b, too_long ? cut(line) : line, nth, !q->has);
	if (too_long)
		reject_long(b, r, line.n, l->max_record);
	else if (!q->conf.rejects)
		body_id(b, r, &q->scan, r->envelope->id, nth);
}

/* A compressed body that cannot be expanded is rejected as it is. */
static void take_damaged(struct queue *q, struct batch *b)
{
	struct rec *r = add(q, b, buf_view(&q->link.in.message.body), 0, true);
	q->has = false;
	rec_reject(b, r, q->coding_code, "%s", q->coding_why);
}

static void run_expander(struct queue *q, struct expander *x, size_t max)
{
	const struct amqp_message *m = &q->link.in.message;
	struct str in = buf_view(&m->body);
	buf_clear(&q->expanded);
	for (size_t n = 1; n && q->expanded.n <= max; q->expanded.n += n) {
		buf_reserve(&q->expanded, 1 << 16);
		n = expander_next(x, &in, q->expanded.p + q->expanded.n, 1 << 16);
	}
	const char *damage = expander_damage(x);
	if (q->expanded.n > max)
		return;
	if (!damage && !expander_whole(x))
		damage = "it ends too early";
	if (!damage)
		return;
	q->coding_code = CODE_BAD_CODING;
	snprintf(q->coding_why, sizeof q->coding_why, "the body cannot be expanded as %.*s: %s",
	    STR_FMT(buf_view(&m->coding)), damage);
}

/* Replaces a compressed body by its content. */
static int expand(struct queue *q, struct err *e)
{
	struct amqp_message *m = &q->link.in.message;
	enum coding c = coding_named(buf_view(&m->coding));
	size_t max = q->lines ? CONTENT_MAX : q->link.in.keep;
	q->coding_code = NULL;
	if (c == CODING_NONE || m->body.n < m->size)
		return 0;
	struct expander *x = expander_new(c, true, e);
	if (!x)
		return -1;
	run_expander(q, x, max);
	expander_free(x);
	if (!q->coding_code && q->lines && q->expanded.n > max) {
		q->coding_code = CODE_TOO_LONG;
		snprintf(
		    q->coding_why, sizeof q->coding_why, "the content of the body is longer than %zu MiB", max >> 20);
	}
	if (q->coding_code)
		return 0;
	struct buf compressed = m->body;
	m->body = q->expanded;
	m->size = m->body.n + (m->body.n > max); /* what is longer has been cut */
	q->expanded = compressed;
	return 0;
}

static int begin(struct queue *q, struct err *e)
{
	const struct amqp_message *m = &q->link.in.message;
	q->lines = body_is_lines(buf_view(&m->type));
	if (expand(q, e) < 0)
		return -1;
	q->has = true;
	q->left = buf_view(&m->body);
	q->nth = 0;
	q->seen = m->tag;
	report(q);
	q->last_ms = clock_mono_ms();
	link_works(&q->link);
	return 0;
}

/* ---- the port ---- */

static size_t bytes_of(const struct batch *b, size_t from)
{
	size_t n = 0;
	for (size_t i = from; i < b->n; i++)
		n += b->rec[i].line.n;
	return n;
}

static enum next finish(struct batch *b, enum flush_reason why)
{
	b->flush_reason = why;
	return b->n ? NEXT_BATCH : why == FLUSH_END ? NEXT_END : NEXT_WOKEN;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return b >= 0 && b < a ? b : a;
}

/* Nothing has come for as long as the user wants to wait: true if the queue is empty, too. A busy broker may be slow to
 * deliver what it has; it gets the time again, and a little more. One that does not answer is lost. */
static bool is_idle(struct queue *q)
{
	struct err e;
	int64_t waiting = amqp_waiting(&q->link, q->link.address.queue, &e);
	q->last_ms = clock_mono_ms() + SLOW_MS;
	if (waiting < 0)
		link_drop(&q->link);
	return waiting == 0;
}

/* Waits for a delivery. True if the batch, or the input, ends here with *next. */
static bool wait_more(
    struct queue *q, struct batch *b, const struct limits *l, int wake, int64_t *deadline, enum next *next)
{
	int64_t now = clock_mono_ms(), idle_at = b->n || q->conf.idle_ms < 0 ? -1 : q->last_ms + q->conf.idle_ms;
	if (b->n && *deadline < 0)
		*deadline = now + l->wait_ms;
	if (b->n && now >= *deadline) {
		*next = finish(b, l->wait_ms ? FLUSH_TIME : FLUSH_IDLE);
		return true;
	}
	if (idle_at >= 0 && now >= idle_at) {
		*next = finish(b, FLUSH_END);
		return is_idle(q);
	}
	int64_t until = sooner(sooner(now + q->link.tick_ms, b->n ? *deadline : -1), idle_at);
	if (io_wait_readable(link_fd(&q->link), b->n ? -1 : wake, until, l->stop) != IO_WOKEN)
		return false;
	*next = finish(b, FLUSH_IDLE);
	return true;
}

static enum next fill(struct queue *q, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	int64_t deadline = -1;
	size_t bytes = 0;
	enum next next;
	for (;;) {
		while (q->has && b->n < l->records && (b->n == 0 || bytes < l->bytes)) {
			size_t before = b->n;
			if (q->coding_code)
				take_damaged(q, b);
			else
				(q->lines ? take_line : take_single)(q, b, l);
			bytes += bytes_of(b, before);
		}
		if (b->n >= l->records || (b->n && bytes >= l->bytes))
			return finish(b, b->n >= l->records ? FLUSH_FULL : FLUSH_BYTES);
		if (stop_raised(l->stop))
			return finish(b, FLUSH_END);
		switch (link_get(&q->link, &q->why)) {
		case AMQP_MESSAGE:
			if (begin(q, e) < 0)
				return NEXT_ERROR;
			break;
		case AMQP_BROKEN:
			report(q);
			if (b->n)
				return finish(b, FLUSH_IDLE);
			switch (link_mend(&q->link, &q->why, e)) {
			case 0:
				break;
			case 1:
				return finish(b, FLUSH_END);
			default:
				return NEXT_ERROR;
			}
			break;
		case AMQP_NOTHING:
			if (wait_more(q, b, l, wake, &deadline, &next))
				return next;
			break;
		default:
			break;
		}
	}
}

/* The first call. A connection that has broken since is mended by what follows. */
static int start(struct queue *q, struct err *e)
{
	if (q->reading)
		return 0;
	q->reading = true;
	q->last_ms = clock_mono_ms();
	if (subscribe(&q->link, e) == 0)
		return 0;
	if (q->link.hopeless)
		return -1;
	link_drop(&q->link);
	return 0;
}

static enum next queue_next(struct source *port, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct queue *q = (struct queue *)port;
	link_enter(&q->link);
	q->link.in.keep = l->max_record > AMQP_KEEP ? l->max_record : AMQP_KEEP;
	enum next next = start(q, e) < 0 ? NEXT_ERROR : fill(q, b, l, wake, e);
	link_leave(&q->link);
	return next;
}

static int queue_accept(struct source *port, struct batch *b, struct err *e)
{
	struct queue *q = (struct queue *)port;
	(void)e;
	if (!b->n)
		return 0;
	uint64_t token = b->rec[b->n - 1].token, tag = token & (((uint64_t)1 << EPOCH_SHIFT) - 1);
	link_enter(&q->link);
	/* The channel is gone: the broker redelivers these. */
	bool stale = !q->link.state || token >> EPOCH_SHIFT != (q->link.epoch & 0xffff);
	if (!stale && tag > q->acked) {
		q->acked = tag;
		if (amqp_basic_ack(q->link.state, AMQP_CHANNEL, tag, 1) < 0) {
			link_drop(&q->link);
			stale = true;
		}
	}
	report(q);
	link_leave(&q->link);
	if (stale)
		log_warn("the connection was lost before these were acknowledged: they will be redelivered", NULL);
	return 0;
}

static int queue_close(struct source *port, struct err *e)
{
	struct queue *q = (struct queue *)port;
	(void)e;
	link_close(&q->link); /* the rest goes back into the queue */
	json_scan_free(&q->scan);
	buf_free(&q->composed);
	buf_free(&q->expanded);
	free(q);
	return 0;
}

struct source *amqp_source(const struct amqp_conf *conf, struct err *e)
{
	struct queue *q = xcalloc(1, sizeof *q);
	q->port = (struct source){.next = queue_next, .accept = queue_accept, .close = queue_close};
	q->port.window = conf->prefetch;
	q->conf = *conf;
	q->link.owner = q;
	q->link.consumes = true;
	q->link.stop = conf->stop;
	counts_queue(conf->counts);
	if (amqp_address_parse(&q->link.address, conf->end, env_get("SENTI_AMQP"), e) < 0)
		goto fail;
	if (!q->link.address.queue) {
		err_set(e, ERR_USAGE, "an exchange can only be published to; to read name a queue: ?queue=NAME");
		goto fail;
	}
	if (link_open(&q->link, &q->conf, set_up, e) == 0)
		return &q->port;
fail:
	amqp_address_free(&q->link.address);
	free(q);
	return NULL;
}

char *amqp_queue(const char *end, char **shown, struct err *e)
{
	struct amqp_address a;
	char *queue = NULL;
	if (amqp_address_parse(&a, end, env_get("SENTI_AMQP"), e) == 0 && a.queue) {
		queue = xstrdup(a.queue);
		*shown = xstrdup(a.at.shown);
	} else if (!a.queue && a.exchange) {
		err_set(e, ERR_USAGE, "an exchange can only be published to; to read name a queue: ?queue=NAME");
	}
	amqp_address_free(&a);
	return queue;
}
