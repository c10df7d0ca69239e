/* db_context.c - threads that wait for the store and the cache. */
#include "lib/serve/db_context.h"

#include <errno.h>
#include <pthread.h>

#include "lib/base/log.h"

struct job {
	struct job *next;
	struct request *x;
	db_work *work;
};

struct worker {
	struct db_pool *pool;
	struct db_context context;
	pthread_t thread;
};

struct db_pool {
	const struct ends *ends;
	struct flights *flights;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **last;
	size_t waiting, max_waiting;
	bool ending;
	struct worker *worker;
	unsigned n;
};

void db_unavailable(struct request *x, const struct err *e)
{
	log_warn("the store does not answer", "error", e->msg, "request_id", x->request_id, NULL);
	request_set(x, "Retry-After", "1");
	request_problem(
	    x, 503, "store_unavailable", "the store does not answer; no change was made that was not answered");
}

void db_pool_do(struct db_pool *p, struct request *x, db_work *work)
{
	struct job *j = xcalloc(1, sizeof *j);
	*j = (struct job){.x = x, .work = work};
	pthread_mutex_lock(&p->lock);
	bool full = p->ending || p->waiting >= p->max_waiting;
	if (!full) {
		request_defer(x);
		*p->last = j;
		p->last = &j->next;
		p->waiting++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	if (!full)
		return;
	free(j);
	request_set(x, "Retry-After", "1");
	request_problem(x, 503, "busy", "too many requests are waiting for the store");
}

/* The oldest job and those right after it that are of its kind. */
static size_t take(struct db_pool *p, struct request **x, db_work **work)
{
	size_t n = 0;
	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->ending)
		pthread_cond_wait(&p->more, &p->lock);
	*work = p->first ? p->first->work : NULL;
	void *app = p->first ? p->first->x->route->app : NULL;
	while (p->first && p->first->work == *work && p->first->x->route->app == app && n < DB_BATCH) {
		struct job *j = p->first;
		x[n++] = j->x;
		p->first = j->next;
		free(j);
	}
	if (!p->first)
		p->last = &p->first;
	p->waiting -= n;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static void *db_pool_run(void *arg)
{
	struct worker *w = arg;
	struct request *x[DB_BATCH];
	db_work *work;
	for (size_t n; (n = take(w->pool, x, &work)) > 0;) {
		work(&w->context, x, n, x[0]->route->app);
		for (size_t i = 0; i < n; i++)
			request_resume(x[i]);
		arena_reset(&w->context.mem);
	}
	return NULL;
}

static void context_close(struct db_context *c, const struct ends *ends)
{
	struct err e;
	lookaside_free(c->aside);
	lookaside_free(c->bare);
	ends_close_cache(ends, c->cache);
	if (c->store && c->store->close(c->store, &e) < 0)
		log_warn("cannot close the store", "error", e.msg, NULL);
	arena_free(&c->mem);
	json_scan_free(&c->scan);
}

static int context_open(struct db_context *c, const struct db_pool *p, struct err *e)
{
	c->store = p->ends->store(p->ends->arg, e);
	if (!c->store || ends_cache(p->ends, &c->cache, e) < 0)
		return -1;
	c->aside = lookaside_new(c->cache, c->store, p->flights);
	c->bare = lookaside_new(p->ends->local ? NULL : c->cache, c->store, p->flights);
	return 0;
}

static void end(struct db_pool *p, unsigned started)
{
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < started; i++)
		pthread_join(p->worker[i].thread, NULL);
	for (unsigned i = 0; i < p->n; i++)
		context_close(&p->worker[i].context, p->ends);
	flights_free(p->flights);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
	free(p->worker);
	free(p);
}

struct db_pool *db_pool_start(const struct ends *ends, unsigned threads, size_t max_waiting, struct err *e)
{
	struct db_pool *p = xcalloc(1, sizeof *p);
	p->ends = ends;
	p->max_waiting = max_waiting;
	p->n = threads;
	p->last = &p->first;
	p->flights = flights_new();
	p->worker = xcalloc(threads, sizeof *p->worker);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	unsigned started = 0;
	for (unsigned i = 0; i < threads; i++) {
		p->worker[i].pool = p;
		if (context_open(&p->worker[i].context, p, e) < 0)
			goto failed;
	}
	for (; started < threads; started++)
		if ((errno = pthread_create(&p->worker[started].thread, NULL, db_pool_run, &p->worker[started]))) {
			err_sys(e, "cannot start a thread");
			goto failed;
		}
	return p;
failed:
	end(p, started);
	return NULL;
}

void db_pool_stop(struct db_pool *p)
{
	end(p, p->n);
}
