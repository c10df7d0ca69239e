/* messages_post.c - POST /v1/messages: a request's records go to the intake as they arrive; the answer is made where the last is dealt with.
 *
 * The connection's thread hands records in, the pump's says what became of them, and with workers and Prefer: wait the feed's brings their
 * results. They share the submission through its reply (reply.h), which outlives its request if the client leaves in mid-upload.
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

enum { MOST_WAIT_S = 60 };

struct submission {
	struct reply reply;
	struct request *x; /* alive as long as reply_fill asks for its owner */
	const struct post_conf *conf;
	bool lines_body;  /* NDJSON */
	bool results;	  /* answer with the stored records */
	bool async;	  /* the client has said that it does not wait */
	int64_t deadline; /* of workers' results, on clock_mono_ms; 0: nobody waits for workers */
	struct body_lines lines;
	/* The pump's thread's own; the answer comes after. */
	size_t taken;	  /* slots whose records are dealt with */
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

/* Prefer: wait=SECONDS (RFC 7240): how many seconds the client waits for results. With respond-async beside it, it means the same: what is not
 * there by then comes later. */
static uint64_t wants_results(struct request *x)
{
	uint64_t seconds = 0;
	struct str wait = list_preference(request_header_list(x, "Prefer"), "wait");
	if (!wait.p || str_u64(wait, &seconds) < 0)
		return 0;
	return seconds < MOST_WAIT_S ? seconds : MOST_WAIT_S;
}

void post_begin(struct request *x, void *app)
{
	const struct post_conf *conf = app;
	enum body_form form = body_form(x);
	if (form == BODY_OTHER) {
		rest_unsupported(x);
		return;
	}
	uint64_t wait_s = wants_results(x);
	struct submission *s = xcalloc(1, sizeof *s);
	s->x = x;
	s->conf = conf;
	s->lines_body = form == BODY_LINES;
	s->results = wait_s > 0;
	s->async = list_preference(request_header_list(x, "Prefer"), "respond-async").p != NULL;
	s->lines.max_record = conf->max_record;
	if (wait_s && conf->await)
		s->deadline = clock_mono_ms() + (int64_t)wait_s * 1000;
	reply_init(&s->reply, s->lines_body ? REPLY_LINES : REPLY_ONE);
	x->state = s;
	x->drop = drop;
}

/* ---- the answer ---- */

static void unavailable(struct request *x)
{
	request_set(x, "Retry-After", "1");
	request_problem(
	    x, 503, "store_unavailable", "not all records are known to be stored; send them again, under the same ids");
}

static void set_location(struct request *x, struct str id)
{
	struct buf path = {0};
	rest_put_path(&path, id);
	request_set(x, "Location", "%.*s", (int)path.n, path.p);
	buf_free(&path);
}

/* The reply is complete, and the request belongs to this thread. */
static void answer(struct submission *s)
{
	struct request *x = s->x;
	struct reply *r = &s->reply;
	bool results = s->results && !r->late;
	if (r->failed) {
		unavailable(x);
		return;
	}
	if (s->code) {
		request_problem(x, rest_status_of(s->code), s->code, "%.*s", STR_FMT(buf_view(&s->why)));
		return;
	}
	if (!reply_finish(r)) {
		request_problem(x, 507, "no_space", "the records are stored, but the answer does not fit on the disk");
		return;
	}
	if (s->id.n)
		set_location(x, buf_view(&s->id));
	if (results)
		request_set(x, "Preference-Applied", "wait");
	else if (s->async)
		request_set(x, "Preference-Applied", "respond-async");
	x->out = r->out;
	r->out = (struct buf){0};
	x->out_fd = spool_give(&r->spool);
	request_answer(x, results ? 200 : 202, s->lines_body ? MEDIA_NDJSON : MEDIA_JSON);
}

/* A filler is done with its slot. */
static void settle(struct submission *s, enum reply_wake wake)
{
	if (wake == REPLY_COMPLETE)
		answer(s);
	if (wake != REPLY_NOTHING)
		request_resume(s->x);
	release(s, reply_release(&s->reply));
}

/* ---- what became of the records ---- */

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

static void keep_single(struct submission *s, const struct rec *r)
{
	if (r->fate == FATE_OUT) {
		buf_str(&s->id, r->id);
	} else {
		s->code = r->code;
		buf_str(&s->why, r->why);
	}
}

/* From the feed: the stored record, or that the time is over. */
static void on_result(void *caller, size_t slot, struct str record)
{
	struct submission *s = caller;
	settle(s, reply_fill(&s->reply, slot, record));
}

void post_done(struct rec *r, bool ok)
{
	struct submission *s = r->caller;
	size_t slot = s->taken++;
	if (!ok) {
		settle(s, reply_fail(&s->reply, slot));
		return;
	}
	if (s->reply.form == REPLY_ONE)
		keep_single(s, r);
	buf_clear(&s->item);
	put_item(s, r, &s->item);
	if (s->deadline && r->fate == FATE_OUT && reply_put(&s->reply, slot, buf_view(&s->item)))
		await_add(s->conf->await, r->id, r->text, s->deadline, on_result, s, slot);
	else
		settle(s, reply_fill(&s->reply, slot, buf_view(&s->item)));
}

/* ---- handing in ---- */

/* 0, or -1: none of them has been taken, and the request is answered. Lines that were too long are handed in as well, and rejected again. */
static int hand_in(struct submission *s, struct batch *b)
{
	struct str *line = arena_alloc(&b->mem, b->n * sizeof *line);
	struct err e;
	for (size_t i = 0; i < b->n; i++)
		line[i] = b->rec[i].line;
	reply_reserve(&s->reply, line, b->n);
	if (intake_add(s->conf->intake, line, b->n, s, &e) == 0)
		return 0;
	reply_cancel(&s->reply, b->n);
	if (intake_ready(s->conf->intake, &e)) {
		request_set(s->x, "Retry-After", "1");
		request_problem(s->x, 503, "busy", "too many records are waiting to be stored");
	} else {
		unavailable(s->x);
	}
	return -1;
}

bool post_piece(struct request *x, void *app, struct str piece)
{
	const struct post_conf *conf = app;
	struct submission *s = x->state;
	if (!s->lines_body)
		return false;
	struct batch *b = &thread_context_get(conf->threads)->batch;
	batch_reset(b);
	body_lines_add(&s->lines, b, piece, false);
	if (b->n && hand_in(s, b) < 0)
		return true;
	if (reply_loaded(&s->reply)) {
		request_pause(x);
		if (!reply_pause(&s->reply))
			request_resume(x);
	}
	return true;
}

void post_end(struct request *x, void *app)
{
	const struct post_conf *conf = app;
	struct submission *s = x->state;
	struct batch *b = &thread_context_get(conf->threads)->batch;
	bool array = false;
	batch_reset(b);
	if (s->lines_body)
		body_lines_add(&s->lines, b, STR_NONE, true);
	else if (body_json(x, b, conf->max_items, &array) < 0)
		return;
	if (array)
		s->reply.form = REPLY_ARRAY;
	if (b->n && hand_in(s, b) < 0)
		return;
	request_defer(x);
	if (reply_end(&s->reply)) {
		answer(s);
		request_resume(x);
	}
}
