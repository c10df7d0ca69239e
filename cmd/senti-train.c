/* senti-train - labelled records in, a model file out. */
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/run.h"
#include "lib/base/clock.h"
#include "lib/learn/train.h"
#include "lib/score/model.h"

enum {
	OPT_LABEL = OPT_OWN,
	OPT_MAP,
	OPT_FOLDS,
	OPT_SEED,
	OPT_WEIGHTS,
	OPT_BITS,
	OPT_LETTERS,
	OPT_WORDS,
	OPT_NO_NEGATION,
	OPT_COST,
	OPT_MIN_TEXTS,
	OPT_NO_LEXICON,
	OPT_LEXICON_GAIN
};

static const struct opt_def own[] = {
    {'o', "output", "FILE", "write the model to FILE (needed)"},
    {'f', "field", "NAME", "the member that holds the text (default text)"},
    {OPT_LABEL, "label", "NAME", "the member that holds the label (default label, else sentiment.label)"},
    {OPT_MAP, "map", "FROM=TO,...", "rename labels, as in 4=positive,2=neutral,0=negative"},
    {OPT_FOLDS, "folds", "K", "calibrate and measure on K parts held out in turn (default 5)"},
    {OPT_SEED, "seed", "N", "deal the parts by N (default 1); same data and seed, same bytes"},
    {OPT_WEIGHTS, "class-weights", "HOW", "balanced: all classes count the same (default); none: as in the data"},
    {OPT_WORDS, "words", "N", "n-grams of up to N words, 1 or 2 (default 2)"},
    {OPT_LETTERS, "letters", "A-B", "n-grams of A to B letters within words (default 3-5); 0: none"},
    {OPT_NO_NEGATION, "no-negation", NULL, "do not mark words behind a negation"},
    {OPT_NO_LEXICON, "no-lexicon", NULL, "learn from n-grams alone, without the result of plus"},
    {OPT_LEXICON_GAIN, "lexicon-gain", "G", "let the result of plus count more (above 1, slower) or less (default 1)"},
    {OPT_BITS, "hash-bits", "N", "2^N places for n-grams, 4 bytes each (default 18)"},
    {OPT_MIN_TEXTS, "min-texts", "N", "leave out n-grams of fewer than N texts (default 3)"},
    {OPT_COST, "cost", "C", "fit the data closer (above 1) or less closely (below; default 1)"},
    {0},
};

static const char examples[] = "  senti-train -o reviews.senti reviews.jsonl\n"
			       "  senti-score -m ./reviews.senti -e 'never again'\n"
			       "  senti-ingest -F csv --text body tickets.csv | senti-train --label grade --map "
			       "1=negative,2=neutral,3=positive -o t.senti\n";

struct options {
	struct train_conf train;
	bool progress, terminal, shown;
	int64_t shown_ms;
};

static int letters(struct feature_conf *f, const char *value, struct err *e)
{
	unsigned min = (unsigned char)value[0] - '0', max = 0;
	if (strcmp(value, "0") == 0) {
		f->char_min = f->char_max = 0;
		return 0;
	}
	if (strlen(value) == 3 && value[1] == '-')
		max = (unsigned char)value[2] - '0';
	if (min < 2 || max < min || max > 6)
		return err_set(
		    e, ERR_USAGE, "--letters takes two lengths from 2 to 6 such as 3-5, or 0, not '%s'", value);
	f->char_min = min;
	f->char_max = max;
	return 0;
}

static int weights(struct fit_conf *f, const char *value, struct err *e)
{
	f->balanced = strcmp(value, "balanced") == 0;
	if (!f->balanced && strcmp(value, "none") != 0)
		return err_set(e, ERR_USAGE, "--class-weights takes balanced or none, not '%s'", value);
	return 0;
}

static int decimal(const char *value, const char *name, double min, double max, double *out, struct err *e)
{
	char *end;
	*out = strtod(value, &end);
	if (end == value || *end || !(*out >= min && *out <= max))
		return err_set(e, ERR_USAGE, "--%s takes a number from %g to %g, not '%s'", name, min, max, value);
	return 0;
}

