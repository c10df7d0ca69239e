/* linear.c - scoring with a trained model.
 *
 * A word contributes the sum of its own cell and those of its letter n-grams, some thirty lookups. Most words of a text
 * occurred shortly before, so a cache keyed by spelling keeps the sums; a word then costs one lookup, and its pair with
 * the word before another.
 */
#include "lib/score/linear.h"

#include <math.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "lib/base/map.h"
#include "lib/base/embed.h"
#include "lib/base/io.h"
#include "lib/text/hash.h"

/* The shipped model is part of the program, aligned as a mapped file is. */
__asm__(".pushsection .rodata,\"a\",@progbits\n.balign 64\nlinear_shipped:\n.incbin \"lexicons/linear/linear.senti\"\n"
	"linear_shipped_end:\n.popsection\n");
extern const char linear_shipped[] __attribute__((visibility("hidden")));
extern const char linear_shipped_end[] __attribute__((visibility("hidden")));
EMBED(linear_sum, "lexicons/linear.sum")

struct linear {
	struct model model;
	const struct linear_head *head;
	const struct linear_cell *cell;
	const unsigned char *seen;
	struct model *lexicon;
	struct buf file; /* empty: the shipped model, which is part of the program */
};

enum { CACHE_BITS = 16 };

/* A cell's or word's weights, one per class, and its rarity: four numbers added as one vector. */
enum { RARITY = LINEAR_CLASSES, SUMS };

/* A word and all its contributions except pairs. One cache line. */
struct cached {
	uint64_t k[2]; /* its bytes if they are at most 16, else their hash */
	uint64_t id;
	int32_t sum[GRAM_GROUPS][SUMS];
	uint16_t n; /* bytes; 0: empty */
	uint8_t traits;
	bool seen;
};

_Static_assert(sizeof(struct cached) == 64, "a word in the cache is one line");

struct linear_scratch {
	struct cached *cache; /* in `room`, aligned to cache lines */
	void *room;
	struct scratch *lexicon;
	struct gram_list list; /* for explaining */
};

/* --- the file --- */

static size_t check_from(void)
{
	return offsetof(struct linear_head, size);
}

static void check_of(const void *bytes, size_t n, uint64_t out[2])
{
	XXH128_hash_t h = XXH3_128bits((const char *)bytes + check_from(), n - check_from());
	out[0] = h.low64;
	out[1] = h.high64;
}

static size_t cells_size(const struct linear_head *h)
{
	return ((size_t)1 << h->features.bits) * sizeof(struct linear_cell);
}

void linear_write(
    struct linear_head *h, const struct linear_cell *cell, const unsigned char *seen, struct str meta, struct buf *out)
{
	size_t from = out->n;
	memcpy(h->magic, LINEAR_MAGIC, sizeof h->magic);
	h->version = LINEAR_VERSION;
	h->byte_order = LINEAR_BYTE_ORDER;
	h->meta_size = meta.n;
	h->size = sizeof *h + cells_size(h) + SEEN_BYTES(h->features.bits) + meta.n;
	buf_add(out, h, sizeof *h);
	buf_add(out, cell, cells_size(h));
	buf_add(out, seen, SEEN_BYTES(h->features.bits));
	buf_str(out, meta);
	check_of(out->p + from, out->n - from, h->check);
	memcpy(out->p + from, h, sizeof *h);
}

/* Small enough that no sum overflows a double. */
static bool all_moderate(const double *v, size_t n)
{
	bool good = true;
	for (size_t i = 0; i < n; i++)
		good &= fabs(v[i]) <= 1e9;
	return good;
}

