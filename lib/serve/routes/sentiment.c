/* sentiment.c - POST /v1/sentiment: scores now, and stores nothing.
 *
 * Small bodies are scored in the connection's own thread, large ones in the pool of `work`; both slice by slice, so
 * that neither a long array nor its answer, which may be many times longer, is in memory as a whole.
 */
#include "lib/base/clock.h"
#include "lib/serve/body.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/thread_context.h"
#include "lib/serve/work.h"

enum { SLICE = 32 << 10, LINES_SLICE = 16 << 10, SPOOL_WAIT_MS = 5000 };

struct scoring {
	const struct model *model;
	bool explain, as_lines;
	bool ended; /* the whole body is here */
	bool more;  /* some of what has come is not scored yet */
	size_t held, arrived;
	int64_t stalled_until; /* 0: the answer so far is stored */
	struct body_lines lines;
	struct buf piece; /* lines; those before `at` are scored */
	size_t at;
	struct body_records records;
};

static void drop(void *state)
{
	struct scoring *s = state;
	body_lines_free(&s->lines);
	body_records_free(&s->records);
	buf_free(&s->piece);
	free(s);
}

void sentiment_begin(struct request *r, void *app)
{
	struct sentiment_conf *conf = app;
	struct err e;
	enum body_form form = body_form(r);
	bool explain = false;
	if (form == BODY_OTHER) {
		rest_unsupported(r);
		return;
	}
	if (!rest_query_bool(r, "explain", &explain))
		return;
	struct str spec = request_query(r, "model");
	const struct model *model = spec.p ? models_find(conf->models, spec, &e) : models_default(conf->models);
	if (!model) {
		request_problem(r, 400, "unknown_model", "%s", e.msg);
		return;
	}
	struct scoring *s = xcalloc(1, sizeof *s);
	*s = (struct scoring){.model = model, .explain = explain, .as_lines = form == BODY_LINES};
	s->lines.max_record = conf->max_record;
	r->state = s;
	r->drop = drop;
}

/* ---- a slice ---- */

/* Counts the memory of waiting lines: 0, or -1 with the request answered. */
static int hold_lines(struct request *r, struct scoring *s)
{
	size_t now = s->piece.cap + s->lines.rest.cap;
	if (now > s->held && !request_hold(r, now - s->held)) {
		request_busy(r);
		return -1;
	}
	if (now < s->held)
		request_unhold(r, s->held - now);
	s->held = now;
	return 0;
}

/* As body_records_next. */
static int next_lines(struct request *r, struct scoring *s, struct batch *b)
{
	size_t left = s->piece.n - s->at, n = left < LINES_SLICE ? left : LINES_SLICE;
	struct str slice = n ? (struct str){s->piece.p + s->at, n} : STR_NONE;
	body_lines_add(&s->lines, b, slice, s->ended && n == left);
	s->at += n;
	if (n == left) {
		buf_free(&s->piece);
		s->at = 0;
	}
	return hold_lines(r, s) < 0 ? -1 : n < left;
}

static void reject_long(struct batch *b, size_t max_record)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].line.n > max_record)
			rec_reject(b, &b->rec[i], CODE_TOO_LONG, "the record has more than %zu bytes", max_record);
}

/* Appends a record as a filter writes it, or its reject object. */
static void put_record(struct buf *out, const struct rec *rec)
{
	if (rec->fate == FATE_OUT)
		rec_put(out, rec);
	else
		rec_put_reject(out, rec, "senti-serve");
}

static void put_all(struct request *r, const struct scoring *s, const struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		if (!s->as_lines && b->rec[i].lineno > 1)
			buf_char(&r->out, ',');
		put_record(&r->out, &b->rec[i]);
		if (s->as_lines)
			buf_char(&r->out, '\n');
	}
	if (!s->as_lines && !s->more)
		buf_str(&r->out, STR("]\n"));
}

