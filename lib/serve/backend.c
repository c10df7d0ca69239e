/* backend.c - threads that wait for the store and the cache. */
#include "lib/serve/backend.h"

#include <errno.h>

#include "lib/base/log.h"

struct job {
	struct job *next;
	struct request *x;
	backend_work *work;
};

struct backend {
	struct service *service;
	struct flights *flights;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **last;
	size_t waiting;
	bool ending;
	struct hands *hands;
	pthread_t *thread;
	unsigned n;
};

void backend_unavailable(struct request *x, const struct err *e)
{
	log_warn("the store does not answer", "error", e->msg, "request_id", x->request_id, NULL);
	request_set(x, "Retry-After", "1");
	request_problem(x, 503, "store_unavailable", "the store does not answer; nothing was changed that is not told");
}

void backend_do(struct backend *b, struct request *x, backend_work *work)
{
	struct job *j = xcalloc(1, sizeof *j);
	*j = (struct job){.x = x, .work = work};
	pthread_mutex_lock(&b->lock);
	bool full = b->ending || b->waiting >= b->service->max_waiting;
	if (!full) {
		request_defer(x);
		*b->last = j;
		b->last = &j->next;
		b->waiting++;
		pthread_cond_signal(&b->more);
	}
	pthread_mutex_unlock(&b->lock);
	if (!full)
		return;
	free(j);
	request_set(x, "Retry-After", "1");
	request_problem(x, 503, "busy", "too many requests are waiting for the store");
}

/* The oldest job and those right behind it that are of its kind. */
static size_t take(struct backend *b, struct request **x, backend_work **work)
{
	size_t n = 0;
	pthread_mutex_lock(&b->lock);
	while (!b->first && !b->ending)
		pthread_cond_wait(&b->more, &b->lock);
	*work = b->first ? b->first->work : NULL;
	while (b->first && b->first->work == *work && n < BACKEND_BATCH) {
		struct job *j = b->first;
		x[n++] = j->x;
		b->first = j->next;
		free(j);
	}
	if (!b->first)
		b->last = &b->first;
	b->waiting -= n;
	pthread_mutex_unlock(&b->lock);
	return n;
}

static void *backend_run(void *arg)
{
	struct hands *h = arg;
	struct request *x[BACKEND_BATCH];
	backend_work *work;
	for (size_t n; (n = take(h->service->backend, x, &work)) > 0;) {
		work(h, x, n);
		for (size_t i = 0; i < n; i++)
			request_resume(x[i]);
		arena_reset(&h->mem);
	}
	return NULL;
}

static void hands_close(struct hands *h)
{
	struct err e;
	lookaside_free(h->aside);
	lookaside_free(h->bare);
	service_put_cache(h->service, h->cache);
	if (h->store && h->store->close(h->store, &e) < 0)
		log_warn("cannot close the store", "error", e.msg, NULL);
	arena_free(&h->mem);
	json_scan_free(&h->scan);
}

static int hands_open(struct hands *h, struct backend *b, struct err *e)
{
	const struct ends *o = &b->service->ends;
	h->service = b->service;
	h->store = o->store(o->arg, e);
	if (!h->store || (o->cache && !(h->cache = o->cache(o->arg, e))))
		return -1;
	h->aside = lookaside_new(h->cache, h->store, b->flights);
	h->bare = lookaside_new(h->cache && h->cache->private ? NULL : h->cache, h->store, b->flights);
	return 0;
}

static void end(struct backend *b, unsigned started)
{
	pthread_mutex_lock(&b->lock);
	b->ending = true;
	pthread_cond_broadcast(&b->more);
	pthread_mutex_unlock(&b->lock);
	for (unsigned i = 0; i < started; i++)
		pthread_join(b->thread[i], NULL);
	for (unsigned i = 0; i < b->n; i++)
		hands_close(&b->hands[i]);
	flights_free(b->flights);
	pthread_mutex_destroy(&b->lock);
	pthread_cond_destroy(&b->more);
	free(b->hands);
	free(b->thread);
	free(b);
}

struct backend *backend_start(struct service *s, unsigned threads, struct err *e)
{
	struct backend *b = xcalloc(1, sizeof *b);
	b->service = s;
	b->n = threads;
	b->last = &b->first;
	b->flights = flights_new();
	b->hands = xcalloc(threads, sizeof *b->hands);
	b->thread = xcalloc(threads, sizeof *b->thread);
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->more, NULL);
	s->backend = b;
	unsigned started = 0;
	for (unsigned i = 0; i < threads; i++)
		if (hands_open(&b->hands[i], b, e) < 0)
			goto failed;
	for (; started < threads; started++)
		if ((errno = pthread_create(&b->thread[started], NULL, backend_run, &b->hands[started]))) {
			err_sys(e, "cannot start a thread");
			goto failed;
		}
	return b;
failed:
	s->backend = NULL;
	end(b, started);
	return NULL;
}

void backend_stop(struct backend *b)
{
	end(b, b->n);
}
