/* graphql_stream.c - the single connection mode of the graphql-sse protocol: one event stream for all operations of a
 * client.
 *
 *     PUT     makes a reservation, whose token names it in all that follows
 *     GET     as text/event-stream: the stream of it
 *     POST    an operation (extensions.operationId): 202, and its results go into the stream
 *     DELETE  ends an operation (?operationId=)
 *
 * A reservation has operations; each subscription among them is a subscriber of its own. The stream takes from them in
 * turn. Locks: the subscribers' is held when they pause or resume an operation, and the reservation's is taken within
 * it; so nothing of subscribers.h is called with a reservation's lock held.
 */
#include "lib/base/budget.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/json/write.h"
#include "lib/serve/routes/event_stream.h"
#include "lib/serve/routes/graphql_internal.h"
#include "lib/text/hash.h"

enum { MOST_RESERVATIONS = 4096, MOST_OPERATIONS = 100, UNCLAIMED_MS = 60000, COPIED = 4096 };

struct graphql_streamed {
	struct graphql_streamed *next;
	struct graphql_reservation *of;
	char *id;
	struct subscription *subscription; /* NULL: not one, or not yet */
	struct subscriber *subscriber;	   /* of it, or of the stream's heartbeats */
	bool ready;			   /* it may have something */
	bool busy; /* a thread other than the lock's holder uses it, and frees it if it is `over` */
	bool over;
	size_t counted; /* bytes of the reservation's memory */
};

struct graphql_reservation {
	struct graphql_reservation *next;
	struct graphql_streams *all;
	char token[UUID_LEN + 1];
	unsigned char credential[32]; /* of who may use it */
	int64_t made_at;
	unsigned references; /* the list's lock guards this */
	pthread_mutex_t lock;
	struct request *request; /* the stream's; NULL: it is not open */
	bool paused, dead;
	struct graphql_streamed *first; /* whose turn it is */
	size_t n;
	struct buf results;  /* events of queries and mutations */
	struct share memory; /* of all of it */
};

struct graphql_streams {
	struct graphql *g;
	pthread_mutex_t lock;
	struct graphql_reservation *first;
	size_t n;
};

/* ---- an operation ---- */

/* With no lock held. */
static void streamed_free(struct graphql_streamed *s)
{
	if (s->subscriber)
		subscriber_leave(s->subscriber);
	subscription_free(s->subscription);
	free(s->id);
	free(s);
}

static struct graphql_streamed **find(struct graphql_reservation *v, const char *id)
{
	struct graphql_streamed **link = &v->first;
	while (*link && strcmp((*link)->id, id) != 0)
		link = &(*link)->next;
	return link;
}

/* Takes it out; the lock is held. True: nobody uses it, and the caller frees it once the lock is released. */
static bool take_out(struct graphql_streamed **link)
{
	struct graphql_streamed *s = *link;
	*link = s->next;
	s->of->n--;
	s->over = true;
	share_give(&s->of->memory, s->counted);
	s->counted = 0;
	return !s->busy;
}

static void append(struct graphql_reservation *v, struct graphql_streamed *s)
{
	struct graphql_streamed **link = &v->first;
	while (*link)
		link = &(*link)->next;
	s->next = NULL;
	*link = s;
}

/* There is something to send; the lock is held. */
static void wake(struct graphql_reservation *v)
{
	if (v->paused)
		request_resume(v->request);
	v->paused = false;
}

/* The client has to come again; the lock is held. */
static void give_up(struct graphql_reservation *v)
{
	v->dead = true;
	if (v->request)
		request_cut(v->request);
	wake(v);
}

/* ---- the subscriber's calls ---- */

static void pause_one(void *arg)
{
	struct graphql_streamed *s = arg;
	pthread_mutex_lock(&s->of->lock);
	s->ready = false;
	pthread_mutex_unlock(&s->of->lock);
}

static void resume_one(void *arg)
{
	struct graphql_streamed *s = arg;
	pthread_mutex_lock(&s->of->lock);
	s->ready = true;
	wake(s->of);
	pthread_mutex_unlock(&s->of->lock);
}

static void cut_all(void *arg)
{
	struct graphql_streamed *s = arg;
	pthread_mutex_lock(&s->of->lock);
	log_info("a subscriber was too slow", "reservation", s->of->token, NULL);
	give_up(s->of);
	pthread_mutex_unlock(&s->of->lock);
}

static void listen_to(struct graphql_streamed *s, struct subscriber_conf *conf)
{
	uint64_t from;
	conf->arg = s;
	conf->pause = pause_one;
	conf->resume = resume_one;
	conf->cut = cut_all;
	memcpy(conf->credential, s->of->credential, sizeof conf->credential);
	s->subscriber = subscribe(s->of->all->g->conf.subscribers, conf, &from);
}

