/* intake.c - the pump behind POST /v1/messages. */
#include "lib/serve/intake.h"

#include <errno.h>
#include <time.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/timedwait.h"
#include "lib/base/map.h"
#include "lib/data/message.h"
#include "lib/flow/pump.h"
#include "lib/json/write.h"
#include "lib/stage/score.h"
#include "lib/stage/store.h"
#include "lib/text/hash.h"
#include "lib/base/utf8.h"

enum { PAUSE_MS = 500, STUCK_MS = 5000, MOST_ID = 512 };

#define CODE_BAD_ID "bad_id"

struct intake {
	struct source port; /* stands around the gatherer, for what must come after the queue's confirm */
	struct intake_conf conf;
	struct source *gather;
	struct store *store; /* embedded: where the messages go; else NULL */
	struct sink *queue;
	struct cache *cache; /* NULL: none */
	int64_t read_at;     /* the cache's clock before the batch's commit */
	struct counts counts;
	_Atomic uint64_t under_way; /* handed in, and not told of */
	_Atomic int64_t moved_at;   /* clock_mono_ms when the first of them came, or the last batch was told */
	atomic_bool away;	    /* there is a `why` */
	struct json_scan scan, inner;
	struct buf keys, line;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool ending;
	struct err why; /* the last failure; no message: it works */
};

/* ---- the first stage: what is a message, and by which name ---- */

static void *open_self(const void *conf, struct err *e)
{
	struct intake *m;
	(void)e;
	memcpy(&m, &conf, sizeof m); /* the only context there is */
	return m;
}

static void close_self(void *ctx)
{
	(void)ctx;
}

static void give_id(struct intake *m, struct batch *b, struct rec *r)
{
	char json[UUID_LEN + 2], *id = arena_alloc(&b->mem, UUID_LEN);
	uuid_ordered(id);
	json[0] = json[UUID_LEN + 1] = '"';
	memcpy(json + 1, id, UUID_LEN);
	rec_set(b, r, &m->scan, STR("id"), (struct str){json, sizeof json});
	r->id = (struct str){id, UUID_LEN};
}

/* A record that spans lines, as people write JSON, becomes one line: line ends between tokens are blanks. */
static void join_lines(struct rec *r)
{
	char *p = (char *)(uintptr_t)r->line.p; /* the batch's own copy */
	for (size_t i = 0; i < r->line.n; i++)
		if (p[i] == '\n' || p[i] == '\r')
			p[i] = ' ';
}

static int prepare_run(void *ctx, struct batch *b, struct err *e)
{
	struct intake *m = ctx;
	(void)e;
	if (m->cache)
		m->read_at = m->cache->clock(m->cache);
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		struct message message;
		if (r->line.n > m->conf.limits.max_record) {
			rec_reject(
			    b, r, CODE_TOO_LONG, "the record has more than %zu bytes", m->conf.limits.max_record);
			continue;
		}
		join_lines(r);
		if (message_read(&message, b, r, &m->scan, &m->inner) < 0)
			continue;
		if (!message.id.p)
			give_id(m, b, r);
		else if (utf8_count(message.id) > MOST_ID)
			rec_reject(b, r, CODE_BAD_ID, "the id has more than %d characters", MOST_ID);
	}
	return 0;
}

/* What scoring has added becomes a part of the line, since that is what the store reads. */
static int join_run(void *ctx, struct batch *b, struct err *e)
{
	struct intake *m = ctx;
	(void)e;
	series_add(m->conf.texts, b->counter[COUNTER_SCORED]);
	for (size_t i = 0; i < b->n; i++) {
		struct rec *r = &b->rec[i];
		if (r->fate != FATE_OUT || !r->add.n)
			continue;
		buf_clear(&m->line);
		rec_put(&m->line, r);
		r->line = json_padded(&b->mem, buf_view(&m->line));
		r->add = STR_NONE;
	}
	return 0;
}

/* ---- what is stored is put in the cache at once, so that whoever was told of it finds it there ---- */

/* Appends to the batch's memory what a store shows of the message, with room behind it for whoever scans it; or STR_NONE. */
static struct str written(struct intake *m, struct batch *b, const struct message *row)
{
	buf_clear(&m->line);
	if (message_write(row, &m->line, &m->inner) < 0)
		return STR_NONE;
	return json_padded(&b->mem, buf_view(&m->line));
}

static void add_entry(struct intake *m, struct batch *b, struct entry *to, struct str id, struct str value)
{
	buf_clear(&m->keys);
	cache_key_message(&m->keys, id);
	*to = (struct entry){.kind = ENTRY_MESSAGE, .key = arena_str(&b->mem, buf_view(&m->keys)), .value = value};
}

static void put_entries(struct intake *m, struct batch *b, struct entry *entry, size_t n)
{
	struct entry **list = arena_alloc(&b->mem, (n + 1) * sizeof *list);
	struct err e;
	for (size_t i = 0; i < n; i++)
		list[i] = &entry[i];
	if (n && m->cache->put(m->cache, list, n, &e) < 0)
		log_warn("cannot write to the cache", "error", e.msg, NULL);
}

