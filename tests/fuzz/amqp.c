/* amqp.c - what a broker may deliver: whatever the frames, each record has a line or a reason to be rejected, what is
 * rejected becomes JSON or a dead letter, and the window of what is published keeps count whatever the broker
 * confirms. The connection is played here; tables of headers are decoded by rabbitmq-c. The input:
 *
 *     flags | kind, length of id, length of type, length of headers (2), length of body (2) |
 *     id, type, headers, body | kind, ...
 */
#define AMQP_LIB_PLAIN
#include <amqp.h>
#include <amqp_framing.h>

#include "lib/base/log.h"
#include "lib/net/amqp.h"
#include "lib/net/amqp_link.h"
#include "lib/net/outgoing.h"
#include "tests/fuzz/lib/check.h"

enum { REJECTS = 1, SHORT_KEEP = 2, SHORT_RECORDS = 4, PACKS = 8 }; /* of flags */
enum { KIND_ACK = 250, KIND_NACK, KIND_CANCEL, KIND_CLOSE, KIND_RETURN, KIND_BLOCKED };

/* ---- the connection ---- */

static struct {
	struct str in;
	uint8_t flags;
	amqp_pool_t pool;
	uint64_t tag;
	struct str body; /* of the message that is under way, and not given yet */
} broker;

static int fake_qos(void)
{
	return 0;
}

int link_open(
    struct amqp_link *l, const struct amqp_conf *conf, int (*setup)(struct amqp_link *, struct err *), struct err *e)
{
	(void)setup, (void)e;
	l->conf = conf;
	l->state = (amqp_connection_state_t)&broker;
	l->epoch = 1;
	return 0;
}

void link_close(struct amqp_link *l)
{
	frames_free(&l->in);
	amqp_address_free(&l->address);
}

void link_enter(struct amqp_link *l)
{
	if (broker.flags & SHORT_KEEP)
		l->in.keep = 100;
}

void link_leave(struct amqp_link *l)
{
	(void)l;
}

static enum amqp_got give(struct amqp_link *l, uint8_t type, amqp_method_number_t id, void *decoded, struct err *e)
{
	amqp_frame_t f = {.frame_type = type};
	if (type == AMQP_FRAME_METHOD) {
		f.payload.method = (amqp_method_t){.id = id, .decoded = decoded};
	} else {
		f.payload.properties.decoded = decoded;
		f.payload.properties.body_size = broker.body.n;
	}
	return frames_take(&l->in, &f, "amqp://fuzz", e);
}

static amqp_bytes_t bytes_of(struct str s)
{
	return (amqp_bytes_t){s.n, (void *)(uintptr_t)s.p};
}

/* A message's first two frames; its body comes in pieces of their own. */
static enum amqp_got give_message(struct amqp_link *l, uint8_t kind, struct err *e)
{
	size_t length[4];
	for (size_t i = 0; i < COUNT_OF(length); i++) {
		length[i] = fuzz_byte(&broker.in);
		if (i > 1)
			length[i] = length[i] << 8 | fuzz_byte(&broker.in);
	}
	amqp_basic_properties_t p = {._flags = AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_CONTENT_TYPE_FLAG};
	p.message_id = bytes_of(fuzz_cut(&broker.in, length[0]));
	p.content_type = bytes_of(fuzz_cut(&broker.in, length[1]));
	amqp_bytes_t table = bytes_of(fuzz_cut(&broker.in, length[2]));
	size_t at = 0;
	if (table.len && amqp_decode_table(table, &broker.pool, &p.headers, &at) == 0)
		p._flags |= AMQP_BASIC_HEADERS_FLAG;
	broker.body = fuzz_cut(&broker.in, length[3]);
	amqp_basic_deliver_t deliver = {.delivery_tag = ++broker.tag, .redelivered = kind & 1};
	amqp_basic_return_t back = {.reply_text = p.content_type};
	if (kind == KIND_RETURN)
		give(l, AMQP_FRAME_METHOD, AMQP_BASIC_RETURN_METHOD, &back, e);
	else
		give(l, AMQP_FRAME_METHOD, AMQP_BASIC_DELIVER_METHOD, &deliver, e);
	return give(l, AMQP_FRAME_HEADER, 0, &p, e);
}

static enum amqp_got give_piece(struct amqp_link *l, struct err *e)
{
	enum { PIECE = 33 };
	struct str piece = fuzz_cut(&broker.body, PIECE);
	char *copy = fuzz_copy(piece);
	amqp_frame_t f = {.frame_type = AMQP_FRAME_BODY, .payload.body_fragment = {piece.n, copy}};
	enum amqp_got got = frames_take(&l->in, &f, "amqp://fuzz", e);
	free(copy);
	return got;
}

static enum amqp_got give_method(struct amqp_link *l, uint8_t kind, struct err *e)
{
	amqp_basic_ack_t ack = {.delivery_tag = fuzz_byte(&broker.in), .multiple = kind & 1};
	amqp_basic_nack_t nack = {.delivery_tag = fuzz_byte(&broker.in)};
	amqp_channel_close_t close = {.reply_code = 404, .reply_text = bytes_of(fuzz_line(&broker.in))};
	switch (kind) {
	case KIND_ACK:
		return give(l, AMQP_FRAME_METHOD, AMQP_BASIC_ACK_METHOD, &ack, e);
	case KIND_NACK:
		return give(l, AMQP_FRAME_METHOD, AMQP_BASIC_NACK_METHOD, &nack, e);
	case KIND_CANCEL:
		return give(l, AMQP_FRAME_METHOD, AMQP_BASIC_CANCEL_METHOD, NULL, e);
	case KIND_CLOSE:
		return give(l, AMQP_FRAME_METHOD, AMQP_CHANNEL_CLOSE_METHOD, &close, e);
	default:
		return give(l, AMQP_FRAME_METHOD, AMQP_CONNECTION_BLOCKED_METHOD, NULL, e);
	}
}

