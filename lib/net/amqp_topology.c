/* amqp_topology.c - the queues and exchanges that belong to a queue's name.
 *
 *     NAME       durable quorum queue; over the delivery limit -> NAME.dx
 *     NAME.dx    durable fanout exchange                       -> NAME.dead
 *     NAME.dead  durable quorum queue; rejects are published to it directly
 */
#include "lib/net/amqp_link.h"

enum { DELIVERY_LIMIT = 100, NAME_ROOM = 256 };

static amqp_table_entry_t text_arg(const char *key, const char *value)
{
	return (amqp_table_entry_t){.key = amqp_cstring_bytes(key),
	    .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static amqp_table_entry_t number_arg(const char *key, int32_t value)
{
	return (amqp_table_entry_t){
	    .key = amqp_cstring_bytes(key), .value = {.kind = AMQP_FIELD_KIND_I32, .value.i32 = value}};
}

/* 0 if the queue exists and may be used, or -1 with *e. */
static int queue_passive(struct amqp_link *l, const char *name, struct err *e)
{
	char what[NAME_ROOM + 64];
	snprintf(what, sizeof what, "queue '%s' does not exist, and this user may not declare it", name);
	amqp_queue_declare(l->state, AMQP_CHANNEL, amqp_cstring_bytes(name), 1, 1, 0, 0, amqp_empty_table);
	int rc = link_result(l, what, e);
	return rc ? link_hopeless(l) : 0;
}

/* Without the permission to declare it, an existing one must do: *given says so. */
static int queue_declare(struct amqp_link *l, const char *name, amqp_table_t args, bool *given, struct err *e)
{
	char what[2 * NAME_ROOM + 160];
	snprintf(what, sizeof what, "cannot declare queue '%s'", name);
	amqp_queue_declare(l->state, AMQP_CHANNEL, amqp_cstring_bytes(name), 0, 1, 0, 0, args);
	int rc = link_result(l, what, e);
	*given = rc == 403;
	if (rc == 403)
		return queue_passive(l, name, e);
	if (rc != 406)
		return rc > 0 && rc != 404 ? link_hopeless(l) : rc ? -1 : 0;
	char said[sizeof e->msg];
	snprintf(said, sizeof said, "%s", e->msg);
	const char *differs = strstr(said, "inequivalent");
	err_set(e, ERR_ENV, "queue '%s' exists with other arguments: %s; wanted is %s; delete it, or name another one",
	    name, differs ? differs : said,
	    args.num_entries > 1
		? "a durable queue of x-queue-type quorum with its exchange for dead letters and a delivery limit"
		: "a durable queue of x-queue-type quorum");
	return link_hopeless(l);
}

int64_t amqp_waiting(struct amqp_link *l, const char *queue, struct err *e)
{
	const amqp_queue_declare_ok_t *ok =
	    amqp_queue_declare(l->state, AMQP_CHANNEL, amqp_cstring_bytes(queue), 1, 1, 0, 0, amqp_empty_table);
	return link_result(l, "cannot look at the queue", e) == 0 && ok ? (int64_t)ok->message_count : -1;
}

static int exchange_declare(struct amqp_link *l, const char *name, bool *given, struct err *e)
{
	char what[NAME_ROOM + 64];
	snprintf(what, sizeof what, "cannot declare exchange '%s'", name);
	amqp_exchange_declare(l->state, AMQP_CHANNEL, amqp_cstring_bytes(name), amqp_cstring_bytes("fanout"), 0, 1, 0,
	    0, amqp_empty_table);
	int rc = link_result(l, what, e);
	*given = rc == 403;
	return rc == 0 || rc == 403 ? 0 : rc > 0 ? link_hopeless(l) : -1;
}

static int bind(struct amqp_link *l, const char *queue, const char *exchange, struct err *e)
{
	char what[2 * NAME_ROOM + 64];
	snprintf(what, sizeof what, "cannot bind queue '%s' to exchange '%s'", queue, exchange);
	amqp_queue_bind(l->state, AMQP_CHANNEL, amqp_cstring_bytes(queue), amqp_cstring_bytes(exchange),
	    amqp_empty_bytes, amqp_empty_table);
	int rc = link_result(l, what, e);
	return rc == 0 || rc == 403 ? 0 : -1;
}

int amqp_declare(struct amqp_link *l, const char *queue, struct err *e)
{
	char dx[NAME_ROOM], dead[NAME_ROOM];
	bool given, given_dx;
	amqp_table_entry_t plain[] = {text_arg("x-queue-type", "quorum")};
	snprintf(dx, sizeof dx, "%s.dx", queue);
	snprintf(dead, sizeof dead, "%s.dead", queue);
	amqp_table_entry_t all[] = {text_arg("x-queue-type", "quorum"), text_arg("x-dead-letter-exchange", dx),
	    number_arg("x-delivery-limit", DELIVERY_LIMIT)};
	if (amqp_is_dead(queue))
		return queue_declare(l, queue, (amqp_table_t){COUNT_OF(plain), plain}, &given, e);
	if (queue_declare(l, queue, (amqp_table_t){COUNT_OF(all), all}, &given, e) < 0)
		return -1;
	if (given) /* its owner has made the rest too, or wants none */
		return 0;
	/* The rest belongs to the queue's name: whoever may declare that may declare these too, or finds them. */
	if (exchange_declare(l, dx, &given_dx, e) < 0)
		return -1;
	if (queue_declare(l, dead, (amqp_table_t){COUNT_OF(plain), plain}, &given, e) < 0) {
		if (!given)
			return -1;
		l->hopeless = false; /* a missing one matters to the first reject */
	}
	return given || given_dx ? 0 : bind(l, dead, dx, e);
}
