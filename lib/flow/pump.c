/* pump.c - the loop: fill, run, deliver, accept.
 *
 * With one job all of it happens in the caller's thread. With more, the caller's thread keeps the ports (it fills batches and
 * delivers them), and the jobs only run the stages. The caller's thread is one of the jobs: while batches are waiting it runs one too,
 * which is quicker than to hand all of them to other processors. Batches stand in a ring, so they leave in the order in which they came:
 *
 *     ring   [ ... | done | running | ready | empty ... ]
 *               head ^                        ^ tail
 */
#include "lib/flow/pump.h"

#include <poll.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/base/event.h"

/* One context of every stage, for one thread. */
struct contexts {
	const struct pump *p;
	void **ctx;
};

static void contexts_close(struct contexts *c)
{
	for (size_t i = 0; i < c->p->nsteps; i++)
		if (c->ctx[i])
			c->p->step[i].stage->close(c->ctx[i]);
	free(c->ctx);
}

static int contexts_open(struct contexts *c, const struct pump *p, struct err *e)
{
	*c = (struct contexts){.p = p, .ctx = xcalloc(p->nsteps, sizeof *c->ctx)};
	for (size_t i = 0; i < p->nsteps; i++) {
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
	for (size_t i = first; i < c->p->nsteps; i++)
		if (c->p->step[i].stage->run(c->ctx[i], b, e) < 0)
			return -1;
	return 0;
}

static bool any(const struct batch *b, enum fate fate)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].fate == fate)
			return true;
	return false;
}

/* Rejects are safe before a record of the same batch shows, so whoever watches the output knows what became of those before it. */
static int put_out(const struct pump *p, const struct batch *b, struct err *e)
{
	if (any(b, FATE_REJECTED) &&
	    (p->rejects->put(p->rejects, b, p->source, e) < 0 || p->rejects->flush(p->rejects, e) < 0))
		return -1;
	if (p->out->put(p->out, b, p->source, e) < 0 || p->out->flush(p->out, e) < 0)
		return -1;
	return 0;
}

static int deliver(const struct pump *p, struct batch *b, struct err *e)
{
	if (put_out(p, b, e) < 0)
		return -1;
	counts_batch(p->counts, b, p->rejects->dead_letters);
	if (p->source->accept && p->source->accept(p->source, b, e) < 0)
		return -1;
	if (p->tick)
		p->tick(p->tick_arg, p->counts);
	return 0;
}

static void abandon(const struct pump *p, struct batch *b)
{
	if (p->source->abandon)
		p->source->abandon(p->source, b);
}

/* What stages held comes out at the end, through the stages behind them. */
static int run_ends(const struct contexts *c, struct batch *b, struct err *e)
{
	const struct pump *p = c->p;
	for (size_t i = 0; i < p->nsteps; i++) {
		if (!p->step[i].stage->end)
			continue;
		batch_reset(b);
		if (p->step[i].stage->end(c->ctx[i], b, e) < 0)
			return -1;
		b->flush_reason = FLUSH_END;
		if (b->n == 0)
			continue;
		if (run_from(c, i + 1, b, e) < 0 || put_out(p, b, e) < 0)
			return -1;
		counts_made(p->counts, b, p->rejects->dead_letters);
	}
	return 0;
}

static int pump_alone(const struct pump *p, struct err *e)
{
	struct contexts c;
	struct batch b = {0};
	if (contexts_open(&c, p, e) < 0)
		return -1;
	int rc = 0;
	for (;;) {
		batch_reset(&b);
		enum next next = p->source->next(p->source, &b, &p->limits, -1, e);
		if (next == NEXT_END || next == NEXT_ERROR) {
			rc = next;
			break;
		}
		if (next == NEXT_WOKEN)
			continue;
		if (run_from(&c, 0, &b, e) < 0 || deliver(p, &b, e) < 0) {
			abandon(p, &b);
			rc = -1;
			break;
		}
	}
	if (rc == 0)
		rc = run_ends(&c, &b, e);
	batch_free(&b);
	contexts_close(&c);
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
	size_t size, head, tail, taken; /* ever growing; taken: the next that a job will run */
	pthread_mutex_t lock;
	pthread_cond_t ready;
	bool quit;
	int wake;	     /* eventfd: a job is done */
	int ready_fd;	     /* always readable: makes a source look, and not wait */
	struct contexts own; /* of the caller's thread */
	bool helps;
};

