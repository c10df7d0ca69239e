/* senti-cache - known results for records that come again, and stored messages for who reads them by id. */
#include "cmd/caches.h"
#include "cmd/made.h"
#include "cmd/run.h"
#include "cmd/stores.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/score/model.h"
#include "lib/stage/cache.h"
#include "lib/stage/follow.h"
#include "lib/stage/verify.h"

enum { OPT_INTO = OPT_OWN, OPT_ONCE, OPT_READER, OPT_SAMPLE };

enum { RETRY_MS = 60000, RETRY_PAUSE_MS = 500, SAMPLE = 1000 };

static const struct opt_def own[] = {
    {'m', "model", "MODEL",
	"get, key: the results of MODEL (default $SENTI_MODEL, else vader);\nverify: compute those in the cache again"},
    {'f', "field", "NAME", "get, put, key: the member that holds the text (default text)"},
    {OPT_INTO, "into", "NAME", "get, put: the member of the result (default sentiment)"},
    {'e', "expression", "TEXT", "key: of the result for TEXT; may be repeated"},
    {OPT_ONCE, "once", NULL, "follow: end when all changes there are have been followed"},
    {OPT_READER, "reader", "NAME",
	"follow: the name of its place in the outbox (default: the cache's\naddress and this machine)"},
    {OPT_SAMPLE, "sample", "N", "verify: so many messages, from a random place on (default 1000)"},
    {0},
};

static const char examples[] =
    "  export SENTI_REDIS=redis://127.0.0.1\n"
    "  senti-cache get <texts.jsonl | senti-score | senti-cache put >scored.jsonl\n"
    "  senti-worker -q texts -- sh -c 'senti-cache get | senti-score | senti-store put | senti-cache put'\n"
    "  senti-cache follow >/dev/null\n"
    "  redis-cli get \"$(senti-cache key -e 'I love it')\"\n";

struct options {
	struct cache_verb verb;
	struct model_conf model;
	const char **text;
	size_t ntexts;
	const char *model_only, *field_only, *into_only, *reader_only;
	struct follow follow;
	struct verify verify;
	char *reader; /* of follow, where none is given */
	uint64_t sample;
};

/* While one batch is looked up, another is scanned. */
enum { GET_JOBS = 2 };

/* What a verb takes and needs. */
enum {
	TAKES_MODEL = 1,
	TAKES_FIELD = 2,
	TAKES_INTO = 4,
	TAKES_TEXTS = 8,
	LOADS_MODEL = 16,
	NEEDS_CACHE = 32,
	OPENS_CACHE = 64,
	OPENS_STORE = 128,
	NEEDS_STORE = 256,
	TAKES_FOLLOW = 512,
	TAKES_SAMPLE = 1024
};

struct verb {
	const char *name;
	unsigned operands; /* 0: files; OPT_IDS: ids, or none */
	unsigned what;
	unsigned show;
	const struct stage *stage;
	/* Makes the source of what comes out; may leave it to the records that are read. -1: *e. */
	int (*source)(struct tool *t, struct options *o, struct err *e);
};

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct options *o = arg;
	switch (letter) {
	case 'm':
		o->model.spec = o->model_only = value;
		return 0;
	case 'f':
		o->verb.form.text_name = str_of(o->field_only = value);
		return 0;
	case OPT_INTO:
		o->verb.form.result_name = str_of(o->into_only = value);
		return 0;
	case OPT_ONCE:
		o->follow.once = true;
		return 0;
	case OPT_READER:
		if (!*value)
			return err_set(e, ERR_USAGE, "--reader takes a name");
		o->follow.reader = o->reader_only = value;
		return 0;
	case OPT_SAMPLE:
		return opt_number(value, "sample", 1, 100000000, &o->sample, e);
	case 'e':
		o->text = xreallocarray(o->text, o->ntexts + 1, sizeof *o->text);
		o->text[o->ntexts++] = value;
		return 0;
	}
	return -1;
}