/* What a correct checksum does not prove: that the writer was sane. */
static bool sane(const struct linear_head *h)
{
	const struct feature_conf *f = &h->features;
	bool classes = h->classes == 2 || h->classes == 3, grams;
	for (uint32_t c = 0; classes && c < h->classes; c++)
		for (uint32_t d = 0; d <= c; d++)
			classes &= h->label[c] < LINEAR_CLASSES && (d == c || h->label[c] != h->label[d]);
	grams = f->bits >= 10 && f->bits <= 24 && f->pairs <= 1 && f->negation <= 1 && f->lexicon <= 1 &&
		(f->char_max == 0 || (f->char_min >= 2 && f->char_min <= f->char_max && f->char_max <= 6));
	return classes && grams && memchr(h->lexicon, 0, sizeof h->lexicon) &&
	       all_moderate(h->gain, COUNT_OF(h->gain)) && h->rarity > 1e-9 && h->rarity <= 1e9 &&
	       all_moderate(h->scale, COUNT_OF(h->scale)) &&
	       all_moderate(h->figure[0], sizeof h->figure / sizeof(double)) &&
	       all_moderate(h->mix[0], sizeof h->mix / sizeof(double)) && all_moderate(h->shift, COUNT_OF(h->shift)) &&
	       all_moderate(h->alone[0], sizeof h->alone / sizeof(double)) && h->seen_none >= 0 &&
	       h->seen_all - h->seen_none > 1e-9 && h->seen_all <= 1;
}

/* Checks a file's bytes, which must be aligned to 8: 0, or -1 and *e naming `path`. */
static int check_file(const void *bytes, size_t n, const char *path, struct err *e)
{
	const struct linear_head *h = bytes;
	uint64_t check[2];
	if (n < sizeof h->magic || memcmp(h->magic, LINEAR_MAGIC, sizeof h->magic) != 0)
		return err_set(e, ERR_ENV, "'%s' is not a model file of senti-train", path);
	if (n < sizeof *h)
		return err_set(e, ERR_ENV, "model file '%s' is truncated: %zu bytes", path, n);
	if (h->byte_order != LINEAR_BYTE_ORDER)
		return err_set(e, ERR_ENV,
		    "model file '%s' was made on a machine of another byte order: train it again here", path);
	if (h->version != LINEAR_VERSION)
		return err_set(e, ERR_ENV, "model file '%s' has format %u, this senti reads %d: train it again", path,
		    h->version, LINEAR_VERSION);
	if (h->size != n)
		return err_set(e, ERR_ENV, "model file '%s' is %s: %zu bytes where its head says %llu", path,
		    n < h->size ? "truncated" : "damaged", n, (unsigned long long)h->size);
	check_of(bytes, n, check);
	if (check[0] != h->check[0] || check[1] != h->check[1])
		return err_set(e, ERR_ENV, "model file '%s' is damaged: its checksum does not match", path);
	if (!sane(h) || n != sizeof *h + cells_size(h) + SEEN_BYTES(h->features.bits) + h->meta_size)
		return err_set(e, ERR_ENV, "model file '%s' has invalid values: train it again", path);
	return 0;
}

bool linear_is_path(const char *spec)
{
	size_t n = strlen(spec);
	return strchr(spec, '/') || (n > 6 && strcmp(spec + n - 6, ".senti") == 0) || access(spec, F_OK) == 0;
}

/* --- loading --- */

enum { MOST_FILE = 1 << 30 };

static void linear_free(struct model *m)
{
	struct linear *l = (struct linear *)m;
	model_free(l->lexicon);
	buf_free(&l->file);
	free(l);
}

/* The file is read whole before it is checked, so replacing or truncating it later has no effect. */
static int read_file(struct linear *l, const char *path, struct err *e)
{
	if (io_read_file(path, MOST_FILE, &l->file, e) < 0)
		return -1;
	return check_file(l->file.p, l->file.n, path, e);
}

