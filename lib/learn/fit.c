/* fit.c - training: texts to rows, rows to weights, held-out scores to probabilities, weights to bytes. */
#include "lib/learn/fit.h"

#include <math.h>

#include "lib/learn/multinomial.h"
#include "lib/learn/solver.h"
#include "lib/text/split.h"

enum { K = LINEAR_CLASSES };

static const double GAIN[GRAM_GROUPS] = {1, 1};
/* English texts of any domain usually share more than SEEN_ALL of their words with a large training set. Texts in other
 * languages share less than SEEN_NONE of that, and the lexicon knows few of their words, as if the share HIDDEN were
 * missing. Measured on texts without labels. */
static const double SEEN_ALL = 0.7, SEEN_NONE = 5.0 / 7, HIDDEN = 0.7;
static const double SEEN_LEAST = 0.07; /* lower bound of SEEN_ALL, for the smallest training set */

struct work {
	const struct fit_conf *conf;
	const struct example *example;
	size_t n;
	size_t slots;
	unsigned classes;
	enum label label[K];	   /* of each class */
	struct fit_node **row;	   /* of each example */
	double (*figure)[FIGURES]; /* likewise */
	uint8_t *class;		   /* likewise */
	uint8_t *fold;
	uint32_t *copies; /* of each example: how many have its text, itself included */
	uint32_t *texts;  /* number of texts in which a slot occurs */
	uint8_t *rarity;  /* of each slot */
	double rarity_unit;
	uint64_t **word;       /* ids of each example's words, ended by 0 */
	uint32_t *seen;	       /* number of texts in which a slot of the filter occurs */
	double *familiar;      /* share of each example's words that other examples have */
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

/* Makes a row of counts; those of letters are negative until weigh_row. */
static struct fit_node *count_row(struct work *w, struct gram_list *l)
{
	size_t n = 0;
	sort(l->use, l->n, sizeof *l->use, by_slot);
	struct fit_node *row = xreallocarray(NULL, l->n + FIGURES + 1, sizeof *row);
	for (size_t i = 0, same; i < l->n; i += same) {
		const struct gram_use *u = &l->use[i];
		for (same = 1; i + same < l->n && by_slot(u, u + same) == 0;)
			same++;
		w->texts[u->slot] += n == 0 || row[n - 1].index != (int)u->slot + 1;
		row[n++] = (struct fit_node){(int)u->slot + 1, u->group == GRAM_WORD ? (double)same : -(double)same};
	}
	row = xreallocarray(row, n + FIGURES + 1, sizeof *row);
	row[n] = (struct fit_node){-1, 0};
	return row;
}

static int by_id(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Counts each word of a text once in the slots of the filter. */
static uint64_t *count_words(struct work *w, const struct gram_list *l)
{
	uint64_t *word = xcalloc(l->words + 1, sizeof *word);
	if (l->words)
		memcpy(word, l->word, l->words * sizeof *word);
	sort(word, l->words, sizeof *word, by_id);
	for (size_t i = 0; i < l->words; i++) {
		uint32_t slot[2];
		seen_slots(&w->conf->features, word[i], slot);
		for (size_t k = 0; k < 2 && (i == 0 || word[i] != word[i - 1]); k++)
			w->seen[slot[k]]++;
	}
	return word;
}

static void read_examples(struct work *w)
{
	const struct model *lexicon = w->conf->lexicon;
	struct scratch *s = scratch_new(lexicon);
	struct gram_list l = {0};
	for (size_t i = 0; i < w->n; i++) {
		struct result r;
		l.n = l.words = 0;
		features_list(&w->conf->features, w->example[i].text, &l);
		w->row[i] = count_row(w, &l);
		w->word[i] = count_words(w, &l);
		lexicon->engine->score(lexicon, s, w->example[i].text, &r, NULL);
		features_figures(&r, w->figure[i]);
		if (i % 1000 == 0)
			tick(w, "reading", (unsigned)(i * 100 / w->n), 100);
	}
	gram_list_free(&l);
	lexicon->engine->scratch_free(s);
}

/* Squared inverse document frequency, quantized to 8 bits so that training sees what scoring will. */
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

/* Turns counts into values: rare grams weigh more, and each group of a text has about length 1. Appends the figures. */
static void weigh_row(const struct work *w, struct fit_node *row, const double *figure)
{
	double sum[GRAM_GROUPS] = {0};
	size_t n = 0;
	for (struct fit_node *p = row; p->index >= 0; p++)
		sum[p->value < 0] += fabs(p->value) * w->rarity[p->index - 1] * w->rarity_unit;
	for (struct fit_node *p = row; p->index >= 0; p++) {
		unsigned group = p->value < 0;
		if (w->rarity[p->index - 1] == 0)
			continue;
		row[n++] =
		    (struct fit_node){p->index, GAIN[group] * fabs(p->value) * idf_of(w, p->index) / sqrt(sum[group])};
	}
	size_t figures = w->conf->features.lexicon ? FIGURES : 1;
	for (size_t f = 0; f < figures; f++)
		if (figure[f] != 0)
			row[n++] = (struct fit_node){(int)(w->slots + f) + 1, w->conf->figure_gain * figure[f]};
	row[n] = (struct fit_node){-1, 0};
}

/* The share of an example's words that enough examples of other texts have. */
static double familiar(const struct work *w, size_t i)
{
	const uint64_t *word = w->word[i];
	uint32_t enough = w->conf->min_texts + w->copies[i];
	size_t words = 0, seen = 0;
	for (; word[words]; words++) {
		uint32_t slot[2];
		seen_slots(&w->conf->features, word[words], slot);
		seen += w->seen[slot[0]] >= enough && w->seen[slot[1]] >= enough;
	}
	return words ? (double)seen / (double)words : 0;
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Sets the share from which n-grams count in full: SEEN_ALL, or less if few of the examples would reach it, as in small
 * sets. */
static void find_familiar(struct work *w, struct linear_head *h)
{
	double *share = xcalloc(w->n, sizeof *share);
	for (size_t i = 0; i < w->n; i++)
		share[i] = w->familiar[i] = familiar(w, i);
	sort(share, w->n, sizeof *share, by_size);
	h->seen_all = fmin(SEEN_ALL, fmax(share[w->n / 10], SEEN_LEAST));
	h->seen_none = h->seen_all * SEEN_NONE;
	free(share);
}

/* --- folds --- */

static uint64_t next_random(uint64_t *state) /* splitmix64 */
{
	return mix64(*state += 0x9e3779b97f4a7c15);
}

/* An example in the order in which texts are dealt: by a hash of the text. */
struct dealt {
	uint64_t order;
	struct text_key key;
	size_t example;
};

static int by_order(const void *a, const void *b)
{
	const struct dealt *x = a, *y = b;
	if (x->order != y->order)
		return x->order < y->order ? -1 : 1;
	if (x->key.w[1] != y->key.w[1])
		return x->key.w[1] < y->key.w[1] ? -1 : 1;
	return x->example < y->example ? -1 : x->example > y->example;
}

/* The most frequent label of n examples of one text. */
static enum label label_of(const struct work *w, const struct dealt *d, size_t n)
{
	size_t count[LABELS] = {0}, best = 0;
	for (size_t i = 0; i < n; i++)
		count[w->example[d[i].example].label]++;
	for (size_t l = 1; l < LABELS; l++)
		best = count[l] > count[best] ? l : best;
	return (enum label)best;
}

/* Deals texts, not examples: all copies of a text are in one fold, else a model would be judged on what it has seen.
 * The fold depends on the text's hash, and each label has about as many examples in each fold. */
static void deal_folds(struct work *w)
{
	size_t dealt[LABELS][FOLDS_MOST] = {{0}};
	struct dealt *d = xcalloc(w->n, sizeof *d);
	for (size_t i = 0; i < w->n; i++) {
		struct text_key key = w->example[i].key;
		d[i] = (struct dealt){mix64(key.w[0] ^ mix64(w->conf->seed + 1)), key, i};
	}
	sort(d, w->n, sizeof *d, by_order);
	for (size_t i = 0, n; i < w->n; i += n) {
		for (n = 1; i + n < w->n && text_key_eq(d[i].key, d[i + n].key);)
			n++;
		size_t *have = dealt[label_of(w, d + i, n)], least = 0;
		for (size_t f = 1; f < w->conf->folds; f++)
			least = have[f] < have[least] ? f : least;
		have[least] += n;
		for (size_t k = i; k < i + n; k++) {
			w->fold[d[k].example] = (uint8_t)least;
			w->copies[d[k].example] = (uint32_t)n;
		}
	}
	free(d);
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

static double dot(const struct fit_node *row, const double *weight)
{
	double sum = 0;
	for (; row->index >= 0; row++)
		sum += row->value * weight[row->index - 1];
	return sum;
}

/* Fits the weights of one class against the others, from all examples outside a fold. */
static int fit_class(struct work *w, unsigned class, int left_out, double *weight, struct rounds *rounds, struct err *e)
{
	struct fit_node **row = xcalloc(w->n, sizeof *row);
	double *side = xcalloc(w->n, sizeof *side);
	size_t n = 0, plus = 0;
	for (size_t i = 0; i < w->n; i++) {
		if (w->fold[i] == left_out)
			continue;
		row[n] = w->row[i];
		side[n] = w->class[i] == class ? 1 : -1;
		plus += side[n++] > 0;
	}
	if (plus == 0 || plus == n) { /* few examples: one side of a fold may be empty */
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

static void weights_of_classes(const struct work *w, double weight[K])
{
	size_t count[K] = {0};
	for (size_t i = 0; i < w->n; i++)
		count[w->class[i]]++;
	for (unsigned c = 0; c < w->classes; c++)
		weight[c] = w->conf->balanced ? (double)w->n / (w->classes * (double)count[c]) : 1;
}

/* Fits the mapping from the raw scores of all classes to logits, starting from the raw scores themselves. */
static void calibrate(const struct work *w, struct linear_head *h)
{
	unsigned n = w->classes;
	double coefficient[K * (K + 1)] = {0}, *x = xcalloc(w->n * (n + 1), sizeof *x);
	struct multinomial m = {.x = x, .class = w->class, .n = w->n, .features = n + 1, .classes = n};
	for (size_t i = 0; i < w->n; i++) {
		memcpy(x + i * (n + 1), w->held_out[i], n * sizeof *x);
		x[i * (n + 1) + n] = 1;
	}
	for (unsigned c = 0; c < n; c++)
		coefficient[c * (n + 1) + c] = 1;
	weights_of_classes(w, m.weight);
	multinomial_fit(&m, coefficient);
	for (unsigned c = 0; c < n; c++) {
		memcpy(h->mix[c], coefficient + c * (n + 1), n * sizeof *h->mix[c]);
		h->shift[c] = coefficient[c * (n + 1) + n];
	}
	free(x);
}

/* Copies the text and replaces words by meaningless letters, each with probability HIDDEN. Marks and emoji stay. */
static struct str hide_words(struct str text, uint64_t *random, struct buf *out)
{
	bool inside = false, hide = false;
	buf_clear(out);
	buf_str(out, text);
	memset(buf_reserve(out, SPLIT_PAD), 0, SPLIT_PAD);
	for (size_t i = 0; i < text.n; i++) {
		bool letter = (unsigned)((text.p[i] | 0x20) - 'a') < 26;
		if (letter && !inside)
			hide = (double)(next_random(random) >> 11) * 0x1p-53 < HIDDEN;
		if (letter && hide)
			out->p[i] = i & 1 ? 'q' : 'x';
		inside = letter;
	}
	return buf_view(out);
}

/* Fits logits of the figures alone. They serve texts of which little is understood, so they are learned from such
 * texts: with most words hidden. */
static void fit_figures(const struct work *w, struct linear_head *h)
{
	const struct model *lexicon = w->conf->lexicon;
	struct scratch *s = scratch_new(lexicon);
	double(*figure)[FIGURES] = xcalloc(w->n, sizeof *figure);
	struct multinomial m = {
	    .x = figure[0], .class = w->class, .n = w->n, .features = FIGURES, .classes = w->classes};
	struct buf text = {0};
	uint64_t random = w->conf->seed;
	for (size_t i = 0; i < w->n; i++) {
		struct result r;
		lexicon->engine->score(lexicon, s, hide_words(w->example[i].text, &random, &text), &r, NULL);
		features_figures(&r, figure[i]);
	}
	weights_of_classes(w, m.weight);
	multinomial_fit(&m, h->alone[0]);
	buf_free(&text);
	free(figure);
	lexicon->engine->scratch_free(s);
}

static void judge(const struct work *w, const struct linear_head *h, struct fit *out)
{
	struct bootstrap *replicates = xcalloc(1, sizeof *replicates);
	for (size_t i = 0; i < w->n; i++) {
		double p[K];
		uint8_t weight[REPLICATES];
		linear_logits(h, w->held_out[i], p);
		linear_back_off(h, linear_trust(h, w->familiar[i]), w->figure[i], p);
		linear_softmax(w->classes, p);
		unsigned best = 0;
		for (unsigned c = 1; c < w->classes; c++)
			best = p[c] > p[best] ? c : best;
		accuracy_add(&out->held_out, &(struct gold){.has_class = true, .label = w->example[i].label},
		    &(struct estimate){w->label[best], 0, p[best]});
		bootstrap_draw(w->conf->seed, w->example[i].key, weight);
		bootstrap_add(replicates, weight, w->example[i].label, w->label[best]);
	}
	out->interval = bootstrap_intervals(replicates);
	free(replicates);
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
			h->figure[c][f] = w->weight[c][w->slots + f] * w->conf->figure_gain;
	}
}

static void mark_seen(const struct work *w, unsigned char *seen)
{
	for (size_t i = 0; i < SEEN_BITS(w->conf->features.bits); i++)
		seen[i / 8] |= (unsigned char)((w->seen[i] >= w->conf->min_texts) << i % 8);
}

static void fill_head(struct work *w, struct linear_head *h)
{
	const struct fit_conf *c = w->conf;
	*h = (struct linear_head){.features = c->features, .classes = w->classes, .rarity = w->rarity_unit};
	find_familiar(w, h);
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

static void class_examples(struct work *w)
{
	for (size_t i = 0; i < w->n; i++)
		while (w->label[w->class[i]] != w->example[i].label)
			w->class[i]++;
}

static void release(struct work *w)
{
	for (size_t i = 0; i < w->n; i++) {
		free(w->row[i]);
		free(w->word[i]);
	}
	free(w->word);
	free(w->seen);
	free(w->familiar);
	free(w->class);
	free(w->row);
	free(w->figure);
	free(w->fold);
	free(w->copies);
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
		return err_set(e, ERR_ENV, "nothing to learn: all %zu labelled records have the same label", n);
	w.class = xcalloc(n, 1);
	w.word = xcalloc(n, sizeof *w.word);
	w.seen = xcalloc(SEEN_BITS(c->features.bits), sizeof *w.seen);
	w.familiar = xcalloc(n, sizeof *w.familiar);
	w.row = xcalloc(n, sizeof *w.row);
	w.figure = xcalloc(n, sizeof *w.figure);
	w.fold = xcalloc(n, 1);
	w.copies = xcalloc(n, sizeof *w.copies);
	w.texts = xcalloc(w.slots, sizeof *w.texts);
	w.rarity = xcalloc(w.slots, 1);
	w.held_out = xcalloc(n, sizeof *w.held_out);
	class_examples(&w);
	read_examples(&w);
	find_rarities(&w);
	for (size_t i = 0; i < n; i++)
		weigh_row(&w, w.row[i], w.figure[i]);
	deal_folds(&w);
	int rc = fit_weights(&w, e);
	if (rc == 0) {
		fill_head(&w, &out->head);
		calibrate(&w, &out->head);
		if (c->features.lexicon)
			fit_figures(&w, &out->head);
		judge(&w, &out->head, out);
		out->cell = xcalloc(w.slots, sizeof *out->cell);
		out->seen = xcalloc(SEEN_BYTES(c->features.bits), 1);
		quantise(&w, &out->head, out->cell);
		mark_seen(&w, out->seen);
	}
	release(&w);
	return rc;
}

void fit_free(struct fit *f)
{
	free(f->cell);
	free(f->seen);
	f->cell = NULL;
}