/* ---- sources of the verbs that read no records ---- */

/* Records made of ids. */
static int ids(struct tool *t, struct options *o, struct err *e)
{
	(void)o;
	return !t->noperands || (t->source = made_records(t, 1, e)) ? 0 : -1;
}

/* The keys themselves, for redis-cli: of the texts given by -e, then of the ids. */
static int keys(struct tool *t, struct options *o, struct err *e)
{
	size_t n = o->ntexts + t->noperands;
	if (!n)
		return 0;
	const char **line = xcalloc(n, sizeof *line);
	for (size_t i = 0; i < n; i++) {
		struct buf b = {0};
		bool text = i < o->ntexts;
		const char *word = text ? o->text[i] : t->operand[i - o->ntexts];
		if (made_check(word, text ? i : i - o->ntexts, e) < 0)
			return -1;
		if (text)
			cache_key_result(&b, str_of(o->verb.model->name), str_of(word));
		else
			cache_key_message(&b, str_of(word));
		buf_char(&b, 0);
		line[i] = b.p;
	}
	t->source = made_lines(line, n);
	return 0;
}

static int stats(struct tool *t, struct options *o, struct err *e)
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
	t->source = made_figures(t, row, COUNT_OF(row));
	return 0;
}

/* The changes of the store, whose entries are then invalidated. */
static int changes(struct tool *t, struct options *o, struct err *e)
{
	(void)e;
	struct follow *f = &o->follow;
	f->outbox = o->verb.store->outbox;
	f->cache = o->verb.cache;
	f->counts = &t->counts;
	f->retry_ms = t->retry_ms < 0 ? RETRY_MS : t->retry_ms;
	if (!f->reader)
		f->reader = o->reader = follow_reader(t->cache);
	log_info("following", "reader", f->reader, NULL);
	t->source = source_changes(f);
	return 0;
}

/* Some of the messages in the cache, which are then compared. */
static int sample(struct tool *t, struct options *o, struct err *e)
{
	(void)e;
	o->verify = (struct verify){.cache = o->verb.cache, .store = o->verb.store, .model = o->verb.model};
	t->source = source_sample(o->verb.cache, o->sample ? o->sample : SAMPLE);
	return 0;
}

/* ---- wiring ---- */

#define SHOW_GET (1u << COUNTER_HITS | 1u << COUNTER_MISSES | 1u << COUNTER_SKIPPED)
#define SHOW_PUT (1u << COUNTER_STORED | 1u << COUNTER_REFUSED | 1u << COUNTER_SKIPPED)

static const struct verb verbs[] = {
    {"get", 0, TAKES_MODEL | TAKES_FIELD | TAKES_INTO | LOADS_MODEL | OPENS_CACHE, SHOW_GET, &stage_cache_get, NULL},
    {"put", 0, TAKES_FIELD | TAKES_INTO | OPENS_CACHE | OPENS_STORE, SHOW_PUT, &stage_cache_put, NULL},
    {"invalidate", OPT_IDS, OPENS_CACHE | NEEDS_CACHE, 1u << COUNTER_BURIED, &stage_cache_invalidate, ids},
    {"follow", OPT_IDS, TAKES_FOLLOW | OPENS_CACHE | NEEDS_CACHE | NEEDS_STORE, 1u << COUNTER_BURIED, &stage_invalidate,
	changes},
    {"verify", OPT_IDS, TAKES_MODEL | TAKES_SAMPLE | OPENS_CACHE | NEEDS_CACHE | NEEDS_STORE, 0, &stage_verify, sample},
    {"stats", OPT_IDS, OPENS_CACHE | NEEDS_CACHE, 0, NULL, stats},
    {"key", OPT_IDS, TAKES_MODEL | TAKES_FIELD | TAKES_TEXTS | LOADS_MODEL, 0, &stage_cache_key, keys},
};

