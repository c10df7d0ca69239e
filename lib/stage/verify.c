/* verify.c - asks the cache first and then the store, its version then that the store's answer is never the older. */
#include "lib/stage/verify.h"

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/json/write.h"

enum { PAUSE_MS = 100 };

/* ---- the sample ---- */

struct sample_source {
	struct source port;
	struct cache *cache;
	struct str *id;
	size_t n, at; /* n: wanted, then found */
	bool taken;
	struct arena mem;
};

static void add_id(struct batch *b, struct str id)
{
	struct rec *r = batch_add(b);
	struct buf line = {0};
	buf_str(&line, STR("{\"id\":"));
	json_put_string(&line, id);
	buf_char(&line, '}');
	r->line = arena_str(&b->mem, buf_view(&line));
	r->id = id;
	buf_free(&line);
}

static enum next sample_next(struct source *source, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	(void)wake;
	struct sample_source *s = (struct sample_source *)source;
	if (!s->taken) {
		s->id = xcalloc(s->n, sizeof *s->id);
		int n = s->cache->sample(s->cache, s->id, s->n, &s->mem, e);
		if (n < 0)
			return NEXT_ERROR;
		s->n = (size_t)n;
		s->taken = true;
	}
	source->interrupted = s->at < s->n && stop_raised(l->stop);
	if (s->at == s->n || source->interrupted)
		return NEXT_END;
	while (s->at < s->n && b->n < l->records)
		add_id(b, s->id[s->at++]);
	b->flush_reason = s->at < s->n ? FLUSH_FULL : FLUSH_END;
	return NEXT_BATCH;
}

static int sample_close(struct source *source, struct err *e)
{
	(void)e;
	struct sample_source *s = (struct sample_source *)source;
	free(s->id);
	arena_free(&s->mem);
	free(s);
	return 0;
}

struct source *source_sample(struct cache *cache, size_t n)
{
	struct sample_source *s = xcalloc(1, sizeof *s);
	s->port = (struct source){.next = sample_next, .close = sample_close};
	s->cache = cache;
	s->n = n;
	return &s->port;
}

/* ---- comparing ---- */

/* One message under compariits version thenn. */
struct verification {
	struct rec *rec;
	struct entry entry;
	struct message row;
	bool row_known;	      /* after the first look */
	bool had_row;	      /* the store had it then */
	uint64_t row_version; /* its version then */
};

struct verify_context {
	const struct verify *conf;
	struct scratch *scratch;
	struct json_scan scan;
	struct buf line;
	uint64_t checked, gone, stale, results, wrong;
};

static void *verify_open(const void *conf, struct err *e)
{
	(void)e;
	struct verify_context *c = xcalloc(1, sizeof *c);
	c->conf = conf;
	if (c->conf->model)
		c->scratch = scratch_new(c->conf->model);
	return c;
}

static void verify_close(void *ctx)
{
	struct verify_context *c = ctx;
	if (c->conf->model)
		c->conf->model->engine->scratch_free(c->scratch);
	json_scan_free(&c->scan);
	buf_free(&c->line);
	free(c);
}

