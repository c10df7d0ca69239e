/* subscribers.h - subscribers to scored messages, and how far each has come. Knows no wire format.
 *
 *     feed's thread -> subscribers_publish -> ring of events -> subscriber_next, each with its own place in the ring
 *
 * One ring serves all, so a subscriber costs no more than its connection and a place in the ring. A slow one is cut
 * once the ring has gone past its place. One that begins at an earlier place of the log gets what came since, page by
 * page (subscribers_behind, subscriber_catch_up), until it has caught up with the ring; so it misses nothing, and
 * nobody waits for it.
 *
 *     enum subscriber_next n = subscriber_next(s, &event);
 *     if (n == SUBSCRIBER_EVENT) { ... event->record ...; event_release(event); }
 */
#ifndef SENTI_SUBSCRIBERS_H
#define SENTI_SUBSCRIBERS_H

#include "lib/base/budget.h"

/* A scored and stored message, shared by all readers and freed with the last reference. */
struct feed_event {
	uint64_t seq; /* its entry in the store's log */
	struct str id, label, source, record;
	struct feed_event_private *own;
};

/* New, a copy of all, with one reference. */
struct feed_event *feed_event_new(uint64_t seq, struct str id, struct str label, struct str source, struct str record);
void feed_event_release(struct feed_event *ev);

struct subscribers;
struct subscriber;

struct subscriber_conf {
	struct str label, source;     /* which messages; absent strings restrict nothing; copied */
	uint64_t after;		      /* after this entry of the log; LOG_END: from now on */
	unsigned char credential[32]; /* of the request, for subscribers_admit */
	/* Called with a lock held: must return at once and call nothing of this file. */
	void *arg;
	void (*pause)(void *arg);  /* nothing to read: from subscriber_next, before any resume */
	void (*resume)(void *arg); /* something to read again */
	void (*cut)(
	    void *arg); /* too slow: end the connection, even if it does not read; a resume follows if it was paused */
};

/* New; `event` (event.h) wakes the feed's thread. The ring and the pages count against this budget, which is lent;
 * NULL: no limit. */
struct subscribers *subscribers_new(int event, struct budget *memory);
/* After all have left. NULL is allowed. */
void subscribers_free(struct subscribers *l);
size_t subscribers_count(struct subscribers *l);
/* Ends all: wakes each, and cuts it unless it reads its end soon. Thread-safe. */
void subscribers_end(struct subscribers *l);

/* Call it before the first subscribes: only those whose credential is `known` are served. */
void subscribers_admit(struct subscribers *l, bool (*known)(const unsigned char credential[32], void *arg), void *arg);
/* Asks `known` again, and ends those that no longer are, as subscribers_end does. Thread-safe. */
void subscribers_review(struct subscribers *l);

/* New. Its events begin after entry *from of the log. */
struct subscriber *subscribe(struct subscribers *l, const struct subscriber_conf *conf, uint64_t *from);
void subscriber_leave(struct subscriber *s);

/* BEAT: send a heartbeat. */
enum subscriber_next {
	SUBSCRIBER_EVENT,
	SUBSCRIBER_BEAT,
	SUBSCRIBER_NOTHING, /* conf.pause has been called */
	SUBSCRIBER_END,
	SUBSCRIBER_CUT
};
/* EVENT: a reference to it in *ev. */
enum subscriber_next subscriber_next(struct subscriber *s, struct feed_event **ev);

/* ---- the feed's thread ---- */

/* The next event; takes the reference. */
void subscribers_publish(struct subscribers *l, struct feed_event *ev);
/* The ring has all up to this entry of the log: new subscribers begin after it. */
void subscribers_reached(struct subscribers *l, uint64_t after);
/* A round of catching up begins. */
void subscribers_round(struct subscribers *l);
/* One that is behind, has read its page and has had none in this round, or NULL; *after is its place in the log. It
 * stays valid until subscriber_catch_up. */
struct subscriber *subscribers_behind(struct subscribers *l, uint64_t *after);
bool subscriber_wants(const struct subscriber *s, struct str label, struct str source);
/* Its next page: n events, at most SUBSCRIBER_PAGE, whose references it takes, up to entry `after`. `end`: the log had
 * no more. *there: it has caught up, and reads the ring from now on. False, with nothing changed, if there is no memory
 * for the page now. */
MUST_USE bool subscriber_catch_up(
    struct subscriber *s, struct feed_event *const *ev, size_t n, uint64_t after, bool end, bool *there);
/* Sends heartbeats, and cuts those who have not read their end in time. */
void subscribers_beat(struct subscribers *l, int64_t now);
/* True if some have not read their end: the feed's thread should come back soon. */
bool subscribers_ending(struct subscribers *l);

enum { SUBSCRIBER_PAGE = 64 };

#endif
