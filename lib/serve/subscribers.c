/* subscribers.c - the ring of events, and two lists of subscribers: those who read the ring, and those who are catching
 * up. */
#include "lib/serve/subscribers.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/data/outbox.h"

enum {
	RING = 4096,	      /* events */
	RING_BYTES = 8 << 20, /* and their bytes, or this share of the memory if less */
	RING_PART = 16,
	END_MS = 500,	      /* how long a subscriber may take to read the end of its stream */
	HEARTBEAT_MS = 15000, /* so that both sides, and all between them, see that the connection lives */
};

struct feed_event_private {
	struct feed_event event;
	atomic_size_t references;
	size_t bytes;
	char text[];
};

struct subscriber {
	struct subscriber *next, *prev;
	struct subscribers *all;
	struct subscriber_conf conf;
	char *names;
	bool live, asleep, cut, beat_due, over;
	int64_t over_at;
	uint64_t round;	     /* behind: the round of its last page */
	struct share memory; /* the page */
	uint64_t place;	     /* live: its next event in the ring; behind: its entry of the log */
	struct feed_event *page[SUBSCRIBER_PAGE];
	size_t npage, at; /* past events that it has, and has taken */
	int64_t beat;
};

struct subscribers {
	int event;
	pthread_mutex_t lock;
	uint64_t after; /* the place in the log that the ring has reached */
	struct feed_event *ring[RING];
	uint64_t first, end; /* the oldest event's number, and that after the newest */
	size_t bytes, most_bytes;
	struct share memory;		/* the ring */
	struct subscriber live, behind; /* heads of two lists */
	size_t n, ending;		/* ending: ended but not gone */
	uint64_t round;
	bool over;
	bool (*known)(const unsigned char credential[32], void *arg); /* NULL: all are */
	void *known_arg;
};

/* ---- events ---- */

static struct str append(char **at, struct str s)
{
	if (!s.p)
		return STR_NONE;
	char *p = *at;
	memcpy(p, s.p, s.n);
	*at += s.n;
	return (struct str){p, s.n};
}

struct feed_event *feed_event_new(uint64_t seq, struct str id, struct str label, struct str source, struct str record)
{
	size_t bytes = id.n + label.n + source.n + record.n;
	struct feed_event_private *own = xmalloc(sizeof *own + bytes + 1);
	char *at = own->text;
	own->event = (struct feed_event){.seq = seq, .own = own};
	own->event.id = append(&at, id);
	own->event.label = append(&at, label);
	own->event.source = append(&at, source);
	own->event.record = append(&at, record);
	own->bytes = bytes;
	atomic_init(&own->references, 1);
	return &own->event;
}

static struct feed_event *hold(struct feed_event *ev)
{
	atomic_fetch_add(&ev->own->references, 1);
	return ev;
}

void feed_event_release(struct feed_event *ev)
{
	if (atomic_fetch_sub(&ev->own->references, 1) == 1)
		free(ev->own);
}

/* ---- the lists; the lock is held ---- */

static void link_to(struct subscriber *end, struct subscriber *s)
{
	s->next = end;
	s->prev = end->prev;
	s->next->prev = s->prev->next = s;
}

static void unlink_from_list(struct subscriber *s)
{
	s->next->prev = s->prev;
	s->prev->next = s->next;
}

static void wake(struct subscriber *s)
{
	if (!s->asleep)
		return;
	s->asleep = false;
	s->conf.resume(s->conf.arg);
}

/* It does not read; nobody waits until it does. */
static void cut(struct subscriber *s)
{
	if (s->cut)
		return;
	s->cut = true;
	s->conf.cut(s->conf.arg);
}

static void drop_oldest(struct subscribers *l)
{
	struct feed_event *ev = l->ring[l->first++ % RING];
	l->bytes -= ev->own->bytes;
	feed_event_release(ev);
}

bool subscriber_wants(const struct subscriber *s, struct str label, struct str source)
{
	return (!s->conf.label.p || str_eq(s->conf.label, label)) &&
	       (!s->conf.source.p || str_eq(s->conf.source, source));
}

/* ---- their life ---- */

struct subscribers *subscribers_new(int event, struct budget *memory)
{
	struct subscribers *l = xcalloc(1, sizeof *l);
	l->event = event;
	l->most_bytes = memory && memory->limit / RING_PART < RING_BYTES ? memory->limit / RING_PART : RING_BYTES;
	l->memory.of = memory;
	share_add(&l->memory, l->most_bytes);
	l->live.next = l->live.prev = &l->live;
	l->behind.next = l->behind.prev = &l->behind;
	pthread_mutex_init(&l->lock, NULL);
	return l;
}

