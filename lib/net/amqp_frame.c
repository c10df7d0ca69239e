/* amqp_frame.c - a message is a method, a header with properties, and its body in pieces; confirms and closings come
 * between messages. */
#include "lib/net/amqp_frame.h"

#include "lib/base/log.h"
#include "lib/net/body.h"

/* A traceparent has 55 bytes. A longer one is dropped, since all headers of a message must fit into one frame. */
enum { LONGEST_TRACE = 256 };

static struct str str_of_bytes(amqp_bytes_t b)
{
	return (struct str){b.bytes, b.len};
}

static void keep(struct buf *b, amqp_bytes_t s)
{
	buf_clear(b);
	buf_add(b, s.bytes, s.len);
}

static void each_buf(struct amqp_message *m, void (*use)(struct buf *))
{
	struct buf *b[] = {
	    &m->body, &m->id, &m->type, &m->coding, &m->trace, &m->code, &m->why, &m->tool, &m->death, &m->text};
	for (size_t i = 0; i < COUNT_OF(b); i++)
		use(b[i]);
}

static void message_begin(struct amqp_message *m)
{
	each_buf(m, buf_clear);
	m->deliveries = 0;
	m->size = 0;
	m->truncated = false;
}

static bool number_of(const amqp_field_value_t *v, int64_t *out)
{
	switch (v->kind) {
	case AMQP_FIELD_KIND_I64:
	case AMQP_FIELD_KIND_TIMESTAMP:
		*out = v->value.i64;
		return true;
	case AMQP_FIELD_KIND_I32:
		*out = v->value.i32;
		return true;
	case AMQP_FIELD_KIND_I16:
		*out = v->value.i16;
		return true;
	case AMQP_FIELD_KIND_I8:
		*out = v->value.i8;
		return true;
	case AMQP_FIELD_KIND_U64:
		*out = v->value.u64 < INT64_MAX ? (int64_t)v->value.u64 : INT64_MAX;
		return true;
	case AMQP_FIELD_KIND_U32:
		*out = v->value.u32;
		return true;
	case AMQP_FIELD_KIND_U16:
		*out = v->value.u16;
		return true;
	case AMQP_FIELD_KIND_U8:
		*out = v->value.u8;
		return true;
	default:
		return false;
	}
}

/* Clamps the count, so that the number of a delivery is one more. */
static void count_deliveries(struct amqp_message *m, const amqp_field_value_t *v)
{
	static const int64_t most = INT64_MAX - 1;
	int64_t n;
	if (number_of(v, &n) && n > 0)
		m->deliveries = n < most - m->deliveries ? m->deliveries + n : most;
}

static bool is_text(const amqp_field_value_t *v)
{
	return v->kind == AMQP_FIELD_KIND_UTF8 || v->kind == AMQP_FIELD_KIND_BYTES;
}

/* x-death: an array of tables, the latest first, each with a count and a reason. */
static void take_death(struct amqp_message *m, const amqp_field_value_t *v)
{
	if (v->kind != AMQP_FIELD_KIND_ARRAY)
		return;
	for (int i = 0; i < v->value.array.num_entries; i++) {
		const amqp_field_value_t *one = &v->value.array.entries[i];
		for (int k = 0; one->kind == AMQP_FIELD_KIND_TABLE && k < one->value.table.num_entries; k++) {
			const amqp_table_entry_t *t = &one->value.table.entries[k];
			if (str_eq(str_of_bytes(t->key), STR("count")))
				count_deliveries(m, &t->value);
			else if (i == 0 && str_eq(str_of_bytes(t->key), STR("reason")) && is_text(&t->value))
				keep(&m->death, t->value.value.bytes);
		}
	}
}

static void take_headers(struct amqp_message *m, const amqp_table_t *t)
{
	const struct {
		struct str name;
		struct buf *to;
		size_t most;
	} texts[] = {{STR("traceparent"), &m->trace, LONGEST_TRACE}, {STR("x-senti-error"), &m->code, SIZE_MAX},
	    {STR("x-senti-message"), &m->why, SIZE_MAX}, {STR("x-senti-tool"), &m->tool, SIZE_MAX}};
	for (int i = 0; i < t->num_entries; i++) {
		const struct str name = str_of_bytes(t->entries[i].key);
		const amqp_field_value_t *v = &t->entries[i].value;
		if (str_eq(name, STR("x-death")))
			take_death(m, v);
		else if (str_eq(name, STR("x-delivery-count")))
			count_deliveries(m, v);
		else if (str_eq(name, STR("x-senti-truncated")))
			m->truncated = v->kind == AMQP_FIELD_KIND_BOOLEAN && v->value.boolean;
		for (size_t k = 0; k < COUNT_OF(texts); k++)
			if (str_eq(name, texts[k].name) && is_text(v) && v->value.bytes.len <= texts[k].most)
				keep(texts[k].to, v->value.bytes);
	}
}

static void take_properties(struct amqp_message *m, const amqp_basic_properties_t *p)
{
	if (p->_flags & AMQP_BASIC_MESSAGE_ID_FLAG)
		keep(&m->id, p->message_id);
	if (p->_flags & AMQP_BASIC_CONTENT_TYPE_FLAG)
		keep(&m->type, p->content_type);
	if (p->_flags & AMQP_BASIC_CONTENT_ENCODING_FLAG)
		keep(&m->coding, p->content_encoding);
	if (p->_flags & AMQP_BASIC_HEADERS_FLAG)
		take_headers(m, &p->headers);
}

