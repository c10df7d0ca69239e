/* fit.c - training: texts to rows, rows to weights, held-out scores to probabilities, weights to bytes. */
#include "lib/learn/fit.h"

#include <math.h>

#include "lib/learn/solver.h"

enum { K = LINEAR_CLASSES };

/* Figures are few and worth more than one n-gram: scaled up, their weights are held back less. */
static const double FIGURE_GAIN = 1.0;
static const double GAIN[GRAM_GROUPS] = {1, 1};

struct work {
	const struct fit_conf *conf;
	const struct example *example;
	size_t n;
	size_t slots;
	unsigned classes;
	enum label label[K];	   /* of a class */
	struct node **row;	   /* of each example */
	double (*figure)[FIGURES]; /* likewise */
	uint8_t *fold;
	uint32_t *texts; /* that a slot occurs in */
	uint8_t *rarity; /* of a slot */
	double rarity_unit;
	double (*held_out)[K]; /* raw scores by models that have not seen the example */
	double *weight[K];     /* of the final model: slots, then figures */
};

static void tick(const struct work *w, const char *what, unsigned done, unsigned total)
{
	if (w->conf->tick)
		w->conf->tick(w->conf->tick_arg, what, done, total);
}

/* --- rows --- */

static int by_slot(const void *a, const void *b)
{
	const struct gram_use *x = a, *y = b;
	return x->slot != y->slot ? x->slot < y->slot ? -1 : 1 : (int)x->group - (int)y->group;
}

/* A row of counts; those of letters are negative until they are weighed. */
static struct node *count_row(struct work *w, struct gram_list *l)
{
	size_t n = 0;
	qsort(l->use, l->n, sizeof *l->use, by_slot);
	struct node *row = xreallocarray(NULL, l->n + FIGURES + 1, sizeof *row);
	for (size_t i = 0, same; i < l->n; i += same) {
		const struct gram_use *u = &l->use[i];
		for (same = 1; i + same < l->n && by_slot(u, u + same) == 0;)
			same++;
		w->texts[u->slot] += n == 0 || row[n - 1].index != (int)u->slot + 1;
		row[n++] = (struct node){(int)u->slot + 1, u->group == GRAM_WORD ? (double)same : -(double)same};
	}
	row = xreallocarray(row, n + FIGURES + 1, sizeof *row);
	row[n] = (struct node){-1, 0};
	return row;
}

static void read_examples(struct work *w)
{
	const struct model *lexicon = w->conf->lexicon;
	struct scratch *s = lexicon->engine->scratch(lexicon);
	struct gram_list l = {0};
	for (size_t i = 0; i < w->n; i++) {
		struct result r;
		l.n = 0;
		features_list(&w->conf->features, w->example[i].text, &l);
		w->row[i] = count_row(w, &l);
		lexicon->engine->score(lexicon, s, w->example[i].text, &r, NULL);
		features_figures(&r, w->figure[i]);
		if (i % 1000 == 0)
			tick(w, "reading", (unsigned)(i * 100 / w->n), 100);
	}
	free(l.use);
	lexicon->engine->scratch_free(s);
}

/* Squared inverse document frequency in 8 bits, so that training sees what scoring will. */
static void find_rarities(struct work *w)
{
	double most = 1 + log((double)(w->n + 1) / (w->conf->min_texts + 1));
	w->rarity_unit = most * most / 255;
	for (size_t s = 0; s < w->slots; s++) {
		double idf = 1 + log((double)(w->n + 1) / (w->texts[s] + 1.0));
		double q = round(idf * idf / w->rarity_unit);
		w->rarity[s] = w->texts[s] < w->conf->min_texts ? 0 : q < 1 ? 1 : q > 255 ? 255 : (uint8_t)q;
	}
}

static double idf_of(const struct work *w, int index)
{
	return sqrt(w->rarity_unit * w->rarity[index - 1]);
}

