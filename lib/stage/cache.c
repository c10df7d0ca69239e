/* cache.c - get, put, invalidate and key: turns records into entries of the cache, and back. */
#include "lib/stage/cache.h"

#include "lib/base/map.h"
#include "lib/json/write.h"
#include "lib/text/hash.h"

struct cache_context {
	const struct cache_verb *verb;
	struct cache *own; /* of get */
	struct json_scan scan, inner;
	struct buf prefix; /* ,"sentiment": */
	struct buf key;	   /* senti:s:MODEL: */
	struct buf line;
	struct map known; /* keys or ids of the batch: index + 1 */
	struct entry *entry, **list;
	size_t *of; /* each record's entry + 1; 0: none */
	size_t n, cap, recs;
	struct message *message, **row;
};

static void *verb_open(const void *conf, struct err *e)
{
	(void)e;
	struct cache_context *c = xcalloc(1, sizeof *c);
	c->verb = conf;
	buf_char(&c->prefix, ',');
	json_put_string(&c->prefix, c->verb->form.result_name);
	buf_char(&c->prefix, ':');
	return c;
}

static void verb_close(void *ctx)
{
	struct cache_context *c = ctx;
	if (c->own)
		c->own->close(c->own);
	json_scan_free(&c->scan);
	json_scan_free(&c->inner);
	buf_free(&c->prefix);
	buf_free(&c->key);
	buf_free(&c->line);
	map_free(&c->known);
	free(c->entry);
	free(c->list);
	free(c->of);
	free(c->message);
	free(c->row);
	free(c);
}

/* A record has at most two entries: its result's and its message's. */
static void begin(struct cache_context *c, const struct batch *b)
{
	if (c->recs < b->n) {
		c->recs = b->n;
		c->cap = 2 * b->n;
		c->entry = xreallocarray(c->entry, c->cap, sizeof *c->entry);
		c->list = xreallocarray(c->list, c->cap, sizeof *c->list);
		c->of = xreallocarray(c->of, b->n, sizeof *c->of);
		c->message = xreallocarray(c->message, b->n, sizeof *c->message);
		c->row = xreallocarray(c->row, b->n, sizeof *c->row);
	}
	map_clear(&c->known);
	c->n = 0;
}

static struct entry *add_entry(struct cache_context *c, enum entry_kind kind, struct str key)
{
	struct entry *en = &c->entry[c->n];
	*en = (struct entry){.kind = kind, .key = key};
	c->list[c->n++] = en;
	return en;
}

/* ---- results as senti-score writes them ---- */

static bool is_member(const struct json_member *m, const struct json_member *end, struct str name, enum json_type type)
{
	return m < end && m->type == type && str_eq(m->name, name);
}

/* is_plain for any result: with any label, also one of a user's own model. */
static bool is_plain_scanned(struct json_scan *s, struct str result, struct str *model)
{
	if (json_scan(s, result) < 0 || s->n < 3)
		return false;
	const struct json_member *m = s->member, *end = m + s->n, *last = end - 1;
	size_t bytes = s->n + 1;
	for (const struct json_member *k = m; k < end; k++)
		bytes += k->name.n + 3 + k->value.n;
	if (bytes != result.n || !is_member(m, end, STR("label"), JSON_STRING) ||
	    !is_member(m + 1, end, STR("score"), JSON_NUMBER) || !is_member(last, end, STR("model"), JSON_STRING) ||
	    last->escaped)
		return false;
	m += 2;
	if (is_member(m, end, STR("neg"), JSON_NUMBER) && is_member(m + 1, end, STR("neu"), JSON_NUMBER) &&
	    is_member(m + 2, end, STR("pos"), JSON_NUMBER))
		m += 3;
	if (is_member(m, end, STR("subjectivity"), JSON_NUMBER))
		m++;
	*model = (struct str){last->value.p + 1, last->value.n - 2};
	return m == last;
}

/* Takes the literal from the front of s. */
static inline bool take_literal(struct str *s, struct str literal)
{
	if (s->n < literal.n || memcmp(s->p, literal.p, literal.n) != 0)
		return false;
	*s = (struct str){s->p + literal.n, s->n - literal.n};
	return true;
}

static inline size_t digits_at(struct str s, size_t i)
{
	size_t from = i;
	while (i < s.n && s.p[i] >= '0' && s.p[i] <= '9')
		i++;
	return i - from;
}

