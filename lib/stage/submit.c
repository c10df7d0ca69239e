/* submit.c - one pass over submitted messages. */
#include "lib/stage/submit.h"

#include "lib/base/log.h"
#include "lib/base/utf8.h"
#include "lib/stage/put_batch.h"

enum { MOST_ID = 512 };

#define CODE_BAD_ID "bad_id"

struct submit {
	struct submit_conf conf;
	struct put_batch put;
	struct scratch *scratch; /* NULL: nothing is scored */
	struct entry *entry, **list;
	size_t cap, n; /* of entry and list */
	struct buf key;
};

struct submit *submit_new(const struct submit_conf *conf)
{
	struct submit *s = xcalloc(1, sizeof *s);
	s->conf = *conf;
	if (conf->store)
		s->scratch = scratch_new(conf->model);
	return s;
}

void submit_free(struct submit *s)
{
	if (!s)
		return;
	if (s->scratch)
		s->conf.model->engine->scratch_free(s->scratch);
	put_batch_free(&s->put);
	free(s->entry);
	free(s->list);
	buf_free(&s->key);
	free(s);
}

/* ---- reading and scoring ---- */

/* Joins the lines of a record: line ends between tokens become blanks. */
static void join_lines(struct rec *r)
{
	char *p = (char *)(uintptr_t)r->line.p; /* the batch owns the bytes */
	for (size_t i = 0; i < r->line.n; i++)
		if (p[i] == '\n' || p[i] == '\r')
			p[i] = ' ';
}

static int read_record(struct submit *s, struct batch *b, size_t i)
{
	struct rec *r = &b->rec[i];
	if (r->line.n > s->conf.max_record)
		return rec_reject(b, r, CODE_TOO_LONG, "the record has more than %zu bytes", s->conf.max_record);
	join_lines(r);
	if (put_batch_read(&s->put, b, i, !s->conf.store) < 0)
		return -1;
	/* Clients and proxies drop these segments from a path. */
	if (str_eq(r->id, STR(".")) || str_eq(r->id, STR("..")))
		return rec_reject(b, r, CODE_BAD_ID, "the id '%.*s' cannot stand in a path", STR_FMT(r->id));
	if (utf8_count(r->id) > MOST_ID)
		return rec_reject(b, r, CODE_BAD_ID, "the id has more than %d characters", MOST_ID);
	return 0;
}

/* Scores the message, as if its result had come with the record. */
static void score(struct submit *s, struct batch *b, const struct rec *r, struct message *m)
{
	const struct model *model = s->conf.model;
	struct result result;
	if (m->sentiment.p && !r->crowded && m->model.p && str_eq(m->model, str_of(model->name))) {
		b->counter[COUNTER_KEPT]++;
		return;
	}
	model->engine->score(model, s->scratch, m->text, &result, NULL);
	buf_clear(&s->put.line);
	result_put(&s->put.line, model, &result, NULL, m->text);
	m->sentiment = json_padded(&b->mem, buf_view(&s->put.line));
	m->label = str_of(label_name(result.label));
	m->model = str_of(model->name);
	m->has_score = true;
	/* The score as spelled, as for a record that was scored elsewhere. */
	static const char before[] = "\"score\":";
	const char *at = memmem(m->sentiment.p, m->sentiment.n, before, sizeof before - 1);
	m->score = strtod(at + sizeof before - 1, NULL);
	m->shown_corrected = false;
	b->counter[COUNTER_SCORED]++;
	b->results[result.label]++;
}

/* ---- the cache ---- */

static void begin_entries(struct submit *s, size_t n)
{
	if (s->cap < n) {
		s->cap = n;
		s->entry = xreallocarray(s->entry, n, sizeof *s->entry);
		s->list = xreallocarray(s->list, n, sizeof *s->list);
	}
	s->n = 0;
}

static void add_entry(struct submit *s, struct batch *b, const struct message *m, struct str value, int64_t read_at)
{
	if (!s->conf.cache || !value.p)
		return;
	buf_clear(&s->key);
	cache_key_message(&s->key, m->id);
	struct entry *en = &s->entry[s->n];
	*en = (struct entry){.kind = ENTRY_MESSAGE,
	    .key = arena_str(&b->mem, buf_view(&s->key)),
	    .value = value,
	    .version = m->version,
	    .read_at = read_at};
	s->list[s->n++] = en;
}

static void put_entries(struct submit *s)
{
	struct err e;
	if (s->n && s->conf.cache->put(s->conf.cache, s->list, s->n, &e) < 0)
		log_warn("cannot write to the cache", "error", e.msg, NULL);
}

/* The message as a store shows it, in the batch's memory, or STR_NONE. */
static struct str written(struct submit *s, struct batch *b, const struct message *m)
{
	buf_clear(&s->put.line);
	return message_write(m, &s->put.line, &s->put.inner) < 0 ? STR_NONE
								 : json_padded(&b->mem, buf_view(&s->put.line));
}

void submit_confirmed(struct submit *s, struct batch *b)
{
	begin_entries(s, b->n);
	for (size_t i = 0; s->conf.cache && i < b->n; i++)
		if (b->rec[i].fate == FATE_OUT)
			add_entry(s, b, &s->put.slot[i].m, written(s, b, &s->put.slot[i].m), 0);
	put_entries(s);
}

/* ---- the stage ---- */

/* Writes each row once, for all records of its id. */
static void show_rows(struct submit *s, struct batch *b, int64_t read_at)
{
	begin_entries(s, b->n);
	for (size_t i = b->n; i-- > 0;) {
		const struct put_slot *slot = &s->put.slot[i], *stored = slot->stored;
		struct rec *r = &b->rec[i];
		if (!stored)
			continue;
		struct str line = stored == slot ? written(s, b, &slot->m) : b->rec[stored - s->put.slot].line;
		if (stored == slot)
			add_entry(s, b, &slot->m, line, read_at);
		if (line.p) {
			r->line = line;
			r->add = STR_NONE;
		}
	}
	put_entries(s);
}

static int submit_run(void *ctx, struct batch *b, struct err *e)
{
	struct submit *s = ctx;
	int64_t read_at = s->conf.store && s->conf.cache ? s->conf.cache->clock(s->conf.cache) : 0;
	put_batch_begin(&s->put, b->n);
	for (size_t i = 0; i < b->n; i++) {
		if (b->rec[i].fate != FATE_OUT || read_record(s, b, i) < 0 || !s->conf.store)
			continue;
		score(s, b, &b->rec[i], &s->put.slot[i].m);
		put_batch_add(&s->put, i);
	}
	if (!s->conf.store)
		return 0;
	if (put_batch_store(&s->put, b, s->conf.store, e) < 0)
		return -1;
	show_rows(s, b, read_at);
	return 0;
}

static void *submit_open(const void *conf, struct err *e)
{
	void *self;
	(void)e;
	memcpy(&self, &conf, sizeof self); /* the only context */
	return self;
}

static void submit_close(void *ctx)
{
	(void)ctx;
}

const struct stage stage_submit = {.name = "submit", .open = submit_open, .run = submit_run, .close = submit_close};
