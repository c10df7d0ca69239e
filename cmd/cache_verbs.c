/* cache_verbs.c - the verbs of senti-cache: what each opens and reads, and its stage. */
#include "cmd/cache_verbs.h"

#include "cmd/produce.h"
#include "cmd/run.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/redact.h"
#include "lib/score/model.h"

enum { RETRY_MS = 60000, RETRY_PAUSE_MS = 500 };

/* One batch is looked up while another is scanned. */
enum { GET_JOBS = 2 };

/* ---- opening ---- */

static int load_model(struct cache_options *o, struct err *e)
{
	o->verb.model = o->loaded = model_load(&o->model, e);
	return o->loaded ? 0 : -1;
}

static struct cache *open_handle(const void *tool, struct err *e)
{
	const struct tool *t = tool;
	return cache_open(t->cache, &(struct cache_conf){.ttl_ms = t->ttl_ms}, e);
}

/* The cache of a verb that needs one. */
static int open_cache(struct tool *t, struct cache_options *o, struct err *e)
{
	if (!t->cache)
		return err_set(e, ERR_USAGE, "%s: no cache is named: set --cache or $SENTI_REDIS", t->verb->name);
	o->verb.open = open_handle;
	o->verb.arg = t;
	return (o->verb.cache = open_handle(t, e)) ? 0 : -1;
}

/* The cache of a filter, to which one that no other process sees is useless: it warns once, and records pass. */
static int open_shared_cache(struct tool *t, struct cache_options *o, struct err *e)
{
	if (open_cache(t, o, e) < 0)
		return -1;
	if (o->verb.cache->private) {
		log_warn("memory: is shared with no other process: records pass as they are", NULL);
		o->verb.cache->close(o->verb.cache);
		o->verb.cache = NULL;
	}
	return 0;
}

/* The same; records also pass if no cache is named. */
static int open_any_cache(struct tool *t, struct cache_options *o, struct err *e)
{
	if (t->cache)
		return open_shared_cache(t, o, e);
	log_warn("no cache is named (--cache or $SENTI_REDIS): records pass as they are", NULL);
	return 0;
}

/* The cache and the store to compare. follow is `patient`: it waits for the store by itself, so that a stop ends the
 * wait. */
static int open_both(struct tool *t, struct cache_options *o, bool patient, struct err *e)
{
	struct tool once = *t;
	int64_t until = clock_mono_ms() + t->retry_ms;
	if (open_cache(t, o, e) < 0)
		return -1;
	if (o->verb.cache->private)
		return err_set(e, ERR_USAGE, "%s: memory: is shared with no other process", t->verb->name);
	if (patient)
		once.retry_ms = 0;
	for (;;) {
		o->verb.store = store_open(&once, STORE_EXISTING, e);
		if (o->verb.store)
			return 0;
		if (!patient || e->kind != ERR_ENV || clock_mono_ms() >= until ||
		    io_wait_readable(-1, -1, clock_mono_ms() + RETRY_PAUSE_MS, t->limits.stop) == IO_STOP)
			return -1;
	}
}

/* ---- what each verb needs before it runs: 0, or -1 with *e ---- */

static int prepare_get(struct tool *t, struct cache_options *o, struct err *e)
{
	o->verb.form.needs_text = true;
	t->jobs = GET_JOBS;
	return load_model(o, e) < 0 ? -1 : open_any_cache(t, o, e);
}

/* A senti-store before it in the pipeline may not have created the tables yet. */
static int prepare_put(struct tool *t, struct cache_options *o, struct err *e)
{
	if (open_any_cache(t, o, e) < 0)
		return -1;
	if (!o->verb.cache || !t->store_named)
		return 0;
	return (o->verb.store = store_open(t, STORE_CREATE, e)) ? 0 : -1;
}

static int prepare_invalidate(struct tool *t, struct cache_options *o, struct err *e)
{
	if (open_shared_cache(t, o, e) < 0)
		return -1;
	return !t->noperands || (t->source = produce_records(t, 1, e)) ? 0 : -1;
}

/* Reads the changes of the store. */
static int prepare_follow(struct tool *t, struct cache_options *o, struct err *e)
{
	struct follow *f = &o->follow;
	if (open_both(t, o, true, e) < 0)
		return -1;
	f->outbox = o->verb.store->outbox;
	f->cache = o->verb.cache;
	f->counts = &t->counts;
	f->stop = t->limits.stop;
	f->retry_ms = t->retry_ms < 0 ? RETRY_MS : t->retry_ms;
	if (!f->reader)
		f->reader = o->reader = follow_reader(t->cache);
	log_info("following", "reader", f->reader, NULL);
	t->source = source_changes(f);
	return 0;
}

/* Reads the ids of some messages in the cache. */
static int prepare_verify(struct tool *t, struct cache_options *o, struct err *e)
{
	if ((tool_given(t, "model") && load_model(o, e) < 0) || open_both(t, o, false, e) < 0)
		return -1;
	o->verify = (struct verify){
	    .cache = o->verb.cache, .store = o->verb.store, .model = o->verb.model, .stop = t->limits.stop};
	t->source = source_sample(o->verb.cache, o->sample);
	return 0;
}