/* Takes a member whose value is a number as engines write it: without an exponent. */
static inline bool take_number(struct str *s, struct str name)
{
	struct str rest = *s;
	if (!take_literal(&rest, name))
		return false;
	size_t i = rest.n && rest.p[0] == '-', whole = digits_at(rest, i), fraction;
	if (!whole || (whole > 1 && rest.p[i] == '0'))
		return false;
	i += whole;
	if (i < rest.n && rest.p[i] == '.') {
		if (!(fraction = digits_at(rest, i + 1)))
			return false;
		i += 1 + fraction;
	}
	*s = (struct str){rest.p + i, rest.n - i};
	return true;
}

/* Takes what stands before the next quote, and the quote: printable ASCII without a backslash. */
static inline bool take_word(struct str *s, struct str *word)
{
	size_t i = 0;
	while (i < s->n && s->p[i] >= ' ' && s->p[i] <= '~' && s->p[i] != '"' && s->p[i] != '\\')
		i++;
	if (i == s->n || s->p[i] != '"')
		return false;
	*word = (struct str){s->p, i};
	*s = (struct str){s->p + i + 1, s->n - i - 1};
	return true;
}

/* True for {"label":...,"score":...,[shares,][subjectivity,]"model":...} without blanks; *model is the model's name, as
 * spelled. A result with reasons or a correction is not a function of the text alone.
 * Every hit is checked: what the engines write is read without a general scan, which took an eighth of get's time. */
static bool is_plain(struct json_scan *s, struct str result, struct str *model)
{
	struct str r = result, label;
	if (!take_literal(&r, STR("{\"label\":\"")) || !take_word(&r, &label) || !take_number(&r, STR(",\"score\":")))
		return is_plain_scanned(s, result, model);
	if (take_number(&r, STR(",\"neg\":")) &&
	    !(take_number(&r, STR(",\"neu\":")) && take_number(&r, STR(",\"pos\":"))))
		return is_plain_scanned(s, result, model);
	take_number(&r, STR(",\"subjectivity\":"));
	if (take_literal(&r, STR(",\"model\":\"")) && take_word(&r, model) && str_eq(r, STR("}")))
		return true;
	return is_plain_scanned(s, result, model);
}

/* ---- get ---- */

static void *get_open(const void *conf, struct err *e)
{
	struct cache_context *c = verb_open(conf, e);
	const struct cache_verb *v = conf;
	if (v->cache && !(c->own = v->open(v->arg, e))) {
		verb_close(c);
		return NULL;
	}
	cache_key_result(&c->key, str_of(c->verb->model->name), STR_NONE);
	c->key.n -= HASH_HEX;
	return c;
}

/* True if the record already has a result of the model, which senti-score would keep. */
static bool has_result(struct cache_context *c, const struct rec *r)
{
	if (!r->has_old || r->crowded || json_scan(&c->inner, r->result) < 0)
		return false;
	const struct json_member *m = json_find(&c->inner, STR("model"));
	struct str name = str_of(c->verb->model->name);
	return m && m->type == JSON_STRING && str_eq((struct str){m->value.p + 1, m->value.n - 2}, name);
}

/* The number of the text's entry, plus one. `key` is a buffer for its key. */
static size_t entry_of_text(struct cache_context *c, struct str text, char *key)
{
	memcpy(key, c->key.p, c->key.n);
	hash_text(text, key + c->key.n);
	struct str whole = {key, c->key.n + HASH_HEX};
	struct map_slot *known = map_put(&c->known, whole, NULL);
	if (!known->v.num) {
		add_entry(c, ENTRY_RESULT, whole);
		known->v.num = c->n;
	}
	return known->v.num;
}

static void attach(struct cache_context *c, struct batch *b, struct rec *r, struct str result)
{
	if (r->has_old || r->add.n) {
		rec_set(b, r, &c->scan, c->verb->form.result_name, result);
	} else {
		size_t n = c->prefix.n + result.n;
		char *add = arena_alloc(&b->mem, n);
		memcpy(add, c->prefix.p, c->prefix.n);
		memcpy(add + c->prefix.n, result.p, result.n);
		r->add = (struct str){add, n};
	}
	r->result = (struct str){r->add.p + r->add.n - result.n, result.n};
}

