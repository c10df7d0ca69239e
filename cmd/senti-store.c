/* senti-store - keeps scored records as rows: put, get, query, correct, delete, and the care of the database. */
#include "cmd/made.h"
#include "cmd/run.h"
#include "cmd/stores.h"
#include "lib/base/clock.h"
#include "lib/score/engine.h"
#include "lib/stage/store.h"

enum {
	OPT_LABEL = OPT_OWN,
	OPT_SOURCE,
	OPT_MODEL,
	OPT_NOT_MODEL,
	OPT_SINCE,
	OPT_UNTIL,
	OPT_TEXT,
	OPT_UNSCORED,
	OPT_CORRECTED,
	OPT_AFTER,
	OPT_LIMIT,
	OPT_ORDER,
	OPT_DEAD,
};

static const struct opt_def own[] = {
    {OPT_LABEL, "label", "LABEL", "query: positive, neutral or negative"},
    {OPT_SOURCE, "source", "NAME", "query: from this source"},
    {OPT_SINCE, "since", "TIME", "query: said at TIME or later (RFC 3339, or a date)"},
    {OPT_UNTIL, "until", "TIME", "query: said before TIME"},
    {OPT_TEXT, "text", "WORDS", "query: the text holds WORDS, in upper or lower case"},
    {OPT_MODEL, "model", "MODEL", "query: scored by this model, as its results name it"},
    {OPT_NOT_MODEL, "not-model", "MODEL", "query: not scored by this model: by another, or not at all"},
    {OPT_UNSCORED, "unscored", NULL, "query: without a result"},
    {OPT_CORRECTED, "corrected", NULL, "query: whose label a person has set"},
    {OPT_AFTER, "after", "ID", "query: go on behind the message with this id"},
    {OPT_LIMIT, "limit", "N", "query: at most N messages"},
    {OPT_ORDER, "order", "ORDER", "query: oldest (default) or newest first, without a time last; or by id"},
    {OPT_DEAD, "dead", "DURATION", "prune: drop readers silent for so long: 90s, 30m, 12h, 7d (default)"},
    {0},
};

static const char examples[] = "  senti-ingest -F csv reviews.csv | senti-score | senti-store >/dev/null\n"
			       "  senti-store query --label negative --since 2024-05-01 --limit 20\n"
			       "  senti-store correct 17 positive\n"
			       "  senti-store query --not-model \"$NEW\" | senti-score | senti-store put >/dev/null\n";

enum { DAY_MS = 86400000 };

struct options {
	struct filter filter;
	const char *after, *query_only, *prune_only; /* _only: an option that was given, for messages */
	uint64_t limit;
	int64_t dead_ms;
};

struct verb {
	const char *name;
	unsigned operands; /* 0: files; OPT_IDS: ids, with `per` words to a record */
	size_t per;
	enum store_mode mode;
	const struct stage *stage;
	/* Instead of a stage: makes the source of what comes out. NULL: *e. */
	struct source *(*source)(struct tool *t, struct options *o, struct store *s, struct err *e);
};

static int parse_time(const char *name, const char *value, bool *has, int64_t *ms, struct err *e)
{
	char whole[32];
	int n = snprintf(whole, sizeof whole, "%sT00:00:00Z", value);
	*has = true;
	if (time_parse(str_of(value), ms) == 0 || (n == 20 && time_parse((struct str){whole, (size_t)n}, ms) == 0))
		return 0;
	return err_set(
	    e, ERR_USAGE, "--%s takes a time such as 2024-05-01T12:00:00Z or 2024-05-01, not '%s'", name, value);
}

static int parse_order(const char *value, enum order *order, struct err *e)
{
	static const char *const name[] = {[ORDER_OLDEST] = "oldest", [ORDER_NEWEST] = "newest", [ORDER_ID] = "id"};
	for (size_t i = 0; i < COUNT_OF(name); i++)
		if (strcmp(value, name[i]) == 0) {
			*order = (enum order)i;
			return 0;
		}
	return err_set(e, ERR_USAGE, "--order takes oldest, newest or id, not '%s'", value);
}