/* The lexicon must be the one of training. A user's lexicon is layered over that one. */
static int load_lexicon(struct linear *l, const struct model_conf *conf, struct err *e)
{
	l->lexicon = engine_load(&plus_engine, &(struct model_conf){.spec = "plus"}, e);
	if (!l->lexicon)
		return -1;
	if (strcmp(l->lexicon->name, l->head->lexicon) != 0 && strcmp(l->lexicon->former_name, l->head->lexicon) != 0)
		return err_set(e, ERR_ENV,
		    "model file '%s' was trained with the lexicon %s, this senti has %s: train it again", conf->spec,
		    l->head->lexicon, l->lexicon->name);
	if (!conf->lexicon)
		return 0;
	if (!l->head->features.lexicon)
		return err_set(e, ERR_USAGE, "--lexicon '+%s': the model '%s' was trained with --no-lexicon",
		    conf->lexicon, conf->spec);
	model_free(l->lexicon);
	l->lexicon = engine_load(&plus_engine, &(struct model_conf){.spec = "plus", .lexicon = conf->lexicon}, e);
	return l->lexicon ? 0 : -1;
}

/* Names the model after the file's bytes and the user's lexicon. */
static void name_model(struct linear *l)
{
	char what[MODEL_NAME], sum[HASH_HEX];
	snprintf(what, sizeof what, "linear-%d", LINEAR_VERSION);
	if (l->file.p)
		hash_text(buf_view(&l->file), sum);
	else
		memcpy(sum, linear_sum().p, sizeof sum);
	model_set_name(&l->model, what, (struct str[]){{sum, sizeof sum}}, 1,
	    l->model.conf.lexicon ? str_of(l->lexicon->name) : STR_NONE);
}

static struct model *linear_load(const struct model_conf *conf, struct err *e)
{
	struct linear *l = xcalloc(1, sizeof *l);
	l->model.conf = *conf;
	bool path = linear_is_path(conf->spec) && strcmp(conf->spec, "linear") != 0;
	if (path && read_file(l, conf->spec, e) < 0) {
		linear_free(&l->model);
		return NULL;
	}
	if (!path && linear_shipped_end - linear_shipped < (ptrdiff_t)sizeof *l->head) {
		err_set(e, ERR_ENV, "this senti was built without the shipped model: run scripts/build-linear");
		linear_free(&l->model);
		return NULL;
	}
	l->head = path ? (const void *)l->file.p : (const void *)linear_shipped;
	l->cell = (const void *)(l->head + 1);
	l->seen = (const void *)(l->cell + ((size_t)1 << l->head->features.bits));
	if (load_lexicon(l, conf, e) < 0) {
		linear_free(&l->model);
		return NULL;
	}
	name_model(l);
	return &l->model;
}

static struct scratch *linear_scratch(const struct model *m)
{
	const struct model *lexicon = ((const struct linear *)m)->lexicon;
	struct linear_scratch *s = xcalloc(1, sizeof *s);
	s->lexicon = scratch_new(lexicon);
	/* The kernel provides zeroed pages as they are touched; a single text touches few. */
	s->room = xcalloc((1 << CACHE_BITS) + 1, sizeof(struct cached));
	s->cache = (void *)(((uintptr_t)s->room + sizeof(struct cached) - 1) & ~(uintptr_t)(sizeof(struct cached) - 1));
	return (struct scratch *)s;
}

static void linear_scratch_free(struct scratch *scratch)
{
	struct linear_scratch *s = (struct linear_scratch *)scratch;
	plus_engine.scratch_free(s->lexicon);
	gram_list_free(&s->list);
	free(s->room);
	free(s);
}

/* --- scoring --- */

static inline void add_cell(const struct linear_cell *c, int32_t sum[SUMS])
{
	for (size_t k = 0; k < LINEAR_CLASSES; k++)
		sum[k] += c->weight[k];
	sum[RARITY] += c->rarity;
}