/* Asks cache and store for these messages: 0 or -1. */
static int look(struct verify_context *c, struct verification *const *pair, size_t n, struct arena *mem, struct err *e)
{
	struct entry **entry = arena_alloc(mem, n * sizeof *entry);
	struct message **row = arena_alloc(mem, n * sizeof *row);
	for (size_t i = 0; i < n; i++) {
		entry[i] = &pair[i]->entry;
		*entry[i] = (struct entry){.kind = ENTRY_MESSAGE, .key = entry[i]->key};
		row[i] = &pair[i]->row;
		*row[i] = (struct message){.id = pair[i]->rec->id};
	}
	if (c->conf->cache->get(c->conf->cache, entry, n, mem, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (entry[i]->state == ENTRY_SKIPPED)
			return err_set(e, ERR_ENV, "the cache is unreachable: nothing can be compared");
	return c->conf->store->get(c->conf->store, row, n, mem, e);
}

static bool in_cache(const struct verification *p)
{
	return p->entry.state == ENTRY_HIT || p->entry.state == ENTRY_ABSENT;
}

/* True if the cache shows what the store holds. Version 0 is a message that may not be stored yet. */
static bool equal(struct verify_context *c, const struct verification *p)
{
	bool stored = p->row.fate == MESSAGE_FOUND;
	if (p->entry.state == ENTRY_ABSENT || !stored)
		return !stored && (p->entry.state == ENTRY_ABSENT || p->entry.version == 0);
	if (p->entry.version != p->row.version)
		return false;
	buf_clear(&c->line);
	return message_write(&p->row, &c->line, &c->scan) == 0 && str_eq(p->entry.value, buf_view(&c->line));
}

/* True if the change seen at the first look has reached the cache, whatever has followed. */
static bool moved_on(const struct verification *p)
{
	if (!p->row_known || p->entry.state != ENTRY_HIT || p->row.fate != MESSAGE_FOUND)
		return false;
	bool newer = p->had_row ? p->entry.version >= p->row_version : p->entry.version > p->row_version;
	return newer && p->entry.version < p->row.version;
}

static void remember(struct verification *p)
{
	if (p->row_known)
		return;
	p->row_known = true;
	p->had_row = p->row.fate == MESSAGE_FOUND;
	/* Of a deleted message: what the cache still shows, which only a new row can exceed. */
	p->row_version = p->had_row ? p->row.version : p->entry.version;
}

/* Keeps those to look at again. Returns how many. */
static size_t suspects(struct verify_context *c, struct verification **pair, size_t n)
{
	size_t left = 0;
	for (size_t i = 0; i < n; i++) {
		struct verification *p = pair[i];
		if (!in_cache(p) || equal(c, p) || moved_on(p))
			continue;
		remember(p);
		pair[left++] = p;
	}
	return left;
}

static void reject_stale(struct verify_context *c, struct batch *b, const struct verification *p)
{
	char cached[48] = "no such message", stored[48] = "none";
	if (p->entry.state == ENTRY_HIT)
		snprintf(cached, sizeof cached, "version %llu", (unsigned long long)p->entry.version);
	if (p->row.fate == MESSAGE_FOUND)
		snprintf(stored, sizeof stored, "version %llu", (unsigned long long)p->row.version);
	rec_reject(b, p->rec, CODE_STALE, "message '%.*s' is stale: the cache shows %s, the store %s%s",
	    STR_FMT(p->rec->id), cached, stored, strcmp(cached, stored) == 0 ? " with another content" : "");
	c->stale++;
}

/* ---- results ---- */

/* Compares a text's cached result, if any, with the model's. */
static void check_result(struct verify_context *c, struct batch *b, struct verification *p, const struct entry *cached)
{
	const struct model *m = c->conf->model;
	struct result result;
	if (cached->state != ENTRY_HIT || p->rec->fate == FATE_REJECTED)
		return;
	c->results++;
	buf_clear(&c->line);
	m->engine->score(m, c->scratch, p->row.text, &result, NULL);
	result_put(&c->line, m, &result, NULL, p->row.text);
	if (str_eq(cached->value, buf_view(&c->line)))
		return;
	c->wrong++;
	rec_reject(b, p->rec, CODE_WRONG_RESULT, "the cached result of message '%.*s' is not what %s says of its text",
	    STR_FMT(p->rec->id), m->name);
}

static int check_results(struct verify_context *c, struct batch *b, struct verification *pair, size_t n, struct err *e)
{
	struct entry **entry = arena_alloc(&b->mem, n * sizeof *entry);
	struct verification **of = arena_alloc(&b->mem, n * sizeof *of);
	size_t m = 0;
	for (size_t i = 0; i < n; i++) {
		if (pair[i].row.fate != MESSAGE_FOUND)
			continue;
		buf_clear(&c->line);
		cache_key_result(&c->line, str_of(c->conf->model->name), pair[i].row.text);
		entry[m] = arena_alloc(&b->mem, sizeof **entry);
		*entry[m] = (struct entry){.kind = ENTRY_RESULT, .key = arena_str(&b->mem, buf_view(&c->line))};
		of[m++] = &pair[i];
	}
	if (m && c->conf->cache->get(c->conf->cache, entry, m, &b->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < m; i++)
		check_result(c, b, of[i], entry[i]);
	return 0;
}

/* ---- the stage ---- */

static int verify_run(void *ctx, struct batch *b, struct err *e)
{
	struct verify_context *c = ctx;
	struct verification *pair = arena_alloc(&b->mem, b->n * sizeof *pair);
	struct verification **left = arena_alloc(&b->mem, b->n * sizeof *left);
	size_t n = b->n;
	for (size_t i = 0; i < n; i++) {
		pair[i] = (struct verification){.rec = &b->rec[i]};
		buf_clear(&c->line);
		cache_key_message(&c->line, b->rec[i].id);
		pair[i].entry.key = arena_str(&b->mem, buf_view(&c->line));
		b->rec[i].fate = FATE_HELD;
		left[i] = &pair[i];
	}
	if (look(c, left, n, &b->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		*(in_cache(&pair[i]) ? &c->checked : &c->gone) += 1;
	if (c->conf->model && check_results(c, b, pair, n, e) < 0)
		return -1;
	n = suspects(c, left, n);
	int64_t until = clock_mono_ms() + (c->conf->patience_ms ? c->conf->patience_ms : VERIFY_PATIENCE_MS);
	while (n && clock_mono_ms() < until) {
		if (io_wait_readable(-1, -1, clock_mono_ms() + PAUSE_MS, c->conf->stop) == IO_STOP)
			return err_set(e, ERR_ENV, "stopped before all was compared");
		if (look(c, left, n, &b->mem, e) < 0)
			return -1;
		n = suspects(c, left, n);
	}
	for (size_t i = 0; i < n; i++)
		reject_stale(c, b, left[i]);
	return 0;
}

static int verify_end(void *ctx, struct batch *b, struct err *e)
{
	(void)e;
	struct verify_context *c = ctx;
	struct rec *r = batch_add(b);
	r->line = arena_printf(&b->mem, "{\"checked\":%llu,\"gone\":%llu,\"stale\":%llu",
	    (unsigned long long)c->checked, (unsigned long long)c->gone, (unsigned long long)c->stale);
	if (c->conf->model)
		r->add = arena_printf(&b->mem, ",\"results\":%llu,\"wrong\":%llu", (unsigned long long)c->results,
		    (unsigned long long)c->wrong);
	r->line = arena_printf(&b->mem, "%.*s}", STR_FMT(r->line));
	return 0;
}

const struct stage stage_verify = {
    .name = "verify", .open = verify_open, .run = verify_run, .end = verify_end, .close = verify_close};
