/* reply.c - joins ordered slots to one answer. */
#include "lib/serve/reply.h"

#include "lib/base/log.h"

void reply_init(struct reply *r, enum reply_form form, struct budget *memory, struct spools *spools)
{
	*r = (struct reply){.form = form, .spool = SPOOL_OF(spools), .memory.of = memory};
	pthread_mutex_init(&r->lock, NULL);
	atomic_init(&r->references, 1);
}

bool reply_release(struct reply *r)
{
	return atomic_fetch_sub(&r->references, 1) == 1;
}

void reply_free(struct reply *r)
{
	for (size_t i = r->told; i < r->nslots; i++)
		buf_free(&r->slot[i].text);
	free(r->slot);
	buf_free(&r->out);
	spool_free(&r->spool);
	share_release(&r->memory);
	pthread_mutex_destroy(&r->lock);
}

/* ---- slots; the lock is held ---- */

static bool holds_more_than(const struct reply *r, size_t part)
{
	return r->nslots - r->told > REPLY_ITEMS / part || r->bytes > REPLY_BYTES / part;
}

/* ---- memory; the lock is held ---- */

static void recount(struct reply *r)
{
	size_t now = r->room * sizeof *r->slot + r->texts + r->out.cap;
	if (now > r->memory.held)
		share_add(&r->memory, now - r->memory.held);
	else if (now < r->memory.held)
		share_give(&r->memory, r->memory.held - now);
}

/* Room for n more slots. */
static bool grow(struct reply *r, size_t n)
{
	size_t room = r->nslots + n > 2 * r->room ? r->nslots + n : 2 * r->room;
	if (r->nslots + n <= r->room)
		return true;
	if (!share_take(&r->memory, (room - r->room) * sizeof *r->slot))
		return false;
	r->room = room;
	r->slot = xreallocarray(r->slot, r->room, sizeof *r->slot);
	return true;
}

static void set_text(struct reply *r, struct reply_slot *s, struct str text)
{
	r->texts -= s->text.cap;
	buf_clear(&s->text);
	buf_str(&s->text, text);
	r->texts += s->text.cap;
}

static void free_text(struct reply *r, struct reply_slot *s)
{
	r->texts -= s->text.cap;
	buf_free(&s->text);
}

/* What a slow client leaves unread goes to a file. */
static void keep(struct reply *r, bool end)
{
	if (!r->no_space.msg[0] && spool_take(&r->spool, &r->out, end, &r->no_space) != SPOOL_DONE) {
		log_error("cannot keep an answer", "error", r->no_space.msg, NULL);
		buf_free(&r->out);
	}
	if (r->no_space.msg[0])
		buf_clear(&r->out);
}

static void tell(struct reply *r, struct str text)
{
	if (r->owner == REPLY_GONE)
		return;
	if (r->form == REPLY_ARRAY)
		buf_char(&r->out, r->items ? ',' : '[');
	buf_str(&r->out, text);
	r->items++;
	if (r->form == REPLY_LINES)
		buf_char(&r->out, '\n');
	if (r->form != REPLY_ONE)
		keep(r, false);
}

/* Appends all full slots before the first open one. */
static void tell_full(struct reply *r)
{
	while (r->told < r->nslots && r->slot[r->told].full) {
		struct reply_slot *s = &r->slot[r->told++];
		tell(r, buf_view(&s->text));
		free_text(r, s);
	}
	if (r->told * 2 > r->nslots) {
		r->nslots -= r->told;
		memmove(r->slot, r->slot + r->told, r->nslots * sizeof *r->slot);
		r->gone += r->told;
		r->told = 0;
	}
}

static struct reply_slot *taken(struct reply *r, size_t number)
{
	struct reply_slot *s = &r->slot[number - r->gone];
	r->bytes -= s->bytes;
	s->bytes = 0;
	return s;
}

