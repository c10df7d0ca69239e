/* store.c - put, get, correct, delete and query: from records to messages, to the store, and back.
 *
 * put keeps one slot a record. Those of one id are chained, and only the last of a chain is put; where the database refuses that
 * one, the one before it takes its place in a second round:
 *
 *     records  a1  b1  a2  c1  a3          chain of a: a3 -> a2 -> a1
 *     round 1      b1      c1  a3 refused
 *     round 2          a2                  a1 gets a2's version
 */
#include "lib/stage/store.h"

#include "lib/base/map.h"
#include "lib/base/sig.h"
#include "lib/json/write.h"
#include "lib/score/engine.h"
#include "lib/text/hash.h"

#define CODE_REFUSED "refused"

enum { NO_SLOT = -1 };

struct put_slot {
	struct message m;
	ptrdiff_t prev; /* the record of the same id before this one */
	bool last;	/* no later record of the batch has this id */
};

struct store_context {
	struct store *store;
	struct put_slot *slot; /* one a record */
	size_t cap;
	struct message **live; /* those that the store is asked for */
	size_t nlive;
	struct map ids; /* of put: id to slot + 1 */
	struct json_scan scan, inner;
	struct buf line;
};

static void *verb_open(const void *conf, struct err *e)
{
	(void)e;
	struct store_context *v = xcalloc(1, sizeof *v);
	/* The store is changed through a configuration that the pump only carries. */
	memcpy(&v->store, &conf, sizeof conf);
	return v;
}

static void verb_close(void *ctx)
{
	struct store_context *v = ctx;
	free(v->slot);
	free(v->live);
	map_free(&v->ids);
	json_scan_free(&v->scan);
	json_scan_free(&v->inner);
	buf_free(&v->line);
	free(v);
}

static void begin(struct store_context *v, const struct batch *b)
{
	if (v->cap < b->n) {
		v->cap = b->n;
		v->slot = xreallocarray(v->slot, v->cap, sizeof *v->slot);
		v->live = xreallocarray(v->live, v->cap, sizeof *v->live);
	}
	v->nlive = 0;
}

/* ---- put ---- */

static void clear_ids(struct map *ids)
{
	if (ids->n)
		memset(ids->slot, 0, ids->cap * sizeof *ids->slot);
	ids->n = 0;
}

static void give_id(struct store_context *v, struct batch *b, struct rec *r, struct message *m)
{
	char *id = arena_alloc(&b->mem, UUID_LEN);
	char json[UUID_LEN + 2];
	uuid_ordered(id);
	json[0] = json[UUID_LEN + 1] = '"';
	memcpy(json + 1, id, UUID_LEN);
	rec_set(b, r, &v->scan, STR("id"), (struct str){json, sizeof json});
	m->id = r->id = (struct str){id, UUID_LEN};
}

static void read_slot(struct store_context *v, struct batch *b, size_t i)
{
	struct rec *r = &b->rec[i];
	struct put_slot *s = &v->slot[i];
	s->last = false;
	if (r->fate != FATE_OUT || message_read(&s->m, b, r, &v->scan, &v->inner) < 0)
		return;
	if (!s->m.id.p)
		give_id(v, b, r, &s->m);
	struct map_slot *known = map_put(&v->ids, s->m.id, NULL);
	s->prev = (ptrdiff_t)known->v.num - 1;
	s->last = true;
	if (s->prev != NO_SLOT)
		v->slot[s->prev].last = false;
	known->v.num = i + 1;
}

/* True if `m`, which shows a corrected label, is just what the stored message shows. */
static bool shows_the_same(struct store_context *v, const struct message *m, const struct message *stored)
{
	buf_clear(&v->line);
	return stored->fate == MESSAGE_FOUND && str_eq(m->text, stored->text) &&
	       message_write_sentiment(stored, &v->line, &v->inner) == 0 && str_eq(m->sentiment, buf_view(&v->line));
}

/* A record that was read from the store shows a corrected label in its result. Put back, it must not take the place of the result that
 * the engine gave: where nothing else has changed, the stored one stays. */
static int undo_shown(struct store_context *v, struct message *m, struct batch *b, struct err *e)
{
	struct message stored = {.id = m->id}, *const one = &stored;
	if (v->store->get(v->store, &one, 1, &b->mem, e) < 0)
		return -1;
	if (!shows_the_same(v, m, &stored))
		return 0;
	m->sentiment = stored.sentiment;
	m->label = stored.sentiment.p ? stored.label : STR_NONE;
	m->model = stored.model;
	m->score = stored.score;
	m->has_score = stored.has_score;
	return 0;
}

static int put_round(struct store_context *v, struct batch *b, struct err *e)
{
	for (size_t i = 0; i < v->nlive; i++)
		if (v->live[i]->shown_corrected && undo_shown(v, v->live[i], b, e) < 0)
			return -1;
	return store_put(v->store, v->live, v->nlive, &b->mem, e);
}

/* Those that were refused leave the round to the record before them; how many there are. */
static size_t next_round(struct store_context *v, const struct batch *b)
{
	v->nlive = 0;
	for (size_t i = b->n; i-- > 0;) {
		struct put_slot *s = &v->slot[i];
		if (!s->last || s->m.fate != MESSAGE_REFUSED || s->prev == NO_SLOT)
			continue;
		s->last = false;
		v->slot[s->prev].last = true;
		v->live[v->nlive++] = &v->slot[s->prev].m;
	}
	return v->nlive;
}

