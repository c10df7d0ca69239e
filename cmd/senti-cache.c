/* senti-cache - known results for records that come again, and stored messages for readers by id. */
#include "cmd/produce.h"
#include "cmd/run.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/score/model.h"
#include "lib/stage/cache.h"
#include "lib/stage/follow.h"
#include "lib/stage/verify.h"

enum { RETRY_MS = 60000, RETRY_PAUSE_MS = 500 };

/* While one batch is looked up, another is scanned. */
enum { GET_JOBS = 2 };

struct cache_options {
	struct cache_verb verb;
	struct model_conf model;
	struct option_words texts;
	struct follow follow;
	struct verify verify;
	char *reader; /* of follow, where none is given */
	uint64_t sample;
	struct model *loaded;
};

enum { GET, PUT, INVALIDATE, FOLLOW, VERIFY, KEY, STATS };

#define OPTIONS struct cache_options
#define OF(verb) (1u << (verb))
static const struct option_def own[] = {
    {'m', "model", "MODEL",
	"get, key: the results of MODEL (default $SENTI_MODEL, else vader);\nverify: compute those in the cache again",
	OPT_STRING(model.spec), .only = OF(GET) | OF(VERIFY) | OF(KEY)},
    {'f', "field", "NAME", "get, put, key: the member that holds the text (default text)",
	OPT_SLICE(verb.form.text_name), .only = OF(GET) | OF(PUT) | OF(KEY)},
    {0, "into", "NAME", "get, put: the member of the result (default sentiment)", OPT_SLICE(verb.form.result_name),
	.only = OF(GET) | OF(PUT)},
    {'e', "expression", "TEXT", "key: of the result for TEXT; may be repeated", OPT_LIST(texts), .only = OF(KEY)},
    {0, "once", NULL, "follow: end when all changes there are have been followed", OPT_FLAG(follow.once),
	.only = OF(FOLLOW)},
    {0, "reader", "NAME",
	"follow: the name of its place in the outbox (default: the cache's\naddress and this machine)",
	OPT_NAME(follow.reader), .only = OF(FOLLOW)},
    {0, "sample", "N", "verify: check N messages, from a random place on (default 1000)",
	OPT_NUMBER(sample, 1, 100000000), .only = OF(VERIFY)},
    {0},
};

static const char examples[] =
    "  export SENTI_REDIS=redis://127.0.0.1\n"
    "  senti-cache get <texts.jsonl | senti-score | senti-cache put >scored.jsonl\n"
    "  senti-worker -q texts -- sh -c 'senti-cache get | senti-score | senti-store put | senti-cache put'\n"
    "  senti-cache follow >/dev/null\n"
    "  redis-cli get \"$(senti-cache key -e 'I love it')\"\n";

/* ---- sources of the verbs that read no records ---- */

/* Records made of ids. */
static int make_ids(struct tool *t, struct cache_options *o, struct err *e)
{
	(void)o;
	return !t->noperands || (t->source = produce_records(t, 1, e)) ? 0 : -1;
}