/* Counts become values: rare grams weigh more, and each group of a text has about length 1. The figures go behind. */
static void weigh_row(const struct work *w, struct node *row, const double *figure)
{
	double sum[GRAM_GROUPS] = {0};
	size_t n = 0;
	for (struct node *p = row; p->index >= 0; p++)
		sum[p->value < 0] += fabs(p->value) * w->rarity[p->index - 1] * w->rarity_unit;
	for (struct node *p = row; p->index >= 0; p++) {
		unsigned group = p->value < 0;
		if (w->rarity[p->index - 1] == 0)
			continue;
		row[n++] =
		    (struct node){p->index, GAIN[group] * fabs(p->value) * idf_of(w, p->index) / sqrt(sum[group])};
	}
	size_t figures = w->conf->features.lexicon ? FIGURES : 1;
	for (size_t f = 0; f < figures; f++)
		if (figure[f] != 0)
			row[n++] = (struct node){(int)(w->slots + f) + 1, FIGURE_GAIN * figure[f]};
	row[n] = (struct node){-1, 0};
}

/* --- folds --- */

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Each label is dealt round in a random order, so that folds are alike. */
static void deal_folds(struct work *w)
{
	uint64_t state = w->conf->seed;
	size_t *order = xcalloc(w->n, sizeof *order);
	for (size_t i = 0; i < w->n; i++) {
		size_t k = next_random(&state) % (i + 1);
		order[i] = order[k];
		order[k] = i;
	}
	size_t dealt[K] = {0};
	for (size_t i = 0; i < w->n; i++)
		w->fold[order[i]] = (uint8_t)(dealt[w->example[order[i]].label]++ % w->conf->folds);
	free(order);
}

/* --- weights --- */

struct rounds {
	const struct work *work;
	unsigned done, total;
};

static void round_done(void *arg)
{
	const struct rounds *r = arg;
	tick(r->work, "training", r->done, r->total);
}

static double dot(const struct node *row, const double *weight)
{
	double sum = 0;
	for (; row->index >= 0; row++)
		sum += row->value * weight[row->index - 1];
	return sum;
}

/* The weights of one class against the others, by all examples outside a fold. */
static int fit_class(struct work *w, unsigned class, int left_out, double *weight, struct rounds *rounds, struct err *e)
{
	struct node **row = xcalloc(w->n, sizeof *row);
	double *side = xcalloc(w->n, sizeof *side);
	size_t n = 0, plus = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (w->fold[i] == left_out)
			continue;
		row[n] = w->row[i];
		side[n] = w->example[i].label == w->label[class] ? 1 : -1;
		plus += side[n++] > 0;
	}
	if (plus == 0 || plus == n) { /* few examples: a fold can leave nothing to tell apart */
		memset(weight, 0, (w->slots + FIGURES) * sizeof *weight);
		free(row);
		free(side);
		rounds->done++;
		return 0;
	}
	double even = (double)n / w->classes;
	struct task t = {.row = row,
	    .side = side,
	    .rows = n,
	    .features = w->slots + FIGURES,
	    .cost = w->conf->cost,
	    .plus = w->conf->balanced ? even / (double)plus : 1,
	    .minus = w->conf->balanced ? even * (w->classes - 1) / (double)(n - plus) : 1,
	    .accuracy = 0.1,
	    .seed = w->conf->seed,
	    .tick = round_done,
	    .tick_arg = rounds};
	int rc = solve(&t, weight, e);
	rounds->done++;
	free(row);
	free(side);
	return rc;
}

static int fit_fold(struct work *w, int fold, double *weight, struct rounds *rounds, struct err *e)
{
	for (unsigned c = 0; c < w->classes; c++) {
		if (fit_class(w, c, fold, weight, rounds, e) < 0)
			return -1;
		for (size_t i = 0; i < w->n; i++)
			if (w->fold[i] == fold)
				w->held_out[i][c] = dot(w->row[i], weight);
	}
	return 0;
}

static int fit_weights(struct work *w, struct err *e)
{
	struct rounds rounds = {w, 0, (w->conf->folds + 1) * w->classes};
	double *weight = xcalloc(w->slots + FIGURES, sizeof *weight);
	int rc = 0;
	for (unsigned f = 0; f < w->conf->folds && rc == 0; f++)
		rc = fit_fold(w, (int)f, weight, &rounds, e);
	free(weight);
	for (unsigned c = 0; c < w->classes && rc == 0; c++) {
		w->weight[c] = xcalloc(w->slots + FIGURES, sizeof *w->weight[c]);
		rc = fit_class(w, c, -1, w->weight[c], &rounds, e);
	}
	return rc;
}

/* --- calibration --- */

enum { COEFFICIENTS = K * (K + 1) };

