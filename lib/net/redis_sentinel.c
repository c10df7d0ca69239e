/* redis_sentinel.c - connections to Sentinels, and what most of them say. */
#include "lib/net/redis_sentinel.h"

#include <pthread.h>
#include <stdatomic.h>

#include "lib/base/clock.h"
#include "lib/base/timedwait.h"

struct sentinel {
	struct redis_address address;
	struct redis_wire wire;
};

struct sentinels {
	struct sentinels *next;
	unsigned users;
	char *shown, *primary;			    /* of the address */
	struct sentinel *one[REDIS_MOST_SENTINELS]; /* belong to the thread that asks */
	size_t n;
	pthread_mutex_t lock; /* of all below; never held while something is sent or received */
	pthread_cond_t over;  /* `asking` has become false */
	bool asking, known;
	struct redis_place at; /* what they have said last, if `known` */
	int64_t asked_ms;      /* when they were asked last; 0: never */
	int64_t had_ms;	       /* how long they had then to answer */
	struct err why;	       /* why they gave no answer then; ERR_NONE: they did */
};

static struct sentinels *all;
static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- one ---- */

static bool begins_with(struct str s, struct str with)
{
	return s.n >= with.n && memcmp(s.p, with.p, with.n) == 0;
}

/* What an error reply of a Sentinel's means. */
static int refused(const struct redis_wire *w, const struct redis_reply *r, struct err *e)
{
	const char *meaning = begins_with(r->text, STR("NOAUTH")) ? "it needs a password, in SENTI_SENTINEL_AUTH"
			      : begins_with(r->text, STR("WRONGPASS"))
				  ? "it refuses the password of SENTI_SENTINEL_AUTH"
			      : begins_with(r->text, STR("ERR unknown command")) ? "it is not a Sentinel"
										 : "it refuses";
	return err_set(
	    e, ERR_ENV, "%s: %s (%.*s)", w->shown, meaning, (int)(r->text.n > 200 ? 200 : r->text.n), r->text.p);
}

static int strange(const struct redis_wire *w, struct err *e)
{
	return err_set(e, ERR_ENV, "%s does not answer as a Sentinel does", w->shown);
}

/* The replies to what ask_one sends. */
static int read_place(
    const struct redis_wire *w, const struct redis_reply *r, const char *name, struct redis_place *at, struct err *e)
{
	uint64_t port;
	if (r->type == REDIS_REPLY_ERROR)
		return refused(w, r, e);
	if (r->type == REDIS_REPLY_NIL)
		return err_set(e, ERR_ENV, "%s does not know a primary '%s'", w->shown, name);
	if (r->type != REDIS_REPLY_ARRAY || r->n != 2 || r[1].type != REDIS_REPLY_STRING ||
	    r[2].type != REDIS_REPLY_STRING || r[1].text.n == 0 || r[1].text.n >= sizeof at->host ||
	    str_u64(r[2].text, &port) < 0 || port < 1 || port > UINT16_MAX)
		return strange(w, e);
	memcpy(at->host, r[1].text.p, r[1].text.n);
	at->host[r[1].text.n] = 0;
	at->port = (uint16_t)port;
	const struct redis_reply *about = reply_next(r);
	if (about->type == REDIS_REPLY_ERROR)
		return refused(w, about, e);
	for (int64_t i = 1; about->type == REDIS_REPLY_ARRAY && i < about->n; i += 2)
		if (str_eq(about[i].text, STR("config-epoch")) && str_u64(about[i + 1].text, &at->epoch) == 0)
			return 0;
	return strange(w, e);
}

/* Connects if it is not connected, with the password as the first command. */
static int reach(struct sentinel *s, int64_t until_ms, struct err *e)
{
	const struct redis_place at = redis_place_of(s->address.host);
	struct redis_wire *w = &s->wire;
	if (w->context && !redis_wire_is_idle(w))
		redis_wire_close(w);
	redis_begin(w);
	if (w->context) {
		w->until_ms = until_ms;
		return redis_wire_patience(w, until_ms - clock_mono_ms(), e);
	}
	if (redis_wire_open(w, &s->address, &at, until_ms, e) < 0)
		return -1;
	if (s->address.password)
		redis_auth(w, s->address.user, s->address.password);
	return 0;
}

enum sentinel_answer { ANSWERED, REFUSED, SILENT };

static enum sentinel_answer ask_one(
    struct sentinel *s, const char *name, int64_t until_ms, struct redis_place *at, struct err *e)
{
	struct arena mem = {0};
	struct redis_wire *w = &s->wire;
	enum sentinel_answer answer = SILENT;
	if (reach(s, until_ms, e) < 0)
		return SILENT;
	redis_command(w, 3);
	redis_word(w, STR("SENTINEL"));
	redis_word(w, STR("get-master-addr-by-name"));
	redis_word(w, str_of(name));
	redis_command(w, 3);
	redis_word(w, STR("SENTINEL"));
	redis_word(w, STR("master"));
	redis_word(w, str_of(name));
	if (redis_wire_call(w, &mem, e) == 0) {
		bool auth = w->commands > 2, denied = auth && w->reply->type == REDIS_REPLY_ERROR;
		int rc = read_place(w, auth && !denied ? reply_next(w->reply) : w->reply, name, at, e);
		answer = rc == 0 ? ANSWERED : REFUSED;
	}
	redis_wipe(w);
	if (answer == REFUSED)
		redis_wire_close(w);
	arena_free(&mem);
	return answer;
}

