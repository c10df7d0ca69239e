/* terms.c - GET /v1/terms: the words that contribute most to the scores of the newest messages. */
#include "lib/serve/term_totals.h"

#include "lib/json/write.h"
#include "lib/serve/db_context.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/rest.h"
#include "lib/serve/routes/routes.h"

enum { LIMIT = 20, LIMIT_MOST = 1000, DIGITS = 6 };

struct terms_question {
	struct rest_filter asked;
	uint64_t limit, sample;
};

static void put_term(struct buf *out, const struct term_total *t)
{
	buf_str(out, STR("{\"word\":"));
	json_put_string(out, t->word);
	buf_printf(out, ",\"count\":%llu,\"mean\":", (unsigned long long)t->count);
	if (t->scored)
		json_put_fixed(out, t->scores / (double)t->scored, DIGITS);
	else
		buf_str(out, STR("null"));
	buf_str(out, STR(",\"contribution\":"));
	json_put_double(out, json_round(t->contribution, DIGITS));
	buf_char(out, '}');
}

static void answer(
    struct request *r, const struct terms_question *q, const struct model *model, const struct term_totals *t)
{
	buf_printf(&r->out, "{\"sample\":{\"messages\":%llu,\"limit\":%llu,\"complete\":%s},\"model\":",
	    (unsigned long long)t->messages, (unsigned long long)q->sample, t->complete ? "true" : "false");
	json_put_string(&r->out, str_of(model->name));
	buf_str(&r->out, STR(",\"items\":["));
	for (size_t i = 0; i < t->n && i < q->limit; i++) {
		if (i)
			buf_char(&r->out, ',');
		put_term(&r->out, &t->term[i]);
	}
	buf_str(&r->out, STR("]}\n"));
	request_answer(r, 200, MEDIA_JSON);
}

static void find_all(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	const struct terms_conf *conf = app;
	for (size_t i = 0; i < n; i++) {
		const struct terms_question *q = r[i]->state;
		const struct model *model = models_for(conf->models, q->asked.filter.model);
		struct term_totals t = {0};
		struct err e;
		if (!request_hold(r[i], TERMS_MEMORY))
			request_busy(r[i]);
		else if (term_totals_find(&t, c->store, model, &q->asked.filter, q->sample, &c->mem, &e) == 0)
			answer(r[i], q, model, &t);
		else
			db_scan_failed(c, r[i], &e);
		term_totals_free(&t);
		arena_reset(&c->mem);
	}
}

void terms_get(struct request *r, void *app)
{
	struct terms_question *q = xcalloc(1, sizeof *q);
	r->state = q;
	r->drop = free;
	q->limit = LIMIT;
	q->sample = TERMS_SAMPLE;
	if (rest_query_filter(r, &q->asked) && rest_query_number(r, "limit", 1, LIMIT_MOST, &q->limit) &&
	    rest_query_number(r, "sample", 1, TERMS_SAMPLE_MOST, &q->sample))
		db_pool_do(((const struct terms_conf *)app)->scans, r, find_all);
}
