/* follow.c - invalidates cached messages by the outbox, then marks its entries as seen. */
#include "lib/stage/follow.h"

#include <unistd.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/url.h"
#include "lib/json/write.h"

enum {
	REDIS_PORT = 6379,
	IDLE_MS = 1000, /* how often to read the outbox even without a wake-up */
	RETRY_FIRST_MS = 50,
	RETRY_MOST_MS = 1000,
};

/* ---- retries ---- */

struct tries {
	const char *what;  /* "the cache" */
	int64_t since;	   /* of the first failure (clock_mono_ms) */
	unsigned failures; /* in a row; 0: it works */
};

/* Counts a failure and waits before the next try; false at a stop, or after `most_ms` (-1: no bound). */
static bool try_again(struct tries *t, int64_t most_ms, const struct stop *stop, const struct err *why)
{
	int64_t now = clock_mono_ms();
	if (!t->failures) {
		char what[64];
		snprintf(what, sizeof what, "%s is unreachable; trying again", t->what);
		log_warn(what, "error", why->msg, NULL);
		t->since = now;
	}
	int64_t pause = backoff_ms(t->failures++, RETRY_FIRST_MS, RETRY_MOST_MS);
	if (most_ms >= 0 && now - t->since + pause > most_ms)
		return false;
	return io_wait_readable(-1, -1, now + pause, stop) != IO_STOP;
}

static void is_back(struct tries *t)
{
	char what[64], seconds[24];
	if (!t->failures)
		return;
	snprintf(what, sizeof what, "%s is back", t->what);
	snprintf(seconds, sizeof seconds, "%.1f", (double)(clock_mono_ms() - t->since) / 1000);
	log_warn(what, "after_s", seconds, NULL);
	t->failures = 0;
}

/* ---- the source ---- */

struct changes_source {
	struct source port;
	struct follow *f;
	struct tries asking, marking;
	int64_t asked_at; /* when the newest changes were read */
	bool begun;
	bool all; /* and there were no more than these */
	struct outbox_watch age;
	struct buf line;
};

/* The records' `caller` points into the array of the batch's changes. */
static void add_change(struct batch *b, struct change *c, struct buf *line)
{
	struct rec *r = batch_add(b);
	buf_clear(line);
	buf_str(line, STR("{\"id\":"));
	json_put_string(line, c->id);
	buf_printf(line, ",\"version\":%llu,\"op\":\"%s\",\"seq\":%llu}", (unsigned long long)c->version,
	    change_op_name(c->op), (unsigned long long)c->seq);
	r->line = json_padded(&b->mem, buf_view(line));
	r->id = c->id;
	r->caller = c;
}

/* What a cache holds from before a back-up was restored is of another history. */
static int check_age(struct changes_source *s, struct err *e)
{
	struct cache *cache = s->f->cache;
	if (outbox_look(s->f->outbox, &s->age, e) < 0 ||
	    (s->age.restored && cache->forget && cache->forget(cache, e) < 0))
		return -1;
	s->age.restored = false;
	return 0;
}

/* Asks until the store answers. Returns how many, or -1. */
static int ask(struct changes_source *s, struct change *c, size_t max, struct arena *mem, struct err *e)
{
	const struct follow *f = s->f;
	for (;;) {
		s->asked_at = clock_mono_ms();
		int n = check_age(s, e) < 0 ? -1 : f->outbox->changes(f->outbox, f->reader, c, max, mem, e);
		if (n >= 0) {
			is_back(&s->asking);
			return n;
		}
		if (f->once || e->kind != ERR_ENV || !try_again(&s->asking, f->retry_ms, f->stop, e))
			return -1;
	}
}

static void fill(struct changes_source *s, struct batch *b, struct change *c, size_t n, size_t max)
{
	for (size_t i = 0; i < n; i++)
		add_change(b, &c[i], &s->line);
	s->all = n < max;
	b->flush_reason = s->all ? FLUSH_IDLE : FLUSH_FULL;
}

/* The next call reports why a wait failed. */
static void wait_for_changes(const struct follow *f)
{
	struct err ignored;
	if (f->outbox->wait(f->outbox, IDLE_MS, stop_fd(f->stop), &ignored) < 0)
		io_wait_readable(-1, -1, clock_mono_ms() + RETRY_FIRST_MS, f->stop);
}