/* Submitted, and not stored yet. */
static void keep_submitted(struct intake *m, struct batch *b)
{
	struct entry *entry = arena_alloc(&b->mem, (b->n + 1) * sizeof *entry);
	size_t n = 0;
	for (size_t i = 0; m->cache && i < b->n; i++) {
		struct rec copy = b->rec[i];
		struct message message;
		if (copy.fate != FATE_OUT || message_read(&message, b, &copy, &m->scan, &m->inner) < 0)
			continue;
		struct str value = written(m, b, &message);
		if (value.p)
			add_entry(m, b, &entry[n++], message.id, value);
	}
	put_entries(m, b, entry, n);
}

/* The rows of the batch's records, each once: how many. */
static size_t rows_of(const struct batch *b, struct message *row, struct message **list, size_t *at)
{
	size_t n = 0;
	struct map known = {0};
	for (size_t i = 0; i < b->n; i++) {
		bool made;
		if (b->rec[i].fate != FATE_OUT)
			continue;
		struct map_slot *slot = map_put(&known, b->rec[i].id, &made);
		if (made) {
			slot->v.num = n;
			row[n] = (struct message){.id = b->rec[i].id};
			list[n] = &row[n];
			n++;
		}
		at[i] = slot->v.num;
	}
	map_free(&known);
	return n;
}

/* What is stored may be another thing than what was sent: a person's correction stays. So callers and cache are given the rows. */
static int keep_run(void *ctx, struct batch *b, struct err *e)
{
	struct intake *m = ctx;
	struct message *row = arena_alloc(&b->mem, (b->n + 1) * sizeof *row);
	struct message **list = arena_alloc(&b->mem, (b->n + 1) * sizeof *list);
	size_t *at = arena_alloc(&b->mem, (b->n + 1) * sizeof *at), n = rows_of(b, row, list, at), kept = 0;
	if (n && m->store->get(m->store, list, n, &b->mem, e) < 0)
		return -1;
	struct entry *entry = arena_alloc(&b->mem, (n + 1) * sizeof *entry);
	struct str *value = arena_alloc(&b->mem, (n + 1) * sizeof *value);
	for (size_t i = 0; i < n; i++) {
		value[i] = row[i].fate == MESSAGE_FOUND ? written(m, b, &row[i]) : STR_NONE;
		if (!m->cache || !value[i].p)
			continue;
		add_entry(m, b, &entry[kept], row[i].id, value[i]);
		entry[kept].version = row[i].version;
		entry[kept++].read_at = m->read_at;
	}
	for (size_t i = 0; i < b->n; i++)
		if (b->rec[i].fate == FATE_OUT && value[at[i]].p) {
			b->rec[i].line = value[at[i]];
			b->rec[i].add = STR_NONE;
		}
	put_entries(m, b, entry, kept);
	return 0;
}

static const struct stage prepare_stage = {
    .name = "prepare", .open = open_self, .run = prepare_run, .close = close_self};
static const struct stage join_stage = {.name = "join", .open = open_self, .run = join_run, .close = close_self};
static const struct stage keep_stage = {.name = "keep", .open = open_self, .run = keep_run, .close = close_self};

/* ---- the ends ---- */

static void say(struct intake *m, const struct err *e)
{
	pthread_mutex_lock(&m->lock);
	m->why = *e;
	atomic_store_explicit(&m->away, e->msg[0] != 0, memory_order_release);
	pthread_mutex_unlock(&m->lock);
}

/* n more are under way, or less. */
static void move(struct intake *m, uint64_t n)
{
	if (atomic_load(&m->under_way) == 0 || n > UINT64_MAX / 2)
		atomic_store(&m->moved_at, clock_mono_ms());
	counts_unacked(&m->counts, atomic_fetch_add(&m->under_way, n) + n);
}

static enum next intake_next(struct source *s, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct intake *m = (struct intake *)s;
	return m->gather->next(m->gather, b, l, wake, e);
}

static int intake_accept(struct source *s, struct batch *b, struct err *e)
{
	struct intake *m = (struct intake *)s;
	if (m->queue)
		keep_submitted(m, b);
	move(m, -(uint64_t)b->n);
	return m->gather->accept(m->gather, b, e);
}

static void intake_abandon(struct source *s, struct batch *b)
{
	struct intake *m = (struct intake *)s;
	move(m, -(uint64_t)b->n);
	m->gather->abandon(m->gather, b);
}

/* Callers are told of their records by the source's accept; nothing else is written. */
static int put_nowhere(struct sink *s, const struct batch *b, struct source *from, struct err *e)
{
	(void)s;
	(void)b;
	(void)from;
	(void)e;
	return 0;
}

static int flush_nowhere(struct sink *s, struct err *e)
{
	(void)s;
	(void)e;
	return 0;
}

/* ---- the thread ---- */

static int open_ends(struct intake *m, struct err *e)
{
	const struct ends *o = m->conf.ends;
	if (o->queue)
		return (m->queue = o->queue(o->arg, &m->counts, e)) ? 0 : -1;
	return (m->store = o->store(o->arg, e)) ? 0 : -1;
}