struct job {
	struct ring *ring;
	struct contexts c;
	pthread_t thread;
};

/* The next batch that nobody runs yet, or NULL. The lock is held. */
static struct slot *take(struct ring *r)
{
	if (r->taken == r->tail)
		return NULL;
	struct slot *s = &r->slot[r->taken++ % r->size];
	s->state = SLOT_RUNNING;
	return s;
}

/* The lock is held before and after, not while the stages run. */
static void run_slot(struct ring *r, const struct contexts *c, struct slot *s)
{
	pthread_mutex_unlock(&r->lock);
	int rc = run_from(c, 0, &s->batch, &s->err);
	pthread_mutex_lock(&r->lock);
	s->state = rc < 0 ? SLOT_FAILED : SLOT_DONE;
}

static void *job_main(void *arg)
{
	struct job *j = arg;
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

/* How many batches are read and not run by anyone. */
static size_t waiting(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	size_t n = r->tail - r->taken;
	pthread_mutex_unlock(&r->lock);
	return n;
}

/* Does the work of a job for one batch, if one is waiting and this thread may. */
static bool help(struct ring *r)
{
	pthread_mutex_lock(&r->lock);
	struct slot *s = r->helps ? take(r) : NULL;
	if (s)
		run_slot(r, &r->own, s);
	pthread_mutex_unlock(&r->lock);
	return s != NULL;
}

/* Delivers what is done, in order, as far as it goes. */
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
		if (deliver(r->p, &s->batch, e) < 0)
			return -1;
		s->state = SLOT_EMPTY;
		r->head++;
	}
	return 0;
}

static void wait_for_job(struct ring *r)
{
	struct pollfd f = {.fd = r->wake, .events = POLLIN};
	poll(&f, 1, -1);
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
		batch_reset(&s->batch);
		int wake = empty ? -1 : idle ? r->ready_fd : r->wake;
		switch (r->p->source->next(r->p->source, &s->batch, &r->p->limits, wake, e)) {
		case NEXT_ERROR:
			return -1;
		case NEXT_END:
			ended = true;
			break;
		case NEXT_WOKEN:
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

static int ring_open(struct ring *r, const struct pump *p, struct err *e)
{
	*r = (struct ring){.p = p, .size = 3 * (size_t)p->jobs + 1, .helps = true};
	for (size_t i = 0; i < p->nsteps; i++)
		r->helps = r->helps && !p->step[i].stage->waits;
	r->wake = event_open();
	r->ready_fd = event_open();
	event_signal(r->ready_fd);
	if (r->wake < 0 || r->ready_fd < 0)
		err_sys(e, "cannot make an event descriptor");
	else if (contexts_open(&r->own, p, e) == 0)
		goto opened;
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
	for (size_t i = r->head; i < r->tail; i++) /* after a failure: read and not delivered */
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

static int job_start(struct job *j, struct ring *r, struct err *e)
{
	j->ring = r;
	if (contexts_open(&j->c, r->p, e) < 0)
		return -1;
	if (pthread_create(&j->thread, NULL, job_main, j) == 0)
		return 0;
	contexts_close(&j->c);
	return err_set(e, ERR_ENV, "cannot start a thread for each of %u jobs", r->p->jobs);
}

static int pump_jobs(const struct pump *p, struct err *e)
{
	struct ring r;
	if (ring_open(&r, p, e) < 0)
		return -1;
	unsigned started = 0, wanted = r.helps ? p->jobs - 1 : p->jobs;
	struct job *job = xcalloc(wanted, sizeof *job);
	int rc = 0;
	while (started < wanted && (rc = job_start(&job[started], &r, e)) == 0)
		started++;
	if (rc == 0)
		rc = run_ring(&r, e);
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

int pump(const struct pump *p, struct err *e)
{
	bool parallel = p->jobs > 1;
	for (size_t i = 0; i < p->nsteps; i++)
		parallel = parallel && p->step[i].stage->pure && !p->step[i].stage->end;
	int rc = parallel ? pump_jobs(p, e) : pump_alone(p, e);
	if (rc == 0 && !counts_balance(p->counts))
		rc = err_set(e, ERR_ENV, "the sums do not hold: in is not out + rejected; this is a defect of senti");
	return rc;
}