static const struct verb *take_verb(struct tool *t, struct err *e)
{
	for (size_t i = 0; t->noperands && i < COUNT_OF(verbs); i++)
		if (strcmp(t->operand[0], verbs[i].name) == 0) {
			t->operand++;
			t->noperands--;
			return &verbs[i];
		}
	if (t->noperands)
		err_set(e, ERR_USAGE, "'%s' is not a verb of senti-cache", t->operand[0]);
	else
		err_set(e, ERR_USAGE, "a verb is wanted: get, put, follow, invalidate, verify, stats or key");
	return NULL;
}

static int check(const struct tool *t, const struct verb *v, const struct options *o, struct err *e)
{
	const struct {
		bool given;
		unsigned takes;
		const char *name;
	} option[] = {
	    {o->model_only, TAKES_MODEL, "model"},
	    {o->field_only, TAKES_FIELD, "field"},
	    {o->into_only, TAKES_INTO, "into"},
	    {o->ntexts, TAKES_TEXTS, "expression"},
	    {o->follow.once, TAKES_FOLLOW, "once"},
	    {o->reader_only, TAKES_FOLLOW, "reader"},
	    {o->sample, TAKES_SAMPLE, "sample"},
	};
	/* Verbs that read no records. */
	bool alone = !v->stage || v->what & (TAKES_FOLLOW | TAKES_SAMPLE);
	for (size_t i = 0; i < COUNT_OF(option); i++)
		if (option[i].given && !(v->what & option[i].takes))
			return err_set(e, ERR_USAGE, "--%s does not belong to %s", option[i].name, v->name);
	if (str_eq(o->verb.form.text_name, o->verb.form.result_name))
		return err_set(
		    e, ERR_USAGE, "-f and --into name the same member '%.*s'", STR_FMT(o->verb.form.text_name));
	if (alone && t->noperands)
		return err_set(e, ERR_USAGE, "%s takes no operands, as '%s'", v->name, t->operand[0]);
	if (t->from && v->operands && (alone || t->noperands || o->ntexts))
		return err_set(e, ERR_USAGE, "-i %s does not go with %s", t->from, alone ? v->name : "operands");
	return 0;
}

static struct cache *open_handle(const void *tool, struct err *e)
{
	const struct tool *t = tool;
	return caches_open(t->cache, t->ttl_ms, e);
}

/* A cache that no other process sees serves no filter: records pass, which is said once. */
static int open_cache(const struct tool *t, const struct verb *v, struct options *o, struct err *e)
{
	if (!t->cache && (v->what & NEEDS_CACHE))
		return err_set(e, ERR_USAGE, "%s: no cache is named; --cache or $SENTI_REDIS does", v->name);
	if (!t->cache) {
		log_warn("no cache is named (--cache or $SENTI_REDIS): records pass as they are", NULL);
		return 0;
	}
	o->verb.cache = open_handle(t, e);
	o->verb.open = open_handle;
	o->verb.arg = t;
	if (!o->verb.cache)
		return -1;
	if (o->verb.cache->private && v->what & NEEDS_STORE)
		return err_set(e, ERR_USAGE, "%s: memory: is shared with no other process", v->name);
	if (o->verb.cache->private && v->stage) {
		log_warn("memory: is shared with no other process: records pass as they are", NULL);
		o->verb.cache->close(o->verb.cache);
		o->verb.cache = NULL;
	}
	return 0;
}

/* follow waits for a store that is away by itself, since it must also hear when it is to stop. put may come before the senti-store in front of it
 * has made the tables. */
