/* store.c - put, get, correct, delete and query: turns records into messages, for the store, and back. */
#include "lib/stage/store.h"

#include "lib/score/engine.h"
#include "lib/stage/put_batch.h"

struct store_context {
	struct store *store;
	struct put_batch put;  /* of put; the other verbs use its scratch */
	struct message *named; /* one for each record */
	size_t cap;
	struct message **live; /* those for the store */
	size_t nlive;
};

static void *verb_open(const void *conf, struct err *e)
{
	(void)e;
	struct store_context *v = xcalloc(1, sizeof *v);
	/* The stage writes to the store, although its configuration is const. */
	memcpy(&v->store, &conf, sizeof conf);
	return v;
}

static void verb_close(void *ctx)
{
	struct store_context *v = ctx;
	put_batch_free(&v->put);
	free(v->named);
	free(v->live);
	free(v);
}

/* ---- put ---- */

static void set_version(struct store_context *v, struct batch *b, size_t i, uint64_t version)
{
	struct rec *r = &b->rec[i];
	char number[24];
	struct str value = {number, (size_t)snprintf(number, sizeof number, "%llu", (unsigned long long)version)};
	if (v->put.slot[i].m.had_version)
		rec_set(b, r, &v->put.scan, STR("version"), value);
	else /* the usual case, without another scan */
		rec_append(b, r, STR(",\"version\":"), value);
}

static int run_put(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	put_batch_begin(&v->put, b->n);
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].fate == FATE_OUT && put_batch_read(&v->put, b, i, true) == 0)
			put_batch_add(&v->put, i);
	if (put_batch_store(&v->put, b, v->store, e) < 0)
		return -1;
	for (size_t i = 0; i < b->n; i++)
		if (v->put.slot[i].stored)
			set_version(v, b, i, v->put.slot[i].stored->m.version);
	return 0;
}

/* ---- get, correct, delete ---- */

static const struct rec_form by_id = {
    .text_name = {"text", 4},
    .result_name = {"sentiment", 9},
};

/* A number counts as the text that spells it, as senti-ingest takes it. */
static int read_id(struct store_context *v, struct batch *b, struct rec *r)
{
	if (rec_scan(b, r, &v->put.scan, &by_id) < 0)
		return -1;
	const struct json_member *m = r->id.p ? NULL : json_find(&v->put.scan, STR("id"));
	if (m && m->type == JSON_NUMBER)
		r->id = m->value;
	if (r->id.p)
		return 0;
	return rec_reject(b, r, CODE_NO_ID, m ? "member 'id' is neither a string nor a number" : "no member 'id'");
}

static int read_label(struct store_context *v, struct batch *b, struct rec *r, struct message *m)
{
	const struct json_member *label = json_find(&v->put.scan, STR("label"));
	enum label known;
	if (label && label->type == JSON_STRING)
		m->label = json_decode(label, &b->mem);
	if (m->label.p && label_parse(m->label, &known) == 0)
		return 0;
	if (label)
		r->column = (size_t)(label->value.p - r->line.p) + 1;
	return rec_reject(b, r, CODE_BAD_LABEL, "member 'label' is none of positive, neutral, negative");
}

/* Fills v->live with the messages that the records name, in order. */
static void read_ids(struct store_context *v, struct batch *b, bool labels)
{
	if (v->cap < b->n) {
		v->cap = b->n;
		v->named = xreallocarray(v->named, v->cap, sizeof *v->named);
		v->live = xreallocarray(v->live, v->cap, sizeof *v->live);
	}
	v->nlive = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT || read_id(v, b, r) < 0)
			continue;
		struct message *m = &v->named[i];
		*m = (struct message){.id = r->id, .remove = !labels};
		if (!labels || read_label(v, b, r, m) == 0)
			v->live[v->nlive++] = m;
	}
}

static int write_line(struct batch *b, struct rec *r, const struct message *m, struct buf *line, struct json_scan *s)
{
	buf_clear(line);
	if (message_write(m, line, s) < 0)
		return rec_reject(b, r, CODE_BAD_ROW,
		    "the columns sentiment and extra of message '%.*s' are not JSON objects", STR_FMT(m->id));
	r->line = json_padded(&b->mem, buf_view(line));
	r->add = STR_NONE;
	return 0;
}

/* Sets each record's fate. `show` replaces it with the stored one; *counter counts those found. */
static void finish_ids(struct store_context *v, struct batch *b, bool show, uint64_t *counter)
{
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT)
			continue;
		const struct message *m = &v->named[i];
		if (m->fate == MESSAGE_MISSING)
			rec_reject(b, r, CODE_NOT_FOUND, "no message has the id '%.*s'", STR_FMT(m->id));
		else if (!show || write_line(b, r, m, &v->put.line, &v->put.scan) == 0)
			++*counter;
	}
}

