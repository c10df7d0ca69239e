/* senti-score - records in, records with a sentiment out. */
#include <errno.h>
#include <unistd.h>

#include "cmd/run.h"
#include "cmd/table.h"
#include "lib/flow/mem.h"
#include "lib/score/model.h"
#include "lib/stage/score.h"
#include "lib/stage/tabulate.h"

struct score_options {
	struct score_conf score;
	struct model_conf model;
	struct option_words texts;
	struct table_conf table;
	bool csv;
	bool list;
};

static int read_neutral(void *to, const char *value, struct err *e)
{
	struct model_conf *m = to;
	char *comma, *end;
	m->neutral_from = strtod(value, &comma);
	m->neutral_to = *comma == ',' ? strtod(comma + 1, &end) : 0;
	m->has_neutral = true;
	if (comma == value || *comma != ',' || end == comma + 1 || *end ||
	    !(m->neutral_from >= -1 && m->neutral_from <= m->neutral_to && m->neutral_to <= 1))
		return option_bad("neutral", value, "two scores in order such as -0.05,0.05", e);
	return 0;
}

#define OPTIONS struct score_options
static const struct option_def own[] = {
    {'m', "model", "MODEL", "score with MODEL (default $SENTI_MODEL, else vader)", OPT_STRING(model.spec)},
    {'e', "expression", "TEXT", "score TEXT instead of input; may be repeated", OPT_LIST(texts)},
    {'t', "text", NULL, "input lines are plain texts, not records", OPT_FLAG(score.plain)},
    {'f', "field", "NAME", "the member that holds the text (default text)", OPT_SLICE(score.form.text_name)},
    {0, "into", "NAME", "the member for the result (default sentiment)", OPT_SLICE(score.form.result_name)},
    {0, "csv", NULL, "print a table for spreadsheets instead of records", OPT_FLAG(csv)},
    {0, "columns", "NAME,...",
	"with --csv: these columns, members of the result (label, score, ...) or of the record\n"
	"(default: all that the first records have)",
	OPT_SLICE(table.columns)},
    {0, "raw", NULL, "with --csv: without the apostrophe that keeps text from being a formula", OPT_FLAG(table.raw)},
    {0, "explain", NULL, "add a member why: the words and rules behind the score", OPT_FLAG(score.explain)},
    {0, "force", NULL, "rescore records that have a result of this very model", OPT_FLAG(score.force)},
    {0, "lexicon", "+FILE", "layer FILE (lines of WORD TAB VALUE) over the model's lexicon",
	OPT_CALL(model.lexicon, read_lexicon)},
    {0, "neutral", "A,B", "label scores strictly between A and B as neutral", OPT_CALL(model, read_neutral)},
    {0, "models", NULL, "list the models and exit", OPT_FLAG(list)},
    {0},
};

static const char examples[] =
    "  senti-score -e 'I love it' -e 'not so good'\n"
    "  tail -F app.log | senti-score -t\n"
    "  senti-ingest -F csv reviews.csv | senti-score -j2 --csv --columns label,score,text >scored.csv\n"
    "  senti-score --explain -e 'The plot was good, but the ending was not.' | jq -c '.sentiment.why[]'\n";

static int check(const struct tool *t, struct score_options *o, struct err *e)
{
	if (!o->csv && (o->table.columns.p || o->table.raw))
		return err_set(e, ERR_USAGE, "--columns and --raw are for --csv");
	o->table.format = TABLE_CSV;
	o->table.result_name = o->score.form.result_name;
	if (table_check(&o->table, e) < 0)
		return -1;
	if (str_eq(o->score.form.text_name, o->score.form.result_name))
		return err_set(
		    e, ERR_USAGE, "-f and --into name the same member '%.*s'", STR_FMT(o->score.form.text_name));
	if (o->texts.n && (t->noperands || t->from))
		return err_set(e, ERR_USAGE, "-e replaces the input, so files and -i do not go with it");
	for (const char *const *file = t->operand; *file; file++)
		if (strchr(*file, ' ') && access(*file, F_OK) < 0 && errno == ENOENT)
			return err_set(e, ERR_ENV,
			    "cannot open '%s': no such file; to score a text itself, give it after -e", *file);
	return 0;
}

static int list_models(void)
{
	for (const struct engine *const *en = engines; *en; en++)
		printf("%-12s %s\n", (*en)->name, (*en)->about);
	return fflush(stdout) == 0 ? STATUS_OK : STATUS_ENVIRONMENT;
}

int main(int argc, char **argv)
{
	struct score_options o = {
	    .score.form = {.text_name = STR("text"), .result_name = STR("sentiment"), .needs_text = true},
	    .model.spec = default_model(),
	};
	struct tool t = {
	    .name = "senti-score",
	    .usage = "[-m MODEL] [OPTION...] [FILE...]\n-t [OPTION...] [FILE...]\n-e TEXT [-e TEXT...]",
	    .summary = "Scores the text of each record: JSON lines in, the same lines with a \"sentiment\" out.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT | SHARED_JOBS,
	    .show = 1u << COUNTER_SCORED,
	};
	struct err e;
	tool_options(&t, argc, argv);
	if (o.list)
		return list_models();
	o.score.plain |= o.texts.n > 0;
	struct model *model = check(&t, &o, &e) == 0 ? model_load(&o.model, &e) : NULL;
	if (!model) {
		free(o.texts.word);
		return tool_fail(&t, &e);
	}
	o.score.model = model;
	t.model = model->name;
	struct mem_source texts;
	if (o.texts.n) {
		mem_source_init(&texts, o.texts.word, o.texts.n);
		t.source = &texts.port;
	}
	if (o.score.plain && !o.csv && strcmp(t.to, "-") == 0 && isatty(STDOUT_FILENO))
		t.out = table_sink(o.score.form.result_name, wants_colour(STDOUT_FILENO));
	const struct step steps[] = {{&score_stage, &o.score}, {&table_stage, &o.table}};
	int status = tool_run(&t, steps, o.csv ? 2 : 1);
	model_free(model);
	free(o.texts.word);
	return status;
}
