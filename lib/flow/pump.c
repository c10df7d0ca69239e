/* pump.c - the loop: fill, run, deliver, accept.
 *
 * With one job, everything happens in the caller's thread. With more, the caller's thread keeps the ports (it fills and
 * delivers batches) and the jobs only run the stages. The caller's thread is one of the jobs: it runs a batch itself
 * while some are waiting, which is faster than waking other processors for all of them. Batches stay in a ring, so they
 * leave in the order in which they came:
 *
 *     ring   [ ... | done | running | ready | empty ... ]
 *               head ^                        ^ tail
 */
#include "lib/flow/pump.h"

#include <poll.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/base/event.h"
#include "lib/flow/held.h"

/* One thread's contexts of a range of stages. */
struct contexts {
	const struct pump *p;
	size_t from, to; /* the steps */
	void **ctx;
};

static void contexts_close(struct contexts *c)
{
	for (size_t i = c->from; i < c->to; i++)
		if (c->ctx[i])
			c->p->step[i].stage->close(c->ctx[i]);
	free(c->ctx);
}

static int contexts_open(struct contexts *c, const struct pump *p, size_t from, size_t to, struct err *e)
{
	*c = (struct contexts){.p = p, .from = from, .to = to, .ctx = xcalloc(p->nsteps + 1, sizeof *c->ctx)};
	for (size_t i = from; i < to; i++) {
		c->ctx[i] = p->step[i].stage->open(p->step[i].conf, e);
		if (!c->ctx[i]) {
			contexts_close(c);
			return -1;
		}
	}
	return 0;
}

static int run_from(const struct contexts *c, size_t first, struct batch *b, struct err *e)
{
	for (size_t i = first; i < c->to; i++)
		if (c->p->step[i].stage->run(c->ctx[i], b, e) < 0)
			return -1;
	return 0;
}

static int run(const struct contexts *c, struct batch *b, struct err *e)
{
	return run_from(c, c->from, b, e);
}

/* Returns the oldest batch of which any of these stages holds something, and that stage's name. */
static uint64_t held_from(const struct contexts *c, const char **stage)
{
	uint64_t first = HOLDS_NOTHING;
	for (size_t i = c->from; i < c->to; i++) {
		const struct stage *s = c->p->step[i].stage;
		uint64_t number = s->held_from ? s->held_from(c->ctx[i]) : HOLDS_NOTHING;
		if (number < first) {
			first = number;
			*stage = s->name;
		}
	}
	return first;
}

/* State of the caller's thread: the ports, the stages that see all batches in order, and what they hold. */
struct delivery {
	const struct pump *p;
	struct contexts c;
	struct held held;
	struct batch made; /* by stages, at their alarm or end */
	uint64_t count;	   /* batches */
	int wake;	   /* readable when a job has finished a batch; -1: no jobs */
	int watch;	   /* epoll: `wake`, an alarm, or the reader of the output is gone */
};

static bool any(const struct batch *b, enum fate fate)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].fate == fate)
			return true;
	return false;
}

static int put_rejects(const struct pump *p, const struct batch *b, struct err *e)
{
	if (!any(b, FATE_REJECTED))
		return 0;
	return p->rejects->put(p->rejects, b, p->source, e) < 0 || p->rejects->flush(p->rejects, e) < 0 ? -1 : 0;
}

/* After a failure of the output: puts what it has refused, if anything, into the rejects: 0, or -1. */
static int put_refused(const struct pump *p, struct batch *b, struct err *e)
{
	struct batch late = *b; /* the same bytes */
	late.rec = arena_alloc(&b->mem, (b->n + 1) * sizeof *late.rec);
	late.n = 0;
	bool *out = arena_alloc(&b->mem, b->n + 1);
	for (size_t i = 0; i < b->n; i++)
		out[i] = b->rec[i].fate == FATE_OUT;
	if (!p->out->refuse || !p->out->refuse(p->out, b))
		return -1;
	for (size_t i = 0; i < b->n; i++)
		if (out[i] && b->rec[i].fate == FATE_REJECTED)
			late.rec[late.n++] = b->rec[i];
	return put_rejects(p, &late, e);
}