/* The keys themselves, for redis-cli: of the texts given by -e, then of the ids. */
static int make_keys(struct tool *t, struct cache_options *o, struct err *e)
{
	size_t n = o->texts.n + t->noperands;
	if (o->texts.n && t->from)
		return err_set(e, ERR_USAGE, "-i %s and -e exclude each other", t->from);
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

static int make_stats(struct tool *t, struct cache_options *o, struct err *e)
{
	struct cache_stats n;
	struct cache *c = o->verb.cache;
	if (c->stats(c, &n, e) < 0)
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

/* The changes of the store, whose entries are then invalidated. */
static int make_changes(struct tool *t, struct cache_options *o, struct err *e)
{
	(void)e;
	struct follow *f = &o->follow;
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

/* Some of the messages in the cache, which are then compared. */
static int make_sample(struct tool *t, struct cache_options *o, struct err *e)
{
	(void)e;
	o->verify = (struct verify){
	    .cache = o->verb.cache, .store = o->verb.store, .model = o->verb.model, .stop = t->limits.stop};
	t->source = source_sample(o->verb.cache, o->sample);
	return 0;
}

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

/* The cache of a verb that is nothing without one. */
static int open_cache(struct tool *t, struct cache_options *o, struct err *e)
{
	if (!t->cache)
		return err_set(e, ERR_USAGE, "%s: no cache is named; --cache or $SENTI_REDIS does", t->verb->name);
	o->verb.open = open_handle;
	o->verb.arg = t;
	return (o->verb.cache = open_handle(t, e)) ? 0 : -1;
}

/* The cache of a filter. One that no other process sees serves no filter: records pass, which is said once. */
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

/* Likewise, and without one records pass too. */
static int open_any_cache(struct tool *t, struct cache_options *o, struct err *e)
{
	if (t->cache)
		return open_shared_cache(t, o, e);
	log_warn("no cache is named (--cache or $SENTI_REDIS): records pass as they are", NULL);
	return 0;
}

/* The cache and the store that are to be compared. follow is `patient`: it waits for a store that is away by itself, since it must also hear when
 * it is to stop. */
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

/* ---- verbs ---- */

/* Pumps through the stage, or reports why what came before has failed (rc < 0). */
static int run(struct tool *t, int rc, const struct err *e, const struct stage *stage, const void *conf)
{
	return rc < 0 ? tool_fail(t, e) : tool_run(t, &(struct step){stage, conf}, stage != NULL);
}

static int get(struct tool *t, void *options)
{
	struct cache_options *o = options;
	struct err e;
	o->verb.form.needs_text = true;
	t->jobs = GET_JOBS;
	t->show = 1u << COUNTER_HITS | 1u << COUNTER_MISSES | 1u << COUNTER_SKIPPED;
	int rc = load_model(o, &e) < 0 ? -1 : open_any_cache(t, o, &e);
	return run(t, rc, &e, &stage_cache_get, &o->verb);
}

/* put may come before the senti-store in front of it has made the tables. */
static int put(struct tool *t, void *options)
{
	struct cache_options *o = options;
	struct err e;
	t->show = 1u << COUNTER_STORED | 1u << COUNTER_REFUSED | 1u << COUNTER_SKIPPED;
	int rc = open_any_cache(t, o, &e);
	if (rc == 0 && o->verb.cache && t->store_named && !(o->verb.store = store_open(t, STORE_CREATE, &e)))
		rc = -1;
	return run(t, rc, &e, &stage_cache_put, &o->verb);
}

static int invalidate(struct tool *t, void *options)
{
	struct cache_options *o = options;
	struct err e;
	t->show = 1u << COUNTER_BURIED;
	int rc = open_shared_cache(t, o, &e) < 0 ? -1 : make_ids(t, o, &e);
	return run(t, rc, &e, &stage_cache_invalidate, &o->verb);
}

static int follow(struct tool *t, void *options)
{
	struct cache_options *o = options;
	struct err e;
	t->show = 1u << COUNTER_BURIED;
	int rc = open_both(t, o, true, &e) < 0 ? -1 : make_changes(t, o, &e);
	return run(t, rc, &e, &stage_invalidate, &o->follow);
}

static int verify(struct tool *t, void *options)
{
	struct cache_options *o = options;
	struct err e;
	int rc = tool_given(t, "model") ? load_model(o, &e) : 0;
	if (rc == 0)
		rc = open_both(t, o, false, &e) < 0 ? -1 : make_sample(t, o, &e);
	return run(t, rc, &e, &stage_verify, &o->verify);
}

/* Of records that are read the stage makes the keys; of operands they are made already. */
static int key(struct tool *t, void *options)
{
	struct cache_options *o = options;
	struct err e;
	int rc = load_model(o, &e) < 0 ? -1 : make_keys(t, o, &e);
	return run(t, rc, &e, t->source ? NULL : &stage_cache_key, &o->verb);
}

static int stats(struct tool *t, void *options)
{
	struct cache_options *o = options;
	struct err e;
	int rc = open_cache(t, o, &e) < 0 ? -1 : make_stats(t, o, &e);
	return run(t, rc, &e, NULL, NULL);
}

static const struct verb verbs[] = {
    [GET] = {"get", "[-m MODEL] [OPTION...] [FILE...]", OPERANDS_FILES, get},
    [PUT] = {"put", "[--ttl DURATION] [--store STORE] [OPTION...] [FILE...]", OPERANDS_FILES, put},
    [INVALIDATE] = {"invalidate", "[OPTION...] [ID...]", OPERANDS_IDS, invalidate},
    [FOLLOW] = {"follow", "[--once] [--reader NAME] [--store STORE] [OPTION...]", OPERANDS_NONE, follow},
    [VERIFY] = {"verify", "[--sample N] [-m MODEL] [--store STORE] [OPTION...]", OPERANDS_NONE, verify},
    [KEY] = {"key", "[-m MODEL] [-e TEXT...] [ID...]", OPERANDS_IDS, key},
    [STATS] = {"stats", "[OPTION...]", OPERANDS_NONE, stats},
    {0},
};

static int close_all(const struct tool *t, struct cache_options *o, int status)
{
	struct err e;
	if (o->verb.store && o->verb.store->close(o->verb.store, &e) < 0 && status != STATUS_ENVIRONMENT)
		status = tool_fail(t, &e);
	if (o->verb.cache)
		o->verb.cache->close(o->verb.cache);
	model_free(o->loaded);
	free(o->texts.word);
	free(o->reader);
	return status;
}

int main(int argc, char **argv)
{
	struct cache_options o = {
	    .verb.form = {.text_name = STR("text"), .result_name = STR("sentiment")},
	    .model.spec = default_model(),
	    .sample = 1000,
	};
	struct tool t = {
	    .name = "senti-cache",
	    .verbs = verbs,
	    .summary =
		"Keeps results and stored messages in Redis. get gives records the results that are known, put keeps\n"
		"what passes; a cache that is away slows the work down and breaks nothing. follow keeps the messages "
		"in the\n"
		"cache true to the store, verify tells whether they are.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT | SHARED_STORE | SHARED_CACHE,
	};
	struct err e;
	tool_options(&t, argc, argv);
	o.verb.wait_ms = t.limits.wait_ms;
	if (str_eq(o.verb.form.text_name, o.verb.form.result_name)) {
		err_set(&e, ERR_USAGE, "-f and --into name the same member '%.*s'", STR_FMT(o.verb.form.text_name));
		return tool_fail(&t, &e);
	}
	return close_all(&t, &o, t.verb->run(&t, &o));
}