enum amqp_got link_get(struct amqp_link *l, struct err *e)
{
	if (broker.body.n)
		return give_piece(l, e);
	if (!broker.in.n)
		return AMQP_NOTHING;
	uint8_t kind = fuzz_byte(&broker.in);
	return kind < KIND_ACK || kind == KIND_RETURN ? give_message(l, kind, e) : give_method(l, kind, e);
}

void link_drop(struct amqp_link *l)
{
	frames_reset(&l->in);
}

/* Once is enough: then the input has ended. */
int link_mend(struct amqp_link *l, const struct err *why, struct err *e)
{
	(void)e;
	CHECK(why->msg[0]);
	link_drop(l);
	return 1;
}

void link_works(struct amqp_link *l)
{
	(void)l;
}

int link_fd(const struct amqp_link *l)
{
	(void)l;
	return -1;
}

int link_result(struct amqp_link *l, const char *what, struct err *e)
{
	(void)l, (void)what, (void)e;
	return 0;
}

int link_hopeless(struct amqp_link *l)
{
	(void)l;
	return -1;
}

int amqp_declare(struct amqp_link *l, const char *queue, struct err *e)
{
	(void)l, (void)queue, (void)e;
	return 0;
}

int64_t amqp_waiting(struct amqp_link *l, const char *queue, struct err *e)
{
	(void)l, (void)queue, (void)e;
	return 0;
}

/* ---- what comes of it ---- */

static void check_record(const struct rec *r)
{
	struct buf out = {0};
	CHECK(r->envelope && r->envelope->tries >= 1 && r->origin);
	if (r->fate == FATE_REJECTED) {
		CHECK(r->code && r->why.n);
		rec_put_reject(&out, r, "fuzz");
		fuzz_check_line(buf_view(&out));
	} else if (broker.flags & REJECTS) {
		CHECK(r->line.n);
	}
	buf_free(&out);
}

/* Publishes the batch, and lets the broker say something of it. */
static void check_window(const struct batch *b)
{
	struct packer k = {.most = broker.flags & PACKS ? 3 : 1};
	struct window w = {.base = 1};
	struct err e;
	CHECK(pack_records(&k, &w, b) == 0 && pack_rejects(&k, &w, b, "fuzz", NULL, &e) == 0);
	for (size_t i = 0; i < w.n; i++) {
		struct str body = window_str(&w, w.outgoing[i].body), id = window_str(&w, w.outgoing[i].id);
		CHECK(id.n <= 255 && body.n + id.n <= w.bytes.n);
		window_sent(&w);
	}
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		uint8_t tag = r->line.n ? (uint8_t)r->line.p[r->line.n - 1] : 0;
		window_settle(&w, tag % (w.n + 2), tag & 64, tag & 32);
		CHECK(w.open <= w.sent && w.first <= w.sent && w.sent <= w.n);
	}
	window_again(&w, 7);
	CHECK(w.sent == 0 && w.open == 0);
	packer_free(&k);
	window_free(&w);
}

static void read_all(struct source *s, const struct limits *l)
{
	struct batch b = {0};
	struct err e = {0};
	enum next next;
	while ((next = s->next(s, &b, l, -1, &e)) == NEXT_BATCH) {
		CHECK(b.n > 0 && b.n <= l->records);
		for (size_t i = 0; i < b.n; i++)
			check_record(&b.rec[i]);
		check_window(&b);
		CHECK(s->accept(s, &b, &e) == 0);
		batch_reset(&b);
	}
	CHECK(next == NEXT_END);
	CHECK(s->close(s, &e) == 0);
	batch_free(&b);
}

static void begin(void)
{
	log_init("fuzz", LOG_ERROR, LOG_PLAIN);
	init_amqp_pool(&broker.pool, 4096);
	struct err e;
	CHECK(amqp_lib_open(&e) == 0);
	amqp_lib.amqp_basic_qos = (__typeof__(amqp_lib.amqp_basic_qos))(void (*)(void))fake_qos;
	amqp_lib.amqp_basic_consume = (__typeof__(amqp_lib.amqp_basic_consume))(void (*)(void))fake_qos;
	amqp_lib.amqp_basic_ack = (__typeof__(amqp_lib.amqp_basic_ack))(void (*)(void))fake_qos;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	struct err e;
	if (!begun)
		begin();
	begun = true;
	broker.in = fuzz_input(data, size);
	broker.flags = fuzz_byte(&broker.in);
	broker.body = STR("");
	broker.tag = 0;
	struct limits l = {.records = 4, .bytes = 1000, .max_record = broker.flags & SHORT_RECORDS ? 50 : 1 << 20};
	struct amqp_conf conf = {.end = "amqp:fuzz", .tool = "fuzz", .prefetch = 10, .rejects = broker.flags & REJECTS};
	struct source *s = amqp_source(&conf, &e);
	CHECK(s);
	read_all(s, &l);
	empty_amqp_pool(&broker.pool);
	return 0;
}
