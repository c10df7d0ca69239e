/* rate.c - small batches, each followed by a pause for its records. No credit builds up while the input is idle, so any
 * second has at most the requested number of records plus one small batch. */
#include "lib/ingest/rate.h"

#include "lib/base/clock.h"
#include "lib/base/io.h"

enum { TICK_MS = 50 };

struct limiter {
	struct source port;
	struct source *from;
	struct rate rate;
	int64_t free_us; /* when the next record may go, on the monotonic clock */
};

int rate_parse(const char *s, struct rate *out, struct err *e)
{
	size_t n = strcspn(s, "/");
	const char *unit = s + n;
	out->per_ms = !*unit || strcmp(unit, "/s") == 0 ? 1000
		      : strcmp(unit, "/m") == 0		? 60000
		      : strcmp(unit, "/h") == 0		? 3600000
							: 0;
	if (!out->per_ms || str_u64((struct str){s, n}, &out->records) < 0 || out->records < 1 ||
	    out->records > 1000000000)
		return err_set(
		    e, ERR_USAGE, "--rate takes a number of records such as 100, 100/s, 30/m or 5/h, not '%s'", s);
	return 0;
}

static int64_t now_us(void)
{
	return clock_mono_ms() * 1000;
}

static enum next limiter_next(struct source *port, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct limiter *r = (struct limiter *)port;
	struct limits few = *l;
	uint64_t tick = r->rate.records * TICK_MS / (uint64_t)r->rate.per_ms;
	if (few.records > tick)
		few.records = tick ? (size_t)tick : 1;
	while (now_us() < r->free_us) {
		enum io_wait w = io_wait_readable(-1, wake, (r->free_us + 999) / 1000, l->stop);
		if (w == IO_WOKEN)
			return NEXT_WOKEN;
		if (w == IO_STOP) /* records already read go out at once */
			break;
	}
	enum next next = r->from->next(r->from, b, &few, wake, e);
	port->interrupted = r->from->interrupted;
	int64_t now = now_us();
	if (next == NEXT_BATCH)
		r->free_us = (now > r->free_us ? now : r->free_us) +
			     (int64_t)(b->n * (uint64_t)r->rate.per_ms * 1000 / r->rate.records);
	return next;
}

static int limiter_accept(struct source *port, struct batch *b, struct err *e)
{
	struct limiter *r = (struct limiter *)port;
	return r->from->accept(r->from, b, e);
}

static void limiter_abandon(struct source *port, struct batch *b)
{
	struct limiter *r = (struct limiter *)port;
	r->from->abandon(r->from, b);
}

static int limiter_rest(struct source *port, struct str *chunk, struct err *e)
{
	struct limiter *r = (struct limiter *)port;
	return r->from->rest(r->from, chunk, e);
}

static void limiter_position(const struct source *port, uint64_t *done, uint64_t *total)
{
	const struct limiter *r = (const struct limiter *)port;
	r->from->position(r->from, done, total);
}

static int limiter_close(struct source *port, struct err *e)
{
	struct limiter *r = (struct limiter *)port;
	int rc = r->from->close(r->from, e);
	free(r);
	return rc;
}

struct source *source_rate(struct source *from, struct rate rate)
{
	struct limiter *r = xcalloc(1, sizeof *r);
	r->from = from;
	r->rate = rate;
	r->port = (struct source){.next = limiter_next,
	    .accept = from->accept ? limiter_accept : NULL,
	    .abandon = from->abandon ? limiter_abandon : NULL,
	    .rest = from->rest ? limiter_rest : NULL,
	    .position = from->position ? limiter_position : NULL,
	    .close = limiter_close};
	return &r->port;
}
