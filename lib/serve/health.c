/* health.c - asks whether what the server needs is there. */
#include "lib/serve/health.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/timedwait.h"

enum { EACH_MS = 500, LATE_MS = 1000 };

struct probe {
	struct health *health;
	enum health_part part;
	pthread_t thread;
	bool running;
	/* The thread's own. */
	struct store *store;
	struct cache *cache;
	struct sink *queue;
	struct arena mem;
	/* Read by others. */
	atomic_bool ok;
	_Atomic int64_t asked_at; /* clock_mono_ms at the start of the pending question; 0: none */
	struct err why;		  /* of the last answer, with health->lock */
};

struct health {
	struct health_conf conf;
	struct probe probe[HEALTH_FEED]; /* those with a thread */
	atomic_bool draining;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool ending;
	/* Of the queue, with the lock: valid if `depth_why` is of no kind. */
	struct queue_depth depth;
	struct err depth_why;
};

const char *health_name(enum health_part part)
{
	static const char *const name[] = {
	    [HEALTH_STORE] = "store", [HEALTH_CACHE] = "cache", [HEALTH_QUEUE] = "queue", [HEALTH_FEED] = "news"};
	return name[part];
}

/* ---- one question ---- */

static int ask_store(struct probe *p, struct err *e)
{
	const struct ends *o = p->health->conf.ends;
	struct message nobody = {.id = STR("")}, *const one = &nobody;
	if (!p->store && !(p->store = o->store(o->arg, e)))
		return -1;
	if (p->store->get(p->store, &one, 1, &p->mem, e) < 0)
		return -1;
	return p->health->conf.read_only ? 0 : p->store->writable(p->store, e);
}

/* Tells those whose clients wait, so that they need not find out themselves. */
static int ask_cache(struct probe *p, struct err *e)
{
	const struct ends *o = p->health->conf.ends;
	struct entry nobody = {.kind = ENTRY_MESSAGE, .key = STR(CACHE_MESSAGE)}, *const one = &nobody;
	if (!p->cache && ends_cache(o, &p->cache, e) < 0)
		return -1;
	int rc = p->cache->get(p->cache, &one, 1, &p->mem, e);
	if (rc == 0 && nobody.state == ENTRY_SKIPPED)
		rc = err_set(e, ERR_ENV, "the cache is unreachable");
	if (o->watch)
		atomic_store(&o->watch->away, rc < 0);
	return rc;
}

static void look_into_queue(const struct probe *p)
{
	struct health *h = p->health;
	struct queue_depth depth = {-1, -1};
	struct err why = {0};
	if (!p->queue->depth)
		err_set(&why, ERR_ENV, "the queue does not say how many messages it holds");
	else if (p->queue->depth(p->queue, &depth, &why) == 0)
		why.kind = ERR_NONE;
	pthread_mutex_lock(&h->lock);
	h->depth = depth;
	h->depth_why = why;
	pthread_mutex_unlock(&h->lock);
}

static int ask_queue(struct probe *p, struct err *e)
{
	const struct ends *o = p->health->conf.ends;
	struct err ignored;
	if (!p->queue && !(p->queue = o->queue(o->arg, NULL, e)))
		return -1;
	if (!p->queue->check || p->queue->check(p->queue, e) == 0) {
		look_into_queue(p);
		return 0;
	}
	p->queue->close(p->queue, &ignored); /* the log has the reason */
	p->queue = NULL;
	return -1;
}

static void close_ends(struct probe *p)
{
	struct err ignored; /* nothing was written here */
	if (p->store)
		p->store->close(p->store, &ignored);
	ends_close_cache(p->health->conf.ends, p->cache);
	if (p->queue)
		p->queue->close(p->queue, &ignored);
	arena_free(&p->mem);
}

/* ---- the threads ---- */