static void fill_cached(const struct linear *l, const struct feature_token *t, struct cached *w)
{
	struct form f;
	struct gram gram[GRAMS_MAX];
	size_t words;
	form_of(t, &f);
	size_t n = form_grams(&l->head->features, &f, gram, &words);
	w->id = f.id;
	w->traits = f.traits;
	w->seen = f.traits & FORM_LETTERS && linear_seen(l->head, l->seen, f.id);
	memset(w->sum, 0, sizeof w->sum);
	for (size_t i = 0; i < n; i++)
		add_cell(&l->cell[gram[i].slot], w->sum[i < words ? GRAM_WORD : GRAM_LETTERS]);
}

/* The token's bytes as they are, zero-filled. All web addresses are the same word. */
static void key_of(const struct feature_token *t, uint64_t k[2])
{
	if (unlikely(t->url)) {
		k[0] = 1; /* no token contains U+0001 */
		k[1] = 0;
	} else if (likely(t->n <= 16)) {
		static const unsigned char keep[32] = {
		    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
		uint64_t mask[2];
		memcpy(k, t->p, 16);
		memcpy(mask, keep + 16 - t->n, 16);
		k[0] &= mask[0];
		k[1] &= mask[1];
	} else {
		hash_bytes_128((struct str){t->p, t->n}, k);
	}
}

/* Tokens pass through the tables in blocks, so that memory for some is fetched while others are processed. */
enum { BLOCK = 64 };

struct look_up {
	struct feature_token t;
	uint64_t k[2];
	struct cached *at;
};

static inline void look_ahead(struct linear_scratch *s, struct look_up *w)
{
	key_of(&w->t, w->k);
	__extension__ typedef unsigned __int128 wide;
	wide m = (wide)(w->k[0] ^ 0x9e3779b97f4a7c15 ^ w->t.n) * (w->k[1] ^ 0xd6e8feb86659fd93);
	w->at = &s->cache[((uint64_t)m ^ (uint64_t)(m >> 64)) & ((1 << CACHE_BITS) - 1)];
	__builtin_prefetch(w->at);
}

static inline const struct cached *find_word(const struct linear *l, const struct look_up *w)
{
	struct cached *c = w->at;
	uint16_t n = w->t.url ? 1 : (uint16_t)w->t.n;
	if (unlikely(c->k[0] != w->k[0] || c->k[1] != w->k[1] || c->n != n)) {
		fill_cached(l, &w->t, c);
		c->k[0] = w->k[0];
		c->k[1] = w->k[1];
		c->n = n;
	}
	return c;
}

/* State carried between the blocks of a text. */
struct walk {
	uint64_t before;
	unsigned scope;
};

/* Takes the same steps as features_list. */
static void sum_block(
    const struct linear *l, struct look_up *look, size_t n, struct walk *walk, struct linear_sums *sums)
{
	const struct feature_conf *f = &l->head->features;
	const struct linear_cell *far[2 * BLOCK]; /* cells being fetched */
	size_t fars = 0;
	unsigned words = 0, seen = 0;
	int32_t sum[GRAM_GROUPS][SUMS] = {0}; /* of one block, which can't overflow as a text's could */
	for (size_t i = 0; i < n; i++) {
		const struct cached *w = find_word(l, &look[i]);
		for (size_t g = 0; g < GRAM_GROUPS; g++)
			for (size_t k = 0; k < SUMS; k++)
				sum[g][k] += w->sum[g][k];
		words += w->traits & FORM_LETTERS;
		seen += w->seen;
		if (f->pairs)
			far[fars++] = &l->cell[gram_pair(f, walk->before, w->id)];
		walk->scope = w->traits & FORM_STOPS ? 0 : walk->scope;
		if (f->negation && walk->scope)
			far[fars++] = &l->cell[gram_negated(f, w->id)];
		walk->scope = w->traits & FORM_NEGATES ? NEGATION_SCOPE : walk->scope ? walk->scope - 1 : 0;
		walk->before = w->id;
		if (fars)
			__builtin_prefetch(far[fars - 1]);
	}
	for (size_t i = 0; i < fars; i++)
		add_cell(far[i], sum[GRAM_WORD]);
	for (size_t g = 0; g < GRAM_GROUPS; g++) {
		for (size_t k = 0; k < LINEAR_CLASSES; k++)
			sums->weight[g][k] += sum[g][k];
		sums->rarity[g] += (uint64_t)sum[g][RARITY];
	}
	sums->words += words / FORM_LETTERS;
	sums->seen += seen;
}

static void sum_words(const struct linear *l, struct linear_scratch *s, struct str text, struct linear_sums *sums)
{
	struct cutter cut = {text.p, text.p + text.n};
	struct walk walk = {0};
	struct look_up look[BLOCK];
	size_t n;
	do {
		for (n = 0; n < BLOCK && token_next(&cut, &look[n].t); n++)
			look_ahead(s, &look[n]);
		sum_block(l, look, n, &walk, sums);
	} while (n == BLOCK);
}

/* The contribution to this text of a unit of weight in a cell of the group. */
static double worth(const struct linear_head *h, const struct linear_sums *s, size_t group)
{
	return s->rarity[group] ? h->gain[group] / sqrt(h->rarity * (double)s->rarity[group]) : 0;
}

static size_t figures_of(const struct linear_head *h)
{
	return h->features.lexicon ? FIGURES : 1;
}

void linear_raw(
    const struct linear_head *h, const struct linear_sums *s, const double figure[FIGURES], double raw[LINEAR_CLASSES])
{
	for (size_t c = 0; c < LINEAR_CLASSES; c++) {
		raw[c] = 0;
		for (size_t g = 0; g < GRAM_GROUPS; g++)
			raw[c] += worth(h, s, g) * h->scale[c] * (double)s->weight[g][c];
		for (size_t f = 0; f < figures_of(h); f++)
			raw[c] += h->figure[c][f] * figure[f];
	}
}

void linear_logits(const struct linear_head *h, const double raw[LINEAR_CLASSES], double z[LINEAR_CLASSES])
{
	for (uint32_t c = 0; c < h->classes; c++) {
		z[c] = h->shift[c];
		for (uint32_t k = 0; k < h->classes; k++)
			z[c] += h->mix[c][k] * raw[k];
	}
}

double linear_trust(const struct linear_head *h, double share)
{
	if (!h->features.lexicon)
		return 1;
	return fmin(fmax((share - h->seen_none) / (h->seen_all - h->seen_none), 0), 1);
}

void linear_back_off(const struct linear_head *h, double trust, const double figure[FIGURES], double z[LINEAR_CLASSES])
{
	if (trust == 1)
		return;
	for (uint32_t c = 0; c < h->classes; c++) {
		z[c] *= trust;
		for (size_t f = 0; f < figures_of(h); f++)
			z[c] += (1 - trust) * h->alone[c][f] * figure[f];
	}
}

void linear_softmax(unsigned classes, double z[LINEAR_CLASSES])
{
	double most = -INFINITY, sum = 0;
	for (unsigned c = 0; c < classes; c++)
		most = fmax(most, z[c]);
	for (unsigned c = 0; c < classes; c++)
		sum += z[c] = exp(z[c] - most);
	for (unsigned c = 0; c < LINEAR_CLASSES; c++)
		z[c] = c < classes ? z[c] / sum : 0;
}

/* --- explaining --- */

enum { REASONS = 12 };

static double side(const struct linear_head *h, size_t class)
{
	return h->label[class] == LABEL_POSITIVE ? 1 : h->label[class] == LABEL_NEGATIVE ? -1 : 0;
}

/* How much a class's raw score contributes to the logit of positive against negative. */
static double tilt(const struct linear_head *h, size_t class)
{
	double t = 0;
	for (uint32_t c = 0; c < h->classes; c++)
		t += side(h, c) * h->mix[c][class];
	return t;
}

static void keep_best(struct reason *best, size_t *n, struct reason one)
{
	size_t i = *n < REASONS ? (*n)++ : REASONS;
	for (; i > 0 && fabs(best[i - 1].value) < fabs(one.value); i--)
		if (i < REASONS)
			best[i] = best[i - 1];
	if (i < REASONS)
		best[i] = one;
}

/* Lists the n-grams that count most for positive against negative or the reverse, and all lexicon figures as one. */
static void explain(const struct linear *l, struct linear_scratch *s, struct str text, const struct linear_sums *sums,
    const double figure[FIGURES], double trust, struct why *why)
{
	const struct linear_head *h = l->head;
	struct reason best[REASONS];
	size_t n = 0;
	double by_figures = 0, by_weight[LINEAR_CLASSES];
	for (size_t c = 0; c < h->classes; c++) {
		by_weight[c] = trust * tilt(h, c) * h->scale[c];
		for (size_t f = 1; f < figures_of(h); f++)
			by_figures +=
			    (trust * tilt(h, c) * h->figure[c][f] + (1 - trust) * side(h, c) * h->alone[c][f]) *
			    figure[f];
	}
	s->list.n = s->list.words = 0;
	features_list(&h->features, text, &s->list);
	for (size_t i = 0; i < s->list.n; i++) {
		const struct gram_use *u = &s->list.use[i];
		double v = 0;
		for (size_t c = 0; c < h->classes; c++)
			v += by_weight[c] * l->cell[u->slot].weight[c];
		v *= worth(h, sums, u->group);
		if (v != 0)
			keep_best(
			    best, &n, (struct reason){u->from, u->to, v, u->group == GRAM_WORD ? "word" : "letters"});
	}
	for (size_t i = 0; i < n; i++)
		why_add(why, best[i].from, best[i].to, best[i].value, best[i].rule);
	if (by_figures != 0)
		why_add(why, 0, 0, by_figures, "lexicon");
}

static void linear_score(
    const struct model *m, struct scratch *scratch, struct str text, struct result *out, struct why *why)
{
	struct linear_scratch *s = (struct linear_scratch *)scratch;
	const struct linear *l = (const struct linear *)m;
	const struct linear_head *h = l->head;
	struct linear_sums sums = {0};
	double figure[FIGURES] = {1}, raw[LINEAR_CLASSES], p[LINEAR_CLASSES], share[LINEAR_CLASSES] = {0};
	if (h->features.lexicon) {
		struct result r;
		l->lexicon->engine->score(l->lexicon, s->lexicon, text, &r, NULL);
		features_figures(&r, figure);
	}
	sum_words(l, s, text, &sums);
	linear_raw(h, &sums, figure, raw);
	linear_logits(h, raw, p);
	double trust = linear_trust(h, sums.words ? (double)sums.seen / (double)sums.words : 0);
	linear_back_off(h, trust, figure, p);
	linear_softmax(h->classes, p);
	uint32_t best = 0;
	for (uint32_t c = 0; c < h->classes; c++) {
		share[h->label[c]] = p[c];
		best = p[c] > p[best] ? c : best;
	}
	*out = (struct result){.has_shares = true,
	    .score_digits = 4,
	    .share_digits = 4,
	    .label = (enum label)h->label[best],
	    .neg = share[LABEL_NEGATIVE],
	    .neu = share[LABEL_NEUTRAL],
	    .pos = share[LABEL_POSITIVE],
	    .score = share[LABEL_POSITIVE] - share[LABEL_NEGATIVE]};
	if (m->conf.has_neutral)
		out->label = engine_label(m, out->score, 0, 0);
	if (why)
		explain(l, s, text, &sums, figure, trust, why);
}

const struct engine linear_engine = {
    .name = "linear",
    .about = "a logistic regression over n-grams and the result of plus; also the path of a file made by senti-train",
    .load = linear_load,
    .free = linear_free,
    .scratch = linear_scratch,
    .scratch_free = linear_scratch_free,
    .score = linear_score,
};
