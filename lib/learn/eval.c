/* eval.c - evaluation as a stage: counts or rejects every record, and reports at the end. */
#include "lib/learn/eval.h"

#include <math.h>

#include "lib/json/write.h"

struct eval_context {
	const struct eval_conf *conf;
	struct scratch **scratch;     /* of each side with a model */
	struct bootstrap *replicates; /* of each side */
	struct text_set texts;
	uint64_t untexted;   /* records without a text, in which no copies can be found */
	uint64_t duplicates; /* records whose text an earlier one has */
	uint64_t conflicts;  /* ... and another label than the first of them */
	struct json_scan scan, nested;
	struct buf folded, out;
	uint64_t first;	  /* first batch held outside the checkpoint */
	uint64_t resumed; /* records from the checkpoint */
};

static void eval_close(void *ctx)
{
	struct eval_context *c = ctx;
	for (size_t i = 0; i < c->conf->sides; i++)
		if (c->scratch[i])
			c->conf->side[i].model->engine->scratch_free(c->scratch[i]);
	free(c->scratch);
	free(c->replicates);
	text_set_free(&c->texts);
	buf_free(&c->folded);
	json_scan_free(&c->scan);
	json_scan_free(&c->nested);
	buf_free(&c->out);
	free(c);
}

static double share_of(enum label l, double neg, double neu, double pos)
{
	return l == LABEL_NEGATIVE ? neg : l == LABEL_NEUTRAL ? neu : pos;
}

static struct estimate guess_by_model(const struct eval_context *c, size_t side, struct str text)
{
	const struct model *m = c->conf->side[side].model;
	struct result r;
	m->engine->score(m, c->scratch[side], text, &r, NULL);
	return (struct estimate){r.label, r.score, r.has_shares ? share_of(r.label, r.neg, r.neu, r.pos) : NAN};
}

static double number(const struct json_scan *s, struct str name)
{
	const struct json_member *m = json_find(s, name);
	return m && m->type == JSON_NUMBER ? strtod(m->value.p, NULL) : NAN;
}

/* Reads the result in the record: 0, or -1 and the record is rejected. */
static int guess_by_record(struct eval_context *c, struct batch *b, struct rec *r, struct estimate *out)
{
	struct json_scan *s = &c->nested;
	struct str name = c->conf->form.result_name;
	if (!r->result.p)
		return rec_reject(
		    b, r, CODE_NO_SENTIMENT, "no member '%.*s' (-m MODEL scores the text)", STR_FMT(name));
	const struct json_member *label = json_scan(s, r->result) == 0 ? json_find(s, STR("label")) : NULL;
	out->score = label ? number(s, STR("score")) : NAN;
	if (isnan(out->score) || label->type != JSON_STRING ||
	    label_parse(json_decode(label, &b->mem), &out->label) < 0)
		return rec_reject(b, r, CODE_NO_SENTIMENT, "member '%.*s' has no label and score", STR_FMT(name));
	out->confidence = share_of(out->label, number(s, STR("neg")), number(s, STR("neu")), number(s, STR("pos")));
	return 0;
}

static void count(struct eval_context *c, size_t side, const struct gold *gold, struct estimate guess,
    const uint8_t weight[REPLICATES])
{
	const struct eval_conf *f = c->conf;
	if (f->two && guess.label != (guess.score > 0 ? LABEL_POSITIVE : LABEL_NEGATIVE)) {
		guess.label = guess.score > 0 ? LABEL_POSITIVE : LABEL_NEGATIVE;
		guess.confidence = NAN; /* it was another label's */
	}
	accuracy_add(&f->side[side].accuracy, gold, &guess);
	if (gold->has_class)
		bootstrap_add(&c->replicates[side], weight, gold->label, guess.label);
}

/* Gives the key of the record's text. True if an earlier record has the same text. */
static bool see_text(struct eval_context *c, const struct rec *r, const struct gold *gold, struct text_key *key)
{
	enum { NO_CLASS = LABELS };
	unsigned label = gold->has_class ? gold->label : NO_CLASS, first = label;
	if (!r->text.p) {
		*key = (struct text_key){{mix64(++c->untexted), c->untexted}};
		return false;
	}
	*key = text_key(r->text, &c->folded);
	if (!text_set_add(&c->texts, *key, &first))
		return false;
	c->duplicates++;
	c->conflicts += first != label;
	return true;
}

/* A checkpoint_take. */
static int take(void *ctx, struct batch *b, struct rec *r)
{
	struct eval_context *c = ctx;
	const struct eval_conf *f = c->conf;
	struct gold gold;
	struct estimate guess;
	struct text_key key;
	uint8_t weight[REPLICATES];
	if (rec_scan(b, r, &c->scan, &f->form) < 0 || label_read(&f->label, b, r, &c->scan, &c->nested, &gold) < 0)
		return -1;
	if (f->two && gold.has_class && gold.label == LABEL_NEUTRAL)
		return rec_reject(
		    b, r, CODE_BAD_LABEL, "the label is neutral, and --two knows positive and negative only");
	if (checkpoint_repeats(f->checkpoint, r))
		return CHECKPOINT_REPEATED;
	if (!f->side[0].model && guess_by_record(c, b, r, &guess) < 0)
		return -1;
	if (see_text(c, r, &gold, &key) && f->dedupe)
		return 0;
	bootstrap_draw(f->seed, key, weight);
	for (size_t i = 0; i < f->sides; i++)
		count(c, i, &gold, f->side[i].model ? guess_by_model(c, i, r->text) : guess, weight);
	return 0;
}

