/* senti-store - keeps scored records as rows: put, get, query, correct, delete, and the care of the database. */
#include "cmd/produce.h"
#include "cmd/run.h"
#include "lib/base/clock.h"
#include "lib/score/engine.h"
#include "lib/stage/store.h"

struct store_options {
	struct filter filter;
	const char *after;
	uint64_t limit;
	int64_t dead_ms;
	struct store *store;
};

enum { PUT, GET, DELETE, CORRECT, QUERY, EXPORT, STATS, MIGRATE, PRUNE };

static int read_label(void *to, const char *value, struct err *e)
{
	enum label known;
	*(struct str *)to = str_of(value);
	if (label_parse(str_of(value), &known) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "a label is positive, neutral or negative, not '%s'", value);
}

static int read_time(const char *name, const char *value, bool *has, int64_t *ms, struct err *e)
{
	char whole[32];
	int n = snprintf(whole, sizeof whole, "%sT00:00:00Z", value);
	*has = true;
	if (time_parse(str_of(value), ms) == 0 || (n == 20 && time_parse((struct str){whole, (size_t)n}, ms) == 0))
		return 0;
	return option_bad(name, value, "a time such as 2024-05-01T12:00:00Z or 2024-05-01", e);
}

static int read_since(void *to, const char *value, struct err *e)
{
	struct filter *f = to;
	return read_time("since", value, &f->has_since, &f->since, e);
}

static int read_until(void *to, const char *value, struct err *e)
{
	struct filter *f = to;
	return read_time("until", value, &f->has_until, &f->until, e);
}

#define OPTIONS struct store_options
#define OF_QUERY .only = 1u << QUERY
static const struct option_def own[] = {
    {0, "label", "LABEL", "query: positive, neutral or negative", OPT_CALL(filter.label, read_label), OF_QUERY},
    {0, "source", "NAME", "query: from this source", OPT_SLICE(filter.source), OF_QUERY},
    {0, "since", "TIME", "query: said at TIME or later (RFC 3339, or a date)", OPT_CALL(filter, read_since), OF_QUERY},
    {0, "until", "TIME", "query: said before TIME", OPT_CALL(filter, read_until), OF_QUERY},
    {0, "text", "WORDS", "query: the text holds WORDS, in upper or lower case", OPT_SLICE(filter.text), OF_QUERY},
    {0, "model", "MODEL", "query: scored by this model, as its results name it", OPT_SLICE(filter.model), OF_QUERY},
    {0, "not-model", "MODEL", "query: not scored by this model: by another, or not at all", OPT_SLICE(filter.not_model),
	OF_QUERY},
    {0, "unscored", NULL, "query: without a result", OPT_FLAG(filter.unscored), OF_QUERY},
    {0, "corrected", NULL, "query: whose label a person has set", OPT_FLAG(filter.corrected), OF_QUERY},
    {0, "after", "ID", "query: continue after the message with this id", OPT_STRING(after), OF_QUERY},
    {0, "limit", "N", "query: at most N messages", OPT_NUMBER(limit, 1, UINT32_MAX), OF_QUERY},
    {0, "order", "ORDER", "query: oldest (default) or newest first, without a time last; or by id",
	OPT_CHOICE(filter.order, "oldest", "newest", "id"), .min = ORDER_OLDEST, OF_QUERY},
    {0, "dead", "DURATION", "prune: drop readers silent for this long: 90s, 30m, 12h, 7d (default)",
	OPT_DURATION(dead_ms, 0), .only = 1u << PRUNE},
    {0},
};

static const char examples[] = "  senti-ingest -F csv reviews.csv | senti-score | senti-store >/dev/null\n"
			       "  senti-store query --label negative --since 2024-05-01 --limit 20\n"
			       "  senti-store correct 17 positive\n"
			       "  senti-store query --not-model \"$NEW\" | senti-score | senti-store put >/dev/null\n";

/* ---- sources of the verbs that read no records ---- */

static struct source *query_source(struct tool *t, struct store_options *o, struct err *e)
{
	static struct arena mem;
	(void)t;
	if (o->after) {
		struct message m = {.id = str_of(o->after)}, *const one = &m;
		if (o->store->get(o->store, &one, 1, &mem, e) < 0)
			return NULL;
		if (m.fate == MESSAGE_MISSING) {
			err_set(e, ERR_USAGE,
			    "--after: no message has the id '%s' (any more); --since goes on from a time", o->after);
			return NULL;
		}
		o->filter.after = (struct place){.set = true, .has_time = m.has_time, .time = m.time, .id = m.id};
	}
	return source_query(o->store, &o->filter, o->limit);
}

/* Everything, in an order that does not depend on what the rows hold: two exports can be compared line by line. */
static struct source *export_source(struct tool *t, struct store_options *o, struct err *e)
{
	(void)t;
	(void)e;
	o->filter.order = ORDER_ID;
	return source_query(o->store, &o->filter, 0);
}