static void *probe_run(void *arg)
{
	static int (*const ask[])(struct probe *, struct err *) = {
	    [HEALTH_STORE] = ask_store, [HEALTH_CACHE] = ask_cache, [HEALTH_QUEUE] = ask_queue};
	struct probe *p = arg;
	struct err e;
	do {
		atomic_store(&p->asked_at, clock_mono_ms());
		bool ok = ask[p->part](p, &e) == 0;
		arena_reset(&p->mem);
		pthread_mutex_lock(&p->health->lock);
		p->why = ok ? (struct err){0} : e;
		pthread_mutex_unlock(&p->health->lock);
		if (!ok && atomic_load(&p->ok))
			log_warn("a dependency fails", "dependency", health_name(p->part), "error", e.msg, NULL);
		if (ok && !atomic_load(&p->ok))
			log_info("a dependency is back", "dependency", health_name(p->part), NULL);
		atomic_store(&p->ok, ok);
		atomic_store(&p->asked_at, 0);
	} while (cond_pause(&p->health->ended, &p->health->lock, &p->health->ending, EACH_MS));
	return NULL;
}

static bool exists(const struct ends *o, enum health_part part)
{
	return part == HEALTH_CACHE ? o->cache != NULL : part == HEALTH_QUEUE ? o->queue != NULL : true;
}

struct health *health_start(const struct health_conf *conf, struct err *e)
{
	struct health *h = xcalloc(1, sizeof *h);
	h->conf = *conf;
	pthread_mutex_init(&h->lock, NULL);
	cond_init(&h->ended);
	err_set(&h->depth_why, ERR_ENV, "the queue has not answered yet");
	for (int i = 0; i < HEALTH_FEED; i++) {
		struct probe *p = &h->probe[i];
		*p = (struct probe){.health = h, .part = (enum health_part)i};
		atomic_init(&p->ok, true);
		/* The process's own memory is always there. */
		if (!exists(conf->ends, p->part) || (p->part == HEALTH_CACHE && conf->ends->local))
			continue;
		errno = pthread_create(&p->thread, NULL, probe_run, p);
		if (errno) {
			err_sys(e, "cannot start a thread");
			health_stop(h);
			return NULL;
		}
		p->running = true;
	}
	return h;
}

void health_stop(struct health *h)
{
	pthread_mutex_lock(&h->lock);
	h->ending = true;
	pthread_cond_broadcast(&h->ended);
	pthread_mutex_unlock(&h->lock);
	for (size_t i = 0; i < COUNT_OF(h->probe); i++)
		if (h->probe[i].running) {
			pthread_join(h->probe[i].thread, NULL);
			close_ends(&h->probe[i]);
		}
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->ended);
	free(h);
}

/* ---- the answer ---- */

static bool probe_ok(const struct probe *p)
{
	int64_t asked_at = atomic_load(&p->asked_at);
	return atomic_load(&p->ok) && !(asked_at && clock_mono_ms() - asked_at > LATE_MS);
}

enum health_state health_state(struct health *h, enum health_part part)
{
	const struct ends *o = h->conf.ends;
	struct err ignored;
	if (!exists(o, part))
		return HEALTH_NONE;
	bool ok = part < HEALTH_FEED ? probe_ok(&h->probe[part]) : feed_alive(h->conf.feed);
	if (part == (o->queue ? HEALTH_QUEUE : HEALTH_STORE))
		ok = ok && intake_ready(h->conf.intake, &ignored);
	return ok ? HEALTH_OK : HEALTH_FAILING;
}

int health_queue(struct health *h, struct queue_depth *out, struct err *e)
{
	bool ok = health_state(h, HEALTH_QUEUE) == HEALTH_OK;
	pthread_mutex_lock(&h->lock);
	*out = h->depth;
	*e = ok ? h->depth_why : h->probe[HEALTH_QUEUE].why;
	pthread_mutex_unlock(&h->lock);
	if (ok && e->kind == ERR_NONE)
		return 0;
	return e->kind == ERR_NONE ? err_set(e, ERR_ENV, "the queue does not answer") : -1;
}

void health_drain(struct health *h)
{
	atomic_store(&h->draining, true);
}

bool health_draining(struct health *h)
{
	return atomic_load(&h->draining);
}

bool health_put(struct health *h, struct buf *out)
{
	bool ready = true;
	char before = '{';
	for (int i = 0; i < HEALTH_COUNT; i++) {
		enum health_state state = health_state(h, (enum health_part)i);
		if (state == HEALTH_NONE)
			continue;
		buf_printf(out, "%c\"%s\":\"%s\"", before, health_name((enum health_part)i),
		    state == HEALTH_OK ? "ok" : "failing");
		before = ',';
		ready &= state == HEALTH_OK || i == HEALTH_CACHE;
	}
	buf_char(out, '}');
	return ready;
}