/* Solves a * x = b in place by elimination; a is symmetric and positive definite. */
static void eliminate(double a[COEFFICIENTS][COEFFICIENTS], double b[COEFFICIENTS], size_t n)
{
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			double times = a[k][i] / a[i][i];
			for (size_t j = i; j < n; j++)
				a[k][j] -= times * a[i][j];
			b[k] -= times * b[i];
		}
	}
	for (size_t i = n; i-- > 0;) {
		for (size_t j = i + 1; j < n; j++)
			b[i] -= a[i][j] * b[j];
		b[i] /= a[i][i];
	}
}

struct calibration {
	const struct work *work;
	double weight[K]; /* of an example with a label */
	size_t per, n;	  /* coefficients of a class (one a raw score, and the shift), and in all */
};

/* Coefficients are held, as if by one example, to what leaves the raw scores as they are: few examples can't drive them to infinity. */
static const double HOLD = 1;

static double *coefficient(const struct calibration *k, struct linear_head *h, size_t i)
{
	size_t c = i / k->per, j = i % k->per;
	return j + 1 < k->per ? &h->mix[c][j] : &h->shift[c];
}

static double neutral_value(const struct calibration *k, size_t i)
{
	return i / k->per == i % k->per ? 1 : 0;
}

static double calibration_loss(const struct calibration *k, struct linear_head *h)
{
	const struct work *w = k->work;
	double loss = 0;
	for (size_t i = 0; i < k->n; i++) {
		double off = *coefficient(k, h, i) - neutral_value(k, i);
		loss += HOLD / 2 * off * off;
	}
	for (size_t i = 0; i < w->n; i++) {
		double p[K];
		linear_softmax(h, w->held_out[i], p);
		for (size_t c = 0; c < w->classes; c++)
			if (w->example[i].label == w->label[c])
				loss -= k->weight[w->label[c]] * log(fmax(p[c], 1e-300));
	}
	return loss;
}

static void add_slopes(const struct calibration *k, const double *x, const double *p, size_t right, double weight,
    double gradient[COEFFICIENTS], double hessian[COEFFICIENTS][COEFFICIENTS])
{
	for (size_t a = 0; a < k->n; a++) {
		size_t c = a / k->per, i = a % k->per;
		gradient[a] += weight * (p[c] - (c == right)) * x[i];
		for (size_t b = 0; b < k->n; b++) {
			size_t d = b / k->per, j = b % k->per;
			hessian[a][b] += weight * p[c] * ((c == d) - p[d]) * x[i] * x[j];
		}
	}
}

/* Newton's step on the weighted log-likelihood, into `step`. */
static void newton_step(const struct calibration *k, struct linear_head *h, double step[COEFFICIENTS])
{
	const struct work *w = k->work;
	double hessian[COEFFICIENTS][COEFFICIENTS] = {0};
	for (size_t i = 0; i < k->n; i++) {
		step[i] = HOLD * (*coefficient(k, h, i) - neutral_value(k, i));
		hessian[i][i] = HOLD;
	}
	for (size_t i = 0; i < w->n; i++) {
		double p[K], x[K + 1];
		size_t right = 0;
		while (w->label[right] != w->example[i].label)
			right++;
		linear_softmax(h, w->held_out[i], p);
		memcpy(x, w->held_out[i], sizeof w->held_out[i]);
		x[w->classes] = 1;
		add_slopes(k, x, p, right, k->weight[w->example[i].label], step, hessian);
	}
	eliminate(hessian, step, k->n);
}

/* Halves the step until it leads down; false if it does not. */
static bool walk_down(const struct calibration *k, struct linear_head *h, const double step[COEFFICIENTS])
{
	double loss = calibration_loss(k, h);
	const struct linear_head from = *h;
	for (double part = 1; part > 1e-6; part /= 2) {
		*h = from;
		for (size_t i = 0; i < k->n; i++)
			*coefficient(k, h, i) -= part * step[i];
		if (calibration_loss(k, h) < loss)
			return true;
	}
	*h = from;
	return false;
}

