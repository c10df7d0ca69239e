/* work.c - a queue of requests, and the threads that work on them. */
#include "lib/serve/work.h"

#include <errno.h>
#include <pthread.h>

#include "lib/base/clock.h"
#include "lib/base/timedwait.h"

enum { STALL_MS = 20 };

struct work_task {
	struct work_task *next;
	struct request *request;
	work_slice *slice;
};

struct tasks {
	struct work_task *first, **last;
};

struct work_pool {
	pthread_mutex_t lock;
	pthread_cond_t more;
	struct tasks ready, stalled;
	bool ending;
	pthread_t *thread;
	unsigned n;
};

static void append(struct tasks *list, struct work_task *t)
{
	t->next = NULL;
	*list->last = t;
	list->last = &t->next;
}

static struct work_task *take_first(struct tasks *list)
{
	struct work_task *t = list->first;
	list->first = t->next;
	if (!list->first)
		list->last = &list->first;
	return t;
}

/* The next task; a stalled one is ready again after a pause. NULL at the end. */
static struct work_task *next_task(struct work_pool *p)
{
	pthread_mutex_lock(&p->lock);
	while (!p->ready.first && (p->stalled.first || !p->ending)) {
		if (!p->stalled.first) {
			pthread_cond_wait(&p->more, &p->lock);
			continue;
		}
		cond_wait_until(&p->more, &p->lock, clock_mono_ms() + STALL_MS);
		while (p->stalled.first)
			append(&p->ready, take_first(&p->stalled));
	}
	struct work_task *t = p->ready.first ? take_first(&p->ready) : NULL;
	pthread_mutex_unlock(&p->lock);
	return t;
}

static void put_back(struct work_pool *p, struct work_task *t, enum work_result result)
{
	pthread_mutex_lock(&p->lock);
	append(result == WORK_STALLED ? &p->stalled : &p->ready, t);
	pthread_mutex_unlock(&p->lock);
}

static void *work(void *arg)
{
	struct work_pool *p = arg;
	for (struct work_task *t; (t = next_task(p));) {
		struct request *r = t->request;
		enum work_result result = t->slice(r, r->route->app);
		if (result == WORK_MORE || result == WORK_STALLED) {
			put_back(p, t, result);
			continue;
		}
		free(t);
		if (result == WORK_DONE)
			request_resume(r);
	}
	return NULL;
}

void work_pool_do(struct work_pool *p, struct request *r, work_slice *slice)
{
	struct work_task *t = xcalloc(1, sizeof *t);
	t->request = r;
	t->slice = slice;
	pthread_mutex_lock(&p->lock);
	append(&p->ready, t);
	pthread_cond_signal(&p->more);
	pthread_mutex_unlock(&p->lock);
}

void work_pool_stop(struct work_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->ending = true;
	pthread_cond_broadcast(&p->more);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n; i++)
		pthread_join(p->thread[i], NULL);
	pthread_mutex_destroy(&p->lock);
	pthread_cond_destroy(&p->more);
	free(p->thread);
	free(p);
}

struct work_pool *work_pool_start(unsigned threads, struct err *e)
{
	struct work_pool *p = xcalloc(1, sizeof *p);
	pthread_mutex_init(&p->lock, NULL);
	cond_init(&p->more);
	p->ready.last = &p->ready.first;
	p->stalled.last = &p->stalled.first;
	p->thread = xcalloc(threads, sizeof *p->thread);
	for (; p->n < threads; p->n++)
		if ((errno = pthread_create(&p->thread[p->n], NULL, work, p))) {
			err_sys(e, "cannot start a thread");
			work_pool_stop(p);
			return NULL;
		}
	return p;
}