/* A batch's rejects are safe before its records appear, so that whoever watches the output knows the fate of all
 * earlier records; but for those that the output itself refuses only now. */
static int put_out(const struct pump *p, struct batch *b, struct err *e)
{
	if (p->out->refuse)
		p->out->refuse(p->out, b);
	if (put_rejects(p, b, e) < 0)
		return -1;
	while (p->out->put(p->out, b, p->source, e) < 0 || p->out->flush(p->out, e) < 0)
		if (put_refused(p, b, e) < 0)
			return -1;
	return 0;
}

/* Fails if the batch would exceed the limit of held records. */
static int check_bound(const struct delivery *d, size_t more, const char *stage, struct err *e)
{
	size_t window = d->p->source->window, most = window && window < PUMP_HELD ? window : PUMP_HELD;
	if (d->held.records + more < most)
		return 0;
	return err_set(e, ERR_ENV, "%s would hold %zu records back from their source, which allows %zu", stage,
	    d->held.records + more, most);
}

/* Runs the stages that see all batches in order, then delivers. */
static int deliver(struct delivery *d, struct batch *b, struct err *e)
{
	const struct pump *p = d->p;
	const char *stage = "";
	bool keeps = p->source->accept || p->source->abandon;
	if (run(&d->c, b, e) < 0 || put_out(p, b, e) < 0)
		return -1;
	counts_batch(p->counts, b, p->rejects->dead_letters);
	uint64_t before = held_from(&d->c, &stage);
	if (held_accept(&d->held, before, e) < 0 ||
	    (b->number >= before && keeps && check_bound(d, b->n - b->derived, stage, e) < 0) ||
	    held_pass(&d->held, b, before, e) < 0)
		return -1;
	if (p->tick)
		p->tick(p->tick_arg, p->counts);
	return 0;
}

static void abandon(const struct pump *p, struct batch *b)
{
	b->n -= b->derived;
	b->derived = 0;
	if (p->source->abandon)
		p->source->abandon(p->source, b);
}

/* Delivers a batch whose records were all made by stage number `maker`, through the stages after it. */
static int deliver_made(struct delivery *d, size_t maker, struct err *e)
{
	struct batch *b = &d->made;
	b->derived = b->n;
	if (run_from(&d->c, maker + 1, b, e) < 0)
		return -1;
	b->derived = b->n;
	if (b->n && put_out(d->p, b, e) < 0)
		return -1;
	if (b->n)
		counts_batch(d->p->counts, b, d->p->rejects->dead_letters);
	return 0;
}

/* Lets each stage release what it held, through the stages after it. */
static int run_ends(struct delivery *d, struct err *e)
{
	struct batch *b = &d->made;
	for (size_t i = d->c.from; i < d->c.to; i++) {
		const struct stage *s = d->p->step[i].stage;
		for (int more = s->end != NULL; more;) {
			batch_reset(b);
			more = s->end(d->c.ctx[i], b, e);
			b->flush_reason = FLUSH_END;
			if (more < 0 || deliver_made(d, i, e) < 0)
				return -1;
		}
	}
	return held_accept(&d->held, UINT64_MAX, e);
}

static int alarm_of(const struct delivery *d, size_t i)
{
	const struct stage *s = d->p->step[i].stage;
	return s->alarm ? s->alarm(d->c.ctx[i]) : -1;
}

static bool readable(int fd)
{
	struct pollfd f = {.fd = fd, .events = POLLIN};
	return fd >= 0 && poll(&f, 1, 0) > 0;
}