static void calibrate(const struct work *w, struct linear_head *h)
{
	enum { STEPS = 30 };
	struct calibration k = {.work = w, .per = w->classes + 1, .n = w->classes * (w->classes + 1)};
	size_t count[K] = {0};
	for (size_t i = 0; i < w->n; i++)
		count[w->example[i].label]++;
	for (size_t l = 0; l < K; l++)
		k.weight[l] = !w->conf->balanced ? 1 : count[l] ? (double)w->n / (w->classes * (double)count[l]) : 0;
	for (size_t i = 0; i < k.n; i++)
		*coefficient(&k, h, i) = neutral_value(&k, i);
	double step[COEFFICIENTS];
	for (unsigned i = 0; i < STEPS; i++) {
		newton_step(&k, h, step);
		if (!walk_down(&k, h, step))
			return;
	}
}

static void judge(const struct work *w, const struct linear_head *h, struct metrics *out)
{
	for (size_t i = 0; i < w->n; i++) {
		double p[K];
		linear_softmax(h, w->held_out[i], p);
		unsigned best = 0;
		for (unsigned c = 1; c < w->classes; c++)
			best = p[c] > p[best] ? c : best;
		metrics_add(out, &(struct gold){.has_class = true, .label = w->example[i].label},
		    &(struct guess){w->label[best], 0, p[best]});
	}
}

/* --- bytes --- */

static void quantise(const struct work *w, struct linear_head *h, struct linear_cell *cell)
{
	for (unsigned c = 0; c < w->classes; c++) {
		double most = 0;
		for (size_t s = 0; s < w->slots; s++)
			most = fmax(most, fabs(w->weight[c][s]) * idf_of(w, (int)s + 1));
		h->scale[c] = most > 0 ? most / 127 : 1;
		for (size_t s = 0; s < w->slots; s++) {
			cell[s].weight[c] = (int8_t)lround(w->weight[c][s] * idf_of(w, (int)s + 1) / h->scale[c]);
			cell[s].rarity = w->rarity[s];
		}
		for (size_t f = 0; f < FIGURES; f++)
			h->figure[c][f] = w->weight[c][w->slots + f] * FIGURE_GAIN;
	}
}

static void fill_head(const struct work *w, struct linear_head *h)
{
	const struct fit_conf *c = w->conf;
	*h = (struct linear_head){.features = c->features, .classes = w->classes, .rarity = w->rarity_unit};
	memcpy(h->lexicon, c->lexicon->name, sizeof h->lexicon);
	memcpy(h->gain, GAIN, sizeof h->gain);
	for (unsigned k = 0; k < K; k++) {
		h->label[k] = k < w->classes ? w->label[k] : 0;
		h->scale[k] = 1;
	}
}

static void find_classes(struct work *w)
{
	bool there[K] = {0};
	for (size_t i = 0; i < w->n; i++)
		there[w->example[i].label] = true;
	for (unsigned l = 0; l < K; l++)
		if (there[l])
			w->label[w->classes++] = (enum label)l;
}

static void release(struct work *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->row[i]);
	free(w->row);
	free(w->figure);
	free(w->fold);
	free(w->texts);
	free(w->rarity);
	free(w->held_out);
	for (unsigned c = 0; c < K; c++)
		free(w->weight[c]);
}

int fit_model(const struct fit_conf *c, const struct example *example, size_t n, struct fit *out, struct err *e)
{
	struct work w = {.conf = c, .example = example, .n = n, .slots = (size_t)1 << c->features.bits};
	*out = (struct fit){0};
	find_classes(&w);
	if (w.classes < 2)
		return err_set(e, ERR_ENV, "nothing to tell apart: all %zu labelled records have the same label", n);
	w.row = xcalloc(n, sizeof *w.row);
	w.figure = xcalloc(n, sizeof *w.figure);
	w.fold = xcalloc(n, 1);
	w.texts = xcalloc(w.slots, sizeof *w.texts);
	w.rarity = xcalloc(w.slots, 1);
	w.held_out = xcalloc(n, sizeof *w.held_out);
	read_examples(&w);
	find_rarities(&w);
	for (size_t i = 0; i < n; i++)
		weigh_row(&w, w.row[i], w.figure[i]);
	deal_folds(&w);
	int rc = fit_weights(&w, e);
	if (rc == 0) {
		fill_head(&w, &out->head);
		calibrate(&w, &out->head);
		judge(&w, &out->head, &out->held_out);
		out->cell = xcalloc(w.slots, sizeof *out->cell);
		quantise(&w, &out->head, out->cell);
	}
	release(&w);
	return rc;
}

void fit_free(struct fit *f)
{
	free(f->cell);
	f->cell = NULL;
}