/* ---- all ---- */

static bool is_same(const struct redis_place *a, const struct redis_place *b)
{
	return a->port == b->port && a->epoch == b->epoch && strcmp(a->host, b->host) == 0;
}

/* Returns how many votes there are now for this server, among the first *n. */
static size_t add_vote(struct sentinel_vote *v, size_t *n, const struct redis_place *at)
{
	size_t i = 0;
	while (i < *n && !is_same(&v[i].at, at))
		i++;
	if (i == *n)
		v[(*n)++] = (struct sentinel_vote){.at = *at};
	return ++v[i].count;
}

/* Whether `a`, which has as many votes as `b`, is preferred to it. */
static bool wins_tie(const struct redis_place *a, const struct redis_place *b, const struct redis_place *known)
{
	return a->epoch != b->epoch ? a->epoch > b->epoch : known && is_same(a, known);
}

const struct redis_place *sentinels_elect(
    const struct sentinel_vote *v, size_t n, size_t sentinels, const struct redis_place *known)
{
	const struct sentinel_vote *best = NULL;
	for (size_t i = 0; i < n; i++) {
		if (v[i].count > sentinels / 2)
			return &v[i].at;
		if (known && v[i].at.epoch < known->epoch)
			continue;
		if (!best || v[i].count > best->count ||
		    (v[i].count == best->count && wins_tie(&v[i].at, &best->at, known)))
			best = &v[i];
	}
	return best ? &best->at : known;
}

/* Puts those that have failed after the others. */
static void put_last(struct sentinel **one, size_t n, const bool *failed)
{
	struct sentinel *sorted[REDIS_MOST_SENTINELS];
	size_t to = 0;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < n; i++)
			if (failed[i] == pass)
				sorted[to++] = one[i];
	memcpy(one, sorted, n * sizeof *one);
}

/* Each Sentinel may take its part of the time that is left. Returns how many votes there are in `vote`; if none, *e
 * says why: what one has said comes before silence. */
static size_t poll_all(struct sentinels *s, int64_t until_ms, struct sentinel_vote *vote, struct err *e)
{
	bool failed[REDIS_MOST_SENTINELS] = {0};
	size_t n = 0, most = 0;
	enum sentinel_answer worst = ANSWERED;
	err_set(e, ERR_ENV, "%s: no answer in time", s->shown);
	for (size_t i = 0; i < s->n && most <= s->n / 2; i++) {
		struct redis_place one;
		struct err why;
		int64_t now = clock_mono_ms(), part = (until_ms - now) / (int64_t)(s->n - i);
		if (part <= 0)
			break;
		enum sentinel_answer answer = ask_one(s->one[i], s->primary, now + part, &one, &why);
		size_t votes = answer == ANSWERED ? add_vote(vote, &n, &one) : 0;
		most = votes > most ? votes : most;
		failed[i] = answer == SILENT;
		if (answer == REFUSED || (answer == SILENT && worst == ANSWERED)) {
			*e = why;
			worst = answer;
		}
	}
	put_last(s->one, s->n, failed);
	return n;
}

/* With the lock, which is given back while they are asked. Nobody else may be asking. */
static void ask(struct sentinels *s, int64_t until_ms)
{
	struct sentinel_vote vote[REDIS_MOST_SENTINELS];
	struct err why;
	int64_t now = clock_mono_ms();
	s->asking = true;
	pthread_mutex_unlock(&s->lock);
	size_t n = poll_all(s, until_ms, vote, &why);
	pthread_mutex_lock(&s->lock);
	s->asking = false;
	pthread_cond_broadcast(&s->over);
	s->asked_ms = now;
	s->had_ms = until_ms - now;
	s->why = n ? (struct err){.kind = ERR_NONE} : why;
	if (!n)
		return;
	struct redis_place at = *sentinels_elect(vote, n, s->n, s->known ? &s->at : NULL);
	if (s->known && !is_same(&at, &s->at))
		redis_leave_all();
	s->at = at;
	s->known = true;
}

/* With the lock: whether they were asked since then, with success, or with about as much time as `most_ms`. */
static bool was_asked(const struct sentinels *s, int64_t since_ms, int64_t most_ms)
{
	return s->asked_ms && s->asked_ms >= since_ms && (s->why.kind == ERR_NONE || s->had_ms >= most_ms / 2);
}

/* With the lock: has them asked, by this thread unless another one does so, since then; false if there is too little
 * time for that, for waiting may have taken most of it. Silence would mean nothing then. */