static struct source *stats_source(struct tool *t, struct store_options *o, struct err *e)
{
	struct store_stats n;
	if (o->store->stats(o->store, &n, e) < 0)
		return NULL;
	const struct figure row[] = {
	    {"messages", n.messages, NULL},
	    {"positive", n.positive, NULL},
	    {"neutral", n.neutral, NULL},
	    {"negative", n.negative, NULL},
	    {"unscored", n.unscored, NULL},
	    {"corrected", n.corrected, NULL},
	    {"outbox", n.outbox, NULL},
	    {"readers", n.readers, NULL},
	    {"version", n.version, NULL},
	    {"schema", n.schema, NULL},
	};
	return produce_figures(t, row, COUNT_OF(row));
}

static struct source *prune_source(struct tool *t, struct store_options *o, struct err *e)
{
	static struct buf out;
	uint64_t gone;
	(void)t;
	if (o->store->outbox->prune(o->store->outbox, clock_wall_ms() - o->dead_ms, &gone, e) < 0)
		return NULL;
	buf_printf(&out, "{\"pruned\":%llu}", (unsigned long long)gone);
	return produce_line(&out);
}

/* Opening has done it already; a second time changes nothing, and tells the schema that is reached. */
static struct source *migrate_source(struct tool *t, struct store_options *o, struct err *e)
{
	static struct buf out;
	struct store_stats n;
	(void)t;
	if (o->store->migrate(o->store, e) < 0 || o->store->stats(o->store, &n, e) < 0)
		return NULL;
	buf_printf(&out, "{\"schema\":%llu}", (unsigned long long)n.schema);
	return produce_line(&out);
}

static struct source *ids_source(struct tool *t, struct store_options *o, struct err *e)
{
	(void)o;
	return produce_records(t, 1, e);
}

static struct source *labels_source(struct tool *t, struct store_options *o, struct err *e)
{
	struct str label;
	(void)o;
	if (t->noperands % 2) {
		err_set(e, ERR_USAGE, "correct takes an ID and a LABEL");
		return NULL;
	}
	for (size_t i = 1; i < t->noperands; i += 2)
		if (read_label(&label, t->operand[i], e) < 0)
			return NULL;
	return produce_records(t, 2, e);
}

/* ---- verbs ---- */

static const struct plan {
	enum store_mode mode;
	const struct stage *stage;
	/* Makes the source, of the operands if the verb takes them; NULL: what is read is the source. */
	struct source *(*make)(struct tool *t, struct store_options *o, struct err *e);
	unsigned show;
} plans[] = {
    [PUT] = {STORE_CREATE, &stage_store_put, NULL, 1u << COUNTER_STORED | 1u << COUNTER_UNCHANGED},
    [GET] = {STORE_EXISTING, &stage_store_get, ids_source, 0},
    [DELETE] = {STORE_EXISTING, &stage_store_delete, ids_source, 0},
    [CORRECT] = {STORE_EXISTING, &stage_store_correct, labels_source, 0},
    [QUERY] = {STORE_EXISTING, NULL, query_source, 0},
    [EXPORT] = {STORE_EXISTING, NULL, export_source, 0},
    [STATS] = {STORE_EXISTING, NULL, stats_source, 0},
    [MIGRATE] = {STORE_CREATE, NULL, migrate_source, 0},
    [PRUNE] = {STORE_EXISTING, NULL, prune_source, 0},
};

/* Opens the store, makes the source and pumps. */
static int run(struct tool *t, void *options)
{
	struct store_options *o = options;
	const struct plan *p = &plans[t->verb - t->verbs];
	bool make = p->make && (t->noperands || t->operands == OPERANDS_NONE);
	struct err e;
	struct store *s = o->store = store_open(t, p->mode, &e);
	if (!s)
		return tool_fail(t, &e);
	t->show = p->show;
	if (make)
		t->source = p->make(t, o, &e);
	int status = make && !t->source ? tool_fail(t, &e) : tool_run(t, &(struct step){p->stage, s}, p->stage != NULL);
	if (s->close(s, &e) < 0 && status != STATUS_ENVIRONMENT)
		status = tool_fail(t, &e);
	return status;
}

static const char care[] = "[OPTION...]", by_id[] = "[OPTION...] [ID...]";
static const struct verb verbs[] = {
    [PUT] = {"put", "[OPTION...] [FILE...]", OPERANDS_FILES, run},
    [GET] = {"get", by_id, OPERANDS_IDS, run},
    [DELETE] = {"delete", by_id, OPERANDS_IDS, run},
    [CORRECT] = {"correct", "[OPTION...] [ID LABEL...]", OPERANDS_IDS, run},
    [QUERY] = {"query", "[--label LABEL] [--since TIME] [--text WORDS] [OPTION...]", OPERANDS_NONE, run},
    [EXPORT] = {"export", care, OPERANDS_NONE, run},
    [STATS] = {"stats", care, OPERANDS_NONE, run},
    [MIGRATE] = {"migrate", care, OPERANDS_NONE, run},
    [PRUNE] = {"prune", care, OPERANDS_NONE, run},
    {0},
};

int main(int argc, char **argv)
{
	struct store_options o = {.dead_ms = 7 * (int64_t)86400000};
	struct tool t = {
	    .name = "senti-store",
	    .verbs = verbs,
	    .verb_optional = true,
	    .summary =
		"Keeps records in a database, one row an id. put (the default) passes each record on once it is\n"
		"committed, with its version; query and export print JSON lines; correct sets a label by hand.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT | SHARED_STORE,
	};
	tool_options(&t, argc, argv);
	return t.verb->run(&t, &o);
}
