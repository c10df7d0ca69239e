/* senti-score - records in, records with a sentiment out. */
#include <math.h>
#include <unistd.h>

#include "cmd/run.h"
#include "cmd/table.h"
#include "lib/flow/mem.h"
#include "lib/score/model.h"
#include "lib/stage/score.h"

enum { OPT_FORCE = OPT_OWN, OPT_INTO, OPT_EXPLAIN, OPT_LEXICON, OPT_NEUTRAL, OPT_MODELS };

static const struct opt_def own[] = {
    {'m', "model", "MODEL", "score with MODEL (default $SENTI_MODEL, else vader)"},
    {'e', "expression", "TEXT", "score TEXT instead of input; may be repeated"},
    {'t', "text", NULL, "input lines are plain texts, not records"},
    {'f', "field", "NAME", "the member that holds the text (default text)"},
    {OPT_INTO, "into", "NAME", "the member that takes the result (default sentiment)"},
    {OPT_EXPLAIN, "explain", NULL, "add why: which words and rules make the score"},
    {OPT_FORCE, "force", NULL, "score again what has a result of this very model"},
    {OPT_LEXICON, "lexicon", "+FILE", "layer FILE (word TAB value a line) over the model's lexicon"},
    {OPT_NEUTRAL, "neutral", "A,B", "label scores strictly between A and B neutral"},
    {OPT_MODELS, "models", NULL, "list the models and exit"},
    {0},
};

static const char examples[] =
    "  senti-score -e 'I love it' -e 'not so good'\n"
    "  tail -F app.log | senti-score -t\n"
    "  senti-ingest -F csv reviews.csv | senti-score -j2 | jq -r '[.sentiment.label,.text] | @tsv'\n"
    "  senti-score --explain -e 'The plot was good, but the ending was not.' | jq -c '.sentiment.why[]'\n";

struct options {
	struct score_conf score;
	struct model_conf model;
	const char **text;
	size_t ntexts;
	bool list;
};

static int neutral_band(struct options *o, const char *value, struct err *e)
{
	char *comma, *end;
	o->model.neutral_from = strtod(value, &comma);
	o->model.neutral_to = *comma == ',' ? strtod(comma + 1, &end) : 0;
	o->model.has_neutral = true;
	if (comma == value || *comma != ',' || end == comma + 1 || *end ||
	    !(o->model.neutral_from >= -1 && o->model.neutral_from <= o->model.neutral_to && o->model.neutral_to <= 1))
		return err_set(e, ERR_USAGE, "--neutral takes two scores in order such as -0.05,0.05, not '%s'", value);
	return 0;
}

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct options *o = arg;
	switch (letter) {
	case 'm':
		o->model.spec = value;
		return 0;
	case 'e':
		o->text = xreallocarray(o->text, o->ntexts + 1, sizeof *o->text);
		o->text[o->ntexts++] = value;
		o->score.plain = true;
		return 0;
	case 't':
		o->score.plain = true;
		return 0;
	case 'f':
		o->score.form.text_name = str_of(value);
		return 0;
	case OPT_INTO:
		o->score.form.result_name = str_of(value);
		return 0;
	case OPT_EXPLAIN:
		o->score.explain = true;
		return 0;
	case OPT_FORCE:
		o->score.force = true;
		return 0;
	case OPT_LEXICON:
		return opt_lexicon(value, &o->model.lexicon, e);
	case OPT_NEUTRAL:
		return neutral_band(o, value, e);
	case OPT_MODELS:
		o->list = true;
		return 0;
	}
	return -1;
}

static int check(const struct tool *t, const struct options *o, struct err *e)
{
	if (str_eq(o->score.form.text_name, o->score.form.result_name))
		return err_set(
		    e, ERR_USAGE, "-f and --into name the same member '%.*s'", STR_FMT(o->score.form.text_name));
	if (o->ntexts && (t->noperands || t->from))
		return err_set(e, ERR_USAGE, "-e takes the place of input: no files and no -i with it");
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
	struct options o = {
	    .score.form = {.text_name = STR("text"), .result_name = STR("sentiment"), .needs_text = true},
	    .model.spec = opt_model(),
	};
	struct tool t = {
	    .name = "senti-score",
	    .usage = "[-m MODEL] [OPTION...] [FILE...]\n-t [OPTION...] [FILE...]\n-e TEXT [-e TEXT...]",
	    .summary = "Scores the text of each record: JSON lines in, the same lines with a \"sentiment\" out.",
	    .examples = examples,
	    .own = own,
	    .shared = OPT_FILTER | OPT_OUT | OPT_JOBS,
	    .show = 1u << COUNTER_SCORED,
	    .on_option = on_option,
	    .arg = &o,
	};
	struct err e;
	tool_options(&t, argc, argv);
	if (o.list)
		return list_models();
	struct model *model = check(&t, &o, &e) == 0 ? model_load(&o.model, &e) : NULL;
	if (!model) {
		free(o.text);
		return tool_fail(&t, &e);
	}
	o.score.model = model;
	t.model = model->name;
	struct mem_source texts;
	if (o.ntexts) {
		mem_source_init(&texts, o.text, o.ntexts);
		t.source = &texts.port;
	}
	if (o.score.plain && strcmp(t.to, "-") == 0 && isatty(STDOUT_FILENO))
		t.out = table_sink(o.score.form.result_name, opt_colour(STDOUT_FILENO));
	int status = tool_run(&t, &(struct step){&score_stage, &o.score}, 1);
	model_free(model);
	free(o.text);
	return status;
}