/* Runs the stages whose alarm is readable, each on an empty batch. */
static int run_alarms(struct delivery *d, struct err *e)
{
	struct batch *b = &d->made;
	const char *stage = "";
	for (size_t i = d->c.from; i < d->c.to; i++)
		while (readable(alarm_of(d, i))) {
			batch_reset(b);
			b->number = d->count;
			b->flush_reason = FLUSH_TIME;
			if (d->p->step[i].stage->run(d->c.ctx[i], b, e) < 0 || deliver_made(d, i, e) < 0 ||
			    held_accept(&d->held, held_from(&d->c, &stage), e) < 0)
				return -1;
		}
	return 0;
}

/* The source has ended. If it was cut short, no aggregate comes out: it would pass for that of the whole input. */
static int finish(struct delivery *d, struct err *e)
{
	if (d->p->source->interrupted) {
		d->p->counts->interrupted = true;
		return err_set(e, ERR_ENV, "stopped before the end of the input");
	}
	return run_ends(d, e);
}

/* True if the reader of the output is gone, so that nobody needs the rest. */
static bool reader_gone(const struct pump *p)
{
	struct pollfd f = {.fd = p->out->reader ? p->out->reader : -1};
	return poll(&f, 1, 0) > 0 && f.revents & (POLLERR | POLLHUP);
}

static int gone(struct err *e)
{
	return err_set(e, ERR_PIPE, "the reader of the output is gone");
}

static int delivery_open(struct delivery *d, const struct pump *p, size_t from, int wake, struct err *e)
{
	*d = (struct delivery){.p = p, .wake = wake};
	held_init(&d->held, p->source);
	d->watch = epoll_create1(EPOLL_CLOEXEC);
	if (d->watch < 0)
		return err_sys(e, "cannot make an event descriptor");
	struct epoll_event readable = {.events = EPOLLIN}, gone = {0};
	if (wake >= 0)
		epoll_ctl(d->watch, EPOLL_CTL_ADD, wake, &readable);
	if (p->out->reader) /* fails for a file, which has no reader */
		epoll_ctl(d->watch, EPOLL_CTL_ADD, p->out->reader, &gone);
	if (contexts_open(&d->c, p, from, p->nsteps, e) < 0) {
		close(d->watch);
		return -1;
	}
	for (size_t i = from; i < p->nsteps; i++)
		if (alarm_of(d, i) >= 0)
			epoll_ctl(d->watch, EPOLL_CTL_ADD, alarm_of(d, i), &readable);
	return 0;
}

static void delivery_close(struct delivery *d)
{
	held_release(&d->held);
	batch_free(&d->made);
	contexts_close(&d->c);
	close(d->watch);
}

static enum next take_next(struct delivery *d, struct batch *b, int wake, struct err *e)
{
	const struct pump *p = d->p;
	batch_reset(b);
	enum next next = p->source->next(p->source, b, &p->limits, wake, e);
	if (next == NEXT_WOKEN && reader_gone(p))
		return gone(e), NEXT_ERROR;
	if (next == NEXT_BATCH)
		b->number = ++d->count;
	return next;
}

static int pump_alone(const struct pump *p, struct err *e)
{
	struct delivery d;
	struct batch b = {0};
	if (delivery_open(&d, p, 0, -1, e) < 0)
		return -1;
	int rc = 0;
	for (;;) {
		enum next next = take_next(&d, &b, d.watch, e);
		if (next == NEXT_END || next == NEXT_ERROR) {
			rc = next;
			break;
		}
		if (next == NEXT_BATCH && deliver(&d, &b, e) < 0) {
			abandon(p, &b);
			rc = -1;
			break;
		}
		if ((rc = run_alarms(&d, e)) < 0)
			break;
	}
	if (rc == 0)
		rc = finish(&d, e);
	batch_free(&b);
	delivery_close(&d);
	return rc;
}

enum slot_state { SLOT_EMPTY, SLOT_READY, SLOT_RUNNING, SLOT_DONE, SLOT_FAILED };

struct slot {
	struct batch batch;
	enum slot_state state;
	struct err err;
};