static int run_get(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	read_ids(v, b, false);
	if (v->store->get(v->store, v->live, v->nlive, &b->mem, e) < 0)
		return -1;
	uint64_t found = 0; /* `out` counts them */
	finish_ids(v, b, true, &found);
	return 0;
}

static int run_correct(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	read_ids(v, b, true);
	if (v->store->edit(v->store, v->live, v->nlive, &b->mem, e) < 0)
		return -1;
	finish_ids(v, b, true, &b->counter[COUNTER_CORRECTED]);
	return 0;
}

static int run_delete(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	read_ids(v, b, false);
	if (v->store->edit(v->store, v->live, v->nlive, &b->mem, e) < 0)
		return -1;
	finish_ids(v, b, false, &b->counter[COUNTER_DELETED]);
	return 0;
}

const struct stage stage_store_put = {.name = "put", .open = verb_open, .run = run_put, .close = verb_close};
const struct stage stage_store_get = {.name = "get", .open = verb_open, .run = run_get, .close = verb_close};
const struct stage stage_store_correct = {
    .name = "correct", .open = verb_open, .run = run_correct, .close = verb_close};
const struct stage stage_store_delete = {.name = "delete", .open = verb_open, .run = run_delete, .close = verb_close};

/* ---- query ---- */

struct query_source {
	struct source port;
	struct store *store;
	struct filter filter;
	uint64_t left; /* UINT64_MAX: no limit */
	struct message *row;
	size_t cap;
	struct json_scan scan;
	struct buf line, after; /* after: the id of filter.after */
};

/* The next page begins after this message. False if the last one did so too, because its id equals nothing. */
static bool move_after(struct query_source *q, const struct message *m)
{
	const struct place *old = &q->filter.after;
	if (old->set && str_eq(old->id, m->id) && old->has_time == m->has_time &&
	    (!m->has_time || old->time == m->time))
		return false;
	buf_clear(&q->after);
	buf_str(&q->after, m->id);
	q->filter.after = place_after(m);
	q->filter.after.id = buf_view(&q->after);
	return true;
}

static enum next query_next(struct source *source, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	(void)wake; /* a query never waits for records */
	struct query_source *q = (struct query_source *)source;
	size_t max = l->records < q->left ? l->records : (size_t)q->left;
	source->interrupted = max && stop_raised(l->stop);
	if (max == 0 || source->interrupted)
		return NEXT_END;
	if (q->cap < max) {
		q->cap = max;
		q->row = xreallocarray(q->row, q->cap, sizeof *q->row);
	}
	int n = q->store->query(q->store, &q->filter, q->row, max, l->bytes, &b->mem, e);
	if (n <= 0)
		return n < 0 ? NEXT_ERROR : NEXT_END;
	for (int i = 0; i < n; i++)
		write_line(b, batch_add(b), &q->row[i], &q->line, &q->scan);
	if (!move_after(q, &q->row[n - 1])) {
		err_set(e, ERR_ENV, "the store gives message '%.*s' again and again: its id is not text",
		    STR_FMT(q->row[n - 1].id));
		return NEXT_ERROR;
	}
	if (q->left != UINT64_MAX)
		q->left -= (uint64_t)n;
	b->flush_reason = (size_t)n == l->records ? FLUSH_FULL : FLUSH_BYTES;
	return NEXT_BATCH;
}

static int query_close(struct source *source, struct err *e)
{
	(void)e;
	struct query_source *q = (struct query_source *)source;
	free(q->row);
	json_scan_free(&q->scan);
	buf_free(&q->line);
	buf_free(&q->after);
	free(q);
	return 0;
}

struct source *source_query(struct store *store, const struct filter *f, uint64_t limit)
{
	struct query_source *q = xcalloc(1, sizeof *q);
	q->port = (struct source){.next = query_next, .close = query_close};
	q->store = store;
	q->filter = *f;
	q->left = limit ? limit : UINT64_MAX;
	return &q->port;
}

/* ---- a sample ---- */

struct drawn_source {
	struct source port;
	struct store *store;
	const struct filter *filter;
	bool drawn;
	struct str *id;
	size_t n, at;
	struct arena mem; /* of the ids */
	struct json_scan scan;
	struct buf line;
};

enum { ROWS = 16 }; /* that are read at a time */

