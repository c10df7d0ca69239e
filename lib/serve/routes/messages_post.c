/* messages_post.c - POST /v1/messages: a request's records go to the intake as they arrive; whoever completes the last
 * makes the answer.
 *
 * The connection's thread hands records in, the pump's reports their fates, and with workers and Prefer: wait the
 * feed's brings their results. They share the submission through its reply (reply.h), which outlives the request if the
 * client leaves in mid-upload.
 */
#include "lib/base/clock.h"
#include "lib/http/lists.h"
#include "lib/json/write.h"
#include "lib/serve/await.h"
#include "lib/serve/body.h"
#include "lib/serve/intake.h"
#include "lib/serve/reply.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/thread_context.h"
#include "lib/serve/work.h"

enum { MOST_WAIT_S = 60, SLICE = 256 << 10 };

struct submission {
	struct intake_caller caller;
	struct reply reply;
	struct request *request; /* alive while reply_fill asks for its owner */
	const struct post_conf *conf;
	bool lines_body;  /* NDJSON */
	bool results;	  /* answer with the stored records */
	bool async;	  /* the client does not wait */
	int64_t deadline; /* for workers' results, on clock_mono_ms; 0: not waited for */
	struct body_lines lines;
	size_t kept; /* of the request's memory */
	/* Written by the pump's thread, before the answer. */
	size_t taken;	  /* slots whose records are done */
	struct buf item;  /* scratch */
	struct buf id;	  /* of a single record that was taken in */
	const char *code; /* of a single record that was rejected, */
	struct buf why;	  /* and the reason */
};

static void release(struct submission *s, bool last)
{
	if (!last)
		return;
	reply_free(&s->reply);
	body_lines_free(&s->lines);
	buf_free(&s->item);
	buf_free(&s->id);
	buf_free(&s->why);
	free(s);
}

static void drop(void *state)
{
	struct submission *s = state;
	release(s, reply_leave(&s->reply));
}

/* Prefer: wait=SECONDS (RFC 7240): how many seconds the client waits for results. respond-async beside it changes
 * nothing: what is not there by then comes later. */
static uint64_t wants_results(struct request *r)
{
	uint64_t seconds = 0;
	struct str wait = list_preference(request_header_list(r, "Prefer"), "wait");
	if (!wait.p || str_u64(wait, &seconds) < 0)
		return 0;
	return seconds < MOST_WAIT_S ? seconds : MOST_WAIT_S;
}

static void post_done(struct rec *rec, bool ok);

void post_begin(struct request *r, void *app)
{
	const struct post_conf *conf = app;
	enum body_form form = body_form(r);
	if (form == BODY_OTHER) {
		rest_unsupported(r);
		return;
	}
	uint64_t wait_s = wants_results(r);
	struct submission *s = xcalloc(1, sizeof *s);
	s->caller.done = post_done;
	s->request = r;
	s->conf = conf;
	s->lines_body = form == BODY_LINES;
	s->results = wait_s > 0;
	s->async = list_preference(request_header_list(r, "Prefer"), "respond-async").p != NULL;
	s->lines.max_record = conf->max_record;
	if (wait_s && conf->await)
		s->deadline = clock_mono_ms() + (int64_t)wait_s * 1000;
	reply_init(&s->reply, s->lines_body ? REPLY_LINES : REPLY_ONE, conf->memory, conf->spools);
	r->state = s;
	r->drop = drop;
}

/* ---- the answer ---- */

static void unavailable(struct request *r)
{
	request_set(r, "Retry-After", "1");
	request_problem(
	    r, 503, "store_unavailable", "not all records are known to be stored; send them again, under the same ids");
}

static void set_location(struct request *r, struct str id)
{
	struct buf path = {0};
	rest_put_path(&path, id);
	request_set(r, "Location", "%.*s", (int)path.n, path.p);
	buf_free(&path);
}

/* The reply is complete, and the request belongs to this thread. */
static void answer(struct submission *s)
{
	struct request *r = s->request;
	struct reply *reply = &s->reply;
	bool results = s->results && !reply->late;
	if (reply->failed) {
		unavailable(r);
		return;
	}
	if (s->code) {
		request_problem(r, rest_status_of(s->code), s->code, "%.*s", STR_FMT(buf_view(&s->why)));
		return;
	}
	if (!reply_finish(reply, &r->out, &r->spool)) {
		request_problem(r, 507, "no_space", "the records are stored, but the answer does not fit on the disk");
		return;
	}
	if (s->id.n)
		set_location(r, buf_view(&s->id));
	if (results)
		request_set(r, "Preference-Applied", "wait");
	else if (s->async)
		request_set(r, "Preference-Applied", "respond-async");
	request_answer(r, results ? 200 : 202, s->lines_body ? MEDIA_NDJSON : MEDIA_JSON);
}

/* A filler is done with its slot. */
static void settle(struct submission *s, enum reply_wake wake)
{
	if (wake == REPLY_COMPLETE)
		answer(s);
	if (wake != REPLY_NOTHING)
		request_resume(s->request);
	release(s, reply_release(&s->reply));
}

/* ---- what became of the records ---- */

static void put_item(const struct submission *s, const struct rec *rec, struct buf *out)
{
	if (rec->fate == FATE_OUT && s->results && !s->deadline) {
		rec_put(out, rec);
	} else if (rec->fate == FATE_OUT) {
		buf_str(out, STR("{\"id\":"));
		json_put_string(out, rec->id);
		buf_char(out, '}');
	} else {
		buf_str(out, STR("{\"error\":{\"code\":"));
		json_put_string(out, str_of(rec->code));
		buf_str(out, STR(",\"message\":"));
		json_put_lossy(out, rec->why);
		buf_str(out, STR("}}"));
	}
}