void subscribers_free(struct subscribers *l)
{
	if (!l)
		return;
	while (l->first < l->end)
		drop_oldest(l);
	share_release(&l->memory);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

size_t subscribers_count(struct subscribers *l)
{
	pthread_mutex_lock(&l->lock);
	size_t n = l->n;
	pthread_mutex_unlock(&l->lock);
	return n;
}

static bool may_stay(const struct subscriber *s)
{
	const struct subscribers *l = s->all;
	return !l->over && (!l->known || l->known(s->conf.credential, l->known_arg));
}

/* The feed's thread wakes those who catch up, since it may be reading their page. */
static void end_one(struct subscriber *s)
{
	if (s->over || may_stay(s))
		return;
	s->over = true;
	s->over_at = clock_mono_ms();
	s->all->ending++;
	if (s->live)
		wake(s);
}

void subscribers_review(struct subscribers *l)
{
	pthread_mutex_lock(&l->lock);
	for (struct subscriber *s = l->live.next; s != &l->live; s = s->next)
		end_one(s);
	for (struct subscriber *s = l->behind.next; s != &l->behind; s = s->next)
		end_one(s);
	pthread_mutex_unlock(&l->lock);
	event_signal(l->event);
}

void subscribers_end(struct subscribers *l)
{
	pthread_mutex_lock(&l->lock);
	l->over = true;
	pthread_mutex_unlock(&l->lock);
	subscribers_review(l);
}

void subscribers_admit(struct subscribers *l, bool (*known)(const unsigned char credential[32], void *arg), void *arg)
{
	l->known = known;
	l->known_arg = arg;
}

struct subscriber *subscribe(struct subscribers *l, const struct subscriber_conf *conf, uint64_t *from)
{
	struct subscriber *s = xcalloc(1, sizeof *s);
	char *at = s->names = xmalloc(conf->label.n + conf->source.n + 1);
	s->all = l;
	s->memory.of = l->memory.of;
	s->conf = *conf;
	s->conf.label = append(&at, conf->label);
	s->conf.source = append(&at, conf->source);
	s->beat = clock_mono_ms();
	pthread_mutex_lock(&l->lock);
	s->live = conf->after == LOG_END;
	s->place = s->live ? l->end : conf->after;
	*from = s->live ? l->after : conf->after;
	link_to(s->live ? &l->live : &l->behind, s);
	l->n++;
	end_one(s); /* the tokens may have changed since the request was admitted */
	pthread_mutex_unlock(&l->lock);
	return s;
}

void subscriber_leave(struct subscriber *s)
{
	pthread_mutex_lock(&s->all->lock);
	unlink_from_list(s);
	s->all->n--;
	s->all->ending -= s->over;
	pthread_mutex_unlock(&s->all->lock);
	while (s->at < s->npage)
		feed_event_release(s->page[s->at++]);
	share_release(&s->memory);
	free(s->names);
	free(s);
}

/* The next event from the ring; NULL if there is none, or if the ring has gone past the subscriber, which is then cut.
 */
static struct feed_event *take_from_ring(struct subscribers *l, struct subscriber *s)
{
	if (s->place < l->first) {
		cut(s);
		return NULL;
	}
	while (s->place < l->end) {
		struct feed_event *ev = l->ring[s->place++ % RING];
		if (subscriber_wants(s, ev->label, ev->source))
			return hold(ev);
	}
	return NULL;
}

static enum subscriber_next choose(struct subscribers *l, struct subscriber *s, struct feed_event **ev)
{
	bool serves = !s->cut && !s->over;
	*ev = !serves ? NULL : s->at < s->npage ? s->page[s->at++] : s->live ? take_from_ring(l, s) : NULL;
	if (s->cut)
		return SUBSCRIBER_CUT;
	if (*ev)
		return SUBSCRIBER_EVENT;
	if (s->over)
		return SUBSCRIBER_END;
	if (s->beat_due) {
		s->beat_due = false;
		return SUBSCRIBER_BEAT;
	}
	s->asleep = true;
	s->conf.pause(s->conf.arg);
	return SUBSCRIBER_NOTHING;
}

enum subscriber_next subscriber_next(struct subscriber *s, struct feed_event **ev)
{
	struct subscribers *l = s->all;
	pthread_mutex_lock(&l->lock);
	enum subscriber_next next = choose(l, s, ev);
	bool wants_page = next == SUBSCRIBER_NOTHING && !s->live;
	pthread_mutex_unlock(&l->lock);
	if (wants_page)
		event_signal(l->event);
	return next;
}

/* ---- the feed's thread: the ring ---- */

void subscribers_publish(struct subscribers *l, struct feed_event *ev)
{
	pthread_mutex_lock(&l->lock);
	if (l->end - l->first == RING)
		drop_oldest(l);
	l->ring[l->end++ % RING] = ev;
	l->bytes += ev->own->bytes;
	while (l->bytes > l->most_bytes && l->end - l->first > 1)
		drop_oldest(l);
	for (struct subscriber *s = l->live.next; s != &l->live; s = s->next)
		if (!s->asleep) {
			if (s->place < l->first)
				cut(s);
		} else if (subscriber_wants(s, ev->label, ev->source)) {
			s->place = l->end - 1;
			wake(s);
		} else { /* it needs none of the ring's events, so the ring cannot go past it */
			s->place = l->end;
		}
	pthread_mutex_unlock(&l->lock);
}

void subscribers_reached(struct subscribers *l, uint64_t after)
{
	pthread_mutex_lock(&l->lock);
	l->after = after;
	pthread_mutex_unlock(&l->lock);
}

/* ---- the feed's thread: those who catch up ---- */

void subscribers_round(struct subscribers *l)
{
	pthread_mutex_lock(&l->lock);
	l->round++;
	pthread_mutex_unlock(&l->lock);
}

/* It stays valid: its connection sleeps until this thread wakes it. */
struct subscriber *subscribers_behind(struct subscribers *l, uint64_t *after)
{
	pthread_mutex_lock(&l->lock);
	struct subscriber *s = l->behind.next;
	while (s != &l->behind && (!s->asleep || s->round == l->round))
		s = s->next;
	bool found = s != &l->behind;
	if (found) { /* its next turn comes after all others */
		s->round = l->round;
		*after = s->place;
		unlink_from_list(s);
		link_to(&l->behind, s);
	}
	pthread_mutex_unlock(&l->lock);
	return found ? s : NULL;
}

/* Counts the new page in place of the last one. */
static bool hold_page(struct subscriber *s, struct feed_event *const *ev, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += ev[i]->own->bytes;
	share_release(&s->memory);
	if (share_take(&s->memory, bytes))
		return true;
	for (size_t i = 0; i < n; i++)
		feed_event_release(ev[i]);
	return false;
}

bool subscriber_catch_up(
    struct subscriber *s, struct feed_event *const *ev, size_t n, uint64_t after, bool end, bool *there)
{
	struct subscribers *l = s->all;
	if (!hold_page(s, ev, n))
		return false;
	pthread_mutex_lock(&l->lock);
	s->place = after;
	*there = end && after == l->after;
	if (*there) {
		s->live = true;
		s->place = l->end;
		unlink_from_list(s);
		link_to(&l->live, s);
	}
	memcpy(s->page, ev, n * sizeof *ev);
	s->npage = n;
	s->at = 0;
	if (n)
		wake(s);
	pthread_mutex_unlock(&l->lock);
	return true;
}

/* ---- the feed's thread: heartbeats and the end ---- */

static void beat_one(struct subscriber *s, int64_t now)
{
	if (s->over) {
		wake(s);
		if (now - s->over_at >= END_MS)
			cut(s);
	} else if (s->asleep && now - s->beat >= HEARTBEAT_MS) {
		s->beat = now;
		s->beat_due = true;
		wake(s);
	}
}

void subscribers_beat(struct subscribers *l, int64_t now)
{
	pthread_mutex_lock(&l->lock);
	for (struct subscriber *s = l->live.next; s != &l->live; s = s->next)
		beat_one(s, now);
	for (struct subscriber *s = l->behind.next; s != &l->behind; s = s->next)
		beat_one(s, now);
	pthread_mutex_unlock(&l->lock);
}

bool subscribers_ending(struct subscribers *l)
{
	pthread_mutex_lock(&l->lock);
	bool ending = l->ending > 0;
	pthread_mutex_unlock(&l->lock);
	return ending;
}
