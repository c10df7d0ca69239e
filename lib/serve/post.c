/* post.c - POST /v1/messages: a request's records go to the gatherer as they arrive; the answer is made where they are accepted.
 *
 * The submission is shared by the connection's thread, which hands records in, and the pump's, which tells what became of them. Both hold
 * its lock. It outlives its request where a client leaves in mid-upload.
 */
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/json/write.h"
#include "lib/serve/body.h"
#include "lib/serve/news.h"
#include "lib/serve/rest.h"
#include "lib/serve/spool.h"
#include "lib/serve/submit.h"

/* An upload sleeps while more of its records, bytes or results than that are held for it, and goes on at the half. */
enum { MOST_UNDER_WAY = 4000, MOST_BYTES = 4 << 20, MOST_WAIT_S = 60 };

/* An item of the answer that waits for a worker, or for one before it that does. */
struct awaited {
	struct buf text;
	bool there;
};

struct submission {
	pthread_mutex_t lock;
	struct request *x; /* NULL: the client has gone */
	struct service *service;
	enum body_form form;
	bool array, results; /* answer with the stored records */
	bool async;	     /* the client has said that it does not wait */
	struct body_lines lines;
	size_t under_way, items;
	size_t in_hand, bytes; /* records that are not accepted yet, and about what they measure */
	bool whole;	       /* all has been handed in */
	bool waiting;	       /* the request sleeps until the last record is done */
	bool paused;	       /* it sleeps until some are */
	bool failed;
	unsigned status; /* of a single record that was rejected */
	struct buf out, id;
	struct spool spool;
	struct err no_space;
	/* Where workers score and the client waits: the results come in any order, so each has a place of its own. */
	int64_t deadline; /* on clock_mono_ms; 0: nobody waits for workers */
	struct awaited *result;
	size_t nresults, told, gone; /* told: so many are in the answer; gone: so many stand in the array no more */
	bool late;		     /* one has not come in time */
};

static void submission_free(struct submission *s)
{
	pthread_mutex_destroy(&s->lock);
	body_lines_free(&s->lines);
	for (size_t i = 0; i < s->nresults; i++)
		buf_free(&s->result[i].text);
	free(s->result);
	buf_free(&s->out);
	buf_free(&s->id);
	spool_free(&s->spool);
	free(s);
}

static void drop(void *state)
{
	struct submission *s = state;
	pthread_mutex_lock(&s->lock);
	s->x = NULL;
	bool last = s->under_way == 0;
	pthread_mutex_unlock(&s->lock);
	if (last)
		submission_free(s);
}

/* Prefer: wait=SECONDS (RFC 7240): how many seconds the client waits for results. With respond-async beside it, it means the same: what is not
 * there by then comes later. */
static uint64_t wants_results(const struct request *x)
{
	uint64_t seconds = 0;
	struct str wait = rest_preference(x, "wait");
	if (!wait.p || str_u64(wait, &seconds) < 0)
		return 0;
	return seconds < MOST_WAIT_S ? seconds : MOST_WAIT_S;
}

void post_begin(struct request *x, void *app)
{
	struct service *service = app;
	enum body_form form = body_form(x);
	if (form == BODY_OTHER) {
		rest_unsupported(x);
		return;
	}
	uint64_t wait_s = wants_results(x);
	struct submission *s = xcalloc(1, sizeof *s);
	*s = (struct submission){.x = x, .service = service, .form = form, .results = wait_s > 0, .spool = SPOOL_INIT};
	s->async = rest_preference(x, "respond-async").p != NULL;
	s->lines.max_record = service->limits.max_record;
	if (wait_s && service->ends.queue)
		s->deadline = clock_mono_ms() + (int64_t)wait_s * 1000;
	pthread_mutex_init(&s->lock, NULL);
	x->state = s;
	x->drop = drop;
}

/* ---- what became of them ---- */

static void put_item(const struct submission *s, const struct rec *r, struct buf *out)
{
	if (r->fate == FATE_OUT && s->results && !s->deadline) {
		rec_put(out, r);
	} else if (r->fate == FATE_OUT) {
		buf_str(out, STR("{\"id\":"));
		json_put_string(out, r->id);
		buf_char(out, '}');
	} else {
		buf_str(out, STR("{\"error\":{\"code\":"));
		json_put_string(out, str_of(r->code));
		buf_str(out, STR(",\"message\":"));
		json_put_lossy(out, r->why);
		buf_str(out, STR("}}"));
	}
}