static void keep_single(struct submission *s, const struct rec *rec)
{
	if (rec->fate == FATE_OUT) {
		buf_str(&s->id, rec->id);
	} else {
		s->code = rec->code;
		buf_str(&s->why, rec->why);
	}
}

/* Called by the feed: the stored record, or p NULL when the time is over. */
static void on_result(void *caller, size_t slot, struct str record)
{
	struct submission *s = caller;
	settle(s, reply_fill(&s->reply, slot, record));
}

static void post_done(struct rec *rec, bool ok)
{
	struct submission *s = rec->caller;
	size_t slot = s->taken++;
	if (!ok) {
		settle(s, reply_fail(&s->reply, slot));
		return;
	}
	if (s->reply.form == REPLY_ONE)
		keep_single(s, rec);
	buf_clear(&s->item);
	put_item(s, rec, &s->item);
	bool waits = s->deadline && rec->fate == FATE_OUT && reply_put(&s->reply, slot, buf_view(&s->item));
	/* Without memory for the wait, answer as if it were over. */
	if (!waits || !await_add(s->conf->await, rec->id, rec->text, s->deadline, on_result, s, slot))
		settle(s, reply_fill(&s->reply, slot, waits ? STR_NONE : buf_view(&s->item)));
}

/* ---- handing in ---- */

/* 0, or -1 with the request answered and none taken. Lines that are too long are handed in too, and rejected again. */
static int hand_in(struct submission *s, const struct str *line, size_t n)
{
	struct err e;
	if (n == 0)
		return 0;
	if (!reply_reserve(&s->reply, line, n)) {
		request_busy(s->request);
		return -1;
	}
	if (intake_add(s->conf->intake, line, n, s, &e) == 0)
		return 0;
	reply_cancel(&s->reply, n);
	if (intake_ready(s->conf->intake, &e)) {
		request_set(s->request, "Retry-After", "1");
		request_problem(s->request, 503, "busy", "too many records are waiting to be stored");
	} else {
		unavailable(s->request);
	}
	return -1;
}

static struct str *lines_of(struct batch *b)
{
	struct str *line = arena_alloc(&b->mem, b->n * sizeof *line);
	for (size_t i = 0; i < b->n; i++)
		line[i] = b->rec[i].line;
	return line;
}

/* Counts what is kept: part of an incomplete line, or the lines of an array. 0, or -1 with the request answered. */
static int hold_kept(struct submission *s, const struct buf *kept)
{
	size_t now = kept->cap;
	if (now > s->kept && !request_hold(s->request, now - s->kept)) {
		request_busy(s->request);
		return -1;
	}
	if (now < s->kept)
		request_unhold(s->request, s->kept - now);
	s->kept = now;
	return 0;
}

bool post_piece(struct request *r, void *app, struct str piece)
{
	const struct post_conf *conf = app;
	struct submission *s = r->state;
	if (!s->lines_body)
		return false;
	struct thread_context *t = thread_context_get(conf->threads);
	batch_reset(&t->batch);
	body_lines_add(&s->lines, &t->batch, piece, false);
	if (hold_kept(s, &s->lines.rest) < 0 || hand_in(s, lines_of(&t->batch), t->batch.n) < 0)
		return true;
	thread_context_trim(t);
	if (reply_loaded(&s->reply)) {
		request_pause(r);
		if (!reply_pause(&s->reply))
			request_resume(r);
	}
	return true;
}

/* Hands in the records of a JSON body, all together once the body has been checked to its end. Until then only their
 * lines are kept: records take ten times as much. */
static int hand_in_records(struct submission *s, struct batch *b)
{
	struct body_records records = {0};
	struct buf lines = {0};
	int rc = body_records_begin(&records, s->request, s->conf->max_items), more = 1;
	while (rc == 0 && more) {
		more = rc = body_records_next(&records, s->request, b, SLICE);
		rc = rc < 0 ? -1 : 0;
		buf_add(&lines, (const char *)lines_of(b), b->n * sizeof(struct str));
		if (rc == 0)
			rc = hold_kept(s, &lines);
		batch_reset(b);
	}
	if (records.array)
		s->reply.form = REPLY_ARRAY;
	if (rc == 0)
		rc = hand_in(s, (const struct str *)(const void *)lines.p, lines.n / sizeof(struct str));
	body_records_free(&records);
	buf_free(&lines);
	(void)hold_kept(s, &lines); /* nothing is held now */
	return rc;
}

/* Hands in the rest of the body: 0, or -1 with the request answered. */
static int hand_in_rest(struct submission *s, struct batch *b)
{
	if (!s->lines_body)
		return hand_in_records(s, b);
	body_lines_add(&s->lines, b, STR_NONE, true);
	return hand_in(s, lines_of(b), b->n);
}

/* The request is deferred and belongs to this thread. True: the caller resumes it. */
static bool hand_over(struct submission *s)
{
	struct thread_context *t = thread_context_get(s->conf->threads);
	batch_reset(&t->batch);
	bool answered = hand_in_rest(s, &t->batch) < 0;
	thread_context_trim(t);
	if (answered)
		return true;
	request_free_body(s->request);
	if (!reply_end(&s->reply))
		return false;
	answer(s);
	return true;
}

static enum work_result work_slice_of(struct request *r, void *app)
{
	(void)app;
	return hand_over(r->state) ? WORK_DONE : WORK_ELSEWHERE;
}

void post_end(struct request *r, void *app)
{
	const struct post_conf *conf = app;
	request_defer(r);
	if (r->body.n > WORK_FROM)
		work_pool_do(conf->pool, r, work_slice_of);
	else if (hand_over(r->state))
		request_resume(r);
}
