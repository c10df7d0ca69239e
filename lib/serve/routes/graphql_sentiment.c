/* graphql_sentiment.c - Query.sentiment, sentiments and models; results as they are shown. */
#include "lib/json/items.h"
#include "lib/json/write.h"
#include "lib/serve/models.h"
#include "lib/serve/routes/graphql_internal.h"
#include "lib/serve/thread_context.h"

enum { SLICE = 64 << 10 };

/* ---- a result ---- */

static struct str member(const struct json_scan *s, const char *name, enum json_type type)
{
	const struct json_member *m = json_find(s, str_of(name));
	return m && m->type == type ? m->value : STR_NONE;
}

static struct str member_text(const struct json_scan *s, const char *name, struct arena *mem)
{
	const struct json_member *m = json_find(s, str_of(name));
	return m && m->type == JSON_STRING ? json_decode(m, mem) : STR_NONE;
}

#define SHOWN(name, type)                                                                                              \
	{                                                                                                              \
		STR(#name), type, offsetof(struct shown_sentiment, name)                                               \
	}
static const struct {
	struct str name;
	enum json_type type;
	size_t at;
} shown_members[] = {SHOWN(label, JSON_STRING), SHOWN(score, JSON_NUMBER), SHOWN(neg, JSON_NUMBER),
    SHOWN(neu, JSON_NUMBER), SHOWN(pos, JSON_NUMBER), SHOWN(subjectivity, JSON_NUMBER), SHOWN(model, JSON_STRING),
    SHOWN(why, JSON_ARRAY)};

static void show_member(struct shown_sentiment *r, const struct json_member *m, struct arena *mem)
{
	for (size_t i = 0; i < COUNT_OF(shown_members); i++) {
		if ((m->name.n != shown_members[i].name.n && !m->name_escaped) ||
		    !json_name_is(m, shown_members[i].name))
			continue;
		*(struct str *)((char *)r + shown_members[i].at) = m->type != shown_members[i].type ? STR_NONE
								   : m->type == JSON_STRING ? json_decode(m, mem)
											    : m->value;
		return;
	}
	if (json_name_is(m, STR("corrected")))
		r->corrected = m->type == JSON_TRUE;
}

const struct shown_sentiment *graphql_sentiment(struct str json, struct json_scan *s, struct arena *mem)
{
	struct shown_sentiment *r = arena_alloc(mem, sizeof *r);
	if (!json.p || json_scan(s, json) < 0)
		return NULL;
	*r = (struct shown_sentiment){0};
	for (size_t i = 0; i < s->n; i++) /* of several of one name, the last counts */
		show_member(r, &s->member[i], mem);
	if (!r->model.p)
		r->model = STR("");
	return r->label.p && r->score.p ? r : NULL;
}

static void sentiment_label(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct shown_sentiment *r = call[i].parent;
		call[i].out = gql_text(str_eq(r->label, STR("positive"))   ? STR("POSITIVE")
				       : str_eq(r->label, STR("negative")) ? STR("NEGATIVE")
									   : STR("NEUTRAL"));
	}
}

struct shown_reason {
	struct str from, to, word, value, rule;
};

static const struct shown_reason *read_reason(struct str json, struct json_scan *s, struct arena *mem)
{
	struct shown_reason *r = arena_alloc(mem, sizeof *r);
	if (json_scan(s, json) < 0)
		return NULL;
	*r = (struct shown_reason){.word = member_text(s, "word", mem),
	    .value = member(s, "value", JSON_NUMBER),
	    .rule = member_text(s, "rule", mem)};
	struct str at = member(s, "at", JSON_ARRAY);
	if (!at.p)
		return NULL;
	struct json_items it = json_items(at);
	return json_items_next(&it, &r->from) > 0 && json_items_next(&it, &r->to) > 0 ? r : NULL;
}

static void read_why(struct gql_call *call, struct json_scan *s)
{
	const struct shown_sentiment *r = call->parent;
	struct str item;
	size_t n = 0;
	for (struct json_items it = json_items(r->why); json_items_next(&it, &item) > 0;)
		n++;
	call->out = gql_list(call, n);
	n = 0;
	for (struct json_items it = json_items(r->why); json_items_next(&it, &item) > 0;)
		call->out.item[n++] = gql_object(read_reason(item, s, call->mem));
}

static void sentiment_why(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	for (size_t i = 0; i < n && gql_may_go_on(&call[i]); i++)
		if (((const struct shown_sentiment *)call[i].parent)->why.p)
			read_why(&call[i], op->scan);
}

static void reason_at(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct shown_reason *r = call[i].parent;
		call[i].out = gql_list(&call[i], 2);
		call[i].out.item[0] = gql_integer(strtoll(r->from.p, NULL, 10));
		call[i].out.item[1] = gql_integer(strtoll(r->to.p, NULL, 10));
	}
}

/* ---- scoring ---- */

/* The model that the argument names; NULL with call->out set. */
static const struct model *find_model(struct graphql_operation *op, struct gql_call *call, const struct gql_value *name)
{
	struct err e;
	if (!graphql_given(name))
		return models_default(op->g->conf.models);
	const struct model *model = models_find(op->g->conf.models, name->text, &e);
	if (!model)
		call->out = graphql_bad_input(call, "%s", e.msg);
	return model;
}

static void add_text(struct batch *b, struct str text, struct buf *line)
{
	buf_clear(line);
	buf_str(line, STR("{\"text\":"));
	json_put_string(line, text);
	buf_char(line, '}');
	batch_add(b)->line = json_padded(&b->mem, buf_view(line));
}

static struct gql_out shown(const struct rec *r, struct graphql_operation *op, struct arena *mem)
{
	if (r->fate != FATE_OUT)
		return gql_failure(arena_str(mem, r->why), "BAD_USER_INPUT");
	return gql_object(graphql_sentiment(json_padded(mem, r->result), op->scan, mem));
}

