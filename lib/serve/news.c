/* news.c - following the log, for all who wait for news. */
#include "lib/serve/news.h"

#include <errno.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/log.h"
#include "lib/base/map.h"

enum {
	RING = 4096,	       /* events */
	RING_BYTES = 8 << 20,  /* and at most so much of them */
	PAGE = 256,	       /* entries of the log at a time */
	PAST = 64,	       /* the same for a listener that catches up, */
	PAST_BYTES = 16 << 10, /* of which it is given no more than that at a time */
	TURNS = 64,	       /* so many of them get a page between two looks at the log */
	END_MS = 500,	       /* so long may a listener take to read the end of its stream */
	HEARTBEAT_MS = 15000,  /* so that both sides, and all between them, see that the other lives */
	CURRENT_MS = 5000,
	LOOK_MS = 1000, /* the longest wait between two looks at the log */
	PAUSE_MS = 500, /* after a failure */
	BUCKETS = 4096,
};

struct event {
	struct buf text;	  /* as it is sent */
	struct str label, source; /* behind it */
	struct buf names;
};

struct listener {
	struct listener *next, *prev;
	struct news *news;
	struct request *x;
	struct str label, source;
	char *names;
	bool live, asleep, dropped;
	uint64_t turn;	 /* behind: the round of pages in which it had its last one */
	uint64_t place;	 /* live: the number of the next event; before that: the entry of the log */
	size_t offset;	 /* bytes of it that are sent */
	struct buf page; /* what is to be sent before it: a heartbeat, or a page of the past */
	size_t page_offset;
	int64_t beat;
};

struct expectation {
	struct expectation *next;
	char *bytes;
	struct str id, text;
	bool checked; /* it was not there yet when it was first looked for */
	int64_t deadline;
	news_result *done;
	void *caller;
	size_t item;
};

struct news {
	struct service *service;
	struct store *store;
	pthread_t thread;
	int event;			       /* tells the thread that there is something to do */
	_Atomic int64_t looked_at, current_at; /* when the log was read, and when there was no more of it */
	atomic_bool many_unsettled;	       /* more than we have buried */
	atomic_bool ending;
	/* The thread's own. */
	struct arena mem;
	struct json_scan scan;
	struct change change[PAGE];

	uint64_t turn;

	pthread_mutex_t lock;
	uint64_t after; /* the place in the log up to which the ring has it */
	struct event ring[RING];
	uint64_t first, end; /* numbers of the oldest event and behind the newest */
	size_t bytes;
	struct listener live, behind; /* the fixed ends of two lists */
	size_t listeners;
	struct expectation *expected[BUCKETS]; /* by hash of the id */
	size_t nexpected, unchecked;
	int64_t next_deadline, streams_over_at;
	bool streams_over, waits_over;
};

static void poke(struct news *n)
{
	event_signal(n->event);
}

/* ---- the ring ---- */

static void drop_oldest(struct news *n)
{
	struct event *ev = &n->ring[n->first++ % RING];
	n->bytes -= ev->text.n;
	buf_free(&ev->text);
	buf_free(&ev->names);
}

static void link_to(struct listener *end, struct listener *l)
{
	l->next = end;
	l->prev = end->prev;
	l->next->prev = l->prev->next = l;
}

static void unlink_from_list(struct listener *l)
{
	l->next->prev = l->prev;
	l->prev->next = l->next;
}

static void wake(struct listener *l)
{
	if (!l->asleep)
		return;
	l->asleep = false;
	request_resume(l->x);
}

/* It does not read what it is sent; nobody waits until it does. */
static void drop(struct listener *l)
{
	if (l->dropped)
		return;
	l->dropped = true;
	log_info("a listener was too slow", "request_id", l->x->request_id, NULL);
	request_cut(l->x);
}

static bool wants(const struct listener *l, struct str label, struct str source)
{
	return (!l->label.p || str_eq(l->label, label)) && (!l->source.p || str_eq(l->source, source));
}