/* Prints bare keys, for redis-cli: of the texts of -e, then of the ids. Without any, the stage adds keys to records. */
static int prepare_key(struct tool *t, struct cache_options *o, struct err *e)
{
	size_t n = o->texts.n + t->noperands;
	if (load_model(o, e) < 0)
		return -1;
	if (o->texts.n && t->from)
		return err_set(e, ERR_USAGE, "-i %s and -e exclude each other", REDACTED(t->from));
	if (!n)
		return 0;
	const char **line = xcalloc(n, sizeof *line);
	for (size_t i = 0; i < n; i++) {
		struct buf b = {0};
		bool text = i < o->texts.n;
		const char *word = text ? o->texts.word[i] : t->operand[i - o->texts.n];
		if (operand_check(word, text ? i : i - o->texts.n, e) < 0)
			return -1;
		if (text)
			cache_key_result(&b, str_of(o->verb.model->name), str_of(word));
		else
			cache_key_message(&b, str_of(word));
		buf_char(&b, 0);
		line[i] = b.p;
	}
	t->source = produce_lines(line, n);
	return 0;
}

static int prepare_stats(struct tool *t, struct cache_options *o, struct err *e)
{
	struct cache_stats n;
	if (open_cache(t, o, e) < 0 || o->verb.cache->stats(o->verb.cache, &n, e) < 0)
		return -1;
	const struct figure row[] = {
	    {"entries", n.entries, NULL},
	    {"results", n.results, NULL},
	    {"messages", n.messages, NULL},
	    {"bytes", n.bytes, NULL},
	    {"limit", n.limit, NULL},
	    {"evicted", n.evicted, NULL},
	    {"expired", n.expired, NULL},
	    {"hits", n.hits, NULL},
	    {"misses", n.misses, NULL},
	    {"policy", 0, n.policy},
	};
	t->source = produce_figures(t, row, COUNT_OF(row));
	return 0;
}

/* ---- verbs ---- */

static const struct cache_plan {
	int (*prepare)(struct tool *t, struct cache_options *o, struct err *e);
	const struct stage *stage; /* NULL: shows what prepare has made */
	size_t conf;		   /* offset of the stage's conf in cache_options */
	unsigned show;
} plans[] = {
#define CONF(member) offsetof(struct cache_options, member)
    [CACHE_GET] = {prepare_get, &stage_cache_get, CONF(verb),
	1u << COUNTER_HITS | 1u << COUNTER_MISSES | 1u << COUNTER_SKIPPED},
    [CACHE_PUT] = {prepare_put, &stage_cache_put, CONF(verb),
	1u << COUNTER_STORED | 1u << COUNTER_REFUSED | 1u << COUNTER_SKIPPED},
    [CACHE_INVALIDATE] = {prepare_invalidate, &stage_cache_invalidate, CONF(verb), 1u << COUNTER_BURIED},
    [CACHE_FOLLOW] = {prepare_follow, &stage_invalidate, CONF(follow), 1u << COUNTER_BURIED},
    [CACHE_VERIFY] = {prepare_verify, &stage_verify, CONF(verify), 0},
    [CACHE_KEY] = {prepare_key, &stage_cache_key, CONF(verb), 0},
    [CACHE_STATS] = {prepare_stats, NULL, 0, 0},
};

static void release(struct cache_options *o)
{
	if (o->verb.cache)
		o->verb.cache->close(o->verb.cache);
	model_free(o->loaded);
	free(o->texts.word);
	free(o->reader);
}

static int run(struct tool *t, void *options)
{
	struct cache_options *o = options;
	const struct cache_plan *p = &plans[t->verb - t->verbs];
	struct err e;
	t->show = p->show;
	bool ready = p->prepare(t, o, &e) == 0;
	/* The keys of operands are ready. */
	bool staged = p->stage && !(p->stage == &stage_cache_key && t->source);
	int status = ready ? tool_run(t, &(struct step){p->stage, (char *)o + p->conf}, staged) : tool_fail(t, &e);
	if (o->verb.store && o->verb.store->close(o->verb.store, &e) < 0 && status != STATUS_ENVIRONMENT)
		status = tool_fail(t, &e);
	release(o);
	return status;
}

const struct verb cache_verbs[] = {
    [CACHE_GET] = {"get", "[-m MODEL] [OPTION...] [FILE...]", OPERANDS_FILES, run},
    [CACHE_PUT] = {"put", "[--ttl DURATION] [--store STORE] [OPTION...] [FILE...]", OPERANDS_FILES, run},
    [CACHE_INVALIDATE] = {"invalidate", "[OPTION...] [ID...]", OPERANDS_IDS, run},
    [CACHE_FOLLOW] = {"follow", "[--once] [--reader NAME] [--store STORE] [OPTION...]", OPERANDS_NONE, run},
    [CACHE_VERIFY] = {"verify", "[--sample N] [-m MODEL] [--store STORE] [OPTION...]", OPERANDS_NONE, run},
    [CACHE_KEY] = {"key", "[-m MODEL] [-e TEXT...] [ID...]", OPERANDS_IDS, run},
    [CACHE_STATS] = {"stats", "[OPTION...]", OPERANDS_NONE, run},
    {0},
};