static void set_version(struct store_context *v, struct batch *b, size_t i, uint64_t version)
{
	struct rec *r = &b->rec[i];
	char number[24];
	int n = snprintf(number, sizeof number, "%llu", (unsigned long long)version);
	if (v->slot[i].m.had_version) {
		rec_set(b, r, &v->scan, STR("version"), (struct str){number, (size_t)n});
		return;
	}
	/* The usual case without a second look at the line. */
	static const char name[] = ",\"version\":";
	char *add = arena_alloc(&b->mem, r->add.n + sizeof name + (size_t)n);
	if (r->add.n)
		memcpy(add, r->add.p, r->add.n);
	memcpy(add + r->add.n, name, sizeof name - 1);
	memcpy(add + r->add.n + sizeof name - 1, number, (size_t)n);
	r->add = (struct str){add, r->add.n + sizeof name - 1 + (size_t)n};
}

/* The fates of one chain, whose first record that is not refused was put. */
static void finish_chain(struct store_context *v, struct batch *b, ptrdiff_t i)
{
	for (; i != NO_SLOT && v->slot[i].m.fate == MESSAGE_REFUSED; i = v->slot[i].prev)
		rec_reject(b, &b->rec[i], CODE_REFUSED, "the database refuses it: %.*s", STR_FMT(v->slot[i].m.why));
	if (i == NO_SLOT)
		return;
	const struct message *put = &v->slot[i].m;
	for (; i != NO_SLOT; i = v->slot[i].prev) {
		set_version(v, b, (size_t)i, put->version);
		b->counter[put->fate == MESSAGE_STORED ? COUNTER_STORED : COUNTER_UNCHANGED]++;
	}
}

static int run_put(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	begin(v, b);
	clear_ids(&v->ids);
	for (size_t i = 0; i < b->n; i++)
		read_slot(v, b, i);
	for (size_t i = 0; i < b->n; i++)
		if (v->slot[i].last)
			v->live[v->nlive++] = &v->slot[i].m;
	do
		if (put_round(v, b, e) < 0)
			return -1;
	while (next_round(v, b));
	for (size_t i = 0; i < v->ids.cap; i++)
		if (v->ids.slot[i].key.p)
			finish_chain(v, b, (ptrdiff_t)v->ids.slot[i].v.num - 1);
	return 0;
}

/* ---- get, correct, delete ---- */

static const struct rec_form by_id = {
    .text_name = {"text", 4},
    .result_name = {"sentiment", 9},
    .needs_id = true,
};

static int read_label(struct store_context *v, struct batch *b, struct rec *r, struct message *m)
{
	const struct json_member *label = json_find(&v->scan, STR("label"));
	enum label known;
	if (label && label->type == JSON_STRING)
		m->label = json_decode(label, &b->mem);
	if (m->label.p && label_parse(m->label, &known) == 0)
		return 0;
	if (label)
		r->column = (size_t)(label->value.p - r->line.p) + 1;
	return rec_reject(b, r, CODE_BAD_LABEL, "member 'label' is none of positive, neutral, negative");
}

/* The messages that the records name are v->live, in their order. */
static void read_ids(struct store_context *v, struct batch *b, bool labels)
{
	begin(v, b);
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT || rec_scan(b, r, &v->scan, &by_id) < 0)
			continue;
		struct message *m = &v->slot[i].m;
		*m = (struct message){.id = r->id};
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

/* What became of each: `show` replaces the record with the stored one; *counter counts them. */
static void finish_ids(struct store_context *v, struct batch *b, bool show, uint64_t *counter)
{
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT)
			continue;
		const struct message *m = &v->slot[i].m;
		if (m->fate == MESSAGE_MISSING)
			rec_reject(b, r, CODE_NOT_FOUND, "no message has the id '%.*s'", STR_FMT(m->id));
		else if (!show || write_line(b, r, m, &v->line, &v->scan) == 0)
			++*counter;
	}
}

static int run_get(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	read_ids(v, b, false);
	if (v->store->get(v->store, v->live, v->nlive, &b->mem, e) < 0)
		return -1;
	uint64_t found = 0; /* which `out` tells */
	finish_ids(v, b, true, &found);
	return 0;
}

static int run_correct(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	read_ids(v, b, true);
	if (v->store->correct(v->store, v->live, v->nlive, &b->mem, e) < 0)
		return -1;
	finish_ids(v, b, true, &b->counter[COUNTER_CORRECTED]);
	return 0;
}

static int run_delete(void *ctx, struct batch *b, struct err *e)
{
	struct store_context *v = ctx;
	read_ids(v, b, false);
	if (v->store->remove(v->store, v->live, v->nlive, e) < 0)
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

static void move_behind(struct query_source *q, const struct message *m)
{
	buf_clear(&q->after);
	buf_str(&q->after, m->id);
	q->filter.after =
	    (struct place){.set = true, .has_time = m->has_time, .time = m->time, .id = buf_view(&q->after)};
}

static enum next query_next(struct source *source, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	(void)wake; /* a query never waits for its first record */
	struct query_source *q = (struct query_source *)source;
	size_t max = l->records < q->left ? l->records : (size_t)q->left;
	if (max == 0 || sig_stopping())
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
	move_behind(q, &q->row[n - 1]);
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
