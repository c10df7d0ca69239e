/* score.c - scoring a batch. */
#include "lib/stage/score.h"

#include "lib/json/write.h"
#include "lib/base/utf8.h"

struct score_context {
	const struct score_conf *conf;
	struct scratch *scratch;
	struct json_scan scan;
	struct buf out;
	struct buf prefix; /* ,"sentiment": */
};

static void *score_open(const void *conf, struct err *e)
{
	(void)e;
	struct score_context *c = xcalloc(1, sizeof *c);
	c->conf = conf;
	buf_char(&c->prefix, ',');
	json_put_string(&c->prefix, c->conf->form.result_name);
	buf_char(&c->prefix, ':');
	c->scratch = scratch_new(c->conf->model);
	return c;
}

static void score_close(void *ctx)
{
	struct score_context *c = ctx;
	c->conf->model->engine->scratch_free(c->scratch);
	json_scan_free(&c->scan);
	buf_free(&c->out);
	buf_free(&c->prefix);
	free(c);
}

/* A line of plain text becomes a record. */
static int from_plain(struct score_context *c, struct batch *b, struct rec *r)
{
	size_t valid = utf8_valid_prefix(r->line);
	const char *nul = memchr(r->line.p, 0, r->line.n);
	if (valid < r->line.n) {
		r->column = valid + 1;
		return rec_reject(b, r, CODE_BAD_UTF8, "not UTF-8 at column %zu", r->column);
	}
	if (nul) {
		r->column = (size_t)(nul - r->line.p) + 1;
		return rec_reject(b, r, CODE_NUL, "U+0000 at column %zu", r->column);
	}
	r->text = r->line;
	buf_clear(&c->out);
	buf_str(&c->out, STR("{\"text\":"));
	json_put_string(&c->out, r->text);
	buf_char(&c->out, '}');
	r->line = arena_str(&b->mem, buf_view(&c->out));
	return 0;
}

/* True if the record already has a result of this very model. */
static bool has_result(struct score_context *c, const struct rec *r)
{
	if (!r->has_old || r->crowded || json_scan(&c->scan, r->result) < 0)
		return false;
	const struct json_member *m = json_find(&c->scan, STR("model"));
	struct str name = str_of(c->conf->model->name);
	return m && m->type == JSON_STRING && m->value.n == name.n + 2 && memcmp(m->value.p + 1, name.p, name.n) == 0;
}

static void add_result(struct score_context *c, struct batch *b, struct rec *r)
{
	const struct score_conf *f = c->conf;
	struct result result;
	struct why why = {.mem = &b->mem};
	struct str name = f->form.result_name;
	f->model->engine->score(f->model, c->scratch, r->text, &result, f->explain ? &why : NULL);
	b->results[result.label]++;
	buf_clear(&c->out);
	buf_str(&c->out, buf_view(&c->prefix));
	size_t at = c->out.n;
	result_put(&c->out, f->model, &result, f->explain ? &why : NULL, r->text);
	if (r->has_old || r->add.n) {
		rec_set(b, r, &c->scan, name, (struct str){c->out.p + at, c->out.n - at});
	} else {
		r->add = arena_str(&b->mem, buf_view(&c->out));
	}
	r->result = (struct str){r->add.p + r->add.n - (c->out.n - at), c->out.n - at};
}

static int score_run(void *ctx, struct batch *b, struct err *e)
{
	struct score_context *c = ctx;
	const struct score_conf *f = c->conf;
	(void)e;
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT)
			continue;
		if ((f->plain ? from_plain(c, b, r) : rec_scan(b, r, &c->scan, &f->form)) < 0)
			continue;
		if (unlikely(r->has_old) && !f->force && has_result(c, r)) {
			b->counter[COUNTER_KEPT]++;
			continue;
		}
		add_result(c, b, r);
		b->counter[COUNTER_SCORED]++;
	}
	return 0;
}

const struct stage score_stage = {
    .name = "score",
    .pure = true,
    .open = score_open,
    .run = score_run,
    .close = score_close,
};
