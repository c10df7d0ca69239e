/* senti-train - labelled records in, a model file out. */
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/progress.h"
#include "cmd/run.h"
#include "cmd/state.h"
#include "lib/learn/train.h"
#include "lib/score/model.h"

struct train_options {
	struct train_conf train;
	unsigned words;
	const char *state;
};

static int read_letters(void *to, const char *value, struct err *e)
{
	struct feature_conf *f = to;
	bool range = strlen(value) == 3 && value[1] == '-', none = strcmp(value, "0") == 0;
	f->char_min = range ? (unsigned char)value[0] - '0' : 0;
	f->char_max = range ? (unsigned char)value[2] - '0' : 0;
	if (!none && (f->char_min < 2 || f->char_max < f->char_min || f->char_max > 6))
		return option_bad("letters", value, "two lengths from 2 to 6 such as 3-5, or 0", e);
	return 0;
}

static int read_map(void *to, const char *value, struct err *e)
{
	return label_map(to, value, e);
}

#define OPTIONS struct train_options
static const struct option_def own[] = {
    {'o', "output", "FILE", "write the model to FILE (required)", OPT_STRING(train.path)},
    {'f', "field", "NAME", "the member that holds the text (default text)", OPT_SLICE(train.form.text_name)},
    {0, "label", "NAME", "the member that holds the label (default label, else sentiment.label)",
	OPT_SLICE(train.label.member)},
    {0, "map", "FROM=TO,...", "rename labels, as in 4=positive,2=neutral,0=negative", OPT_CALL(train.label, read_map)},
    {0, "folds", "K", "calibrate and evaluate on K parts, each held out in turn (default 5)",
	OPT_NUMBER(train.fit.folds, 2, FOLDS_MOST)},
    {0, "test", "FILE", "evaluate on the records of FILE too; records with a text of FILE are not learned",
	OPT_NAME(train.test_path)},
    {0, "dedupe", NULL, "learn one record of each text, the first", OPT_FLAG(train.dedupe)},
    {0, "seed", "N", "seed for dealing records into parts (default 1); same data and seed, same bytes",
	OPT_NUMBER(train.fit.seed, 0, UINT64_MAX)},
    {0, "class-weights", "HOW", "balanced: all classes count the same (default); none: as in the data",
	OPT_CHOICE(train.fit.balanced, "none", "balanced")},
    {0, "words", "N", "n-grams of up to N words, 1 or 2 (default 2)", OPT_NUMBER(words, 1, 2)},
    {0, "letters", "A-B", "n-grams of A to B letters within words (default 3-5); 0: none",
	OPT_CALL(train.fit.features, read_letters)},
    {0, "no-negation", NULL, "do not mark words after a negation", OPT_SET(train.fit.features.negation, 0)},
    {0, "no-lexicon", NULL, "learn from n-grams alone, without the result of plus",
	OPT_SET(train.fit.features.lexicon, 0)},
    {0, "lexicon-gain", "G", "give the result of plus more (above 1, slower) or less weight (default 1)",
	OPT_DECIMAL(train.fit.figure_gain, 0.01, 100)},
    {0, "hash-bits", "N", "2^N slots for n-grams, 4 bytes each (default 18)",
	OPT_NUMBER(train.fit.features.bits, 10, 24)},
    {0, "min-texts", "N", "leave out n-grams that occur in fewer than N texts (default 3)",
	OPT_NUMBER(train.fit.min_texts, 1, 1000000)},
    {0, "state", "FILE", "with a queue: keep the records in FILE until the model is written", OPT_STRING(state)},
    {0, "cost", "C", "fit the data more (above 1) or less closely (default 1)", OPT_DECIMAL(train.fit.cost, 1e-6, 1e6)},
    {0},
};

static const char examples[] = "  senti-train -o reviews.senti reviews.jsonl\n"
			       "  senti-score -m ./reviews.senti -e 'never again'\n"
			       "  senti-ingest -F csv --text body tickets.csv | senti-train --label grade --map "
			       "1=negative,2=neutral,3=positive -o t.senti\n";

/* The model must not overwrite its records. */
static int check(const struct tool *t, const char *path, const char *test, struct err *e)
{
	struct stat a, b;
	if (path && test && stat(path, &a) == 0 && stat(test, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino)
		return err_set(e, ERR_USAGE, "'%s' is both the test set and the output", test);
	if (!path || strcmp(path, "-") == 0)
		return err_set(e, ERR_USAGE, "-o FILE is missing: the model to write%s", path ? " (not stdout)" : "");
	return tool_check_output(t, path, e);
}

int main(int argc, char **argv)
{
	struct train_options o = {
	    .words = 2,
	    .train = {.form = {.text_name = STR("text"), .result_name = STR("sentiment"), .needs_text = true},
		.label.member = STR("label"),
		.fit = {.features = {.bits = 18, .char_min = 3, .char_max = 5, .negation = 1, .lexicon = 1},
		    .folds = 5,
		    .seed = 1,
		    .balanced = true,
		    .cost = 1,
		    .figure_gain = 1,
		    .min_texts = 3}},
	};
	struct tool t = {
	    .name = "senti-train",
	    .usage = "-o FILE [OPTION...] [FILE...]\n"
		     "-o FILE -i amqp:QUEUE --idle MS [--state FILE] [OPTION...]",
	    .summary = "Makes a model for senti-score -m FILE from labelled records; prints its description as one "
		       "JSON line.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .shared = SHARED_FILTER | SHARED_OUT,
	};
	struct err e;
	tool_options(&t, argc, argv);
	o.train.fit.features.pairs = o.words == 2;
	if (check(&t, o.train.path, o.train.test_path, &e) < 0 || state_open(&t, o.state, &o.train.checkpoint, &e) < 0)
		return tool_fail(&t, &e);
	struct model *lexicon = model_load(&(struct model_conf){.spec = "plus"}, &e);
	if (!lexicon)
		return tool_fail(&t, &e);
	o.train.fit.lexicon = lexicon;
	struct progress fitting = {.tool = &t, .terminal = isatty(STDERR_FILENO)};
	if (t.progress) {
		o.train.fit.tick = progress_step;
		o.train.fit.tick_arg = &fitting;
	}
	o.train.stop = o.train.checkpoint ? NULL : t.limits.stop; /* else a stop ends a queue */
	int status = tool_run(&t, &(struct step){&train_stage, &o.train}, 1);
	status = state_close(&t, o.train.checkpoint, status);
	progress_end(&fitting);
	label_conf_free(&o.train.label);
	model_free(lexicon);
	return status;
}