static struct store *open_store(const struct tool *t, const struct verb *v, struct err *e)
{
	struct tool once = *t;
	bool patient = v->what & TAKES_FOLLOW;
	int64_t until = clock_mono_ms() + t->retry_ms;
	if (patient)
		once.retry_ms = 0;
	for (;;) {
		struct store *s = store_open(&once, v->what & OPENS_STORE ? STORE_CREATE : STORE_EXISTING, e);
		if (s || !patient || e->kind != ERR_ENV || clock_mono_ms() >= until)
			return s;
		if (io_wait_readable(-1, -1, clock_mono_ms() + RETRY_PAUSE_MS) == IO_STOP)
			return NULL;
	}
}

static int open_all(const struct tool *t, const struct verb *v, struct options *o, struct model **model, struct err *e)
{
	if ((v->what & LOADS_MODEL || (v->what & TAKES_SAMPLE && o->model_only)) &&
	    !(o->verb.model = *model = model_load(&o->model, e)))
		return -1;
	if (v->what & OPENS_CACHE && open_cache(t, v, o, e) < 0)
		return -1;
	bool wanted = v->what & NEEDS_STORE || (v->what & OPENS_STORE && o->verb.cache && t->store_named);
	if (wanted && !(o->verb.store = open_store(t, v, e)))
		return -1;
	return 0;
}

static int close_all(const struct tool *t, struct options *o, struct model *model, int status)
{
	struct err e;
	if (o->verb.store && o->verb.store->close(o->verb.store, &e) < 0 && status != STATUS_ENVIRONMENT)
		status = tool_fail(t, &e);
	if (o->verb.cache)
		o->verb.cache->close(o->verb.cache);
	if (model)
		model_free(model);
	free(o->text);
	free(o->reader);
	return status;
}

int main(int argc, char **argv)
{
	struct options o = {
	    .verb.form = {.text_name = STR("text"), .result_name = STR("sentiment")},
	    .model.spec = opt_model(),
	};
	struct tool t = {
	    .name = "senti-cache",
	    .usage =
		"get [-m MODEL] [OPTION...] [FILE...]\nput [--ttl DURATION] [--store STORE] [OPTION...] [FILE...]\n"
		"invalidate [OPTION...] [ID...]\nfollow [--once] [--reader NAME] [--store STORE] [OPTION...]\n"
		"verify [--sample N] [-m MODEL] [--store STORE] [OPTION...]\nkey [-m MODEL] [-e TEXT...] "
		"[ID...]\nstats [OPTION...]",
	    .summary =
		"Keeps results and stored messages in Redis. get gives records the results that are known, put keeps\n"
		"what passes; a cache that is away slows the work down and breaks nothing. follow keeps the messages "
		"in the\n"
		"cache true to the store, verify tells whether they are.",
	    .examples = examples,
	    .own = own,
	    .shared = OPT_FILTER | OPT_OUT | OPT_STORE | OPT_IDS | OPT_CACHE,
	    .on_option = on_option,
	    .arg = &o,
	};
	struct err e;
	struct model *model = NULL;
	tool_options(&t, argc, argv);
	const struct verb *v = take_verb(&t, &e);
	if (!v || check(&t, v, &o, &e) < 0)
		return close_all(&t, &o, NULL, tool_fail(&t, &e));
	t.shared = (t.shared & ~(unsigned)OPT_IDS) | v->operands;
	t.show = v->show;
	o.verb.form.needs_text = v->stage == &stage_cache_get;
	o.verb.wait_ms = t.limits.wait_ms;
	if (v->stage == &stage_cache_get)
		t.jobs = GET_JOBS;
	if (open_all(&t, v, &o, &model, &e) < 0 || (v->source && v->source(&t, &o, &e) < 0))
		return close_all(&t, &o, model, tool_fail(&t, &e));
	/* What was made here is whole; all else goes through the stage. */
	bool made = (v->source == keys || v->source == stats) && t.source;
	const void *conf = v->source == changes ? &o.follow : v->source == sample ? (const void *)&o.verify : &o.verb;
	int status = tool_run(&t, &(struct step){v->stage, conf}, v->stage != NULL && !made);
	return close_all(&t, &o, model, status);
}