/* Anything but a result of the model is a miss. */
static void check_hits(struct cache_context *c)
{
	struct str model;
	for (size_t i = 0; i < c->n; i++)
		if (c->entry[i].state == ENTRY_HIT &&
		    !(is_plain(&c->inner, c->entry[i].value, &model) && str_eq(model, str_of(c->verb->model->name))))
			c->entry[i].state = ENTRY_MISS;
}

static void answer(struct cache_context *c, struct batch *b, struct rec *r, const struct entry *en)
{
	if (en->state == ENTRY_HIT)
		attach(c, b, r, en->value);
	b->counter[en->state == ENTRY_HIT    ? COUNTER_HITS
		   : en->state == ENTRY_MISS ? COUNTER_MISSES
					     : COUNTER_SKIPPED]++;
}

static int run_get(void *ctx, struct batch *b, struct err *e)
{
	struct cache_context *c = ctx;
	struct cache *cache = c->own;
	begin(c, b);
	size_t room = c->key.n + HASH_HEX;
	char *keys = arena_alloc(&b->mem, b->n * room);
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		c->of[i] = 0;
		if (r->fate != FATE_OUT || rec_scan(b, r, &c->scan, &c->verb->form) < 0)
			continue;
		if (unlikely(r->has_old) && has_result(c, r))
			b->counter[COUNTER_KEPT]++;
		else if (!cache)
			b->counter[COUNTER_SKIPPED]++;
		else
			c->of[i] = entry_of_text(c, r->text, keys + i * room);
	}
	if (!c->n)
		return 0;
	if (cache->get(cache, c->list, c->n, &b->mem, e) < 0)
		return -1;
	check_hits(c);
	for (size_t i = 0; i < b->n; i++)
		if (c->of[i])
			answer(c, b, &b->rec[i], &c->entry[c->of[i] - 1]);
	return 0;
}

/* ---- put ---- */

static struct str take(struct buf *from, struct arena *mem)
{
	struct str s = arena_str(mem, buf_view(from));
	buf_clear(from);
	return s;
}

static void add_result(struct cache_context *c, struct batch *b, const struct rec *r)
{
	struct str model;
	if (!r->text.p || !r->has_old || r->crowded || !is_plain(&c->inner, r->result, &model))
		return;
	buf_clear(&c->line);
	cache_key_result(&c->line, model, r->text);
	add_entry(c, ENTRY_RESULT, take(&c->line, &b->mem))->value = r->result;
}

/* The record's version, or 0. */
static uint64_t version_in(const struct json_scan *s)
{
	uint64_t version;
	const struct json_member *m = json_find(s, STR("version"));
	return m && m->type == JSON_NUMBER && str_u64(m->value, &version) == 0 ? version : 0;
}

static struct entry *add_message(struct cache_context *c, struct batch *b, struct str id)
{
	buf_clear(&c->line);
	cache_key_message(&c->line, id);
	return add_entry(c, ENTRY_MESSAGE, take(&c->line, &b->mem));
}

/* The message as the store would show it; entries without a value are left out. */
static struct str written(struct cache_context *c, struct batch *b, const struct message *m)
{
	buf_clear(&c->line);
	return message_write(m, &c->line, &c->inner) == 0 ? take(&c->line, &b->mem) : STR_NONE;
}

/* Without a store the record is trusted. It is written anew, as the store would spell it. */
static void add_as_told(
    struct cache_context *c, struct batch *b, const struct rec *r, uint64_t version, int64_t read_at)
{
	struct message m;
	struct rec copy = *r; /* a record that is not a message is not rejected here */
	if (message_read(&m, b, &copy, &c->scan, &c->inner) < 0)
		return;
	m.version = version;
	struct str value = written(c, b, &m);
	if (!value.p)
		return;
	struct entry *en = add_message(c, b, r->id);
	en->value = value;
	en->version = version;
	en->read_at = read_at;
}

/* Adds an id to ask the store for, unless it is there. */
static size_t add_row(struct cache_context *c, struct str id, size_t n)
{
	bool made;
	map_put(&c->known, id, &made);
	if (!made)
		return n;
	c->message[n] = (struct message){.id = id};
	c->row[n] = &c->message[n];
	return n + 1;
}