/* Registers the reader, so that it misses no change. With `once` a cache that is down is an error even if nothing has
 * changed. */
static int begin(struct changes_source *s, struct arena *mem, struct err *e)
{
	s->begun = true;
	return s->f->once ? s->f->cache->sample(s->f->cache, NULL, 0, mem, e) : 0;
}

static enum next changes_next(struct source *source, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	(void)wake; /* nothing else is waiting: there is one job */
	struct changes_source *s = (struct changes_source *)source;
	struct follow *f = s->f;
	if (!s->begun)
		counts_current(f->counts, clock_mono_ms());
	while (!stop_raised(f->stop) && !(f->once && s->all)) {
		batch_reset(b);
		struct change *c = arena_alloc(&b->mem, l->records * sizeof *c);
		int n = ask(s, c, l->records, &b->mem, e);
		if (n < 0)
			return stop_raised(f->stop) ? NEXT_END : NEXT_ERROR;
		if (!s->begun && begin(s, &b->mem, e) < 0)
			return NEXT_ERROR;
		fill(s, b, c, (size_t)n, l->records);
		if (n > 0)
			return NEXT_BATCH;
		counts_current(f->counts, s->asked_at);
		if (!f->once)
			wait_for_changes(f);
	}
	return NEXT_END;
}

/* Changes that cannot be marked come again, and are invalidated again; after a pause, since the failure may last. */
static int changes_accept(struct source *source, struct batch *b, struct err *e)
{
	struct changes_source *s = (struct changes_source *)source;
	struct follow *f = s->f;
	if (f->outbox->seen(f->outbox, f->reader, b->rec[0].caller, b->n, e) < 0) {
		bool last = f->once || stop_raised(f->stop) || e->kind != ERR_ENV;
		return last || !try_again(&s->marking, f->retry_ms, f->stop, e) ? -1 : 0;
	}
	is_back(&s->marking);
	if (s->all)
		counts_current(f->counts, s->asked_at);
	return 0;
}

static int changes_close(struct source *source, struct err *e)
{
	(void)e;
	struct changes_source *s = (struct changes_source *)source;
	buf_free(&s->line);
	free(s);
	return 0;
}

struct source *source_changes(struct follow *f)
{
	struct changes_source *s = xcalloc(1, sizeof *s);
	s->port = (struct source){.next = changes_next, .accept = changes_accept, .close = changes_close};
	s->f = f;
	s->asking.what = "the store";
	s->marking.what = "the store's list of readers";
	return &s->port;
}

/* ---- the stage ---- */

struct invalidation {
	const struct follow *f;
	struct tries tries;
};

static void *invalidate_open(const void *conf, struct err *e)
{
	(void)e;
	struct invalidation *s = xcalloc(1, sizeof *s);
	s->f = conf;
	s->tries.what = "the cache";
	return s;
}

static int invalidate_run(void *ctx, struct batch *b, struct err *e)
{
	struct invalidation *s = ctx;
	struct cache *cache = s->f->cache;
	while (cache->invalidate(cache, b->rec[0].caller, b->n, e) < 0)
		if (s->f->once || e->kind != ERR_ENV || !try_again(&s->tries, -1, s->f->stop, e))
			return -1;
	is_back(&s->tries);
	b->counter[COUNTER_BURIED] += b->n;
	return 0;
}

const struct stage stage_invalidate = {
    .name = "invalidate", .open = invalidate_open, .run = invalidate_run, .close = free};

char *follow_reader(const char *address)
{
	char host[256] = "";
	gethostname(host, sizeof host - 1);
	struct url u;
	struct err e;
	if (url_parse(&u, address, &e) < 0)
		return xstrdup(host);
	struct buf b = {0};
	buf_printf(&b, "%s:%s:%u/%s@%s", u.scheme, u.host ? u.host : "", u.port ? u.port : REDIS_PORT,
	    u.path ? u.path : "", host);
	buf_char(&b, 0);
	url_free(&u);
	return b.p;
}