/* Scores the first of the texts, about SLICE bytes of them, into an `out` each; returns how many. */
static size_t score_slice(struct graphql_operation *op, const struct gql_value *texts, size_t n,
    const struct model *model, bool explain, struct arena *mem, struct gql_out *out)
{
	struct thread_context *t = thread_context_get(op->g->conf.threads);
	struct batch *b = &t->batch;
	size_t most = op->g->conf.max_record, bytes = 0, taken = 0;
	batch_reset(b);
	for (; taken < n && bytes < SLICE; taken++) {
		add_text(b, texts[taken].text, &t->key);
		struct rec *r = &b->rec[taken];
		bytes += r->line.n + sizeof *r;
		if (r->line.n > most)
			rec_reject(b, r, CODE_TOO_LONG, "the text makes a record of more than %zu bytes", most);
	}
	thread_context_score(t, b, model, explain);
	for (size_t i = 0; i < taken; i++)
		out[i] = shown(&b->rec[i], op, mem);
	thread_context_trim(t);
	return taken;
}

/* In slices, so that explanations of many texts are never there twice, and limits can end it. */
static void score(struct graphql_operation *op, struct gql_call *call, const struct gql_value *texts, size_t n,
    const struct model *model, bool explain, struct gql_out *out)
{
	for (size_t done = 0; done < n && gql_may_go_on(call);)
		done += score_slice(op, texts + done, n - done, model, explain, call->mem, out + done);
}

static bool explains(const struct gql_value *v)
{
	return v->kind == GQL_TRUTH && v->truth;
}

static void query_sentiment(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	for (size_t i = 0; i < n; i++) {
		const struct gql_value *a = call[i].args;
		const struct model *model = find_model(op, &call[i], &a[1]);
		if (model)
			score(op, &call[i], a, 1, model, explains(&a[2]), &call[i].out);
	}
}

static void query_sentiments(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	for (size_t i = 0; i < n; i++) {
		const struct gql_value *a = call[i].args;
		const struct model *model = find_model(op, &call[i], &a[1]);
		if (!model)
			continue;
		if (a[0].n > op->g->conf.max_items) {
			call[i].out = graphql_bad_input(&call[i], "at most %zu texts at a time", op->g->conf.max_items);
			continue;
		}
		call[i].out = gql_list(&call[i], a[0].n);
		score(op, &call[i], a[0].item, a[0].n, model, explains(&a[2]), call[i].out.item);
	}
}

/* ---- models ---- */

struct shown_model {
	struct str name, version, hash;
	bool own;
};

static const struct shown_model *read_model(struct str json, struct json_scan *s, struct arena *mem)
{
	struct shown_model *m = arena_alloc(mem, sizeof *m);
	if (json_scan(s, json) < 0)
		return NULL;
	*m = (struct shown_model){.name = member_text(s, "name", mem),
	    .version = member_text(s, "version", mem),
	    .hash = member_text(s, "hash", mem),
	    .own = member(s, "default", JSON_TRUE).p != NULL};
	return m;
}

static void list_models(struct graphql_operation *op, struct gql_call *call)
{
	struct buf text = {0};
	struct str item;
	size_t n = 0;
	models_put(op->g->conf.models, &text);
	struct str items = json_padded(call->mem, buf_view(&text));
	buf_free(&text);
	for (struct json_items it = json_items(items); json_items_next(&it, &item) > 0;)
		n++;
	call->out = gql_list(call, n);
	n = 0;
	for (struct json_items it = json_items(items); json_items_next(&it, &item) > 0;)
		call->out.item[n++] = gql_object(read_model(item, op->scan, call->mem));
}

static void query_models(struct gql_call *call, size_t n, void *app)
{
	for (size_t i = 0; i < n; i++)
		list_models(app, &call[i]);
}

const struct graphql_binding graphql_sentiment_fields[] = {
    {"Query", "sentiment", query_sentiment, NULL},
    {"Query", "sentiments", query_sentiments, NULL},
    {"Query", "models", query_models, NULL},
    {"Sentiment", "label", sentiment_label, NULL},
    {"Sentiment", "score", graphql_number, GRAPHQL_MEMBER(struct shown_sentiment, score)},
    {"Sentiment", "neg", graphql_number, GRAPHQL_MEMBER(struct shown_sentiment, neg)},
    {"Sentiment", "neu", graphql_number, GRAPHQL_MEMBER(struct shown_sentiment, neu)},
    {"Sentiment", "pos", graphql_number, GRAPHQL_MEMBER(struct shown_sentiment, pos)},
    {"Sentiment", "subjectivity", graphql_number, GRAPHQL_MEMBER(struct shown_sentiment, subjectivity)},
    {"Sentiment", "model", graphql_text, GRAPHQL_MEMBER(struct shown_sentiment, model)},
    {"Sentiment", "why", sentiment_why, NULL},
    {"Reason", "at", reason_at, NULL},
    {"Reason", "word", graphql_text, GRAPHQL_MEMBER(struct shown_reason, word)},
    {"Reason", "value", graphql_number, GRAPHQL_MEMBER(struct shown_reason, value)},
    {"Reason", "rule", graphql_text, GRAPHQL_MEMBER(struct shown_reason, rule)},
    {"Model", "name", graphql_text, GRAPHQL_MEMBER(struct shown_model, name)},
    {"Model", "version", graphql_text, GRAPHQL_MEMBER(struct shown_model, version)},
    {"Model", "hash", graphql_text, GRAPHQL_MEMBER(struct shown_model, hash)},
    {"Model", "default", graphql_truth, GRAPHQL_MEMBER(struct shown_model, own)},
    {0},
};
