/* db_context.c - threads that wait for the store and the cache. */
#include "lib/serve/db_context.h"

#include <errno.h>
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"

struct job {
	struct job *next;
	struct request *request;
	db_work *work;
};

struct worker {
	struct db_pool *pool;
	struct db_context context;
	pthread_t thread;
};

struct db_pool {
	struct db_pool_conf conf;
	struct flights *flights;
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct job *first, **last;
	size_t waiting;
	bool ending;
	struct worker *worker;
};

void db_unavailable(struct request *r, const struct err *e)
{
	log_warn("the store does not answer", "error", e->msg, "request_id", r->request_id, NULL);
	request_set(r, "Retry-After", "1");
	request_problem(
	    r, 503, "store_unavailable", "the store does not answer; no change was made that was not answered");
}

/* The client has gone: only the log shows this answer. */
static void client_gone(struct request *r)
{
	request_set(r, "Retry-After", "1");
	request_problem(r, 503, "client_gone", "the client has closed the connection");
}

void db_scan_failed(const struct db_context *c, struct request *r, const struct err *e)
{
	switch (c->interrupt.why) {
	case INTERRUPT_NONE:
		db_unavailable(r, e);
		break;
	case INTERRUPT_DEADLINE:
		request_problem(r, 504, "scan_timeout",
		    "reading this takes too long; ask for less, by since, until, label or source");
		break;
	case INTERRUPT_GONE:
		client_gone(r);
	}
}

/* Removes from a full queue the jobs whose clients have left; returns their list. The lock is held. */
static struct job *remove_gone(struct db_pool *p)
{
	struct job *gone = NULL, **link = &p->first;
	while (*link) {
		struct job *j = *link;
		if (!request_gone(j->request)) {
			link = &j->next;
			continue;
		}
		*link = j->next;
		j->next = gone;
		gone = j;
		p->waiting--;
	}
	p->last = link;
	return gone;
}

static void end_gone(struct job *list)
{
	for (struct job *j = list, *next; j; j = next) {
		next = j->next;
		client_gone(j->request);
		request_resume(j->request);
		free(j);
	}
}

void db_pool_do(struct db_pool *p, struct request *r, db_work *work)
{
	struct job *j = xcalloc(1, sizeof *j), *gone = NULL;
	*j = (struct job){.request = r, .work = work};
	pthread_mutex_lock(&p->lock);
	if (p->conf.scan_ms && p->waiting >= p->conf.max_waiting)
		gone = remove_gone(p);
	bool full = p->ending || p->waiting >= p->conf.max_waiting;
	if (!full) {
		request_defer(r);
		*p->last = j;
		p->last = &j->next;
		p->waiting++;
		pthread_cond_signal(&p->more);
	}
	pthread_mutex_unlock(&p->lock);
	end_gone(gone);
	if (!full)
		return;
	free(j);
	request_set(r, "Retry-After", "1");
	request_problem(r, 503, "busy", "too many requests are waiting for the store");
}

/* Takes the oldest job and those of its kind right after it; scans one by one. */
static size_t take(struct db_pool *p, struct request **r, db_work **work)
{
	size_t n = 0, most = p->conf.scan_ms ? 1 : DB_BATCH;
	pthread_mutex_lock(&p->lock);
	while (!p->first && !p->ending)
		pthread_cond_wait(&p->more, &p->lock);
	*work = p->first ? p->first->work : NULL;
	void *app = p->first ? p->first->request->route->app : NULL;
	while (p->first && p->first->work == *work && p->first->request->route->app == app && n < most) {
		struct job *j = p->first;
		r[n++] = j->request;
		p->first = j->next;
		free(j);
	}
	if (!p->first)
		p->last = &p->first;
	p->waiting -= n;
	pthread_mutex_unlock(&p->lock);
	return n;
}

static bool has_left(void *arg)
{
	return request_gone(arg);
}

/* The time in the queue does not count. */
static void begin_scan(struct worker *w, struct request *r)
{
	w->context.interrupt =
	    (struct interrupt){.deadline = clock_mono_ms() + w->pool->conf.scan_ms, .gone = has_left, .arg = r};
}

static void *db_pool_run(void *arg)
{
	struct worker *w = arg;
	struct request *r[DB_BATCH];
	db_work *work;
	for (size_t n; (n = take(w->pool, r, &work)) > 0;) {
		if (w->pool->conf.scan_ms)
			begin_scan(w, r[0]);
		work(&w->context, r, n, r[0]->route->app);
		for (size_t i = 0; i < n; i++)
			request_resume(r[i]);
		if (w->pool->conf.scan_ms)
			arena_free(&w->context.mem); /* a page may be large, and the next may be far off */
		else
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
	const struct ends *ends = p->conf.ends;
	c->store = ends->store(ends->arg, e);
	if (!c->store)
		return -1;
	if (p->conf.scan_ms)
		c->store->interrupt = &c->interrupt;
	if (p->conf.scan_ms && !p->conf.cached)
		return 0;
	if (ends_client_cache(ends, &c->cache, e) < 0)
		return -1;
	c->aside = lookaside_new(c->cache, c->store, p->flights);
	c->bare = lookaside_new(ends->local ? NULL : c->cache, c->store, p->flights);
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
	for (unsigned i = 0; i < p->conf.threads; i++)
		context_close(&p->worker[i].context, p->conf.ends);
	flights_free(p->flights);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
	free(p->worker);
	free(p);
}

struct db_pool *db_pool_start(const struct db_pool_conf *conf, struct err *e)
{
	struct db_pool *p = xcalloc(1, sizeof *p);
	p->conf = *conf;
	p->last = &p->first;
	p->flights = flights_new();
	p->worker = xcalloc(conf->threads, sizeof *p->worker);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->more, NULL);
	unsigned started = 0;
	for (unsigned i = 0; i < conf->threads; i++) {
		p->worker[i].pool = p;
		if (context_open(&p->worker[i].context, p, e) < 0)
			goto failed;
	}
	for (; started < conf->threads; started++)
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
	end(p, p->conf.threads);
}