struct ring {
	const struct pump *p;
	struct slot *slot;
	size_t size, head, tail, taken; /* only grow; taken: the next that a job will run */
	pthread_mutex_t lock;
	pthread_cond_t ready;
	bool quit;
	int wake;	     /* signalled when a job finishes a batch */
	int ready_fd;	     /* always readable: makes a source poll instead of wait */
	struct contexts own; /* of the pure stages, in the caller's thread */
	struct delivery delivery;
	bool helps;
};

struct pump_job {
	struct ring *ring;
	struct contexts c;
	pthread_t thread;
};

/* Returns the next batch that nobody runs yet, or NULL. The lock is held. */
static struct slot *take(struct ring *r)
{
	if (r->taken == r->tail)
		return NULL;
	struct slot *s = &r->slot[r->taken++ % r->size];
	s->state = SLOT_RUNNING;
	return s;
}

/* The lock is held before and after, but not while the stages run. */
static void run_slot(struct ring *r, const struct contexts *c, struct slot *s)
{
	pthread_mutex_unlock(&r->lock);
	int rc = run(c, &s->batch, &s->err);
	pthread_mutex_lock(&r->lock);
	s->state = rc < 0 ? SLOT_FAILED : SLOT_DONE;
}

static void *job_main(void *arg)
{
	struct pump_job *j = arg;
	struct ring *r = j->ring;
	pthread_mutex_lock(&r->lock);
	while (!r->quit) {
		struct slot *s = take(r);
		if (!s) {
			pthread_cond_wait(&r->ready, &r->lock);
			continue;
		}
		run_slot(r, &j->c, s);
		event_signal(r->wake);
	}
	pthread_mutex_unlock(&r->lock);
	return NULL;
}

/* The number of batches that are read but not running yet. */
static size_t waiting(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	size_t n = r->tail - r->taken;
	pthread_mutex_unlock(&r->lock);
	return n;
}

/* Runs one waiting batch in this thread, if there is one and it may. */
static bool help(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	struct slot *s = r->helps ? take(r) : NULL;
	if (s)
		run_slot(r, &r->own, s);
	pthread_mutex_unlock(&r->lock);
	return s != NULL;
}

/* Delivers finished batches in order, up to the first unfinished one. */
static int deliver_done(struct ring *r, struct err *e)
{
	while (r->head < r->tail) {
		struct slot *s = &r->slot[r->head % r->size];
		pthread_mutex_lock(&r->lock);
		enum slot_state state = s->state;
		pthread_mutex_unlock(&r->lock);
		if (state == SLOT_FAILED) {
			*e = s->err;
			return -1;
		}
		if (state != SLOT_DONE)
			return 0;
		if (deliver(&r->delivery, &s->batch, e) < 0)
			return -1;
		s->state = SLOT_EMPTY;
		r->head++;
		if (run_alarms(&r->delivery, e) < 0)
			return -1;
	}
	return 0;
}

/* Waits until a job finishes a batch, if one is running. May return without one. */
static void wait_for_job(struct ring *r)
{
	struct pollfd f = {.fd = r->wake, .events = POLLIN};
	poll(&f, 1, r->head == r->tail ? 0 : -1);
	event_clear(r->wake);
}

static int run_ring(struct ring *r, struct err *e)
{
	bool ended = false, hold = false; /* hold: the rest of a long line must be drained before the next read */
	for (;;) {
		if (deliver_done(r, e) < 0)
			return -1;
		bool empty = r->head == r->tail;
		hold = hold && !empty;
		if (ended && empty)
			return 0;
		size_t idle = r->helps ? waiting(r) : 0;
		if (ended || hold || r->tail - r->head == r->size || idle > r->p->jobs) {
			if (!help(r))
				wait_for_job(r);
			continue;
		}
		struct slot *s = &r->slot[r->tail % r->size];
		switch (take_next(&r->delivery, &s->batch, idle ? r->ready_fd : r->delivery.watch, e)) {
		case NEXT_ERROR:
			return -1;
		case NEXT_END:
			ended = true;
			break;
		case NEXT_WOKEN:
			if (run_alarms(&r->delivery, e) < 0)
				return -1;
			if (!help(r))
				wait_for_job(r);
			break;
		case NEXT_BATCH:
			hold = s->batch.more;
			pthread_mutex_lock(&r->lock);
			s->state = SLOT_READY;
			r->tail++;
			pthread_cond_signal(&r->ready);
			pthread_mutex_unlock(&r->lock);
			break;
		}
	}
}