/* The last number of "message size 2000 is larger than configured max size 1000"; 0 for another text. */
static uint64_t max_size_of(struct str text)
{
	static const struct str about = STR("message size ");
	uint64_t size = 0;
	size_t n = text.n;
	while (n && text.p[n - 1] >= '0' && text.p[n - 1] <= '9')
		n--;
	if (!memmem(text.p, text.n, about.p, about.n) || str_u64((struct str){text.p + n, text.n - n}, &size) < 0)
		return 0;
	return size;
}

static enum amqp_got closed(
    struct amqp_frames *in, const char *broker, const char *what, int code, amqp_bytes_t text, struct err *e)
{
	in->max_size = code == 406 ? max_size_of(str_of_bytes(text)) : 0;
	err_set(e, ERR_ENV, "the broker %s closed the %s: %d %.*s", broker, what, code, (int)text.len,
	    (const char *)text.bytes);
	in->closed = code;
	return AMQP_BROKEN;
}

static enum amqp_got take_method(struct amqp_frames *in, const amqp_method_t *m, const char *broker, struct err *e)
{
	switch (m->id) {
	case AMQP_BASIC_DELIVER_METHOD: {
		const amqp_basic_deliver_t *d = m->decoded;
		message_begin(&in->message);
		in->message.tag = d->delivery_tag;
		in->message.redelivered = d->redelivered;
		in->message.returned = false;
		return AMQP_NOTHING;
	}
	case AMQP_BASIC_RETURN_METHOD: {
		const amqp_basic_return_t *r = m->decoded;
		message_begin(&in->message);
		in->message.returned = true;
		keep(&in->message.text, r->reply_text);
		return AMQP_NOTHING;
	}
	case AMQP_BASIC_ACK_METHOD: {
		const amqp_basic_ack_t *a = m->decoded;
		in->tag = a->delivery_tag;
		in->multiple = a->multiple;
		return AMQP_ACK;
	}
	case AMQP_BASIC_NACK_METHOD: {
		const amqp_basic_nack_t *a = m->decoded;
		in->tag = a->delivery_tag;
		in->multiple = a->multiple;
		return AMQP_NACK;
	}
	case AMQP_BASIC_CANCEL_METHOD:
		err_set(e, ERR_ENV, "the broker %s ended the delivery: the queue was deleted, or its leader has gone",
		    broker);
		return AMQP_BROKEN;
	case AMQP_CHANNEL_CLOSE_METHOD: {
		const amqp_channel_close_t *c = m->decoded;
		return closed(in, broker, "channel", c->reply_code, c->reply_text, e);
	}
	case AMQP_CONNECTION_CLOSE_METHOD: {
		const amqp_connection_close_t *c = m->decoded;
		return closed(in, broker, "connection", c->reply_code, c->reply_text, e);
	}
	case AMQP_CONNECTION_BLOCKED_METHOD:
		in->blocked = true;
		log_warn("the broker takes no messages: it is short of memory or disk", "broker", broker, NULL);
		return AMQP_NOTHING;
	case AMQP_CONNECTION_UNBLOCKED_METHOD:
		in->blocked = false;
		log_warn("the broker takes messages again", "broker", broker, NULL);
		return AMQP_NOTHING;
	}
	return AMQP_NOTHING;
}

static enum amqp_got whole(struct amqp_frames *in)
{
	if (in->in_body)
		return AMQP_NOTHING;
	return in->message.returned ? AMQP_RETURNED : AMQP_MESSAGE;
}

enum amqp_got frames_take(struct amqp_frames *in, const amqp_frame_t *f, const char *broker, struct err *e)
{
	struct amqp_message *m = &in->message;
	switch (f->frame_type) {
	case AMQP_FRAME_METHOD:
		return take_method(in, &f->payload.method, broker, e);
	case AMQP_FRAME_HEADER:
		take_properties(m, f->payload.properties.decoded);
		m->size = f->payload.properties.body_size;
		in->left = m->size;
		in->in_body = m->size > 0;
		return whole(in);
	case AMQP_FRAME_BODY: {
		amqp_bytes_t piece = f->payload.body_fragment;
		/* A pack may be long: the limit applies to each of its lines. */
		size_t keep_n = body_is_lines(buf_view(&m->type)) ? SIZE_MAX : in->keep;
		size_t room = keep_n > m->body.n ? keep_n - m->body.n : 0;
		buf_add(&m->body, piece.bytes, piece.len < room ? piece.len : room);
		in->left -= piece.len < in->left ? piece.len : in->left;
		in->in_body = in->left > 0;
		return whole(in);
	}
	default:
		return AMQP_NOTHING; /* a heartbeat */
	}
}

void frames_reset(struct amqp_frames *in)
{
	in->in_body = false;
	in->closed = 0;
	in->max_size = 0;
}

void frames_free(struct amqp_frames *in)
{
	each_buf(&in->message, buf_free);
}