static void answer_one(struct request *r, const struct rec *rec)
{
	if (rec->fate == FATE_OUT) {
		rec_put(&r->out, rec);
		buf_char(&r->out, '\n');
		request_answer(r, 200, MEDIA_JSON);
		return;
	}
	rest_problem(r, rec);
}

/* Scores the next records. False: the request is answered. */
static bool score(struct request *r, struct sentiment_conf *conf, struct scoring *s)
{
	struct thread_context *t = thread_context_get(conf->threads);
	struct batch *b = &t->batch;
	batch_reset(b);
	int more = s->as_lines ? next_lines(r, s, b) : body_records_next(&s->records, r, b, SLICE);
	if (more < 0)
		return false;
	s->more = more > 0;
	reject_long(b, conf->max_record);
	thread_context_score(t, b, s->model, s->explain);
	if (s->as_lines || s->records.array)
		put_all(r, s, b);
	else
		answer_one(r, &b->rec[0]);
	thread_context_trim(t);
	return !request_answered(r);
}

/* Stores the answer so far. While others fill the temporary files the client waits, but not for long, since they may
 * wait for each other. */
static enum work_result keep_answer(struct request *r, struct scoring *s)
{
	bool again, end = s->ended && !s->more;
	int64_t now = s->stalled_until ? clock_mono_ms() : 0;
	if (request_spool(r, end, now && now >= s->stalled_until ? NULL : &again)) {
		s->stalled_until = 0;
		return WORK_MORE;
	}
	if (request_answered(r))
		return WORK_DONE;
	if (!s->stalled_until)
		s->stalled_until = clock_mono_ms() + SPOOL_WAIT_MS;
	return WORK_STALLED;
}

static enum work_result step(struct request *r, struct sentiment_conf *conf)
{
	struct scoring *s = r->state;
	if (!s->stalled_until && !score(r, conf, s))
		return WORK_DONE;
	enum work_result kept = keep_answer(r, s);
	if (kept != WORK_MORE || s->more)
		return kept;
	if (s->ended) {
		request_free_body(r);
		request_answer(r, 200, s->as_lines ? MEDIA_NDJSON : MEDIA_JSON);
	}
	return WORK_DONE;
}

/* In a thread of the pool. */
static enum work_result work_slice_of(struct request *r, void *app)
{
	struct scoring *s = r->state;
	if (!s->ended || !request_gone(r))
		return step(r, app);
	request_set(r, "Retry-After", "1");
	request_problem(r, 503, "client_gone", "the client has closed the connection");
	return WORK_DONE;
}

/* ---- as it comes ---- */

/* True if the work is done. False: it takes longer, and is for the pool. */
static bool work_here(struct request *r, struct sentiment_conf *conf)
{
	enum work_result result;
	while ((result = step(r, conf)) == WORK_MORE)
		;
	return result == WORK_DONE;
}

static bool is_large(const struct scoring *s)
{
	return s->arrived > WORK_FROM;
}

bool sentiment_piece(struct request *r, void *app, struct str piece)
{
	struct sentiment_conf *conf = app;
	struct scoring *s = r->state;
	if (!s->as_lines)
		return false;
	s->arrived += piece.n;
	buf_str(&s->piece, piece);
	if (hold_lines(r, s) < 0 || (is_large(s) && s->piece.n < WORK_FROM))
		return true;
	if (is_large(s) || !work_here(r, conf)) {
		request_pause(r);
		work_pool_do(conf->pool, r, work_slice_of);
	}
	return true;
}

void sentiment_end(struct request *r, void *app)
{
	struct sentiment_conf *conf = app;
	struct scoring *s = r->state;
	s->ended = true;
	if (!s->as_lines) {
		s->arrived = r->body.n;
		if (body_records_begin(&s->records, r, conf->max_items) < 0)
			return;
		if (s->records.array)
			buf_char(&r->out, '[');
	}
	if (is_large(s) || !work_here(r, conf)) {
		request_defer(r);
		work_pool_do(conf->pool, r, work_slice_of);
	}
}
