/* graphql_messages.c - Query.message and messages: stored messages by id, and pages of them. */
#include "lib/base/clock.h"
#include "lib/data/lookaside.h"
#include "lib/serve/feed.h"
#include "lib/serve/routes/graphql_internal.h"

enum { PAGE_MOST = 1000, PAGE_BYTES = 4 << 20 };

/* ---- a message ---- */

struct shown_message *graphql_message(struct str record, struct json_scan *s, struct arena *mem)
{
	struct shown_message *m = arena_alloc(mem, sizeof *m);
	const struct {
		const char *name;
		struct str *to;
	} texts[] = {{"id", &m->id}, {"text", &m->text}, {"source", &m->source}, {"time", &m->time}};
	*m = (struct shown_message){.version = STR("0")};
	if (json_scan(s, json_padded(mem, record)) < 0)
		return NULL;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const struct json_member *j = json_find(s, str_of(texts[i].name));
		if (j && j->type == JSON_STRING)
			*texts[i].to = json_decode(j, mem);
	}
	const struct json_member *version = json_find(s, STR("version")), *result = json_find(s, STR("sentiment"));
	if (version && version->type == JSON_NUMBER)
		m->version = version->value;
	if (result && result->type == JSON_OBJECT)
		m->sentiment = graphql_sentiment(result->value, s, mem);
	return m;
}

static void message_sentiment(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_object(((const struct shown_message *)call[i].parent)->sentiment);
}

/* ---- by id ---- */

/* Looks into the process's own cache alone, as GET /v1/messages/{id} does in its connection's thread. */
static bool look_here(struct graphql_operation *op, struct look *look, size_t n, struct arena *mem)
{
	struct cache *local = op->g->conf.local;
	struct entry *entry = arena_alloc(mem, n * sizeof *entry), **list = arena_alloc(mem, n * sizeof *list);
	struct err e;
	for (size_t i = 0; i < n; i++) {
		struct buf key = {0};
		cache_key_message(&key, look[i].id);
		entry[i] = (struct entry){.kind = ENTRY_MESSAGE, .key = arena_str(mem, buf_view(&key))};
		list[i] = &entry[i];
		buf_free(&key);
	}
	if (!feed_current(op->g->conf.feed) || local->get(local, list, n, mem, &e) < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (entry[i].state != ENTRY_HIT || !entry[i].version || entry[i].value.n > op->room)
			return false;
		op->room -= entry[i].value.n;
		look[i].record = entry[i].value;
		look[i].version = entry[i].version;
		look[i].state = LOOK_FOUND;
	}
	series_add(op->g->conf.answers[CACHE_HIT], n);
	return true;
}

struct look *graphql_look(
    struct graphql_operation *op, const struct str *id, size_t n, struct arena *mem, struct err *e)
{
	struct look *look = arena_alloc(mem, n * sizeof *look);
	for (size_t i = 0; i < n; i++)
		look[i] = (struct look){.id = id[i]};
	if (!op->db) {
		op->missed = !look_here(op, look, n, mem);
		return op->missed ? NULL : look;
	}
	struct lookaside *by = feed_current(op->g->conf.feed) ? op->db->aside : op->db->bare;
	int rc = look_aside(by, look, n, mem, e);
	for (size_t i = 0; i < n && op->db->cache; i++)
		series_add(op->g->conf.answers[message_cache_answer(&look[i])], 1);
	return rc < 0 ? NULL : look;
}

static void query_message(struct gql_call *call, size_t n, void *app)
{
	struct graphql_operation *op = app;
	struct arena *mem = call->mem;
	struct err e;
	struct str *id = arena_alloc(mem, n * sizeof *id);
	for (size_t i = 0; i < n; i++)
		id[i] = call[i].args[0].text;
	const struct look *look = graphql_look(op, id, n, mem, &e);
	if (!look && op->missed)
		return;
	if (!look) {
		graphql_unavailable(op, call, n, &e);
		return;
	}
	for (size_t i = 0; i < n; i++)
		if (look[i].state == LOOK_FOUND)
			call[i].out = gql_object(graphql_message(look[i].record, op->scan, mem));
		else if (look[i].state == LOOK_BROKEN)
			call[i].out = gql_failure(
			    STR("the message's columns sentiment and extra are not JSON objects"), "BROKEN_ROW");
}

