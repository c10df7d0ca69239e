/* intake.c - the pump of POST /v1/messages. */
#include "lib/serve/intake.h"

#include <errno.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/timedwait.h"
#include "lib/flow/pump.h"
#include "lib/stage/submit.h"

enum { PAUSE_MS = 500, BUSY_MS = 100, STUCK_MS = 5000 };

struct intake {
	struct source port; /* wraps the gatherer, for what follows the queue's confirm */
	struct intake_conf conf;
	struct source *gather;
	struct store *store; /* embedded: where the messages go; else NULL */
	struct sink *queue;
	struct cache *cache;   /* NULL: none */
	struct submit *submit; /* of the present run of the pump */
	struct counts counts;
	_Atomic uint64_t under_way; /* handed in and not answered */
	_Atomic int64_t moved_at;   /* clock_mono_ms when the first of them came, or the last batch was answered */
	atomic_bool away;	    /* `why` is set */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool ending;
	struct err why; /* the last failure; no message: it works */
};

/* ---- the ends ---- */

static void say(struct intake *m, const struct err *e)
{
	pthread_mutex_lock(&m->lock);
	m->why = *e;
	atomic_store_explicit(&m->away, e->msg[0] != 0, memory_order_release);
	pthread_mutex_unlock(&m->lock);
}

/* Adds n, which may be negative, to what is under way. */
static void move(struct intake *m, uint64_t n)
{
	if (atomic_load(&m->under_way) == 0 || n > UINT64_MAX / 2)
		atomic_store(&m->moved_at, clock_mono_ms());
	counts_unacked(&m->counts, atomic_fetch_add(&m->under_way, n) + n);
}

static enum next intake_next(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct intake *m = (struct intake *)s;
	return m->gather->next(m->gather, b, l, wake, e);
}

static int intake_accept(struct source *s, struct batch *b, struct err *e)
{
	struct intake *m = (struct intake *)s;
	if (m->queue)
		submit_confirmed(m->submit, b);
	scored_add(&m->conf.scored, b);
	move(m, -(uint64_t)b->n);
	return m->gather->accept(m->gather, b, e);
}

static void intake_abandon(struct source *s, struct batch *b)
{
	struct intake *m = (struct intake *)s;
	move(m, -(uint64_t)b->n);
	m->gather->abandon(m->gather, b);
}

/* Nothing is written: the source's accept answers the callers. */
static int put_nowhere(struct sink *s, const struct batch *b, struct source *from, struct err *e)
{
	(void)s;
	(void)b;
	(void)from;
	(void)e;
	return 0;
}

