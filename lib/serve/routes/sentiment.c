/* sentiment.c - POST /v1/sentiment: scores now, in the connection's own thread, and stores nothing. */
#include "lib/serve/body.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"
#include "lib/serve/spool.h"
#include "lib/serve/thread_context.h"

enum { RESULT_ROOM = 160 }; /* a result is mostly shorter */

struct scoring {
	const struct model *model;
	bool explain, as_lines;
	struct body_lines lines;
	struct spool spool;
};

static void drop(void *state)
{
	struct scoring *s = state;
	body_lines_free(&s->lines);
	spool_free(&s->spool);
	free(s);
}

void sentiment_begin(struct request *x, void *app)
{
	struct sentiment_conf *conf = app;
	struct err e;
	enum body_form form = body_form(x);
	bool explain = false;
	if (form == BODY_OTHER) {
		rest_unsupported(x);
		return;
	}
	if (!rest_query_bool(x, "explain", &explain))
		return;
	struct str spec = request_query(x, "model");
	const struct model *model = spec.p ? models_find(conf->models, spec, &e) : models_default(conf->models);
	if (!model) {
		request_problem(x, 400, "unknown_model", "%s", e.msg);
		return;
	}
	struct scoring *s = xcalloc(1, sizeof *s);
	*s = (struct scoring){.model = model, .explain = explain, .as_lines = form == BODY_LINES, .spool = SPOOL_INIT};
	s->lines.max_record = conf->max_record;
	x->state = s;
	x->drop = drop;
}

/* Appends a record as a filter writes it, or its reject object. */
static void put_record(struct buf *out, const struct rec *r)
{
	if (r->fate == FATE_OUT)
		rec_put(out, r);
	else
		rec_put_reject(out, r, "senti-serve");
}

static void reject_long(struct batch *b, size_t max_record)
{
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].line.n > max_record)
			rec_reject(b, &b->rec[i], CODE_TOO_LONG, "the record has more than %zu bytes", max_record);
}

/* Scores the lines that have arrived. */
static void work(struct request *x, struct sentiment_conf *conf, struct str piece, bool end)
{
	struct scoring *s = x->state;
	struct thread_context *t = thread_context_get(conf->threads);
	struct batch *b = &t->batch;
	struct err e;
	batch_reset(b);
	body_lines_add(&s->lines, b, piece, end);
	thread_context_score(t, b, s->model, s->explain);
	for (size_t i = 0; i < b->n; i++) {
		put_record(&x->out, &b->rec[i]);
		buf_char(&x->out, '\n');
	}
	if (spool_take(&s->spool, &x->out, end, &e) < 0)
		request_problem(x, 507, "no_space", "%s", e.msg);
}

bool sentiment_piece(struct request *x, void *app, struct str piece)
{
	struct scoring *s = x->state;
	if (s->as_lines)
		work(x, app, piece, false);
	return s->as_lines;
}

static void answer_lines(struct request *x, struct sentiment_conf *conf)
{
	struct scoring *s = x->state;
	work(x, conf, STR_NONE, true);
	if (request_answered(x))
		return;
	x->out_fd = spool_give(&s->spool);
	request_answer(x, 200, MEDIA_NDJSON);
}

static void answer_one(struct request *x, const struct rec *r)
{
	if (r->fate == FATE_OUT) {
		rec_put(&x->out, r);
		buf_char(&x->out, '\n');
		request_answer(x, 200, MEDIA_JSON);
		return;
	}
	rest_problem(x, r);
}

void sentiment_end(struct request *x, void *app)
{
	struct sentiment_conf *conf = app;
	struct scoring *s = x->state;
	if (s->as_lines) {
		answer_lines(x, conf);
		return;
	}
	struct thread_context *t = thread_context_get(conf->threads);
	struct batch *b = &t->batch;
	bool array;
	batch_reset(b);
	if (body_json(x, b, conf->max_items, &array) < 0)
		return;
	reject_long(b, conf->max_record);
	thread_context_score(t, b, s->model, s->explain);
	if (!array) {
		answer_one(x, &b->rec[0]);
		return;
	}
	buf_char(&x->out, '[');
	for (size_t i = 0; i < b->n; i++) {
		if (i)
			buf_char(&x->out, ',');
		put_record(&x->out, &b->rec[i]);
	}
	buf_str(&x->out, STR("]\n"));
	request_answer(x, 200, MEDIA_JSON);
}