static int parse_label(const char *value, struct str *out, struct err *e)
{
	enum label known;
	*out = str_of(value);
	if (label_parse(*out, &known) == 0)
		return 0;
	return err_set(e, ERR_USAGE, "a label is positive, neutral or negative, not '%s'", value);
}

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct options *o = arg;
	struct filter *f = &o->filter;
	for (const struct opt_def *d = own; d->name; d++)
		if (d->letter == letter)
			*(letter == OPT_DEAD ? &o->prune_only : &o->query_only) = d->name;
	switch (letter) {
	case OPT_LABEL:
		return parse_label(value, &f->label, e);
	case OPT_SOURCE:
		f->source = str_of(value);
		return 0;
	case OPT_SINCE:
		return parse_time("since", value, &f->has_since, &f->since, e);
	case OPT_UNTIL:
		return parse_time("until", value, &f->has_until, &f->until, e);
	case OPT_TEXT:
		f->text = str_of(value);
		return 0;
	case OPT_MODEL:
		f->model = str_of(value);
		return 0;
	case OPT_NOT_MODEL:
		f->not_model = str_of(value);
		return 0;
	case OPT_UNSCORED:
		f->unscored = true;
		return 0;
	case OPT_CORRECTED:
		f->corrected = true;
		return 0;
	case OPT_AFTER:
		o->after = value;
		return 0;
	case OPT_LIMIT:
		return opt_number(value, "limit", 1, UINT32_MAX, &o->limit, e);
	case OPT_ORDER:
		return parse_order(value, &f->order, e);
	case OPT_DEAD:
		return opt_duration(value, "dead", 0, &o->dead_ms, e);
	}
	return -1;
}

/* ---- sources of the verbs that read no records ---- */

static struct source *query(struct tool *t, struct options *o, struct store *s, struct err *e)
{
	static struct arena mem;
	(void)t;
	if (o->after) {
		struct message m = {.id = str_of(o->after)}, *const one = &m;
		if (s->get(s, &one, 1, &mem, e) < 0)
			return NULL;
		if (m.fate == MESSAGE_MISSING) {
			err_set(e, ERR_USAGE,
			    "--after: no message has the id '%s' (any more); --since goes on from a time", o->after);
			return NULL;
		}
		o->filter.after = (struct place){.set = true, .has_time = m.has_time, .time = m.time, .id = m.id};
	}
	return source_query(s, &o->filter, o->limit);
}

/* Everything, in an order that does not depend on what the rows hold: two exports can be compared line by line. */
static struct source *export(struct tool *t, struct options *o, struct store *s, struct err *e)
{
	(void)t;
	(void)e;
	o->filter.order = ORDER_ID;
	return source_query(s, &o->filter, 0);
}

static struct source *stats(struct tool *t, struct options *o, struct store *s, struct err *e)
{
	struct store_stats n;
	(void)o;
	if (s->stats(s, &n, e) < 0)
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
	return made_figures(t, row, COUNT_OF(row));
}

static struct source *prune(struct tool *t, struct options *o, struct store *s, struct err *e)
{
	static struct buf out;
	uint64_t gone;
	(void)t;
	if (s->outbox->prune(s->outbox, clock_wall_ms() - o->dead_ms, &gone, e) < 0)
		return NULL;
	buf_printf(&out, "{\"pruned\":%llu}", (unsigned long long)gone);
	return made_line(&out);
}

/* Opening has done it already; a second time changes nothing, and tells the schema that is reached. */
static struct source *migrate(struct tool *t, struct options *o, struct store *s, struct err *e)
{
	static struct buf out;
	struct store_stats n;
	(void)t;
	(void)o;
	if (s->migrate(s, e) < 0 || s->stats(s, &n, e) < 0)
		return NULL;
	buf_printf(&out, "{\"schema\":%llu}", (unsigned long long)n.schema);
	return made_line(&out);
}

/* Records made of operands: ids, or ids with labels. */
static struct source *records(const struct tool *t, const struct verb *v, struct err *e)
{
	struct str label;
	if (t->noperands % v->per) {
		err_set(e, ERR_USAGE, "%s takes an ID and a LABEL", v->name);
		return NULL;
	}
	for (size_t i = 1; v->per == 2 && i < t->noperands; i += 2)
		if (parse_label(t->operand[i], &label, e) < 0)
			return NULL;
	return made_records(t, v->per, e);
}