static int ring_open(struct ring *r, const struct pump *p, size_t ordered, struct err *e)
{
	*r = (struct ring){.p = p, .size = 3 * (size_t)p->jobs + 1, .helps = true};
	for (size_t i = 0; i < ordered; i++)
		r->helps = r->helps && !p->step[i].stage->waits;
	r->wake = event_open();
	r->ready_fd = event_open();
	event_signal(r->ready_fd);
	if (r->wake < 0 || r->ready_fd < 0)
		err_sys(e, "cannot make an event descriptor");
	else if (contexts_open(&r->own, p, 0, ordered, e) == 0) {
		if (delivery_open(&r->delivery, p, ordered, r->wake, e) == 0)
			goto opened;
		contexts_close(&r->own);
	}
	close(r->wake);
	close(r->ready_fd);
	return -1;
opened:
	r->slot = xcalloc(r->size, sizeof *r->slot);
	pthread_mutex_init(&r->lock, NULL);
	pthread_cond_init(&r->ready, NULL);
	return 0;
}

static void ring_close(struct ring *r)
{
	delivery_close(&r->delivery);
	for (size_t i = r->head; i < r->tail; i++) /* after a failure: read but not delivered */
		abandon(r->p, &r->slot[i % r->size].batch);
	for (size_t i = 0; i < r->size; i++)
		batch_free(&r->slot[i].batch);
	free(r->slot);
	contexts_close(&r->own);
	close(r->wake);
	close(r->ready_fd);
	pthread_mutex_destroy(&r->lock);
	pthread_cond_destroy(&r->ready);
}

static int job_start(struct pump_job *j, struct ring *r, struct err *e)
{
	j->ring = r;
	if (contexts_open(&j->c, r->p, 0, r->own.to, e) < 0)
		return -1;
	if (pthread_create(&j->thread, NULL, job_main, j) == 0)
		return 0;
	contexts_close(&j->c);
	return err_set(e, ERR_ENV, "cannot start a thread for each of %u jobs", r->p->jobs);
}

static int pump_jobs(const struct pump *p, size_t ordered, struct err *e)
{
	struct ring r;
	if (ring_open(&r, p, ordered, e) < 0)
		return -1;
	unsigned started = 0, wanted = r.helps ? p->jobs - 1 : p->jobs;
	struct pump_job *job = xcalloc(wanted, sizeof *job);
	int rc = 0;
	while (started < wanted && (rc = job_start(&job[started], &r, e)) == 0)
		started++;
	if (rc == 0)
		rc = run_ring(&r, e);
	if (rc == 0)
		rc = finish(&r.delivery, e);
	pthread_mutex_lock(&r.lock);
	r.quit = true;
	pthread_cond_broadcast(&r.ready);
	pthread_mutex_unlock(&r.lock);
	for (unsigned i = 0; i < started; i++) {
		pthread_join(job[i].thread, NULL);
		contexts_close(&job[i].c);
	}
	free(job);
	ring_close(&r);
	return rc;
}

/* The first stage that must see all batches in order. */
static size_t first_ordered(const struct pump *p)
{
	size_t i = 0;
	while (i < p->nsteps && p->step[i].stage->pure && !p->step[i].stage->end && !p->step[i].stage->held_from)
		i++;
	return i;
}

int pump(const struct pump *p, struct err *e)
{
	size_t ordered = p->jobs > 1 ? first_ordered(p) : 0;
	int rc = ordered ? pump_jobs(p, ordered, e) : pump_alone(p, e);
	if (rc == 0 && !counts_balance(p->counts))
		rc = err_set(e, ERR_ENV,
		    "the sums do not hold: in is not out - derived + rejected + held; this is a bug in senti");
	return rc;
}