/* data: has no line end, as JSON of one line. */
static void put_event(struct buf *out, uint64_t seq, struct str record)
{
	buf_printf(out, "event: scored\nid: %llu\ndata: ", (unsigned long long)seq);
	buf_str(out, record);
	buf_str(out, STR("\n\n"));
}

static void add_event(struct news *n, uint64_t seq, const struct message *m, struct str record)
{
	if (n->end - n->first == RING)
		drop_oldest(n);
	struct event *ev = &n->ring[n->end++ % RING];
	*ev = (struct event){0};
	put_event(&ev->text, seq, record);
	buf_reserve(&ev->names, m->label.n + m->source.n + 1);
	buf_str(&ev->names, m->label);
	buf_str(&ev->names, m->source);
	ev->label = (struct str){ev->names.p, m->label.n};
	ev->source = m->source.p ? (struct str){ev->names.p + m->label.n, m->source.n} : STR_NONE;
	n->bytes += ev->text.n;
	while (n->bytes > RING_BYTES && n->end - n->first > 1)
		drop_oldest(n);
	for (struct listener *l = n->live.next; l != &n->live; l = l->next)
		if (!l->asleep) {
			if (l->place < n->first)
				drop(l);
		} else if (wants(l, ev->label, ev->source)) {
			l->place = n->end - 1;
			wake(l);
		} else { /* it has had, or does not want, all that there is: the ring does not go past it */
			l->place = n->end;
		}
}

/* ---- rows ---- */