/* Adds the next few rows to the batch; one that has gone meanwhile is left out. Bytes, or -1. */
static int64_t add_rows(struct drawn_source *d, struct batch *b, size_t most, struct err *e)
{
	struct message row[ROWS] = {0}, *list[ROWS];
	size_t n = 0;
	int64_t bytes = 0;
	for (; n < ROWS && n < most && d->at < d->n; n++) {
		row[n] = (struct message){.id = d->id[d->at++]};
		list[n] = &row[n];
	}
	if (d->store->get(d->store, list, n, &b->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (row[i].fate != MESSAGE_FOUND)
			continue;
		struct rec *r = batch_add(b);
		write_line(b, r, &row[i], &d->line, &d->scan);
		bytes += (int64_t)r->line.n;
	}
	return bytes;
}

static enum next sample_next(struct source *source, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	(void)wake;
	struct drawn_source *d = (struct drawn_source *)source;
	if (!d->drawn) {
		int n = d->store->sample(d->store, d->filter, d->id, d->n, &d->mem, e);
		if (n < 0)
			return NEXT_ERROR;
		d->drawn = true;
		d->n = (size_t)n;
	}
	source->interrupted = d->at < d->n && stop_raised(l->stop);
	if (source->interrupted)
		return NEXT_END;
	for (int64_t bytes = 0, more; d->at < d->n && b->n < l->records && bytes < (int64_t)l->bytes; bytes += more)
		if ((more = add_rows(d, b, l->records - b->n, e)) < 0)
			return NEXT_ERROR;
	b->flush_reason = b->n == l->records ? FLUSH_FULL : FLUSH_BYTES;
	return b->n ? NEXT_BATCH : NEXT_END;
}

static int sample_close(struct source *source, struct err *e)
{
	(void)e;
	struct drawn_source *d = (struct drawn_source *)source;
	free(d->id);
	arena_free(&d->mem);
	json_scan_free(&d->scan);
	buf_free(&d->line);
	free(d);
	return 0;
}

struct source *source_drawn(struct store *store, const struct filter *f, uint64_t n)
{
	struct drawn_source *d = xcalloc(1, sizeof *d);
	d->port = (struct source){.next = sample_next, .close = sample_close};
	d->store = store;
	d->filter = f;
	d->n = n;
	d->id = xcalloc(n, sizeof *d->id);
	return &d->port;
}

/* ---- groups ---- */

struct stats_source {
	struct source port;
	struct store *store;
	struct stats_question question;
	void (*put)(struct buf *, const struct stats_question *, const struct stats_group *);
	uint64_t left;	     /* groups that are wanted and not asked for yet */
	struct arena mem[2]; /* of the page, and of the one before, in turn */
	struct stats_group *group;
	size_t n, at, page;
	struct buf line;
};

enum { GROUPS = 10000 };

/* The next page: each takes the time of the whole, so it is larger than a batch. */
static int next_groups(struct stats_source *g, struct err *e)
{
	struct arena *mem = &g->mem[g->page++ % 2];
	size_t max = g->left < GROUPS ? (size_t)g->left : GROUPS;
	arena_reset(mem);
	int n = max ? g->store->aggregate(g->store, &g->question, g->group, max, mem, e) : 0;
	if (n < 0)
		return -1;
	g->at = 0;
	g->n = (size_t)n;
	/* A page that is not full is the last. */
	g->left = (size_t)n < max ? 0 : g->left == UINT64_MAX ? UINT64_MAX : g->left - (uint64_t)n;
	g->question.has_after = n > 0;
	if (n > 0)
		g->question.after = g->group[n - 1];
	return n;
}

static enum next stats_next(struct source *source, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	(void)wake;
	struct stats_source *g = (struct stats_source *)source;
	source->interrupted = (g->at < g->n || g->left) && stop_raised(l->stop);
	if (source->interrupted)
		return NEXT_END;
	if (g->at == g->n && next_groups(g, e) < 0)
		return NEXT_ERROR;
	for (size_t i = 0; i < l->records && g->at < g->n; i++) {
		buf_clear(&g->line);
		g->put(&g->line, &g->question, &g->group[g->at++]);
		batch_add(b)->line = json_padded(&b->mem, buf_view(&g->line));
	}
	b->flush_reason = FLUSH_FULL;
	return b->n ? NEXT_BATCH : NEXT_END;
}

static int stats_close(struct source *source, struct err *e)
{
	(void)e;
	struct stats_source *g = (struct stats_source *)source;
	free(g->group);
	arena_free(&g->mem[0]);
	arena_free(&g->mem[1]);
	buf_free(&g->line);
	free(g);
	return 0;
}

struct source *source_stats(struct store *store, const struct stats_question *q, uint64_t limit, bool flat)
{
	struct stats_source *g = xcalloc(1, sizeof *g);
	g->port = (struct source){.next = stats_next, .close = stats_close};
	g->store = store;
	g->question = *q;
	g->left = limit ? limit : UINT64_MAX;
	g->put = flat ? stats_put_flat : stats_put;
	g->group = xcalloc(GROUPS, sizeof *g->group);
	return &g->port;
}