/* ---- reservations ---- */

struct graphql_streams *graphql_streams_new(struct graphql *g)
{
	struct graphql_streams *all = xcalloc(1, sizeof *all);
	all->g = g;
	pthread_mutex_init(&all->lock, NULL);
	return all;
}

static void reservation_free(struct graphql_reservation *v)
{
	while (v->first) {
		struct graphql_streamed *s = v->first;
		v->first = s->next;
		streamed_free(s);
	}
	buf_free(&v->results);
	share_release(&v->memory);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

void graphql_reservation_release(struct graphql_reservation *v)
{
	pthread_mutex_lock(&v->all->lock);
	bool last = --v->references == 0;
	pthread_mutex_unlock(&v->all->lock);
	if (last)
		reservation_free(v);
}

/* Takes those out of the list that are `wanted` (NULL: that are of no use any more): a list of what it held. */
static struct graphql_reservation *take_away(struct graphql_streams *all, const struct graphql_reservation *wanted)
{
	struct graphql_reservation *gone = NULL, **link = &all->first;
	int64_t now = clock_mono_ms();
	pthread_mutex_lock(&all->lock);
	while (*link) {
		struct graphql_reservation *v = *link;
		pthread_mutex_lock(&v->lock);
		bool useless = v->dead || (!v->request && now - v->made_at > UNCLAIMED_MS);
		pthread_mutex_unlock(&v->lock);
		if (wanted ? v != wanted : !useless) {
			link = &v->next;
			continue;
		}
		*link = v->next;
		v->next = gone;
		gone = v;
		all->n--;
	}
	pthread_mutex_unlock(&all->lock);
	return gone;
}

static void release_all(struct graphql_reservation *list)
{
	for (struct graphql_reservation *v = list, *next; v; v = next) {
		next = v->next;
		graphql_reservation_release(v);
	}
}

void graphql_streams_free(struct graphql_streams *all)
{
	if (!all)
		return;
	release_all(all->first);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

struct graphql_reservation *graphql_reservation_find(
    struct graphql_streams *all, const struct request *r, struct str token)
{
	struct graphql_reservation *v;
	pthread_mutex_lock(&all->lock);
	for (v = all->first; v; v = v->next)
		if (str_eq(token, (struct str){v->token, UUID_LEN}) &&
		    memcmp(v->credential, r->credential, sizeof v->credential) == 0)
			break;
	if (v)
		v->references++;
	pthread_mutex_unlock(&all->lock);
	return v;
}

static struct graphql_reservation *reservation_new(struct graphql_streams *all, const struct request *r)
{
	struct graphql_reservation *v = xcalloc(1, sizeof *v);
	*v = (struct graphql_reservation){
	    .all = all, .made_at = clock_mono_ms(), .references = 1, .memory.of = all->g->conf.memory};
	memcpy(v->credential, r->credential, sizeof v->credential);
	uuid_new(v->token);
	pthread_mutex_init(&v->lock, NULL);
	return v;
}

void graphql_put(struct request *r, void *app)
{
	struct graphql *g = app;
	struct graphql_streams *all = g->streams;
	struct graphql_reservation *v = reservation_new(all, r);
	release_all(take_away(all, NULL));
	pthread_mutex_lock(&all->lock);
	bool room = all->n < MOST_RESERVATIONS && share_take(&v->memory, sizeof *v);
	if (room) {
		v->next = all->first;
		all->first = v;
		all->n++;
		buf_add(&r->out, v->token, UUID_LEN);
	}
	pthread_mutex_unlock(&all->lock);
	if (room) {
		request_set(r, "Cache-Control", "no-store");
		request_answer(r, 201, "text/plain; charset=utf-8");
		return;
	}
	reservation_free(v);
	request_busy(r);
}

/* ---- operations ---- */

struct graphql_streamed *graphql_streamed_begin(struct graphql_reservation *v, struct str id, unsigned *status)
{
	struct graphql_streamed *s = xcalloc(1, sizeof *s);
	*s = (struct graphql_streamed){.of = v, .busy = true, .id = xcalloc(1, id.n + 1)};
	memcpy(s->id, id.p, id.n);
	pthread_mutex_lock(&v->lock);
	*status = v->dead ? 404 : *find(v, s->id) ? 409 : v->n >= MOST_OPERATIONS ? 429 : 0;
	if (*status == 0) {
		append(v, s);
		v->n++;
	}
	pthread_mutex_unlock(&v->lock);
	if (*status == 0)
		return s;
	streamed_free(s);
	return NULL;
}

void graphql_streamed_drop(struct graphql_streamed *s)
{
	struct graphql_reservation *v = s->of;
	pthread_mutex_lock(&v->lock);
	if (!s->over) {
		s->busy = false;
		take_out(find(v, s->id));
	}
	pthread_mutex_unlock(&v->lock);
	streamed_free(s);
}

static void put_id(struct buf *out, const char *event, const char *id)
{
	buf_printf(out, "event: %s\ndata: {\"id\":", event);
	json_put_string(out, str_of(id));
}

void graphql_streamed_result(struct graphql_streamed *s, struct str answer)
{
	struct graphql_reservation *v = s->of;
	pthread_mutex_lock(&v->lock);
	size_t before = v->results.cap;
	if (!s->over && !v->dead) {
		put_id(&v->results, "next", s->id);
		buf_str(&v->results, STR(",\"payload\":"));
		buf_str(&v->results, (struct str){answer.p, answer.n - 1}); /* without its line end */
		buf_str(&v->results, STR("}\n\n"));
		put_id(&v->results, "complete", s->id);
		buf_str(&v->results, STR("}\n\n"));
		if (share_take(&v->memory, v->results.cap - before))
			wake(v);
		else
			give_up(v);
	}
	pthread_mutex_unlock(&v->lock);
	graphql_streamed_drop(s);
}

bool graphql_streamed_subscribe(
    struct graphql_streamed *s, struct subscription *subscription, struct subscriber_conf *conf)
{
	struct graphql_reservation *v = s->of;
	s->subscription = subscription;
	pthread_mutex_lock(&v->lock);
	size_t bytes = subscription_bytes(subscription);
	bool room = !s->over && share_take(&v->memory, bytes);
	s->counted = room ? bytes : 0;
	pthread_mutex_unlock(&v->lock);
	if (!room) {
		graphql_streamed_drop(s);
		return false;
	}
	listen_to(s, conf);
	pthread_mutex_lock(&v->lock);
	bool over = s->over;
	s->busy = false;
	s->ready = true;
	wake(v);
	pthread_mutex_unlock(&v->lock);
	if (over)
		streamed_free(s);
	return true;
}

void graphql_delete(struct request *r, void *app)
{
	struct graphql *g = app;
	struct str id = request_query(r, "operationId");
	struct graphql_reservation *v = graphql_reservation_find(g->streams, r, graphql_stream_token(r));
	if (!v || !id.n) {
		graphql_refuse(r, GRAPHQL_JSON, v ? 400 : 404, v ? "BAD_REQUEST" : "STREAM_NOT_FOUND",
		    v ? "the parameter operationId is missing" : "there is no such reservation");
	} else {
		struct graphql_streamed *s = NULL;
		char *name = xcalloc(1, id.n + 1);
		memcpy(name, id.p, id.n);
		pthread_mutex_lock(&v->lock);
		struct graphql_streamed **link = find(v, name);
		if (*link) {
			s = *link;
			s = take_out(link) ? s : NULL;
		}
		pthread_mutex_unlock(&v->lock);
		if (s)
			streamed_free(s);
		free(name);
		request_answer(r, 200, NULL);
	}
	if (v)
		graphql_reservation_release(v);
}

/* ---- the stream ---- */

struct open_stream {
	struct graphql_reservation *of;
	struct buf text;
	size_t sent, held;
};

/* What is to be sent: 1; or -1 with the operation whose turn it is, busy; or what stream_read returns. */
static ssize_t choose(struct open_stream *o, struct graphql_streamed **turn)
{
	struct graphql_reservation *v = o->of;
	ssize_t rc = -1;
	pthread_mutex_lock(&v->lock);
	struct graphql_streamed **link = &v->first;
	while (*link && (!(*link)->ready || (*link)->busy))
		link = &(*link)->next;
	if (v->dead) {
		rc = STREAM_CUT;
	} else if (v->results.n) {
		buf_free(&o->text);
		o->text = v->results; /* it stays counted until it is sent */
		o->held = v->results.cap;
		v->results = (struct buf){0};
		rc = 1;
	} else if (!*link) {
		v->paused = true;
		request_pause(v->request);
		rc = 0;
	} else {
		struct graphql_streamed *s = *turn = *link;
		*link = s->next;
		append(v, s);
		s->busy = true;
	}
	pthread_mutex_unlock(&v->lock);
	return rc;
}

/* The next of one operation: 1, 0 if it has nothing now, or what ends the stream. */
static ssize_t take(struct open_stream *o, struct graphql_streamed *s)
{
	struct feed_event *ev;
	switch (subscriber_next(s->subscriber, &ev)) {
	case SUBSCRIBER_EVENT:
		put_id(&o->text, "next", s->id);
		buf_str(&o->text, STR(",\"payload\":"));
		if (s->subscription && subscription_put(s->subscription, &o->text, ev))
			buf_str(&o->text, STR("}\n\n"));
		else
			buf_clear(&o->text);
		feed_event_release(ev);
		return o->text.n > 0;
	case SUBSCRIBER_BEAT:
		buf_str(&o->text, STR(":\n\n"));
		return 1;
	case SUBSCRIBER_END:
		return STREAM_END;
	case SUBSCRIBER_CUT:
		return STREAM_CUT;
	case SUBSCRIBER_NOTHING:
		break;
	}
	return 0;
}

/* Gives the operation back; what it had is not sent if it has been ended meanwhile. */
static ssize_t leave(struct open_stream *o, struct graphql_streamed *s, ssize_t rc)
{
	pthread_mutex_lock(&s->of->lock);
	bool over = s->over;
	s->busy = false;
	pthread_mutex_unlock(&s->of->lock);
	if (!over)
		return rc;
	streamed_free(s);
	buf_clear(&o->text);
	return 0;
}

static ssize_t hold_text(struct open_stream *o)
{
	struct graphql_reservation *v = o->of;
	if (o->text.cap <= COPIED)
		return 1;
	pthread_mutex_lock(&v->lock);
	bool held = share_take(&v->memory, o->text.cap);
	pthread_mutex_unlock(&v->lock);
	o->held = held ? o->text.cap : 0;
	return held ? 1 : STREAM_CUT;
}

static void let_go(struct open_stream *o)
{
	o->sent = 0;
	buf_clear(&o->text);
	if (!o->held)
		return;
	pthread_mutex_lock(&o->of->lock);
	share_give(&o->of->memory, o->held);
	pthread_mutex_unlock(&o->of->lock);
	o->held = 0;
	buf_free(&o->text);
}

static ssize_t fill(struct open_stream *o)
{
	struct graphql_streamed *turn = NULL;
	ssize_t rc;
	let_go(o);
	while ((rc = choose(o, &turn)) == -1)
		if ((rc = leave(o, turn, take(o, turn))) != 0)
			return rc == 1 ? hold_text(o) : rc;
	return rc;
}

static ssize_t stream_read(struct request *r, void *arg, char *out, size_t max)
{
	struct open_stream *o = arg;
	ssize_t rc = o->sent < o->text.n ? 1 : fill(o);
	(void)r;
	if (rc != 1)
		return rc;
	size_t left = o->text.n - o->sent, n = left < max ? left : max;
	memcpy(out, o->text.p + o->sent, n);
	o->sent += n;
	return (ssize_t)n;
}

/* A reservation ends with its stream. */
static void stream_drop(void *arg)
{
	struct open_stream *o = arg;
	struct graphql_reservation *v = o->of;
	let_go(o);
	pthread_mutex_lock(&v->lock);
	v->dead = true;
	v->request = NULL;
	v->paused = false;
	pthread_mutex_unlock(&v->lock);
	release_all(take_away(v->all, v));
	graphql_reservation_release(v);
	buf_free(&o->text);
	free(o);
}

/* An operation without an id that hears no message, but heartbeats and the end of the server or of the token. */
static struct graphql_streamed *pulse_new(struct graphql_reservation *v)
{
	struct subscriber_conf conf = {.label = STR("none"), .after = LOG_END};
	struct graphql_streamed *s = xcalloc(1, sizeof *s);
	*s = (struct graphql_streamed){.of = v, .ready = true, .id = xcalloc(1, 1)};
	listen_to(s, &conf);
	return s;
}

void graphql_stream_open(struct request *r, struct graphql_reservation *v)
{
	struct graphql_streamed *pulse = pulse_new(v);
	pthread_mutex_lock(&v->lock);
	bool dead = v->dead, open = v->request != NULL;
	if (!dead && !open) {
		v->request = r;
		append(v, pulse);
	}
	pthread_mutex_unlock(&v->lock);
	if (dead || open) {
		graphql_refuse(r, GRAPHQL_JSON, dead ? 404 : 409, dead ? "STREAM_NOT_FOUND" : "STREAM_OPEN",
		    dead ? "there is no such reservation" : "the stream of this reservation is open already");
		streamed_free(pulse);
		graphql_reservation_release(v);
		return;
	}
	struct open_stream *o = xcalloc(1, sizeof *o);
	o->of = v;
	buf_str(&o->text, STR(":\n\n")); /* so that the client knows at once that it is connected */
	request_set(r, "Cache-Control", "no-store");
	request_set(r, "X-Accel-Buffering", "no");
	request_stream(r, 200, MEDIA_EVENTS, stream_read, o, stream_drop);
}