/* The rows of those entries whose change is the row's newest: of the others a later entry tells. row[i].fate is MESSAGE_FOUND for these. */
static int read_rows(struct news *n, const struct change *c, size_t count, struct message **rows, struct err *e)
{
	struct message *m = arena_alloc(&n->mem, count * sizeof *m);
	size_t asked = 0;
	struct message **list = arena_alloc(&n->mem, count * sizeof *list);
	for (size_t i = 0; i < count; i++) {
		m[i] = (struct message){.id = c[i].id, .fate = MESSAGE_MISSING};
		if (c[i].op != CHANGE_DELETE)
			list[asked++] = &m[i];
	}
	*rows = m;
	if (asked && n->store->get(n->store, list, asked, &n->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (m[i].fate == MESSAGE_FOUND && (m[i].version != c[i].version || !m[i].label.p))
			m[i].fate = MESSAGE_CHANGED;
	return 0;
}

static struct str record_of(struct news *n, const struct message *m, struct buf *out)
{
	buf_clear(out);
	return message_write(m, out, &n->scan) == 0 ? buf_view(out) : STR_NONE;
}

/* ---- expectations ---- */

static struct expectation **bucket_of(struct news *n, struct str id)
{
	return &n->expected[hash_bytes(id) % BUCKETS];
}

static void answer_all(struct expectation *list, struct str record)
{
	for (struct expectation *x = list, *next; x; x = next) {
		next = x->next;
		x->done(x->caller, x->item, record);
		free(x->bytes);
		free(x);
	}
}

/* Moves it from its bucket to a list. */
static void take(struct news *n, struct expectation **at, struct expectation **list)
{
	struct expectation *x = *at;
	*at = x->next;
	x->next = *list;
	*list = x;
	n->nexpected--;
	n->unchecked -= !x->checked;
}

/* Those that this row is the answer to: a row of another text is older than what was submitted, or belongs to somebody else. */
static struct expectation *take_met(struct news *n, const struct message *m)
{
	struct expectation *met = NULL;
	for (struct expectation **at = bucket_of(n, m->id); *at;)
		if (str_eq((*at)->id, m->id) && str_eq((*at)->text, m->text))
			take(n, at, &met);
		else
			at = &(*at)->next;
	return met;
}

/* What a worker had stored before we began to wait, or what was stored long ago and is submitted again, no log tells any more: each is looked for
 * once, all new ones together. */
static int check_new(struct news *n, struct err *e)
{
	struct message *m = arena_alloc(&n->mem, PAGE * sizeof *m), *list[PAGE];
	struct expectation *one[PAGE]; /* only this thread frees them */
	size_t count = 0;
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < BUCKETS && n->unchecked && count < PAGE; i++)
		for (struct expectation *x = n->expected[i]; x && count < PAGE; x = x->next)
			if (!x->checked) {
				m[count] = (struct message){.id = x->id};
				list[count] = &m[count];
				one[count++] = x;
			}
	pthread_mutex_unlock(&n->lock);
	if (count == 0)
		return 0;
	if (n->store->get(n->store, list, count, &n->mem, e) < 0)
		return -1;
	pthread_mutex_lock(&n->lock);
	for (size_t i = 0; i < count; i++)
		one[i]->checked = true;
	n->unchecked -= count;
	pthread_mutex_unlock(&n->lock);
	struct buf text = {0};
	for (size_t i = 0; i < count; i++) {
		struct str record = m[i].fate == MESSAGE_FOUND && m[i].label.p ? record_of(n, &m[i], &text) : STR_NONE;
		if (!record.p)
			continue;
		pthread_mutex_lock(&n->lock);
		struct expectation *met = take_met(n, &m[i]);
		pthread_mutex_unlock(&n->lock);
		answer_all(met, record);
	}
	buf_free(&text);
	return 1;
}

/* The earliest deadline that is left, or INT64_MAX. */
static int64_t answer_late(struct news *n, int64_t now)
{
	struct expectation *late = NULL;
	pthread_mutex_lock(&n->lock);
	if (n->nexpected && (n->waits_over || n->next_deadline <= now)) {
		n->next_deadline = INT64_MAX;
		for (size_t i = 0; i < BUCKETS; i++)
			for (struct expectation **at = &n->expected[i]; *at;)
				if (n->waits_over || (*at)->deadline <= now) {
					take(n, at, &late);
				} else {
					if ((*at)->deadline < n->next_deadline)
						n->next_deadline = (*at)->deadline;
					at = &(*at)->next;
				}
	}
	int64_t earliest = n->nexpected ? n->next_deadline : INT64_MAX;
	pthread_mutex_unlock(&n->lock);
	answer_all(late, STR_NONE);
	return earliest;
}

void news_expect(
    struct news *n, struct str id, struct str text, int64_t deadline, news_result *done, void *caller, size_t item)
{
	struct expectation *x = xcalloc(1, sizeof *x);
	char *bytes = xmalloc(id.n + text.n + 1);
	memcpy(bytes, id.p, id.n);
	memcpy(bytes + id.n, text.p, text.n);
	*x = (struct expectation){.bytes = bytes,
	    .id = {bytes, id.n},
	    .text = {bytes + id.n, text.n},
	    .deadline = deadline,
	    .done = done,
	    .caller = caller,
	    .item = item};
	pthread_mutex_lock(&n->lock);
	struct expectation **bucket = bucket_of(n, x->id);
	x->next = *bucket;
	*bucket = x;
	if (n->nexpected++ == 0 || deadline < n->next_deadline)
		n->next_deadline = deadline;
	n->unchecked++;
	pthread_mutex_unlock(&n->lock);
	poke(n);
}

/* ---- what the log says ---- */

static void bury(struct news *n, const struct change *c, size_t count)
{
	struct cache *local = n->service->local;
	struct err ignored; /* memory cannot fail */
	if (local && count && local->invalidate(local, c, count, &ignored) < 0)
		return;
}

static int publish(struct news *n, const struct change *c, size_t count, struct err *e)
{
	struct message *row;
	struct buf text = {0};
	bury(n, c, count);
	pthread_mutex_lock(&n->lock);
	bool wanted = n->listeners || n->nexpected;
	pthread_mutex_unlock(&n->lock);
	if (!wanted)
		return 0;
	if (read_rows(n, c, count, &row, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		struct str record = row[i].fate == MESSAGE_FOUND ? record_of(n, &row[i], &text) : STR_NONE;
		if (!record.p)
			continue;
		pthread_mutex_lock(&n->lock);
		add_event(n, c[i].seq, &row[i], record);
		struct expectation *met = take_met(n, &row[i]);
		pthread_mutex_unlock(&n->lock);
		answer_all(met, record);
	}
	buf_free(&text);
	return 0;
}

/* What this process caches must not wait for a long transaction elsewhere, behind which nothing settles. Where there is more than is looked at,
 * the cache is not asked. */
static int bury_unsettled(struct news *n, struct err *e)
{
	if (!n->service->local)
		return 0;
	int count = n->store->outbox->unsettled(n->store->outbox, n->change, PAGE, &n->mem, e);
	if (count > 0)
		bury(n, n->change, (size_t)count);
	if (count >= 0)
		atomic_store(&n->many_unsettled, count == PAGE);
	return count;
}

static int advance(struct news *n, struct err *e)
{
	/* Those who begin to listen from now on are given what comes behind the place that is noted once it is in the ring. */
	uint64_t after = n->after;
	int64_t now = clock_mono_ms();
	int count = n->store->outbox->log(n->store->outbox, &after, n->change, PAGE, &n->mem, e);
	if (count < 0 || (count && publish(n, n->change, (size_t)count, e) < 0))
		return -1;
	pthread_mutex_lock(&n->lock);
	n->after = after;
	pthread_mutex_unlock(&n->lock);
	if (count == 0 && bury_unsettled(n, e) < 0)
		return -1;
	atomic_store(&n->looked_at, now);
	if (count < PAGE)
		atomic_store(&n->current_at, now);
	return count;
}

/* ---- listeners that catch up ---- */

/* One that has nothing to send and has had no page in this round. It leaves only with its connection, which sleeps until this thread wakes it. */
static struct listener *find_behind(struct news *n)
{
	pthread_mutex_lock(&n->lock);
	struct listener *l = n->behind.next;
	while (l != &n->behind && (!l->asleep || l->turn == n->turn))
		l = l->next;
	bool found = l != &n->behind;
	if (found) { /* its next turn comes after all others' */
		l->turn = n->turn;
		unlink_from_list(l);
		link_to(&n->behind, l);
	}
	pthread_mutex_unlock(&n->lock);
	return found ? l : NULL;
}

/* 1 if it went on, 0 if it must wait for the ring to come after it, -1. */
static int catch_up(struct news *n, struct listener *l, struct err *e)
{
	struct message *row;
	struct buf text = {0}, page = {0};
	uint64_t after = l->place;
	int count = n->store->outbox->log(n->store->outbox, &after, n->change, PAST, &n->mem, e), i = 0;
	if (count < 0 || (count && read_rows(n, n->change, (size_t)count, &row, e) < 0))
		return -1;
	for (; i < count && page.n < PAST_BYTES; i++) {
		bool wanted = row[i].fate == MESSAGE_FOUND && wants(l, row[i].label, row[i].source);
		struct str record = wanted ? record_of(n, &row[i], &text) : STR_NONE;
		if (record.p)
			put_event(&page, n->change[i].seq, record);
	}
	if (i < count)
		after = n->change[i - 1].seq;
	buf_free(&text);
	pthread_mutex_lock(&n->lock);
	l->place = after;
	bool there = count == 0 && after == n->after;
	if (there) {
		l->live = true;
		l->place = n->end;
		unlink_from_list(l);
		link_to(&n->live, l);
	}
	l->page = page;
	if (page.n)
		wake(l);
	pthread_mutex_unlock(&n->lock);
	return count || there;
}

/* A page for each, so that the others need not wait until the slowest has read all. */
static int catch_up_all(struct news *n, struct err *e)
{
	int moved = 0;
	struct listener *l;
	n->turn++;
	for (int turns = 0; turns < TURNS && (l = find_behind(n)); turns++) {
		int rc = catch_up(n, l, e);
		arena_reset(&n->mem);
		if (rc < 0)
			return -1;
		moved |= rc;
	}
	return moved;
}

/* ---- the thread ---- */

static void beat_one(struct news *n, struct listener *l, int64_t now)
{
	if (n->streams_over) {
		wake(l);
		if (now - n->streams_over_at >= END_MS)
			drop(l);
	} else if (l->asleep && now - l->beat >= HEARTBEAT_MS) {
		l->beat = now;
		buf_str(&l->page, STR(":\n\n"));
		wake(l);
	}
}

static void beat(struct news *n, int64_t now)
{
	pthread_mutex_lock(&n->lock);
	for (struct listener *l = n->live.next; l != &n->live; l = l->next)
		beat_one(n, l, now);
	for (struct listener *l = n->behind.next; l != &n->behind; l = l->next)
		beat_one(n, l, now);
	pthread_mutex_unlock(&n->lock);
}

/* How long it may wait for the store. */
static int64_t patience(struct news *n)
{
	pthread_mutex_lock(&n->lock);
	bool ending = n->streams_over && n->listeners;
	pthread_mutex_unlock(&n->lock);
	return ending ? END_MS / 4 : LOOK_MS;
}

static int look(struct news *n, struct err *e)
{
	static int (*const parts[])(struct news *, struct err *) = {advance, check_new, catch_up_all};
	bool moved = false;
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		int rc = parts[i](n, e);
		arena_reset(&n->mem);
		if (rc < 0)
			return -1;
		moved |= rc > 0;
	}
	int64_t now = clock_mono_ms(), earliest = answer_late(n, now);
	beat(n, now);
	if (moved)
		return 0;
	int64_t left = patience(n);
	if (earliest - now < left)
		left = earliest - now;
	int rc = n->store->outbox->wait(n->store->outbox, left < 1 ? 1 : (int)left, n->event, e);
	event_clear(n->event);
	return rc < 0 ? -1 : 0;
}

static void *news_run(void *arg)
{
	struct news *n = arg;
	struct err e;
	bool away = false;
	while (!atomic_load(&n->ending)) {
		int rc = look(n, &e);
		if (rc < 0 && !away)
			log_warn("cannot follow the store", "error", e.msg, NULL);
		if (rc >= 0 && away)
			log_info("the store can be followed again", NULL);
		away = rc < 0;
		if (away) {
			answer_late(n, clock_mono_ms());
			beat(n, clock_mono_ms());
			usleep(PAUSE_MS * 1000);
		}
	}
	return NULL;
}

struct news *news_start(struct service *s, struct err *e)
{
	struct news *n = xcalloc(1, sizeof *n);
	n->service = s;
	n->after = LOG_END;
	n->live.next = n->live.prev = &n->live;
	n->behind.next = n->behind.prev = &n->behind;
	pthread_mutex_init(&n->lock, NULL);
	atomic_init(&n->looked_at, clock_mono_ms());
	atomic_init(&n->current_at, clock_mono_ms());
	n->event = event_open();
	if (n->event < 0)
		err_sys(e, "cannot make a descriptor");
	if (n->event < 0 || !(n->store = s->ends.store(s->ends.arg, e)) ||
	    n->store->outbox->log(n->store->outbox, &n->after, n->change, PAGE, &n->mem, e) < 0)
		goto failed;
	errno = pthread_create(&n->thread, NULL, news_run, n);
	if (errno == 0)
		return n;
	err_sys(e, "cannot start a thread");
failed:;
	struct err ignored;
	if (n->store)
		n->store->close(n->store, &ignored);
	if (n->event >= 0)
		close(n->event);
	arena_free(&n->mem);
	free(n);
	return NULL;
}

void news_end_streams(struct news *n)
{
	pthread_mutex_lock(&n->lock);
	n->streams_over = true;
	n->streams_over_at = clock_mono_ms();
	/* The others are in the hands of the news' thread, which may be waiting for the store. */
	for (struct listener *l = n->live.next; l != &n->live; l = l->next)
		wake(l);
	pthread_mutex_unlock(&n->lock);
	poke(n);
}

void news_end_waits(struct news *n)
{
	pthread_mutex_lock(&n->lock);
	n->waits_over = true;
	pthread_mutex_unlock(&n->lock);
	poke(n);
}

void news_stop(struct news *n)
{
	struct err e;
	atomic_store(&n->ending, true);
	poke(n);
	pthread_join(n->thread, NULL);
	while (n->first < n->end)
		drop_oldest(n);
	if (n->store->close(n->store, &e) < 0)
		log_warn("cannot close the store", "error", e.msg, NULL);
	close(n->event);
	arena_free(&n->mem);
	json_scan_free(&n->scan);
	pthread_mutex_destroy(&n->lock);
	free(n);
}

bool news_alive(struct news *n)
{
	return clock_mono_ms() - atomic_load(&n->looked_at) < CURRENT_MS;
}

bool news_current(struct news *n)
{
	return news_lag_ms(n) < CURRENT_MS && !atomic_load(&n->many_unsettled);
}

int64_t news_lag_ms(struct news *n)
{
	return clock_mono_ms() - atomic_load(&n->current_at);
}

size_t news_listeners(struct news *n)
{
	pthread_mutex_lock(&n->lock);
	size_t count = n->listeners;
	pthread_mutex_unlock(&n->lock);
	return count;
}

/* ---- listeners ---- */

struct listener *news_listen(struct news *n, struct request *x, const struct news_filter *f, uint64_t after)
{
	struct listener *l = xcalloc(1, sizeof *l);
	char *names = l->names = xmalloc(f->label.n + f->source.n + 1);
	if (f->label.p)
		l->label = (struct str){memcpy(names, f->label.p, f->label.n), f->label.n};
	if (f->source.p)
		l->source = (struct str){memcpy(names + f->label.n, f->source.p, f->source.n), f->source.n};
	l->news = n;
	l->x = x;
	l->beat = clock_mono_ms();
	pthread_mutex_lock(&n->lock);
	l->live = after == LOG_END;
	l->place = l->live ? n->end : after;
	/* so that the client knows at once that it is connected, and from where on */
	buf_str(&l->page, STR("retry: 1000\n"));
	buf_printf(&l->page, "id: %llu\n\n", (unsigned long long)(l->live ? n->after : after));
	link_to(l->live ? &n->live : &n->behind, l);
	n->listeners++;
	pthread_mutex_unlock(&n->lock);
	return l;
}

void news_leave(void *listener)
{
	struct listener *l = listener;
	struct news *n = l->news;
	pthread_mutex_lock(&n->lock);
	unlink_from_list(l);
	n->listeners--;
	pthread_mutex_unlock(&n->lock);
	buf_free(&l->page);
	free(l->names);
	free(l);
}

static size_t take_page(struct listener *l, char *out, size_t max)
{
	size_t left = l->page.n - l->page_offset, n = left < max ? left : max;
	memcpy(out, l->page.p + l->page_offset, n);
	l->page_offset += n;
	if (l->page_offset == l->page.n) {
		buf_free(&l->page);
		l->page_offset = 0;
	}
	return n;
}

/* From the ring: 0 where there is nothing, -1 where it has gone past. */
static ssize_t take_event(struct news *n, struct listener *l, char *out, size_t max)
{
	if (l->place < n->first)
		return -1;
	for (; l->place < n->end; l->place++, l->offset = 0) {
		const struct event *ev = &n->ring[l->place % RING];
		size_t left = ev->text.n - l->offset, some = left < max ? left : max;
		if (!wants(l, ev->label, ev->source) || left == 0)
			continue;
		memcpy(out, ev->text.p + l->offset, some);
		l->offset += some;
		return (ssize_t)some;
	}
	return 0;
}

ssize_t news_read(struct request *x, void *listener, char *out, size_t max)
{
	struct listener *l = listener;
	struct news *n = l->news;
	pthread_mutex_lock(&n->lock);
	ssize_t some = l->dropped		       ? STREAM_CUT
		       : n->streams_over && !l->page.n ? STREAM_END
		       : l->page.n		       ? (ssize_t)take_page(l, out, max)
		       : l->live		       ? take_event(n, l, out, max)
						       : 0;
	if (some == 0) {
		l->asleep = true;
		request_pause(x);
	} else if (some == -1) {
		drop(l);
		some = STREAM_CUT;
	}
	bool behind = some == 0 && !l->live;
	pthread_mutex_unlock(&n->lock);
	if (behind)
		poke(n);
	return some;
}
