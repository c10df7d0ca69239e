/* store_verbs.c - the verbs of senti-store: what each reads, and its stage. */
#include "cmd/store_verbs.h"

#include "cmd/produce.h"
#include "cmd/run.h"
#include "cmd/schemes.h"
#include "lib/base/clock.h"
#include "lib/ingest/labels.h"
#include "lib/score/engine.h"
#include "lib/stage/store.h"

int read_label(void *to, const char *value, struct err *e)
{
	enum label known;
	*(struct str *)to = str_of(value);
	if (label_parse(str_of(value), &known) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "a label is positive, neutral or negative, not '%s'", value);
}

/* True if records are to become rows. */
static bool tabulates(const struct store_options *o)
{
	return o->table.format != TABLE_JSON || o->table.columns.p;
}

/* ---- sources of the verbs that read no records ---- */

static struct source *query_source(struct tool *t, struct store_options *o, struct err *e)
{
	static struct arena mem;
	static const char *const first[] = {"id", "time", "source", "text", NULL}, *const last[] = {"version", NULL};
	(void)t;
	o->table.result_name = STR("sentiment");
	o->table.first = first;
	o->table.last = last;
	if (o->sample) {
		if (!o->after && !o->limit && o->filter.order == ORDER_OLDEST)
			return source_drawn(o->store, &o->filter, o->sample);
		err_set(e, ERR_USAGE, "--sample draws at random: it does not go with --after, --limit or --order");
		return NULL;
	}
	if (o->after) {
		struct message m = {.id = str_of(o->after)}, *const one = &m;
		if (o->store->get(o->store, &one, 1, &mem, e) < 0)
			return NULL;
		if (m.fate == MESSAGE_MISSING) {
			err_set(e, ERR_USAGE,
			    "--after: no message has the id '%s' (any more); --since goes on from a time", o->after);
			return NULL;
		}
		o->filter.after = place_after(&m);
	}
	return source_query(o->store, &o->filter, o->limit);
}

/* Everything, by id, so that two exports can be compared line by line. */
static struct source *export_source(struct tool *t, struct store_options *o, struct err *e)
{
	(void)t;
	(void)e;
	o->filter.order = ORDER_ID;
	return source_query(o->store, &o->filter, 0);
}

static bool restricts(const struct filter *f)
{
	return f->label.p || f->source.p || f->model.p || f->not_model.p || f->text.p || f->unscored || f->corrected ||
	       f->has_least || f->has_most || f->has_since || f->has_until || f->nwhere;
}

/* The figures of the store; or, if anything is asked of them, of groups of its messages. */
static struct source *stats_source(struct tool *t, struct store_options *o, struct err *e)
{
	struct store_stats n;
	o->stats.filter = &o->filter;
	o->stats.zone = o->zone;
	bool table = tabulates(o);
	if (o->stats.nby || restricts(&o->filter) || table)
		return source_stats(o->store, &o->stats, o->limit, table);
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

/* Opening has migrated already; this only shows the schema. */
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

static const struct store_plan {
	enum store_mode mode;
	const struct stage *stage;
	/* Makes the source, of the operands if the verb takes them; NULL: the input is the source. */
	struct source *(*make)(struct tool *t, struct store_options *o, struct err *e);
	unsigned show;
} plans[] = {
    [STORE_PUT] = {STORE_CREATE, &stage_store_put, NULL, 1u << COUNTER_STORED | 1u << COUNTER_UNCHANGED},
    [STORE_GET] = {STORE_READ, &stage_store_get, ids_source, 0},
    [STORE_DELETE] = {STORE_EXISTING, &stage_store_delete, ids_source, 0},
    [STORE_CORRECT] = {STORE_EXISTING, &stage_store_correct, labels_source, 0},
    [STORE_QUERY] = {STORE_READ, NULL, query_source, 0},
    [STORE_EXPORT] = {STORE_READ, NULL, export_source, 0},
    [STORE_STATS] = {STORE_READ, NULL, stats_source, 0},
    [STORE_MIGRATE] = {STORE_CREATE, NULL, migrate_source, 0},
    [STORE_PRUNE] = {STORE_EXISTING, NULL, prune_source, 0},
};

static bool ends_in(const char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);
	return n > m && strcmp(name + n - m, end) == 0;
}

/* True if correct takes its labels from a spreadsheet. */
static bool reads_labels(const struct tool *t, const struct store_options *o)
{
	bool named = t->from && !scheme_is_source(t->from) && (ends_in(t->from, ".csv") || ends_in(t->from, ".tsv"));
	return t->verb == &t->verbs[STORE_CORRECT] && (o->csv || named);
}

static struct source *labels_of(struct tool *t, struct err *e)
{
	struct end_conf conf = tool_ends(t);
	conf.keep_end = true;
	if (t->from && scheme_is_source(t->from)) {
		err_set(e, ERR_USAGE, "--csv is for files, not for queues");
		return NULL;
	}
	struct source *from = end_source(&t->from, t->from != NULL, &conf, e);
	return from ? source_labels(from, t->from ? t->from : "stdin") : NULL;
}

/* Opens the store, makes the source and pumps. */
static int run(struct tool *t, void *options)
{
	struct store_options *o = options;
	const struct store_plan *p = &plans[t->verb - t->verbs];
	bool make = p->make && (t->noperands || t->operands == OPERANDS_NONE);
	struct err e;
	if (table_check(&o->table, &e) < 0)
		return tool_fail(t, &e);
	o->filter.where = o->where.member;
	o->filter.nwhere = o->where.n;
	struct store *s = o->store = store_open(t, p->mode, &e);
	if (!s)
		return tool_fail(t, &e);
	t->show = p->show;
	struct step step = {p->stage, s};
	if (tabulates(o))
		step = (struct step){&table_stage, &o->table};
	if (make)
		t->source = p->make(t, o, &e);
	else if (reads_labels(t, o) && !(t->source = labels_of(t, &e)))
		make = true;
	int status = make && !t->source ? tool_fail(t, &e) : tool_run(t, &step, step.stage != NULL);
	if (s->close(s, &e) < 0 && status != STATUS_ENVIRONMENT)
		status = tool_fail(t, &e);
	zone_free(o->zone);
	return status;
}

static const char care[] = "[OPTION...]", by_id[] = "[OPTION...] [ID...]";
const struct verb store_verbs[] = {
    [STORE_PUT] = {"put", "[OPTION...] [FILE...]", OPERANDS_FILES, run},
    [STORE_GET] = {"get", by_id, OPERANDS_IDS, run},
    [STORE_DELETE] = {"delete", by_id, OPERANDS_IDS, run},
    [STORE_CORRECT] = {"correct", "[OPTION...] [ID LABEL...]", OPERANDS_IDS, run},
    [STORE_QUERY] = {"query", "[--label LABEL] [--since TIME] [--text WORDS] [OPTION...]", OPERANDS_NONE, run},
    [STORE_EXPORT] = {"export", care, OPERANDS_NONE, run},
    [STORE_STATS] = {"stats", "[--by NAME,...] [--tz ZONE] [OPTION...]", OPERANDS_NONE, run},
    [STORE_MIGRATE] = {"migrate", care, OPERANDS_NONE, run},
    [STORE_PRUNE] = {"prune", care, OPERANDS_NONE, run},
    {0},
};
