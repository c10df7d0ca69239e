/* senti-eval - how well models agree with the labels that people gave. */
#include <math.h>
#include <unistd.h>

#include "cmd/run.h"
#include "lib/base/log.h"
#include "lib/learn/eval.h"
#include "lib/score/model.h"

enum { OPT_LABEL = OPT_OWN, OPT_MAP, OPT_RESULT, OPT_TWO, OPT_JSON, OPT_MIN_F1 };

static const struct opt_def own[] = {
    {'m', "model", "MODEL",
	"score the texts with MODEL; repeat it to compare several\n(default: the results that the records carry)"},
    {'f', "field", "NAME", "the member that holds the text (default text)"},
    {OPT_LABEL, "label", "NAME", "the member that holds the label (default label, else sentiment.label)"},
    {OPT_MAP, "map", "FROM=TO,...", "rename labels, as in 4=positive,2=neutral,0=negative"},
    {OPT_RESULT, "result", "NAME", "without -m: the member that holds the result (default sentiment)"},
    {OPT_TWO, "two", NULL, "labels are positive or negative: so is any score, above 0 or not"},
    {OPT_JSON, "json", NULL, "report JSON, one line a model"},
    {OPT_MIN_F1, "min-f1", "X", "exit 1 if a model's macro F1 is below X"},
    {0},
};

static const char examples[] = "  senti-eval -m vader -m linear labelled.jsonl\n"
			       "  senti-eval --map 4=positive,2=neutral,0=negative -m linear rated.jsonl\n"
			       "  senti-score -m linear labelled.jsonl | senti-eval --json | jq .macro_f1\n"
			       "  senti-eval -m new.senti --min-f1 0.6 held-out.jsonl && mv new.senti current.senti\n";

struct options {
	struct eval_conf eval;
	const char **spec;
	size_t specs;
	double min_f1;
};

static int min_f1(struct options *o, const char *value, struct err *e)
{
	char *end;
	o->min_f1 = strtod(value, &end);
	if (end == value || *end || !(o->min_f1 >= 0 && o->min_f1 <= 1))
		return err_set(e, ERR_USAGE, "--min-f1 takes a number from 0 to 1, not '%s'", value);
	return 0;
}

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct options *o = arg;
	switch (letter) {
	case 'm':
		o->spec = xreallocarray(o->spec, o->specs + 1, sizeof *o->spec);
		o->spec[o->specs++] = value;
		return 0;
	case 'f':
		o->eval.form.text_name = str_of(value);
		return 0;
	case OPT_LABEL:
		o->eval.label.member = str_of(value);
		return 0;
	case OPT_MAP:
		return label_map(&o->eval.label, value, e);
	case OPT_RESULT:
		o->eval.form.result_name = str_of(value);
		return 0;
	case OPT_TWO:
		o->eval.two = true;
		return 0;
	case OPT_JSON:
		o->eval.json = true;
		return 0;
	case OPT_MIN_F1:
		return min_f1(o, value, e);
	}
	return -1;
}

/* Without -m there is one side, whose results are in the records. */
static int open_sides(struct options *o, struct err *e)
{
	struct eval_conf *c = &o->eval;
	c->sides = o->specs ? o->specs : 1;
	c->side = xcalloc(c->sides, sizeof *c->side);
	c->form.needs_text = o->specs > 0;
	if (!o->specs) {
		c->side[0].name = c->form.result_name.p;
		c->label.no_fallback = true; /* a result can't be its own judge */
	}
	for (size_t i = 0; i < o->specs; i++)
		if (!(c->side[i].model = model_load(&(struct model_conf){.spec = o->spec[i]}, e)))
			return -1;
	return 0;
}

static void close_sides(struct options *o)
{
	for (size_t i = 0; i < o->specs; i++)
		model_free((struct model *)o->eval.side[i].model);
	free(o->eval.side);
	free(o->spec);
	label_conf_free(&o->eval.label);
}

/* The gate: what is not defined is not reached either. */
static int gate(const struct options *o)
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
	struct options o = {
	    .eval.form = {.text_name = STR("text"), .result_name = STR("sentiment")},
	    .eval.label.member = STR("label"),
	    .min_f1 = NAN,
	};
	struct tool t = {
	    .name = "senti-eval",
	    .usage = "[-m MODEL]... [--json] [--min-f1 X] [OPTION...] [FILE...]",
	    .summary = "Compares models with labels: labelled records in, a report of accuracy out.",
	    .examples = examples,
	    .own = own,
	    .shared = OPT_FILTER | OPT_OUT,
	    .on_option = on_option,
	    .arg = &o,
	};
	struct err e;
	tool_options(&t, argc, argv);
	if (open_sides(&o, &e) < 0) {
		close_sides(&o);
		return tool_fail(&t, &e);
	}
	o.eval.colour = strcmp(t.to, "-") == 0 && opt_colour(STDOUT_FILENO);
	int status = tool_run(&t, &(struct step){&eval_stage, &o.eval}, 1);
	if ((status == STATUS_OK || status == STATUS_REJECTS) && !isnan(o.min_f1) && gate(&o) != STATUS_OK)
		status = STATUS_REJECTS;
	close_sides(&o);
	return status;
}
