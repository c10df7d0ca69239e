/* feed.c - following the log. */
#include "lib/serve/feed.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/log.h"

enum {
	PAGE = 256,	       /* entries of the log at a time */
	ROWS = 16,	       /* and their rows, which may be long */
	PAST_BYTES = 16 << 10, /* most that a subscriber who catches up gets at a time */
	TURNS = 64,	       /* how many of those get a page between two looks at the log */
	CURRENT_MS = 5000,
	LOOK_MS = 1000,	 /* longest wait between two looks at the log */
	ENDING_MS = 125, /* the same while subscribers read their end */
	PAUSE_MS = 500,	 /* after a failure */
};

struct feed {
	struct feed_conf conf;
	struct store *store;
	struct outbox *outbox; /* the store's */
	pthread_t thread;
	_Atomic int64_t looked_at, current_at; /* when the log was read, and when it was read to its end */
	atomic_bool many_unsettled;	       /* too many to invalidate */
	atomic_bool ending;
	/* The thread's own. */
	struct arena mem, rows;
	struct json_scan scan;
	struct buf record;
	struct change change[PAGE];
	uint64_t after; /* the place in the log */
	struct outbox_watch age;
};

/* ---- rows ---- */

/* Reads the rows of at most ROWS entries, lent until the next call. row[i].fate is MESSAGE_FOUND only if the entry is
 * the row's newest change; otherwise a later entry brings the row. */
static int read_rows(struct feed *f, const struct change *c, size_t count, struct message **rows, struct err *e)
{
	arena_reset(&f->rows);
	struct message *m = arena_alloc(&f->rows, count * sizeof *m), *list[ROWS];
	size_t asked = 0;
	for (size_t i = 0; i < count; i++) {
		m[i] = (struct message){.id = c[i].id, .fate = MESSAGE_MISSING};
		if (c[i].op != CHANGE_DELETE)
			list[asked++] = &m[i];
	}
	*rows = m;
	if (asked && f->store->get(f->store, list, asked, &f->rows, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (m[i].fate == MESSAGE_FOUND && (m[i].version != c[i].version || !m[i].label.p))
			m[i].fate = MESSAGE_CHANGED;
	return 0;
}

/* Lent until the next call; p NULL for a row that only SQL can have made. */
static struct str record_of(struct feed *f, const struct message *m)
{
	buf_clear(&f->record);
	return message_write(m, &f->record, &f->scan) == 0 ? buf_view(&f->record) : STR_NONE;
}

/* ---- what the log says ---- */

static void invalidate(struct feed *f, size_t count)
{
	struct cache *local = f->conf.ends->local;
	struct err ignored; /* memory cannot fail */
	if (local && count && local->invalidate(local, f->change, count, &ignored) < 0)
		return;
}

static void publish_rows(struct feed *f, const struct change *c, const struct message *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct str record = row[i].fate == MESSAGE_FOUND ? record_of(f, &row[i]) : STR_NONE;
		if (!record.p)
			continue;
		subscribers_publish(
		    f->conf.subscribers, feed_event_new(c[i].seq, row[i].id, row[i].label, row[i].source, record));
		await_met(f->conf.await, &row[i], record);
	}
}

/* After a failure the next call goes on where this one stopped. */
static int publish(struct feed *f, size_t count, struct err *e)
{
	struct message *row;
	invalidate(f, count);
	if (!subscribers_count(f->conf.subscribers) && !await_any(f->conf.await))
		return 0;
	for (size_t i = 0, n; i < count; i += n) {
		n = count - i < ROWS ? count - i : ROWS;
		if (read_rows(f, f->change + i, n, &row, e) < 0)
			return -1;
		publish_rows(f, f->change + i, row, n);
		f->after = f->change[i + n - 1].seq;
	}
	return 0;
}

/* If there are too many entries, readers do not use the cache (feed_current). */
static int invalidate_unsettled(struct feed *f, struct err *e)
{
	if (!f->conf.ends->local)
		return 0;
	int count = f->outbox->unsettled(f->outbox, f->change, PAGE, &f->mem, e);
	if (count > 0)
		invalidate(f, (size_t)count);
	if (count >= 0)
		atomic_store(&f->many_unsettled, count == PAGE);
	return count;
}

/* What was read before a back-up was restored is of another history. Events go on from its end, unless it reaches the
 * place of the last one: another server that takes over does not know all numbers that were given out, but all that is
 * committed. */
static int check_age(struct feed *f, struct err *e)
{
	if (outbox_look(f->outbox, &f->age, e) < 0)
		return -1;
	if (!f->age.restored)
		return 0;
	if (f->conf.ends->local && f->conf.ends->local->forget(f->conf.ends->local, e) < 0)
		return -1;
	uint64_t after = LOG_END;
	if (f->age.last.newest < f->after) {
		if (f->outbox->log(f->outbox, &after, f->change, PAGE, &f->mem, e) < 0)
			return -1;
		f->after = after;
	}
	f->age.restored = false;
	return 0;
}

static int advance(struct feed *f, struct err *e)
{
	if (check_age(f, e) < 0)
		return -1;
	uint64_t after = f->after;
	int64_t now = clock_mono_ms();
	int count = f->outbox->log(f->outbox, &after, f->change, PAGE, &f->mem, e);
	if (count < 0 || (count && publish(f, (size_t)count, e) < 0))
		return -1;
	f->after = after;
	subscribers_reached(f->conf.subscribers, after);
	if (count == 0 && invalidate_unsettled(f, e) < 0)
		return -1;
	atomic_store(&f->looked_at, now);
	if (count < PAGE)
		atomic_store(&f->current_at, now);
	return count;
}

/* ---- others who wait ---- */

static int check_waiters(struct feed *f, struct err *e)
{
	return await_check(f->conf.await, f->store, &f->mem, &f->scan, e);
}

/* Gives the subscriber a page: 1 if that brought it forward, 0 if it must wait for the ring, or -1. */
static int catch_up(struct feed *f, struct subscriber *s, uint64_t after, struct err *e)
{
	struct message *row;
	struct feed_event *page[SUBSCRIBER_PAGE];
	size_t n = 0, bytes = 0;
	int count = f->outbox->log(f->outbox, &after, f->change, ROWS, &f->mem, e), i = 0;
	if (count < 0 || (count && read_rows(f, f->change, (size_t)count, &row, e) < 0))
		return -1;
	for (; i < count && bytes < PAST_BYTES; i++) {
		bool wanted = row[i].fate == MESSAGE_FOUND && subscriber_wants(s, row[i].label, row[i].source);
		struct str record = wanted ? record_of(f, &row[i]) : STR_NONE;
		if (!record.p)
			continue;
		page[n++] = feed_event_new(f->change[i].seq, row[i].id, row[i].label, row[i].source, record);
		bytes += record.n;
	}
	if (i < count)
		after = f->change[i - 1].seq;
	bool there;
	if (!subscriber_catch_up(s, page, n, after, count == 0, &there))
		return 0; /* memory is short: later */
	return count || there;
}

/* A page for each in turn, so that nobody waits for the slowest. */
static int catch_up_all(struct feed *f, struct err *e)
{
	int moved = 0;
	uint64_t after;
	struct subscriber *s;
	subscribers_round(f->conf.subscribers);
	for (int turns = 0; turns < TURNS && (s = subscribers_behind(f->conf.subscribers, &after)); turns++) {
		int rc = catch_up(f, s, after, e);
		arena_reset(&f->mem);
		if (rc < 0)
			return -1;
		moved |= rc;
	}
	return moved;
}

/* ---- the thread ---- */

static int look(struct feed *f, struct err *e)
{
	static int (*const parts[])(struct feed *, struct err *) = {advance, check_waiters, catch_up_all};
	bool moved = false;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		int rc = parts[i](f, e);
		arena_reset(&f->mem);
		if (rc < 0)
			return -1;
		moved |= rc > 0;
	}
	int64_t now = clock_mono_ms(), earliest = await_expire(f->conf.await, now);
	subscribers_beat(f->conf.subscribers, now);
	if (moved)
		return 0;
	int64_t left = subscribers_ending(f->conf.subscribers) ? ENDING_MS : LOOK_MS;
	if (earliest - now < left)
		left = earliest - now;
	int rc = f->outbox->wait(f->outbox, left < 1 ? 1 : (int)left, f->conf.event, e);
	event_clear(f->conf.event);
	return rc < 0 ? -1 : 0;
}