static int eval_run(void *ctx, struct batch *b, struct err *e)
{
	struct eval_context *c = ctx;
	return checkpoint_run(c->conf->checkpoint, b, take, c, &c->first, e);
}

static void *eval_open(const void *conf, struct err *e)
{
	struct eval_context *c = xcalloc(1, sizeof *c);
	c->conf = conf;
	c->first = HOLDS_NOTHING;
	c->scratch = xcalloc(c->conf->sides, sizeof *c->scratch);
	c->replicates = xcalloc(c->conf->sides, sizeof *c->replicates);
	for (size_t i = 0; i < c->conf->sides; i++) {
		const struct model *m = c->conf->side[i].model;
		c->scratch[i] = m ? scratch_new(m) : NULL;
	}
	if (!c->conf->checkpoint || checkpoint_replay(c->conf->checkpoint, take, c, &c->resumed, e) == 0)
		return c;
	eval_close(c);
	return NULL;
}

static uint64_t eval_held_from(void *ctx)
{
	return ((struct eval_context *)ctx)->first;
}

static const char *name_of(const struct contestant *side)
{
	return side->name ? side->name : side->model->name;
}

/* --- the report --- */

enum { HEAD_WIDTH = 20, INTERVAL_WIDTH = 13, BAR_WIDTH = 10 };

/* Columns are as wide as the longest name. */
static int width_of(const struct eval_conf *c)
{
	size_t n = INTERVAL_WIDTH;
	for (size_t i = 0; i < c->sides; i++)
		n = strlen(name_of(&c->side[i])) > n ? strlen(name_of(&c->side[i])) : n;
	return (int)n;
}

/* One figure of all sides; `at` is its offset in struct figures. */
static void put_line(const struct eval_conf *c, const char *head, size_t at, struct buf *out)
{
	bool any = false;
	int width = width_of(c);
	size_t from = out->n;
	buf_printf(out, "%-*s", HEAD_WIDTH, head);
	for (size_t i = 0; i < c->sides; i++) {
		struct figures f = accuracy_figures(&c->side[i].accuracy);
		double v;
		memcpy(&v, (const char *)&f + at, sizeof v);
		any |= !isnan(v);
		if (isnan(v))
			buf_printf(out, "  %*s", width, "-");
		else
			buf_printf(out, "  %*.4f", width, v);
	}
	buf_char(out, '\n');
	out->n = any ? out->n : from; /* omit figures that no side has */
}

/* The interval of the line above; `at` is its offset in struct intervals. */
static void put_interval(const struct eval_conf *c, const struct intervals *of, size_t at, struct buf *out)
{
	bool any = false;
	size_t from = out->n;
	buf_printf(out, "%-*s", HEAD_WIDTH, "  95 % interval");
	for (size_t i = 0; i < c->sides; i++) {
		struct interval v;
		char cell[40] = "-";
		memcpy(&v, (const char *)&of[i] + at, sizeof v);
		if (!isnan(v.low))
			snprintf(cell, sizeof cell, "%.4f-%.4f", v.low, v.high);
		any |= !isnan(v.low);
		buf_printf(out, "  %*s", width_of(c), cell);
	}
	buf_char(out, '\n');
	out->n = any ? out->n : from;
}

static void put_duplicates(const struct eval_context *e, struct buf *out)
{
	const struct eval_conf *c = e->conf;
	buf_printf(out, "%-*s", HEAD_WIDTH, c->dedupe ? "copies left out" : "copies of a text");
	for (size_t i = 0; i < c->sides; i++)
		buf_printf(out, "  %*llu", width_of(c), (unsigned long long)e->duplicates);
	buf_char(out, '\n');
}

