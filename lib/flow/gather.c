/* gather.c - records from other threads, in arrival order.
 *
 * A list of parcels, one for each call of gather_add. An eventfd signals new ones, so that next can wait for it and for
 * the pump's wake-up in one poll. */
#include "lib/flow/gather.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/io.h"

struct parcel {
	struct parcel *next;
	void *caller;
	struct share memory;
	size_t n, at; /* all lines, and those that batches have taken */
	struct str line[];
};

struct gather {
	struct source port;
	gather_done *done;
	struct budget *memory;
	size_t max_waiting, waiting;
	pthread_mutex_t lock;
	struct parcel *first, **last;
	bool ended;
	int event;
};

static void parcel_free(struct parcel *p)
{
	share_release(&p->memory);
	free(p);
}

/* New, with a copy of the lines; NULL if they exceed the memory budget. */
static struct parcel *parcel_new(struct budget *memory, const struct str *line, size_t n, void *caller)
{
	size_t bytes = sizeof(struct parcel) + n * sizeof *line;
	for (size_t i = 0; i < n; i++)
		bytes += line[i].n + JSON_PAD;
	struct share share = {.of = memory};
	if (!share_take(&share, bytes))
		return NULL;
	struct parcel *p = xcalloc(1, bytes);
	*p = (struct parcel){.caller = caller, .memory = share, .n = n};
	char *at = (char *)&p->line[n];
	for (size_t i = 0; i < n; i++) {
		memcpy(at, line[i].p, line[i].n);
		p->line[i] = (struct str){at, line[i].n};
		at += line[i].n + JSON_PAD;
	}
	return p;
}

int gather_add(struct source *s, const struct str *line, size_t n, void *caller, struct err *e)
{
	struct gather *g = (struct gather *)s;
	struct parcel *p = parcel_new(g->memory, line, n, caller);
	if (!p)
		return err_set(e, ERR_ENV, "too many bytes are waiting");
	pthread_mutex_lock(&g->lock);
	const char *refused = g->ended				? "closed for new records"
			      : n > g->max_waiting - g->waiting ? "too many records are waiting"
								: NULL;
	if (!refused && n) {
		*g->last = p;
		g->last = &p->next;
		g->waiting += n;
	}
	pthread_mutex_unlock(&g->lock);
	if (refused || !n)
		parcel_free(p);
	if (refused)
		return err_set(e, ERR_ENV, "%s", refused);
	event_signal(g->event);
	return 0;
}

void gather_end(struct source *s)
{
	struct gather *g = (struct gather *)s;
	pthread_mutex_lock(&g->lock);
	g->ended = true;
	pthread_mutex_unlock(&g->lock);
	event_signal(g->event);
}

/* Moves waiting lines into the batch until it is full. True if the gatherer is closed and empty. */
static bool take(struct gather *g, struct batch *b, const struct limits *l, size_t *bytes)
{
	event_clear(g->event); /* before the look, so that later arrivals signal again */
	pthread_mutex_lock(&g->lock);
	while (g->first && b->n < l->records && (b->n == 0 || *bytes < l->bytes)) {
		struct parcel *p = g->first;
		struct str line = p->line[p->at++];
		struct rec *r = batch_add(b);
		r->line = json_padded(&b->mem, line);
		r->caller = p->caller;
		r->origin = "request";
		*bytes += line.n;
		g->waiting--;
		if (p->at == p->n) {
			g->first = p->next;
			if (!g->first)
				g->last = &g->first;
			parcel_free(p);
		}
	}
	bool over = g->ended && !g->first;
	if (g->first)
		event_signal(g->event);
	pthread_mutex_unlock(&g->lock);
	return over;
}

static enum next gather_next(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct gather *g = (struct gather *)s;
	(void)e;
	size_t bytes = 0;
	int64_t deadline = -1;
	for (;;) {
		bool over = take(g, b, l, &bytes);
		b->flush_reason = b->n >= l->records  ? FLUSH_FULL
				  : bytes >= l->bytes ? FLUSH_BYTES
				  : over	      ? FLUSH_END
						      : FLUSH_IDLE;
		if (b->flush_reason != FLUSH_IDLE || (b->n && l->wait_ms == 0))
			return b->n ? NEXT_BATCH : NEXT_END;
		if (b->n && deadline < 0)
			deadline = clock_mono_ms() + l->wait_ms;
		int64_t left = deadline < 0 ? -1 : deadline - clock_mono_ms();
		struct pollfd f[2] = {{.fd = g->event, .events = POLLIN}, {.fd = b->n ? -1 : wake, .events = POLLIN}};
		int ready = poll(f, 2, deadline < 0 ? -1 : left < 0 ? 0 : (int)left);
		if (ready == 0) {
			b->flush_reason = FLUSH_TIME;
			return NEXT_BATCH;
		}
		if (ready > 0 && !f[0].revents)
			return NEXT_WOKEN;
	}
}

static int gather_accept(struct source *s, struct batch *b, struct err *e)
{
	(void)e;
	for (size_t i = 0; i < b->n; i++)
		((struct gather *)s)->done(&b->rec[i], true);
	return 0;
}

static void gather_abandon(struct source *s, struct batch *b)
{
	for (size_t i = 0; i < b->n; i++)
		((struct gather *)s)->done(&b->rec[i], false);
}

size_t gather_drop(struct source *s)
{
	struct gather *g = (struct gather *)s;
	pthread_mutex_lock(&g->lock);
	struct parcel *list = g->first;
	size_t n = g->waiting;
	g->first = NULL;
	g->last = &g->first;
	g->waiting = 0;
	pthread_mutex_unlock(&g->lock);
	for (struct parcel *p = list, *next; p; p = next) {
		next = p->next;
		for (; p->at < p->n; p->at++) {
			struct rec r = {.line = p->line[p->at], .caller = p->caller};
			g->done(&r, false);
		}
		parcel_free(p);
	}
	return n;
}

static int gather_close(struct source *s, struct err *e)
{
	struct gather *g = (struct gather *)s;
	gather_drop(s);
	int rc = io_close(g->event, "the gatherer's event", e);
	pthread_mutex_destroy(&g->lock);
	free(g);
	return rc;
}

struct source *gather_new(size_t max_waiting, struct budget *memory, gather_done *done)
{
	struct gather *g = xcalloc(1, sizeof *g);
	g->port = (struct source){
	    .next = gather_next, .accept = gather_accept, .abandon = gather_abandon, .close = gather_close};
	g->done = done;
	g->max_waiting = max_waiting;
	g->memory = memory;
	g->last = &g->first;
	g->event = event_open();
	if (g->event < 0) {
		free(g);
		return NULL;
	}
	pthread_mutex_init(&g->lock, NULL);
	return &g->port;
}