/* ---- what is asked of a list ---- */

/* The fields of MessageFilter, in the order of the schema. */
enum { LABEL, SOURCE, MODEL, SINCE, UNTIL, TEXT, SCORE_MIN, SCORE_MAX, UNSCORED, CORRECTED, WHERE };

static struct str text_of(const struct gql_value *v)
{
	return graphql_given(v) ? v->text : STR_NONE;
}

static bool read_time(const struct gql_value *v, int64_t *ms)
{
	return graphql_given(v) && time_parse(v->text, ms) == 0;
}

/* Absent: neither of them restricts. */
static void read_flag(const struct gql_value *v, bool *yes, bool *no)
{
	*yes = v->kind == GQL_TRUTH && v->truth;
	*no = v->kind == GQL_TRUTH && !v->truth;
}

static bool read_score(const struct gql_value *v, double *score)
{
	if (graphql_given(v))
		*score = v->kind == GQL_INTEGER ? (double)v->integer : v->number;
	return graphql_given(v);
}

static bool read_where(struct gql_call *call, const struct gql_value *v, struct filter *f)
{
	if (!graphql_given(v) || v->n == 0)
		return true;
	if (v->n > FILTER_MEMBERS) {
		call->out = graphql_bad_input(call, "where has at most %d members", FILTER_MEMBERS);
		return false;
	}
	struct member_is *where = arena_alloc(call->mem, v->n * sizeof *where);
	for (size_t i = 0; i < v->n; i++)
		where[i] = (struct member_is){v->item[i].item[0].text, v->item[i].item[1].text};
	f->where = where;
	f->nwhere = v->n;
	return true;
}

bool graphql_filter(struct gql_call *call, const struct gql_value *v, struct filter *f)
{
	*f = (struct filter){0};
	if (!graphql_given(v))
		return true;
	const struct gql_value *in = v->item;
	if (graphql_given(&in[LABEL]))
		f->label = graphql_label(in[LABEL].text);
	f->source = text_of(&in[SOURCE]);
	f->model = text_of(&in[MODEL]);
	f->text = text_of(&in[TEXT]);
	if (f->text.p && !f->text.n)
		f->text = STR_NONE;
	f->has_since = read_time(&in[SINCE], &f->since);
	f->has_until = read_time(&in[UNTIL], &f->until);
	f->has_least = read_score(&in[SCORE_MIN], &f->least);
	f->has_most = read_score(&in[SCORE_MAX], &f->most);
	read_flag(&in[UNSCORED], &f->unscored, &f->scored);
	read_flag(&in[CORRECTED], &f->corrected, &f->not_corrected);
	return read_where(call, &in[WHERE], f);
}

static enum order read_order(const struct gql_value *v)
{
	static const struct {
		const char *name;
		enum order order;
	} known[] = {{"NEWEST", ORDER_NEWEST}, {"ID", ORDER_ID}, {"SCORE_ASCENDING", ORDER_SCORE_UP},
	    {"SCORE_DESCENDING", ORDER_SCORE_DOWN}};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (graphql_given(v) && str_eq(v->text, str_of(known[i].name)))
			return known[i].order;
	return ORDER_OLDEST;
}

static struct str cursor_of(const struct message *m, enum order order, struct arena *mem)
{
	struct buf text = {0};
	place_put(&text, m, order);
	struct str cursor = graphql_cursor(buf_view(&text), mem);
	buf_free(&text);
	return cursor;
}

static bool read_place(struct gql_call *call, const struct gql_value *v, enum order order, struct place *p)
{
	if (!graphql_given(v) || place_read(graphql_cursor_read(v->text, call->mem), order, p))
		return true;
	call->out = graphql_bad_input(call, "after is a cursor of the page before, in the same order");
	return false;
}

/* ---- a page ---- */

struct edge {
	struct str cursor;
	const struct shown_message *node;
};

struct message_page {
	struct edge *edge;
	size_t n;
	bool has_next, has_previous;
	struct str start, end;
};

/* Measures a page as the store does. */
static size_t bytes_of(const struct message *m, size_t n)
{
	size_t bytes = 0;
	for (size_t i = 0; i < n; i++)
		bytes += m[i].id.n + m[i].text.n + m[i].source.n + m[i].sentiment.n + m[i].extra.n + sizeof *m;
	return bytes;
}