/* What stands before and behind each item. */
static void begin_item(struct submission *s)
{
	if (s->array)
		buf_char(&s->out, s->items ? ',' : '[');
	s->items++;
}

static void end_item(struct submission *s)
{
	if (s->form == BODY_LINES)
		buf_char(&s->out, '\n');
}

static void on_result(void *caller, size_t item, struct str record);

/* NDJSON of any length: what is in memory of its answer is bounded. */
static void spool(struct submission *s)
{
	if (s->form == BODY_LINES && !s->no_space.msg[0] && spool_take(&s->spool, &s->out, false, &s->no_space) < 0)
		log_error("cannot keep an answer", "error", s->no_space.msg, NULL);
}

/* Results go into the answer as soon as all before them are there. */
static void tell_results(struct submission *s)
{
	while (s->told < s->nresults && s->result[s->told].there) {
		struct awaited *r = &s->result[s->told++];
		begin_item(s);
		buf_str(&s->out, buf_view(&r->text));
		end_item(s);
		buf_free(&r->text);
		spool(s);
	}
	if (s->told * 2 > s->nresults) {
		s->nresults -= s->told;
		memmove(s->result, s->result + s->told, s->nresults * sizeof *s->result);
		s->gone += s->told;
		s->told = 0;
	}
}

/* The record is in the queue; its item is what the worker makes of it. Until that comes, or does not, it is under way. */
static void expect(struct submission *s, const struct rec *r)
{
	if (s->nresults % 64 == 0)
		s->result = xreallocarray(s->result, s->nresults + 64, sizeof *s->result);
	struct awaited *item = &s->result[s->nresults++];
	*item = (struct awaited){.there = r->fate != FATE_OUT};
	put_item(s, r, &item->text);
	if (r->fate == FATE_OUT)
		s->under_way++;
	tell_results(s);
}

static void add_item(struct submission *s, const struct rec *r)
{
	bool one = s->form == BODY_JSON && !s->array;
	if (one && r->fate == FATE_REJECTED) {
		s->status = rest_status_of(r->code);
		rest_problem(s->x, r);
		return;
	}
	if (s->deadline) {
		expect(s, r);
	} else {
		begin_item(s);
		put_item(s, r, &s->out);
		end_item(s);
		spool(s);
	}
	if (one) {
		buf_clear(&s->id);
		buf_str(&s->id, r->id);
	}
}

static void unavailable(struct request *x)
{
	request_set(x, "Retry-After", "1");
	request_problem(
	    x, 503, "store_unavailable", "not all records are known to be stored; send them again, under the same ids");
}

static void answer(struct submission *s)
{
	struct request *x = s->x;
	if (s->failed) {
		unavailable(x);
		return;
	}
	if (s->status)
		return;
	bool results = s->results && !s->late;
	if (s->form == BODY_LINES && (s->no_space.msg[0] || spool_take(&s->spool, &s->out, true, &s->no_space) < 0)) {
		request_problem(x, 507, "no_space", "the records are stored, but the answer does not fit on the disk");
		return;
	}
	if (s->array)
		buf_str(&s->out, s->items ? STR("]\n") : STR("[]\n"));
	else if (s->form == BODY_JSON)
		buf_char(&s->out, '\n');
	if (s->id.n) {
		struct buf path = {0};
		rest_put_path(&path, buf_view(&s->id));
		request_set(x, "Location", "%.*s", STR_FMT(buf_view(&path)));
		buf_free(&path);
	}
	if (results)
		request_set(x, "Preference-Applied", "wait");
	else if (s->async)
		request_set(x, "Preference-Applied", "respond-async");
	x->out = s->out;
	s->out = (struct buf){0};
	x->out_fd = spool_give(&s->spool);
	request_answer(x, results ? 200 : 202, s->form == BODY_LINES ? MEDIA_NDJSON : MEDIA_JSON);
}

static bool holds_more_than(const struct submission *s, size_t part)
{
	return s->under_way > MOST_UNDER_WAY / part || s->nresults - s->told > MOST_UNDER_WAY / part ||
	       s->bytes > MOST_BYTES / part;
}