static bool ask_since(struct sentinels *s, int64_t since_ms, int64_t until_ms)
{
	int64_t most_ms = until_ms - clock_mono_ms();
	while (s->asking && cond_wait_until(&s->over, &s->lock, until_ms))
		;
	int64_t left_ms = until_ms - clock_mono_ms();
	if (was_asked(s, since_ms, most_ms))
		return true;
	if (s->asking || left_ms < most_ms / 2 || left_ms <= 0)
		return false;
	ask(s, until_ms);
	return true;
}

int sentinels_ask(
    struct sentinels *s, int64_t since_ms, int64_t until_ms, struct redis_place *at, unsigned *moves, struct err *e)
{
	pthread_mutex_lock(&s->lock);
	bool asked = ask_since(s, since_ms, until_ms), answered = asked && s->why.kind == ERR_NONE;
	*at = s->at;
	*moves = redis_moves();
	if (!asked)
		err_set(e, ERR_ENV, "%s: no answer in time", s->shown);
	else if (!answered)
		*e = s->why;
	pthread_mutex_unlock(&s->lock);
	return answered ? 0 : -1;
}

void sentinels_look(struct sentinels *s, int64_t most_ms)
{
	pthread_mutex_lock(&s->lock);
	int64_t now = clock_mono_ms();
	if (!s->asking && now - s->asked_ms >= SENTINEL_LOOK_MS)
		ask(s, now + most_ms);
	pthread_mutex_unlock(&s->lock);
}

bool sentinels_confirm(struct sentinels *s, const struct redis_place *at, int64_t most_ms)
{
	int64_t now = clock_mono_ms();
	pthread_mutex_lock(&s->lock);
	/* Silence costs its time once a second. */
	bool silent = s->why.kind != ERR_NONE && was_asked(s, now - SENTINEL_LOOK_MS + 1, most_ms);
	bool asked = silent || ask_since(s, now + 1, now + most_ms) || s->why.kind != ERR_NONE;
	bool same = asked && is_same(&s->at, at);
	pthread_mutex_unlock(&s->lock);
	return same;
}

/* ---- joining ---- */

static atomic_uint moves;

void redis_leave_all(void)
{
	atomic_fetch_add(&moves, 1);
}

unsigned redis_moves(void)
{
	return atomic_load(&moves);
}

static char *copy_of(const char *s)
{
	return s ? xstrdup(s) : NULL;
}

static struct sentinel *sentinel_new(const struct redis_address *a, const struct redis_host *h)
{
	struct sentinel *s = xcalloc(1, sizeof *s);
	struct buf shown = {0};
	buf_printf(&shown, strchr(h->name, ':') ? "the Sentinel [%s]:%u" : "the Sentinel %s:%u", h->name, h->port);
	buf_char(&shown, 0);
	s->address = (struct redis_address){
	    .host = xcalloc(1, sizeof *s->address.host),
	    .nhosts = 1,
	    .user = copy_of(a->sentinel_user),
	    .password = copy_of(a->sentinel_password),
	    .tls = a->tls,
	    .cacert = copy_of(a->cacert),
	    .cert = copy_of(a->cert),
	    .certkey = copy_of(a->certkey),
	    .shown = shown.p,
	};
	*s->address.host = (struct redis_host){.name = xstrdup(h->name), .port = h->port};
	redis_wire_init(&s->wire, s->address.shown);
	return s;
}

static struct sentinels *sentinels_new(const struct redis_address *a)
{
	struct sentinels *s = xcalloc(1, sizeof *s);
	s->shown = xstrdup(a->shown);
	s->primary = xstrdup(a->primary);
	pthread_mutex_init(&s->lock, NULL);
	cond_init(&s->over);
	for (; s->n < a->nhosts; s->n++)
		s->one[s->n] = sentinel_new(a, &a->host[s->n]);
	return s;
}

static void sentinels_free(struct sentinels *s)
{
	for (size_t i = 0; i < s->n; i++) {
		redis_wire_free(&s->one[i]->wire);
		redis_address_free(&s->one[i]->address);
		free(s->one[i]);
	}
	pthread_cond_destroy(&s->over);
	pthread_mutex_destroy(&s->lock);
	free(s->shown);
	free(s->primary);
	free(s);
}

struct sentinels *sentinels_join(const struct redis_address *a)
{
	pthread_mutex_lock(&all_lock);
	struct sentinels *s = all;
	while (s && strcmp(s->shown, a->shown) != 0)
		s = s->next;
	if (!s) {
		s = sentinels_new(a);
		s->next = all;
		all = s;
	}
	s->users++;
	pthread_mutex_unlock(&all_lock);
	return s;
}

void sentinels_leave(struct sentinels *s)
{
	pthread_mutex_lock(&all_lock);
	bool last = --s->users == 0;
	struct sentinels **at = &all;
	while (last && *at != s)
		at = &(*at)->next;
	if (last)
		*at = s->next;
	pthread_mutex_unlock(&all_lock);
	if (last)
		sentinels_free(s);
}