/* Rows that only SQL can have made are left out; `message` names them. */
static void fill_edges(struct message_page *page, enum order order, struct graphql_operation *op,
    const struct message *row, size_t n, struct arena *mem)
{
	struct buf record = {0};
	page->edge = arena_alloc(mem, n * sizeof *page->edge);
	for (size_t i = 0; i < n; i++) {
		buf_clear(&record);
		if (message_write(&row[i], &record, op->scan) < 0)
			continue;
		struct edge *edge = &page->edge[page->n++];
		edge->node = graphql_message(buf_view(&record), op->scan, mem);
		edge->cursor = cursor_of(&row[i], order, mem);
	}
	buf_free(&record);
	if (n) {
		page->start = cursor_of(&row[0], order, mem);
		page->end = cursor_of(&row[n - 1], order, mem);
	}
}

static void list_messages(struct graphql_operation *op, struct gql_call *call)
{
	const struct gql_value *a = call->args;
	struct filter f;
	struct err e;
	size_t first = 20;
	if (!graphql_first(call, &a[0], PAGE_MOST, &first) || !graphql_filter(call, &a[2], &f) ||
	    !read_place(call, &a[1], read_order(&a[3]), &f.after))
		return;
	f.order = read_order(&a[3]);
	/* one more than asked for shows whether there is a next page */
	struct message *row = arena_alloc(call->mem, (first + 1) * sizeof *row);
	int n = op->db->store->query(op->db->store, &f, row, first + 1, PAGE_BYTES, call->mem, &e);
	if (n < 0) {
		graphql_unavailable(op, call, 1, &e);
		return;
	}
	struct message_page *page = arena_alloc(call->mem, sizeof *page);
	*page = (struct message_page){
	    .has_previous = f.after.set, .has_next = (size_t)n > first || bytes_of(row, (size_t)n) >= PAGE_BYTES};
	fill_edges(page, f.order, op, row, (size_t)n > first ? first : (size_t)n, call->mem);
	call->out = gql_object(page);
}

static void query_messages(struct gql_call *call, size_t n, void *app)
{
	for (size_t i = 0; i < n && gql_may_go_on(&call[i]); i++)
		list_messages(app, &call[i]);
}

static void connection_edges(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct message_page *page = call[i].parent;
		call[i].out = gql_list(&call[i], page->n);
		for (size_t k = 0; k < page->n; k++)
			call[i].out.item[k] = gql_object(&page->edge[k]);
	}
}

static void connection_info(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_object(call[i].parent);
}

static void edge_node(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_object(((const struct edge *)call[i].parent)->node);
}

const struct graphql_binding graphql_message_fields[] = {
    {"Query", "message", query_message, NULL},
    {"Query", "messages", query_messages, NULL},
    {"Message", "id", graphql_text, GRAPHQL_MEMBER(struct shown_message, id)},
    {"Message", "text", graphql_text, GRAPHQL_MEMBER(struct shown_message, text)},
    {"Message", "source", graphql_text, GRAPHQL_MEMBER(struct shown_message, source)},
    {"Message", "time", graphql_text, GRAPHQL_MEMBER(struct shown_message, time)},
    {"Message", "sentiment", message_sentiment, NULL},
    {"Message", "version", graphql_text, GRAPHQL_MEMBER(struct shown_message, version)},
    {"Message", "seq", graphql_text, GRAPHQL_MEMBER(struct shown_message, seq)},
    {"MessageConnection", "edges", connection_edges, NULL},
    {"MessageConnection", "pageInfo", connection_info, NULL},
    {"MessageEdge", "cursor", graphql_text, GRAPHQL_MEMBER(struct edge, cursor)},
    {"MessageEdge", "node", edge_node, NULL},
    {"PageInfo", "hasNextPage", graphql_truth, GRAPHQL_MEMBER(struct message_page, has_next)},
    {"PageInfo", "hasPreviousPage", graphql_truth, GRAPHQL_MEMBER(struct message_page, has_previous)},
    {"PageInfo", "startCursor", graphql_text, GRAPHQL_MEMBER(struct message_page, start)},
    {"PageInfo", "endCursor", graphql_text, GRAPHQL_MEMBER(struct message_page, end)},
    {0},
};