static int close_ends(struct intake *m, struct err *e)
{
	int rc = m->queue ? m->queue->close(m->queue, e) : m->store ? m->store->close(m->store, e) : 0;
	m->queue = NULL;
	m->store = NULL;
	return rc;
}

static int run_once(struct intake *m, struct err *e)
{
	struct sink nowhere = {.put = put_nowhere, .flush = flush_nowhere};
	struct score_conf score = {.model = m->conf.model,
	    .form = {
		.text_name = STR("text"), .result_name = STR("sentiment"), .needs_text = true, .text_fixed = true}};
	struct step embedded[] = {{&prepare_stage, m}, {&score_stage, &score}, {&join_stage, m},
	    {&stage_store_put, m->store}, {&keep_stage, m}};
	struct pump p = {.source = &m->port,
	    .step = embedded,
	    .nsteps = m->queue ? 1 : COUNT_OF(embedded),
	    .out = m->queue ? m->queue : &nowhere,
	    .rejects = &nowhere,
	    .limits = m->conf.limits,
	    .jobs = 1,
	    .counts = &m->counts};
	return pump(&p, e);
}

/* False once the server is ending. */
static bool pause_a_while(struct intake *m)
{
	pthread_mutex_lock(&m->lock);
	if (!m->ending)
		cond_wait_until(&m->ended, &m->lock, clock_mono_ms() + PAUSE_MS);
	bool go_on = !m->ending;
	pthread_mutex_unlock(&m->lock);
	return go_on;
}

static void *intake_run(void *arg)
{
	struct intake *m = arg;
	struct err e, ignored;
	for (;;) {
		bool open = m->queue || m->store || open_ends(m, &e) == 0;
		if (open)
			say(m, &(struct err){0});
		if (open && run_once(m, &e) == 0)
			break;
		log_error("messages cannot be stored", "error", e.msg, NULL);
		say(m, &e);
		move(m, -(uint64_t)gather_drop(m->gather));
		close_ends(m, &ignored); /* why it failed has been told */
		if (!pause_a_while(m) && !open)
			break;
	}
	if (close_ends(m, &e) < 0)
		log_error("the last messages may not be stored", "error", e.msg, NULL);
	return NULL;
}

struct intake *intake_start(const struct intake_conf *conf, struct err *e)
{
	struct intake *m = xcalloc(1, sizeof *m);
	m->port = (struct source){.next = intake_next, .accept = intake_accept, .abandon = intake_abandon};
	m->conf = *conf;
	pthread_mutex_init(&m->lock, NULL);
	cond_init(&m->ended);
	counts_start(&m->counts);
	counts_queue(&m->counts); /* the table of messages is one as well */
	m->gather = gather_new(conf->max_waiting, conf->done);
	if (!m->gather)
		err_sys(e, "cannot make a descriptor");
	if (!m->gather || open_ends(m, e) < 0 || ends_cache(conf->ends, &m->cache, e) < 0)
		goto failed;
	errno = pthread_create(&m->thread, NULL, intake_run, m);
	if (errno == 0)
		return m;
	err_sys(e, "cannot start a thread");
failed:;
	struct err ignored;
	close_ends(m, &ignored);
	ends_close_cache(conf->ends, m->cache);
	if (m->gather)
		m->gather->close(m->gather, &ignored);
	free(m);
	return NULL;
}

int intake_add(struct intake *m, const struct str *line, size_t n, void *caller, struct err *e)
{
	if (atomic_load_explicit(&m->away, memory_order_acquire)) {
		intake_ready(m, e);
		return -1;
	}
	move(m, n);
	int rc = gather_add(m->gather, line, n, caller, e);
	if (rc < 0)
		move(m, -(uint64_t)n);
	return rc;
}

struct counts *intake_counts(struct intake *m)
{
	return &m->counts;
}

bool intake_ready(struct intake *m, struct err *e)
{
	pthread_mutex_lock(&m->lock);
	*e = m->why;
	pthread_mutex_unlock(&m->lock);
	int64_t since = clock_mono_ms() - atomic_load(&m->moved_at);
	if (!e->msg[0] && atomic_load(&m->under_way) && since > STUCK_MS)
		err_set(e, ERR_ENV, "nothing has been stored for %d s", STUCK_MS / 1000);
	return !e->msg[0];
}

void intake_stop(struct intake *m)
{
	struct err ignored;
	pthread_mutex_lock(&m->lock);
	m->ending = true;
	pthread_cond_signal(&m->ended);
	pthread_mutex_unlock(&m->lock);
	gather_end(m->gather);
	pthread_join(m->thread, NULL);
	m->gather->close(m->gather, &ignored); /* tells those that are left */
	ends_close_cache(m->conf.ends, m->cache);
	json_scan_free(&m->scan);
	json_scan_free(&m->inner);
	buf_free(&m->keys);
	buf_free(&m->line);
	pthread_mutex_destroy(&m->lock);
	pthread_cond_destroy(&m->ended);
	free(m);
}