/* One record less is under way. Called with the lock held, which it gives back; the submission may be gone afterwards. */
static void settle(struct submission *s)
{
	struct request *wake = NULL;
	s->under_way--;
	if (s->waiting && s->under_way == 0) {
		answer(s);
		wake = s->x;
	} else if (s->paused && !holds_more_than(s, 2)) {
		s->paused = false;
		wake = s->x;
	}
	bool last = !s->x && s->under_way == 0;
	pthread_mutex_unlock(&s->lock);
	if (wake)
		request_resume(wake);
	if (last)
		submission_free(s);
}

void post_done(struct rec *r, bool ok)
{
	struct submission *s = r->caller;
	pthread_mutex_lock(&s->lock);
	size_t item = s->gone + s->nresults;
	bool expected = s->x && ok && s->deadline && r->fate == FATE_OUT;
	s->bytes -= s->bytes / s->in_hand--;
	if (s->x && ok)
		add_item(s, r);
	s->failed |= !ok;
	struct service *service = s->service;
	int64_t deadline = s->deadline;
	if (expected) {
		pthread_mutex_unlock(&s->lock);
		news_expect(service->news, r->id, r->text, deadline, on_result, s, item);
		pthread_mutex_lock(&s->lock);
	}
	settle(s);
}

/* From the news: the stored record, or that the time is over. */
static void on_result(void *caller, size_t item, struct str record)
{
	struct submission *s = caller;
	pthread_mutex_lock(&s->lock);
	struct awaited *r = &s->result[item - s->gone];
	if (record.p) {
		buf_clear(&r->text);
		buf_str(&r->text, record);
	} else {
		s->late = true;
	}
	r->there = true;
	tell_results(s);
	settle(s);
}

/* ---- handing in ---- */

/* Rejections that were made while lines were cut have no line to hand in: they are told in their place, behind what is under way. */
static int hand_in(struct submission *s, struct batch *b)
{
	struct str *line = arena_alloc(&b->mem, b->n * sizeof *line);
	struct err e;
	size_t bytes = 0;
	for (size_t i = 0; i < b->n; i++) {
		line[i] = b->rec[i].line;
		bytes += line[i].n;
	}
	pthread_mutex_lock(&s->lock);
	s->under_way += b->n;
	s->in_hand += b->n;
	s->bytes += bytes;
	pthread_mutex_unlock(&s->lock);
	if (submit_add(s->service->submit, line, b->n, s, &e) == 0)
		return 0;
	pthread_mutex_lock(&s->lock);
	s->under_way -= b->n;
	s->in_hand -= b->n;
	s->bytes = s->in_hand && s->bytes > bytes ? s->bytes - bytes : 0;
	pthread_mutex_unlock(&s->lock);
	return -1;
}

/* None of what was just handed in has been taken. */
static void refused(struct request *x, struct service *s)
{
	struct err ignored;
	if (!submit_ready(s->submit, &ignored)) {
		unavailable(x);
		return;
	}
	request_set(x, "Retry-After", "1");
	request_problem(x, 503, "busy", "too many records are waiting to be stored");
}

bool post_piece(struct request *x, void *app, struct str piece)
{
	struct submission *s = x->state;
	if (s->form != BODY_LINES)
		return false;
	struct batch *b = &service_worker(app)->batch;
	batch_reset(b);
	body_lines_add(&s->lines, b, piece, false);
	if (b->n && hand_in(s, b) < 0) {
		refused(x, app);
		return true;
	}
	pthread_mutex_lock(&s->lock);
	if (holds_more_than(s, 1)) {
		s->paused = true;
		request_pause(x);
	}
	pthread_mutex_unlock(&s->lock);
	return true;
}

void post_end(struct request *x, void *app)
{
	struct submission *s = x->state;
	struct service *service = app;
	struct batch *b = &service_worker(service)->batch;
	batch_reset(b);
	if (s->form == BODY_LINES)
		body_lines_add(&s->lines, b, STR_NONE, true);
	else if (body_json(x, b, service->max_items, &s->array) < 0)
		return;
	if (b->n && hand_in(s, b) < 0) {
		refused(x, app);
		return;
	}
	pthread_mutex_lock(&s->lock);
	s->waiting = s->under_way > 0;
	if (s->waiting)
		request_defer(x);
	else
		answer(s);
	pthread_mutex_unlock(&s->lock);
}