static int whole(const char *value, const char *name, unsigned min, unsigned max, uint32_t *out, struct err *e)
{
	uint64_t n;
	if (opt_number(value, name, min, max, &n, e) < 0)
		return -1;
	*out = (uint32_t)n;
	return 0;
}

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct options *o = arg;
	struct fit_conf *f = &o->train.fit;
	uint32_t n = 0;
	switch (letter) {
	case 'o':
		o->train.path = value;
		return 0;
	case 'f':
		o->train.form.text_name = str_of(value);
		return 0;
	case OPT_LABEL:
		o->train.label.member = str_of(value);
		return 0;
	case OPT_MAP:
		return label_map(&o->train.label, value, e);
	case OPT_FOLDS:
		return whole(value, "folds", 2, 20, &f->folds, e);
	case OPT_SEED:
		return opt_number(value, "seed", 0, UINT64_MAX, &f->seed, e);
	case OPT_WEIGHTS:
		return weights(f, value, e);
	case OPT_WORDS:
		if (whole(value, "words", 1, 2, &n, e) < 0)
			return -1;
		f->features.pairs = n == 2;
		return 0;
	case OPT_LETTERS:
		return letters(&f->features, value, e);
	case OPT_NO_NEGATION:
		f->features.negation = 0;
		return 0;
	case OPT_NO_LEXICON:
		f->features.lexicon = 0;
		return 0;
	case OPT_BITS:
		return whole(value, "hash-bits", 10, 24, &f->features.bits, e);
	case OPT_MIN_TEXTS:
		return whole(value, "min-texts", 1, 1000000, &f->min_texts, e);
	case OPT_COST:
		return decimal(value, "cost", 1e-6, 1e6, &f->cost, e);
	case OPT_LEXICON_GAIN:
		return decimal(value, "lexicon-gain", 0.01, 100, &f->figure_gain, e);
	}
	return -1;
}

/* The pump shows how the reading goes; this is for what comes behind its end. */
static void tick(void *arg, const char *what, unsigned done, unsigned total)
{
	struct options *o = arg;
	int64_t now = clock_mono_ms();
	if (!o->progress || now - o->shown_ms < (o->terminal ? 200 : 5000))
		return;
	o->shown_ms = now;
	fprintf(stderr, "%ssenti-train: %s, %u of %u%s", o->terminal ? "\r\033[K" : "", what, done, total,
	    o->terminal ? "" : "\n");
	o->shown = true;
}

static bool same_file(const char *in, const struct stat *model)
{
	struct stat st;
	return (strcmp(in, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(in, &st)) == 0 && st.st_dev == model->st_dev &&
	       st.st_ino == model->st_ino;
}

/* The model must not take the place of the records that it is made of. */
static int check(const struct tool *t, const char *path, struct err *e)
{
	struct stat model;
	if (!path || strcmp(path, "-") == 0)
		return err_set(e, ERR_USAGE, "-o FILE is missing: where the model goes%s", path ? " (not stdout)" : "");
	if (stat(path, &model) < 0 || !S_ISREG(model.st_mode))
		return 0;
	bool same = t->noperands == 0 && same_file(t->from ? t->from : "-", &model);
	for (size_t i = 0; i < t->noperands; i++)
		same |= same_file(t->operand[i], &model);
	return same ? err_set(e, ERR_USAGE, "'%s' is both input and output", path) : 0;
}

int main(int argc, char **argv)
{
	struct options o = {
	    .train = {.form = {.text_name = STR("text"), .result_name = STR("sentiment"), .needs_text = true},
		.label.member = STR("label"),
		.fit = {.features = {.bits = 18, .pairs = 1, .char_min = 3, .char_max = 5, .negation = 1, .lexicon = 1},
		    .folds = 5,
		    .seed = 1,
		    .balanced = true,
		    .cost = 1,
		    .figure_gain = 1,
		    .min_texts = 3,
		    .tick = tick}},
	};
	struct tool t = {
	    .name = "senti-train",
	    .usage = "-o FILE [OPTION...] [FILE...]",
	    .summary = "Makes a model for senti-score -m FILE from labelled records; prints what is known of it as one "
		       "JSON line.",
	    .examples = examples,
	    .own = own,
	    .shared = OPT_FILTER | OPT_OUT,
	    .on_option = on_option,
	    .arg = &o,
	};
	struct err e;
	o.train.fit.tick_arg = &o;
	tool_options(&t, argc, argv);
	if (check(&t, o.train.path, &e) < 0)
		return tool_fail(&t, &e);
	struct model *lexicon = model_load(&(struct model_conf){.spec = "plus"}, &e);
	if (!lexicon)
		return tool_fail(&t, &e);
	o.train.fit.lexicon = lexicon;
	o.progress = t.progress;
	o.terminal = isatty(STDERR_FILENO);
	int status = tool_run(&t, &(struct step){&train_stage, &o.train}, 1);
	if (o.shown && o.terminal)
		fputs("\r\033[K", stderr);
	label_conf_free(&o.train.label);
	model_free(lexicon);
	return status;
}