static enum reply_wake close_slot(struct reply *r, struct reply_slot *s)
{
	s->full = true;
	r->open--;
	tell_full(r);
	recount(r);
	enum reply_wake wake = r->owner == REPLY_WAITS && r->open == 0		    ? REPLY_COMPLETE
			       : r->owner == REPLY_PAUSED && !holds_more_than(r, 2) ? REPLY_READ_ON
										    : REPLY_NOTHING;
	if (wake)
		r->owner = REPLY_RUNS;
	return wake;
}

/* ---- the owner ---- */

bool reply_reserve(struct reply *r, const struct str *record, size_t n)
{
	pthread_mutex_lock(&r->lock);
	if (!grow(r, n)) {
		pthread_mutex_unlock(&r->lock);
		return false;
	}
	atomic_fetch_add(&r->references, n);
	for (size_t i = 0; i < n; i++) {
		r->slot[r->nslots++] = (struct reply_slot){.bytes = record[i].n};
		r->bytes += record[i].n;
	}
	r->open += n;
	pthread_mutex_unlock(&r->lock);
	return true;
}

void reply_cancel(struct reply *r, size_t n)
{
	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < n; i++)
		r->bytes -= r->slot[--r->nslots].bytes;
	r->open -= n;
	pthread_mutex_unlock(&r->lock);
	atomic_fetch_sub(&r->references, n);
}

bool reply_loaded(struct reply *r)
{
	pthread_mutex_lock(&r->lock);
	bool loaded = holds_more_than(r, 1);
	pthread_mutex_unlock(&r->lock);
	return loaded;
}

bool reply_pause(struct reply *r)
{
	pthread_mutex_lock(&r->lock);
	bool sleeps = holds_more_than(r, 2);
	if (sleeps)
		r->owner = REPLY_PAUSED;
	pthread_mutex_unlock(&r->lock);
	return sleeps;
}

bool reply_end(struct reply *r)
{
	pthread_mutex_lock(&r->lock);
	bool complete = r->open == 0;
	if (!complete)
		r->owner = REPLY_WAITS;
	pthread_mutex_unlock(&r->lock);
	return complete;
}

bool reply_leave(struct reply *r)
{
	pthread_mutex_lock(&r->lock);
	r->owner = REPLY_GONE;
	pthread_mutex_unlock(&r->lock);
	return reply_release(r);
}

bool reply_finish(struct reply *r, struct buf *out, struct spool *spool)
{
	if (r->form == REPLY_ARRAY)
		buf_str(&r->out, r->items ? STR("]\n") : STR("[]\n"));
	else if (r->form == REPLY_ONE)
		buf_char(&r->out, '\n');
	if (r->form != REPLY_ONE)
		keep(r, true);
	*out = r->out;
	*spool = r->spool;
	r->out = (struct buf){0};
	r->spool = SPOOL_OF(r->spool.all);
	recount(r);
	return !r->no_space.msg[0];
}

/* ---- fillers ---- */

bool reply_put(struct reply *r, size_t slot, struct str text)
{
	pthread_mutex_lock(&r->lock);
	bool wanted = r->owner != REPLY_GONE;
	set_text(r, taken(r, slot), text);
	recount(r);
	pthread_mutex_unlock(&r->lock);
	return wanted;
}

enum reply_wake reply_fill(struct reply *r, size_t slot, struct str text)
{
	pthread_mutex_lock(&r->lock);
	struct reply_slot *s = taken(r, slot);
	if (!text.p) {
		r->late = true;
	} else if (s == &r->slot[r->told]) { /* no copy: all before it are full */
		tell(r, text);
		free_text(r, s);
		r->told++;
	} else {
		set_text(r, s, text);
	}
	enum reply_wake wake = close_slot(r, s);
	pthread_mutex_unlock(&r->lock);
	return wake;
}

enum reply_wake reply_fail(struct reply *r, size_t slot)
{
	pthread_mutex_lock(&r->lock);
	r->failed = true;
	enum reply_wake wake = close_slot(r, taken(r, slot));
	pthread_mutex_unlock(&r->lock);
	return wake;
}