static void *feed_run(void *arg)
{
	struct feed *f = arg;
	struct err e;
	bool away = false;
	while (!atomic_load(&f->ending)) {
		int rc = look(f, &e);
		if (rc < 0 && !away)
			log_warn("cannot follow the store", "error", e.msg, NULL);
		if (rc >= 0 && away)
			log_info("the store can be followed again", NULL);
		away = rc < 0;
		if (away) {
			await_expire(f->conf.await, clock_mono_ms());
			subscribers_beat(f->conf.subscribers, clock_mono_ms());
			usleep(PAUSE_MS * 1000);
		}
	}
	return NULL;
}

static void feed_free(struct feed *f)
{
	struct err e;
	if (f->store && f->store->close(f->store, &e) < 0)
		log_warn("cannot close the store", "error", e.msg, NULL);
	arena_free(&f->mem);
	arena_free(&f->rows);
	json_scan_free(&f->scan);
	buf_free(&f->record);
	free(f);
}

struct feed *feed_start(const struct feed_conf *conf, struct err *e)
{
	struct feed *f = xcalloc(1, sizeof *f);
	f->conf = *conf;
	f->after = LOG_END;
	atomic_init(&f->looked_at, clock_mono_ms());
	atomic_init(&f->current_at, clock_mono_ms());
	f->store = conf->ends->store(conf->ends->arg, e);
	f->outbox = f->store ? f->store->outbox : NULL;
	if (f->outbox && f->outbox->log(f->outbox, &f->after, f->change, PAGE, &f->mem, e) >= 0) {
		subscribers_reached(conf->subscribers, f->after);
		errno = pthread_create(&f->thread, NULL, feed_run, f);
		if (errno == 0)
			return f;
		err_sys(e, "cannot start a thread");
	}
	feed_free(f);
	return NULL;
}

void feed_stop(struct feed *f)
{
	atomic_store(&f->ending, true);
	event_signal(f->conf.event);
	pthread_join(f->thread, NULL);
	feed_free(f);
}

bool feed_alive(struct feed *f)
{
	return clock_mono_ms() - atomic_load(&f->looked_at) < CURRENT_MS;
}

bool feed_current(struct feed *f)
{
	return feed_lag_ms(f) < CURRENT_MS && !atomic_load(&f->many_unsettled);
}

int64_t feed_lag_ms(struct feed *f)
{
	return clock_mono_ms() - atomic_load(&f->current_at);
}