/* ---- wiring ---- */

static const struct verb verbs[] = {
    {"put", 0, 0, STORE_CREATE, &stage_store_put, NULL},
    {"get", OPT_IDS, 1, STORE_EXISTING, &stage_store_get, NULL},
    {"query", OPT_IDS, 0, STORE_EXISTING, NULL, query},
    {"correct", OPT_IDS, 2, STORE_EXISTING, &stage_store_correct, NULL},
    {"delete", OPT_IDS, 1, STORE_EXISTING, &stage_store_delete, NULL},
    {"export", OPT_IDS, 0, STORE_EXISTING, NULL, export},
    {"stats", OPT_IDS, 0, STORE_EXISTING, NULL, stats},
    {"migrate", OPT_IDS, 0, STORE_CREATE, NULL, migrate},
    {"prune", OPT_IDS, 0, STORE_EXISTING, NULL, prune},
};

/* The verb is the first operand, put where there is none; the others are the verb's own. */
static const struct verb *take_verb(struct tool *t)
{
	for (size_t i = 0; t->noperands && i < COUNT_OF(verbs); i++)
		if (strcmp(t->operand[0], verbs[i].name) == 0) {
			t->operand++;
			t->noperands--;
			return &verbs[i];
		}
	return &verbs[0];
}

static int check(const struct tool *t, const struct verb *v, const struct options *o, struct err *e)
{
	if (o->query_only && v->source != query)
		return err_set(e, ERR_USAGE, "--%s belongs to query, not to %s", o->query_only, v->name);
	if (o->prune_only && v->source != prune)
		return err_set(e, ERR_USAGE, "--%s belongs to prune, not to %s", o->prune_only, v->name);
	if (v->source && t->noperands)
		return err_set(e, ERR_USAGE, "%s takes no operands, as '%s'", v->name, t->operand[0]);
	if (t->from && (v->source || t->noperands))
		return err_set(e, ERR_USAGE, "-i %s does not go with %s", t->from, v->source ? v->name : "operands");
	return 0;
}

static int run(struct tool *t, const struct verb *v, struct options *o, struct store *s)
{
	struct err e;
	if (v->source)
		t->source = v->source(t, o, s, &e);
	else if (t->noperands && v->per)
		t->source = records(t, v, &e);
	if (!t->source && (v->source || (t->noperands && v->per)))
		return tool_fail(t, &e);
	return tool_run(t, &(struct step){v->stage, s}, v->stage != NULL);
}

int main(int argc, char **argv)
{
	struct options o = {.dead_ms = 7 * (int64_t)DAY_MS};
	struct tool t = {
	    .name = "senti-store",
	    .usage = "[put] [OPTION...] [FILE...]\nget|delete [OPTION...] [ID...]\ncorrect [OPTION...] [ID LABEL...]\n"
		     "query [--label LABEL] [--since TIME] [--text WORDS] [OPTION...]\nexport|stats|migrate|prune "
		     "[OPTION...]",
	    .summary =
		"Keeps records in a database, one row an id. put (the default) passes each record on once it is\n"
		"committed, with its version; query and export print JSON lines; correct sets a label by hand.",
	    .examples = examples,
	    .own = own,
	    .shared = OPT_FILTER | OPT_OUT | OPT_STORE | OPT_IDS,
	    .on_option = on_option,
	    .arg = &o,
	};
	struct err e;
	tool_options(&t, argc, argv);
	const struct verb *v = take_verb(&t);
	t.shared = (t.shared & ~(unsigned)OPT_IDS) | v->operands;
	if (v->stage == &stage_store_put)
		t.show = 1u << COUNTER_STORED | 1u << COUNTER_UNCHANGED;
	struct store *s = check(&t, v, &o, &e) == 0 ? store_open(&t, v->mode, &e) : NULL;
	if (!s)
		return tool_fail(&t, &e);
	int status = run(&t, v, &o, s);
	if (s->close(s, &e) < 0 && status != STATUS_ENVIRONMENT)
		status = tool_fail(&t, &e);
	return status;
}
