/* health.c - asking what the server needs whether it is there. */
#include "lib/serve/health.h"

#include <errno.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/timedwait.h"
#include "lib/serve/news.h"
#include "lib/serve/submit.h"

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
	_Atomic int64_t asked_at; /* clock_mono_ms when the question began that is not answered yet; 0: there is none */
};

struct health {
	struct service *service;
	struct probe probe[HEALTH_NEWS]; /* those that a thread asks */
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool ending;
};

const char *health_name(enum health_part part)
{
	static const char *const name[] = {
	    [HEALTH_STORE] = "store", [HEALTH_CACHE] = "cache", [HEALTH_QUEUE] = "queue", [HEALTH_NEWS] = "news"};
	return name[part];
}

/* ---- one question ---- */

static int ask_store(struct probe *p, struct err *e)
{
	const struct ends *o = &p->health->service->ends;
	struct message nobody = {.id = STR("")}, *const one = &nobody;
	if (!p->store && !(p->store = o->store(o->arg, e)))
		return -1;
	return p->store->get(p->store, &one, 1, &p->mem, e);
}

static int ask_cache(struct probe *p, struct err *e)
{
	const struct ends *o = &p->health->service->ends;
	struct entry nobody = {.kind = ENTRY_MESSAGE, .key = STR(CACHE_MESSAGE)}, *const one = &nobody;
	if (!p->cache && !(p->cache = o->cache(o->arg, e)))
		return -1;
	if (p->cache->get(p->cache, &one, 1, &p->mem, e) < 0)
		return -1;
	return nobody.state == ENTRY_SKIPPED ? err_set(e, ERR_ENV, "the cache is away") : 0;
}

static int ask_queue(struct probe *p, struct err *e)
{
	const struct ends *o = &p->health->service->ends;
	struct err ignored;
	if (!p->queue && !(p->queue = o->queue(o->arg, NULL, e)))
		return -1;
	if (!p->queue->check || p->queue->check(p->queue, e) == 0)
		return 0;
	p->queue->close(p->queue, &ignored); /* why it failed is known */
	p->queue = NULL;
	return -1;
}

static void close_ends(struct probe *p)
{
	struct err ignored; /* nothing was written */
	if (p->store)
		p->store->close(p->store, &ignored);
	service_put_cache(p->health->service, p->cache);
	if (p->queue)
		p->queue->close(p->queue, &ignored);
	arena_free(&p->mem);
}

/* ---- the threads ---- */

/* False once the server is ending. */
static bool pause_a_while(struct health *h)
{
	pthread_mutex_lock(&h->lock);
	if (!h->ending)
		cond_wait_until(&h->ended, &h->lock, clock_mono_ms() + EACH_MS);
	bool go_on = !h->ending;
	pthread_mutex_unlock(&h->lock);
	return go_on;
}

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
		if (!ok && atomic_load(&p->ok))
			log_warn("a dependency fails", "dependency", health_name(p->part), "error", e.msg, NULL);
		if (ok && !atomic_load(&p->ok))
			log_info("a dependency is back", "dependency", health_name(p->part), NULL);
		atomic_store(&p->ok, ok);
		atomic_store(&p->asked_at, 0);
	} while (pause_a_while(p->health));
	return NULL;
}

/* The process's own memory is always there. */
static bool needs_thread(const struct service *s, enum health_part part)
{
	return part == HEALTH_STORE || (part == HEALTH_CACHE && s->ends.cache && !s->local) ||
	       (part == HEALTH_QUEUE && s->ends.queue);
}

struct health *health_start(struct service *s, struct err *e)
{
	struct health *h = xcalloc(1, sizeof *h);
	h->service = s;
	pthread_mutex_init(&h->lock, NULL);
	cond_init(&h->ended);
	for (int i = 0; i < HEALTH_NEWS; i++) {
		struct probe *p = &h->probe[i];
		*p = (struct probe){.health = h, .part = (enum health_part)i};
		atomic_init(&p->ok, true);
		if (!needs_thread(s, p->part))
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
	struct service *s = h->service;
	struct err ignored;
	bool ok = part < HEALTH_NEWS ? probe_ok(&h->probe[part]) : news_alive(s->news);
	if ((part == HEALTH_CACHE && !s->ends.cache) || (part == HEALTH_QUEUE && !s->ends.queue))
		return HEALTH_NONE;
	if (part == (s->ends.queue ? HEALTH_QUEUE : HEALTH_STORE))
		ok = ok && submit_ready(s->submit, &ignored);
	return ok ? HEALTH_OK : HEALTH_FAILING;
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

void health_get(struct request *x, void *app)
{
	struct service *s = app;
	struct buf checks = {0};
	bool ready = health_put(s->health, &checks), draining = atomic_load(&s->draining);
	request_set(x, "Cache-Control", "no-store");
	if (ready && !draining) {
		buf_str(&x->out, STR("{\"status\":\"ok\",\"checks\":"));
		buf_str(&x->out, buf_view(&checks));
		buf_str(&x->out, STR("}\n"));
		request_answer(x, 200, MEDIA_JSON);
	} else {
		request_set(x, "Retry-After", draining ? "5" : "1");
		request_problem(x, 503, draining ? "draining" : "not_ready",
		    draining ? "the server is shutting down" : "what the server needs does not answer");
		request_problem_member(x, "checks", buf_view(&checks));
	}
	buf_free(&checks);
}
