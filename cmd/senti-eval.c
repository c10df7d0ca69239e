/* senti-eval - how well models agree with the labels that people gave. */
#include <math.h>
#include <unistd.h>

#include "cmd/run.h"
#include "cmd/state.h"
#include "lib/base/log.h"
#include "lib/learn/eval.h"
#include "lib/score/model.h"

struct eval_options {
	struct eval_conf eval;
	struct option_words spec;
	double min_f1;
	const char *state;
};

static int read_map(void *to, const char *value, struct err *e)
{
	return label_map(to, value, e);
}

#define OPTIONS struct eval_options
static const struct option_def own[] = {
    {'m', "model", "MODEL",
	"score the texts with MODEL; repeat to compare several\n(default: use the results in the records)",
	OPT_LIST(spec)},
    {'f', "field", "NAME", "the member that holds the text (default text)", OPT_SLICE(eval.form.text_name)},
    {0, "label", "NAME", "the member that holds the label (default label, else sentiment.label)",
	OPT_SLICE(eval.label.member)},
    {0, "map", "FROM=TO,...", "rename labels, as in 4=positive,2=neutral,0=negative", OPT_CALL(eval.label, read_map)},
    {0, "result", "NAME", "without -m: the member that holds the result (default sentiment)",
	OPT_SLICE(eval.form.result_name)},
    {0, "two", NULL, "for labels without neutral: scores above 0 are positive, all others negative",
	OPT_FLAG(eval.two)},
    {0, "dedupe", NULL, "count one record of each text, the first", OPT_FLAG(eval.dedupe)},
    {0, "seed", "N", "seed of the confidence intervals (default 1)", OPT_NUMBER(eval.seed, 0, UINT64_MAX)},
    {0, "json", NULL, "report JSON, one line per model", OPT_FLAG(eval.json)},
    {0, "state", "FILE", "with a queue: keep the records in FILE until the report is out", OPT_STRING(state)},
    {0, "min-f1", "X", "exit 1 if a model's macro F1 is below X", OPT_DECIMAL(min_f1, 0, 1)},
    {0},
};

static const char examples[] = "  senti-eval -m vader -m linear labelled.jsonl\n"
			       "  senti-eval --map 4=positive,2=neutral,0=negative -m linear rated.jsonl\n"
			       "  senti-score -m linear labelled.jsonl | senti-eval --json | jq .macro_f1\n"
			       "  senti-eval -m new.senti --min-f1 0.6 held-out.jsonl && mv new.senti current.senti\n";

/* Without -m there is one side, whose results are in the records. */
static int open_sides(struct eval_options *o, struct err *e)
{
	struct eval_conf *c = &o->eval;
	c->sides = o->spec.n ? o->spec.n : 1;
	c->side = xcalloc(c->sides, sizeof *c->side);
	c->form.needs_text = o->spec.n > 0;
	if (!o->spec.n) {
		c->side[0].name = c->form.result_name.p;
		c->label.no_fallback = true; /* a result cannot be its own judge */
	}
	for (size_t i = 0; i < o->spec.n; i++) {
		if (!(c->side[i].model = model_load(&(struct model_conf){.spec = o->spec.word[i]}, e)))
			return -1;
		c->side[i].name = engine_is_named(o->spec.word[i]) ? NULL : o->spec.word[i];
	}
	return 0;
}

static void close_sides(struct eval_options *o)
{
	for (size_t i = 0; i < o->spec.n; i++)
		model_free((struct model *)o->eval.side[i].model);
	free(o->eval.side);
	free(o->spec.word);
	label_conf_free(&o->eval.label);
}

/* The gate: an undefined figure fails it. */
static int gate(const struct eval_options *o)
{
	int status = STATUS_OK;
	for (size_t i = 0; i < o->eval.sides; i++) {
		const struct contestant *side = &o->eval.side[i];
		double f1 = accuracy_figures(&side->accuracy).macro_f1;
		char got[32], wanted[32];
		if (f1 >= o->min_f1)
			continue;
		snprintf(got, sizeof got, "%.4f", f1);
		snprintf(wanted, sizeof wanted, "%g", o->min_f1);
		log_error("macro F1 is below --min-f1", "model", side->name ? side->name : side->model->name, "f1", got,
		    "min", wanted, NULL);
		status = STATUS_REJECTS;
	}
	return status;
}

int main(int argc, char **argv)
{
	struct eval_options o = {
	    .eval.form = {.text_name = STR("text"), .result_name = STR("sentiment")},
	    .eval.label.member = STR("label"),
	    .eval.seed = 1,
	    .min_f1 = NAN,
	};
	struct tool t = {
	    .name = "senti-eval",
	    .usage = "[-m MODEL]... [--json] [--min-f1 X] [OPTION...] [FILE...]\n"
		     "-i amqp:QUEUE --idle MS [--state FILE] [OPTION...]",
	    .summary = "Compares models with labels: labelled records in, a report of accuracy out.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT,
	};
	struct err e;
	tool_options(&t, argc, argv);
	if (open_sides(&o, &e) < 0 || state_open(&t, o.state, &o.eval.checkpoint, &e) < 0) {
		close_sides(&o);
		return tool_fail(&t, &e);
	}
	o.eval.colour = strcmp(t.to, "-") == 0 && wants_colour(STDOUT_FILENO);
	int status = tool_run(&t, &(struct step){&eval_stage, &o.eval}, 1);
	status = state_close(&t, o.eval.checkpoint, status);
	if ((status == STATUS_OK || status == STATUS_REJECTS) && !isnan(o.min_f1) && gate(&o) != STATUS_OK)
		status = STATUS_REJECTS;
	close_sides(&o);
	return status;
}