static int add_rows(struct cache_context *c, struct batch *b, size_t n, int64_t read_at, struct err *e)
{
	struct store *s = c->verb->store;
	if (!n || read_at < 0) {
		b->counter[COUNTER_SKIPPED] += n;
		return 0;
	}
	if (s->get(s, c->row, n, &b->mem, e) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct message *m = &c->message[i];
		struct str value = m->fate == MESSAGE_FOUND ? written(c, b, m) : STR_NONE;
		if (!value.p) { /* deleted meanwhile, or not presentable */
			b->counter[COUNTER_REFUSED]++;
			continue;
		}
		struct entry *en = add_message(c, b, m->id);
		en->value = value;
		en->version = m->version;
		en->read_at = read_at;
	}
	return 0;
}

/* When the store was read: now, just before; or, without a store, when the batch's first record may have been read. */
static int64_t time_of_read(const struct cache_verb *v)
{
	int64_t now = v->cache->clock(v->cache);
	if (now < 0 || v->store)
		return now;
	return now > v->wait_ms ? now - v->wait_ms : 1;
}

static int put_entries(struct cache_context *c, struct batch *b, struct err *e)
{
	if (c->n && c->verb->cache->put(c->verb->cache, c->list, c->n, e) < 0)
		return -1;
	for (size_t i = 0; i < c->n; i++)
		b->counter[c->entry[i].state == ENTRY_STORED	? COUNTER_STORED
			   : c->entry[i].state == ENTRY_REFUSED ? COUNTER_REFUSED
								: COUNTER_SKIPPED]++;
	return 0;
}

static int run_put(void *ctx, struct batch *b, struct err *e)
{
	struct cache_context *c = ctx;
	const struct cache_verb *v = c->verb;
	size_t rows = 0;
	int64_t read_at = 0; /* unknown yet */
	begin(c, b);
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT || rec_scan(b, r, &c->scan, &v->form) < 0)
			continue;
		if (!v->cache) {
			b->counter[COUNTER_SKIPPED]++;
			continue;
		}
		uint64_t version = version_in(&c->scan);
		add_result(c, b, r);
		if (!version || !r->id.p)
			continue;
		read_at = read_at ? read_at : time_of_read(v);
		if (v->store)
			rows = add_row(c, r->id, rows);
		else
			add_as_told(c, b, r, version, read_at);
	}
	return add_rows(c, b, rows, read_at, e) < 0 ? -1 : put_entries(c, b, e);
}

/* ---- invalidate ---- */

static int run_invalidate(void *ctx, struct batch *b, struct err *e)
{
	static const struct rec_form by_id = {
	    .text_name = {"text", 4}, .result_name = {"sentiment", 9}, .needs_id = true};
	struct cache_context *c = ctx;
	struct cache *cache = c->verb->cache;
	struct change *change = arena_alloc(&b->mem, (b->n + 1) * sizeof *change);
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate == FATE_OUT && rec_scan(b, r, &c->scan, &by_id) == 0)
			change[n++] = (struct change){.id = r->id, .op = CHANGE_UPDATE};
	}
	if (!cache)
		return 0;
	if (cache->invalidate(cache, change, n, e) < 0)
		return -1;
	b->counter[COUNTER_BURIED] += n;
	return 0;
}

/* ---- key ---- */

static int run_key(void *ctx, struct batch *b, struct err *e)
{
	struct cache_context *c = ctx;
	(void)e;
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT || rec_scan(b, r, &c->scan, &c->verb->form) < 0)
			continue;
		struct buf keys = {0};
		buf_char(&keys, '{');
		if (r->text.p) {
			buf_clear(&c->line);
			cache_key_result(&c->line, str_of(c->verb->model->name), r->text);
			json_put_name(&keys, STR("result"));
			json_put_string(&keys, buf_view(&c->line));
		}
		if (r->id.p) {
			buf_clear(&c->line);
			cache_key_message(&c->line, r->id);
			json_put_name(&keys, STR("message"));
			json_put_string(&keys, buf_view(&c->line));
		}
		buf_char(&keys, '}');
		rec_set(b, r, &c->scan, STR("keys"), buf_view(&keys));
		buf_free(&keys);
	}
	return 0;
}

const struct stage stage_cache_get = {
    .name = "get", .pure = true, .waits = true, .open = get_open, .run = run_get, .close = verb_close};
const struct stage stage_cache_put = {.name = "put", .open = verb_open, .run = run_put, .close = verb_close};
const struct stage stage_cache_invalidate = {
    .name = "invalidate", .open = verb_open, .run = run_invalidate, .close = verb_close};
const struct stage stage_cache_key = {.name = "key", .open = verb_open, .run = run_key, .close = verb_close};