static int flush_nowhere(struct sink *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

/* ---- the thread ---- */

static int open_ends(struct intake *m, struct err *e)
{
	const struct ends *o = m->conf.ends;
	if (o->queue)
		return (m->queue = o->queue(o->arg, &m->counts, e)) ? 0 : -1;
	return (m->store = o->store(o->arg, e)) ? 0 : -1;
}

static int close_ends(struct intake *m, struct err *e)
{
	int rc = m->queue ? m->queue->close(m->queue, e) : m->store ? m->store->close(m->store, e) : 0;
	m->queue = NULL;
	m->store = NULL;
	return rc;
}

static int run_once(struct intake *m, struct err *e)
{
	struct sink nowhere = {.put = put_nowhere, .flush = flush_nowhere};
	const struct submit_conf conf = {
	    .store = m->store, .cache = m->cache, .model = m->conf.model, .max_record = m->conf.limits.max_record};
	m->submit = submit_new(&conf);
	struct step step = {&stage_submit, m->submit};
	struct pump p = {.source = &m->port,
	    .step = &step,
	    .nsteps = 1,
	    .out = m->queue ? m->queue : &nowhere,
	    .rejects = &nowhere,
	    .limits = m->conf.limits,
	    .jobs = 1,
	    .counts = &m->counts};
	int rc = pump(&p, e);
	submit_free(m->submit);
	return rc;
}

/* While the queue takes nothing (ERR_BUSY), new records are refused at once. True once it takes them again; false with
 * *e if it has failed, or at the end. */
static bool wait_for_queue(struct intake *m, struct err *e)
{
	while (m->queue && e->kind == ERR_BUSY) {
		if (!cond_pause(&m->ended, &m->lock, &m->ending, BUSY_MS))
			return false;
		if (m->queue->check(m->queue, e) == 0)
			return true;
		say(m, e);
	}
	return false;
}

static void *intake_run(void *arg)
{
	struct intake *m = arg;
	struct err e, ignored;
	for (;;) {
		bool open = m->queue || m->store || open_ends(m, &e) == 0;
		if (open)
			say(m, &(struct err){0});
		if (open && run_once(m, &e) == 0)
			break;
		log_error("messages cannot be stored", "error", e.msg, NULL);
		say(m, &e);
		move(m, -(uint64_t)gather_drop(m->gather));
		if (wait_for_queue(m, &e))
			continue;
		close_ends(m, &ignored); /* the log says why it failed */
		if (!cond_pause(&m->ended, &m->lock, &m->ending, PAUSE_MS) && !open)
			break;
	}
	if (close_ends(m, &e) < 0)
		log_error("the last messages may not be stored", "error", e.msg, NULL);
	return NULL;
}

static void tell(struct rec *r, bool ok)
{
	const struct intake_caller *caller = r->caller;
	caller->done(r, ok);
}

struct intake *intake_start(const struct intake_conf *conf, struct err *e)
{
	struct intake *m = xcalloc(1, sizeof *m);
	m->port = (struct source){.next = intake_next, .accept = intake_accept, .abandon = intake_abandon};
	m->conf = *conf;
	pthread_mutex_init(&m->lock, NULL);
	cond_init(&m->ended);
	counts_start(&m->counts);
	counts_queue(&m->counts); /* senti-serve's queue is counted in either case */
	m->gather = gather_new(conf->max_waiting, conf->memory, tell);
	if (!m->gather)
		err_sys(e, "cannot make a descriptor");
	if (!m->gather || open_ends(m, e) < 0 || ends_client_cache(conf->ends, &m->cache, e) < 0)
		goto failed;
	errno = pthread_create(&m->thread, NULL, intake_run, m);
	if (errno == 0)
		return m;
	err_sys(e, "cannot start a thread");
failed:;
	struct err ignored;
	close_ends(m, &ignored);
	ends_close_cache(conf->ends, m->cache);
	if (m->gather)
		m->gather->close(m->gather, &ignored);
	free(m);
	return NULL;
}

int intake_add(struct intake *m, const struct str *line, size_t n, void *caller, struct err *e)
{
	if (atomic_load_explicit(&m->away, memory_order_acquire)) {
		intake_ready(m, e);
		return -1;
	}
	move(m, n);
	int rc = gather_add(m->gather, line, n, caller, e);
	if (rc < 0)
		move(m, -(uint64_t)n);
	return rc;
}

struct counts *intake_counts(struct intake *m)
{
	return &m->counts;
}

bool intake_ready(struct intake *m, struct err *e)
{
	pthread_mutex_lock(&m->lock);
	*e = m->why;
	pthread_mutex_unlock(&m->lock);
	int64_t since = clock_mono_ms() - atomic_load(&m->moved_at);
	if (!e->msg[0] && atomic_load(&m->under_way) && since > STUCK_MS)
		err_set(e, ERR_ENV, "nothing has been stored for %d s", STUCK_MS / 1000);
	return !e->msg[0];
}

void intake_stop(struct intake *m)
{
	struct err ignored;
	pthread_mutex_lock(&m->lock);
	m->ending = true;
	pthread_cond_signal(&m->ended);
	pthread_mutex_unlock(&m->lock);
	gather_end(m->gather);
	pthread_join(m->thread, NULL);
	m->gather->close(m->gather, &ignored); /* answers the callers left */
	ends_close_cache(m->conf.ends, m->cache);
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->ended);
	free(m);
}