static void put_figures(const struct eval_context *e, struct buf *out)
{
	const struct eval_conf *c = e->conf;
	struct intervals *interval = xcalloc(c->sides, sizeof *interval);
	for (size_t i = 0; i < c->sides; i++)
		interval[i] = bootstrap_intervals(&e->replicates[i]);
	int width = width_of(c);
	buf_printf(out, "%-*s", HEAD_WIDTH, "");
	for (size_t i = 0; i < c->sides; i++)
		buf_printf(out, "  %*s", width, name_of(&c->side[i]));
	buf_printf(out, "\n%-*s", HEAD_WIDTH, "records");
	for (size_t i = 0; i < c->sides; i++) {
		const struct accuracy *m = &c->side[i].accuracy;
		buf_printf(out, "  %*llu", width, (unsigned long long)(m->n > m->rated ? m->n : m->rated));
	}
	buf_char(out, '\n');
	if (e->duplicates)
		put_duplicates(e, out);
	put_line(c, "accuracy", offsetof(struct figures, accuracy), out);
	put_interval(c, interval, offsetof(struct intervals, accuracy), out);
	put_line(c, "macro F1", offsetof(struct figures, macro_f1), out);
	put_interval(c, interval, offsetof(struct intervals, macro_f1), out);
	free(interval);
	put_line(c, "macro recall", offsetof(struct figures, macro_recall), out);
	put_line(c, "calibration error", offsetof(struct figures, ece), out);
	put_line(c, "Pearson's r", offsetof(struct figures, pearson), out);
	for (size_t k = LABELS; k-- > 0;) {
		char head[32];
		snprintf(head, sizeof head, "%s precision", label_name((enum label)k));
		put_line(c, head, offsetof(struct figures, precision) + k * sizeof(double), out);
		snprintf(head, sizeof head, "%s recall", label_name((enum label)k));
		put_line(c, head, offsetof(struct figures, recall) + k * sizeof(double), out);
	}
}

/* A bar of BAR_WIDTH cells in steps of an eighth, padded with blanks. */
static void put_bar(double v, struct buf *out)
{
	static const char *const part[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
	int eighths = (int)lround(v * BAR_WIDTH * 8), cell = 0;
	for (; cell < eighths / 8; cell++)
		buf_str(out, STR("█"));
	for (; cell < BAR_WIDTH; cell++)
		buf_str(out, str_of(part[cell == eighths / 8 ? eighths % 8 : 0]));
}

/* One cell: a count, and its share of the row as a bar. */
static void put_cell(const struct eval_conf *c, uint64_t n, uint64_t row, bool right, struct buf *out)
{
	buf_printf(out, " %8llu ", (unsigned long long)n);
	if (c->colour)
		buf_str(out, right ? STR("\033[32m") : STR("\033[31m"));
	put_bar(row ? (double)n / (double)row : 0, out);
	if (c->colour)
		buf_str(out, STR("\033[0m"));
}

static void put_confusion(const struct eval_conf *c, const struct contestant *side, struct buf *out)
{
	buf_printf(out, "\n%s", name_of(side));
	if (side->name && side->model)
		buf_printf(out, " (%s)", side->model->name);
	buf_printf(out, ": labelled (down), predicted (across)\n%-10s", "");
	for (size_t k = LABELS; k-- > 0;)
		buf_printf(out, " %8s %-*s", label_name((enum label)k), BAR_WIDTH, "");
	for (size_t g = LABELS; g-- > 0;) {
		uint64_t row = 0;
		for (size_t k = 0; k < LABELS; k++)
			row += side->accuracy.confusion[g][k];
		buf_printf(out, "\n%-10s", label_name((enum label)g));
		for (size_t k = LABELS; k-- > 0;)
			put_cell(c, side->accuracy.confusion[g][k], row, g == k, out);
	}
	buf_char(out, '\n');
}

/* Appends the report as text, without the last line end. */
static void eval_report(const struct eval_context *e, struct buf *out)
{
	const struct eval_conf *c = e->conf;
	put_figures(e, out);
	for (size_t i = 0; i < c->sides; i++)
		if (c->side[i].accuracy.n)
			put_confusion(c, &c->side[i], out);
	out->n--; /* the sink ends the line */
}

static void add_line(struct batch *b, const struct buf *line)
{
	batch_add(b)->line = arena_str(&b->mem, buf_view(line));
}

static void put_json(const struct eval_context *c, size_t i, struct buf *out)
{
	const struct contestant *side = &c->conf->side[i];
	struct intervals interval = bootstrap_intervals(&c->replicates[i]);
	buf_str(out, STR("{\"model\":"));
	json_put_string(out, str_of(side->model ? side->model->name : side->name));
	if (side->model && side->name) {
		json_put_name(out, STR("file"));
		json_put_lossy(out, str_of(side->name));
	}
	json_put_name(out, STR("duplicates"));
	buf_u64(out, c->duplicates);
	json_put_name(out, STR("conflicts"));
	buf_u64(out, c->conflicts);
	accuracy_json(&side->accuracy, &interval, out);
	buf_char(out, '}');
}

static int eval_end(void *ctx, struct batch *b, struct err *e)
{
	struct eval_context *c = ctx;
	const struct eval_conf *f = c->conf;
	(void)e;
	c->first = HOLDS_NOTHING;
	b->counter[COUNTER_RESUMED] += c->resumed;
	buf_clear(&c->out);
	if (!f->json) {
		eval_report(c, &c->out);
		add_line(b, &c->out);
		return 0;
	}
	for (size_t i = 0; i < f->sides; i++) {
		buf_clear(&c->out);
		put_json(c, i, &c->out);
		add_line(b, &c->out);
	}
	return 0;
}

const struct stage eval_stage = {
    .name = "eval",
    .open = eval_open,
    .run = eval_run,
    .held_from = eval_held_from,
    .end = eval_end,
    .close = eval_close,
};
