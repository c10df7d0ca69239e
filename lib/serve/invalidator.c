/* invalidator.c - follows the outbox, invalidates the shared cache, marks its place. */
#include "lib/serve/invalidator.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/base/event.h"
#include "lib/base/log.h"

enum { PAGE = 1000, LOOK_MS = 1000, PAUSE_MS = 500 };

struct invalidator {
	const struct ends *ends;
	const char *reader;
	pthread_t thread;
	int event;
	atomic_bool ending;
	struct store *store;
	struct cache *cache;
	struct outbox_watch age;
	struct arena mem;
};

/* Returns how many changes it has handled, or -1. */
static int work(struct invalidator *v, struct err *e)
{
	struct outbox *o = v->store->outbox;
	struct change *c = arena_alloc(&v->mem, PAGE * sizeof *c);
	if (outbox_look(o, &v->age, e) < 0)
		return -1;
	if (v->age.restored && v->cache->forget(v->cache, e) < 0) {
		atomic_fetch_add(&v->ends->watch->failed, 1);
		return -1;
	}
	v->age.restored = false;
	int n = o->changes(o, v->reader, c, PAGE, &v->mem, e);
	if (n <= 0)
		return n;
	if (v->cache->invalidate(v->cache, c, (size_t)n, e) < 0) {
		atomic_fetch_add(&v->ends->watch->failed, 1);
		return -1;
	}
	return o->seen(o, v->reader, c, (size_t)n, e) < 0 ? -1 : n;
}

/* Once nothing is left to do, the cache is not behind the changes that had failed before. Until then nobody reads
 * messages from it, also while this goes on. */
static int catch_up(struct invalidator *v, struct err *e)
{
	struct cache_watch *w = v->ends->watch;
	unsigned failed = atomic_load(&w->failed);
	int n = work(v, e);
	if (n == 0)
		atomic_store(&w->mended, failed);
	return n;
}

static void *invalidator_run(void *arg)
{
	struct invalidator *v = arg;
	struct outbox *o = v->store->outbox;
	struct err e;
	bool away = false;
	while (!atomic_load(&v->ending)) {
		int n = catch_up(v, &e);
		arena_reset(&v->mem);
		if (n == 0 && o->wait(o, LOOK_MS, v->event, &e) < 0)
			n = -1;
		if (n < 0 && !away)
			log_warn("changed messages stay in the cache for now", "error", e.msg, NULL);
		if (n >= 0 && away)
			log_info("changed messages leave the cache again", NULL);
		away = n < 0;
		if (away)
			poll(&(struct pollfd){.fd = v->event, .events = POLLIN}, 1, PAUSE_MS);
	}
	return NULL;
}

static void invalidator_free(struct invalidator *v)
{
	struct err ignored; /* all that matters is written */
	if (v->store)
		v->store->close(v->store, &ignored);
	ends_close_cache(v->ends, v->cache);
	if (v->event >= 0)
		close(v->event);
	arena_free(&v->mem);
	free(v);
}

struct invalidator *invalidator_start(const struct ends *ends, const char *reader, struct err *e)
{
	struct invalidator *v = xcalloc(1, sizeof *v);
	v->ends = ends;
	v->reader = reader;
	v->event = event_open();
	if (v->event < 0)
		err_sys(e, "cannot make a descriptor");
	if (v->event >= 0 && ends_cache(ends, &v->cache, e) == 0 && (v->store = ends->store(ends->arg, e))) {
		errno = pthread_create(&v->thread, NULL, invalidator_run, v);
		if (errno == 0)
			return v;
		err_sys(e, "cannot start a thread");
	}
	invalidator_free(v);
	return NULL;
}

void invalidator_stop(struct invalidator *v)
{
	atomic_store(&v->ending, true);
	event_signal(v->event);
	pthread_join(v->thread, NULL);
	invalidator_free(v);
}
