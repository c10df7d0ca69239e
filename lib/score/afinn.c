/* afinn.c - AFINN: adds up the values of the listed words in a text; the sum equals that of PyPI afinn 0.1 for every
 * input.
 *
 * F. Å. Nielsen, "A new ANEW: Evaluation of a word list for sentiment analysis in microblogs", 2011. lexicons/afinn
 * has lists for several languages, and one of emoticons.
 *
 * The package lowers the text, collapses its white space to single blanks, and searches it for entries by a regular
 * expression: from left to right, longest first, at word edges. Words are runs of letters, digits and '_', so an entry
 * is one run, or several with one mark or blank between them ("once-in-a-lifetime", "does not work"). Emoticons count
 * anywhere, even within words.
 *
 * The score is sum / sqrt(sum * sum + 15), as in VADER, which lies in [-1, 1].
 */
#include <float.h>
#include <math.h>

#include "lib/json/write.h"
#include "lib/score/engine.h"
#include "lib/score/lexical.h"
#include "lib/text/split.h"
#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

EMBED(afinn_en, "lexicons/afinn/en.tsv")
EMBED(afinn_da, "lexicons/afinn/da.tsv")
EMBED(afinn_emoticons, "lexicons/afinn/emoticons.tsv")
EMBED(afinn_sum, "lexicons/afinn.sum")

static const struct language {
	const char *name;
	struct str (*list)(void);
} languages[] = {{"en", afinn_en}, {"da", afinn_da}};

static const char with_emoticons[] = "+emoticons";

enum { LONGEST_FACE = 16, MOST_RUNS = 16 };

struct afinn {
	struct model model;
	const struct language *language;
	bool emoticons;
	struct words words;
	uint8_t *runs; /* by number of a word: the most runs of any entry that begins with it; 0: none has several */
	struct words faces;   /* emoticons */
	uint8_t longest[256]; /* emoticon, by first byte */
	struct layer layer;
};

struct afinn_scratch {
	struct buf lower, phrase;
};

/* --- loading --- */

static bool is_word_character(uint32_t c)
{
	return c == '_' || unicode_is_alnum(c);
}

static const char *run_end(const char *p, const char *end)
{
	while (p < end) {
		const char *next = p;
		if (!is_word_character(utf8_next(&next)))
			break;
		p = next;
	}
	return p;
}

/* The number of runs in an entry; 0 if it is not runs separated by one mark or blank. */
static size_t count_runs(struct str key)
{
	const char *p = key.p, *end = key.p + key.n;
	for (size_t n = 1;; n++) {
		const char *stop = run_end(p, end);
		if (stop == p)
			return 0;
		if (stop == end)
			return n;
		p = stop;
		utf8_next(&p);
	}
}

/* Records at an entry's first run how many runs it has. */
static int note_runs(struct afinn *a, const struct tsv *t, struct str key, struct err *e)
{
	size_t n = count_runs(key);
	if (n == 0)
		return tsv_fail(t, e, "'%.*s' is not made of words with one mark or blank between them", STR_FMT(key));
	if (n > MOST_RUNS)
		return tsv_fail(t, e, "'%.*s' has over %d words", STR_FMT(key), MOST_RUNS);
	struct str first = {key.p, (size_t)(run_end(key.p, key.p + key.n) - key.p)};
	uint8_t *runs = &a->runs[words_add(&a->words, first)];
	if (n > 1 && n > *runs)
		*runs = (uint8_t)n;
	return 0;
}

static int load_list(struct afinn *a, struct err *e)
{
	struct tsv t = tsv_open("afinn", a->language->list());
	struct str key;
	double value;
	int rc;
	while ((rc = tsv_next_number(&t, &key, &value, e)) > 0) {
		struct word *w = &a->words.word[words_add(&a->words, key)];
		w->flags |= WORD_KNOWN;
		w->value = value;
		if (note_runs(a, &t, key, e) < 0)
			return -1;
	}
	return rc;
}

static bool has_capital(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if ((unsigned)(key.p[i] - 'A') < 26)
			return true;
	return false;
}

/* Emoticons with capitals are never found. If an emoticon is also a word of the list, its value counts for both. */
static int load_emoticons(struct afinn *a, struct err *e)
{
	struct tsv t = tsv_open("afinn/emoticons.tsv", afinn_emoticons());
	struct str key;
	double value;
	int rc;
	while ((rc = tsv_next_number(&t, &key, &value, e)) > 0) {
		if (has_capital(key))
			continue;
		if (key.n > LONGEST_FACE)
			return tsv_fail(&t, e, "the emoticon is too long");
		a->faces.word[words_add(&a->faces, key)].value = value;
		uint32_t word = words_find(&a->words, key.p, key.n);
		if (word)
			a->words.word[word].value = value;
		uint8_t *longest = &a->longest[(unsigned char)key.p[0]];
		*longest = key.n > *longest ? (uint8_t)key.n : *longest;
	}
	return rc;
}

static int load_layer(struct afinn *a, const char *path, struct err *e)
{
	struct tsv t = tsv_open(path, buf_view(&a->layer.text));
	struct buf key = {0};
	uint32_t word;
	int rc;
	while ((rc = layer_next(&a->layer, &t, &a->words, HUGE_VAL, &word, e)) > 0) {
		const struct word *w = &a->words.word[word];
		buf_clear(&key);
		buf_add(&key, w->k, w->n < 16 ? w->n : 16);
		if (w->n > 16)
			buf_add(&key, a->words.tails.p + w->tail, w->n - 16u);
		memset(buf_reserve(&key, WORDS_PAD), 0, WORDS_PAD);
		if ((rc = note_runs(a, &t, buf_view(&key), e)) < 0)
			break;
	}
	buf_free(&key);
	return rc;
}

static void name_model(struct afinn *a)
{
	char what[MODEL_NAME];
	snprintf(what, sizeof what, "afinn:%s%s-0.1", a->language->name, a->emoticons ? with_emoticons : "");
	model_set_name(&a->model, what, (struct str[]){afinn_sum()}, 1,
	    a->model.conf.lexicon ? buf_view(&a->layer.text) : STR_NONE);
}

/* "afinn", "afinn:da", "afinn:da+emoticons" */
static int parse_spec(struct afinn *a, const char *spec, struct err *e)
{
	const char *colon = strchr(spec, ':');
	struct str name = str_of(colon ? colon + 1 : languages[0].name);
	size_t n = sizeof with_emoticons - 1;
	a->emoticons = name.n > n && memcmp(name.p + name.n - n, with_emoticons, n) == 0;
	if (a->emoticons)
		name.n -= n;
	char known[64] = "";
	for (size_t i = 0; i < COUNT_OF(languages); i++) {
		if (str_eq(name, str_of(languages[i].name)))
			a->language = &languages[i];
		size_t at = strlen(known);
		snprintf(known + at, sizeof known - at, "%safinn:%s", i ? ", " : "", languages[i].name);
	}
	if (a->language)
		return 0;
	return err_set(
	    e, ERR_USAGE, "unknown model '%s'; known are: %s, each also with %s", spec, known, with_emoticons);
}

static void afinn_free(struct model *m)
{
	struct afinn *a = (struct afinn *)m;
	words_free(&a->words);
	words_free(&a->faces);
	layer_free(&a->layer);
	free(a->runs);
	free(a);
}

static int load_all(struct afinn *a, const struct model_conf *conf, struct err *e)
{
	if (parse_spec(a, conf->spec, e) < 0 || layer_read(&a->layer, conf->lexicon, e) < 0)
		return -1;
	a->layer.phrases = true;
	/* twice: an entry and its first run */
	words_init(&a->words, 2 * (count_lines(a->language->list()) + count_lines(buf_view(&a->layer.text))));
	words_init(&a->faces, count_lines(afinn_emoticons()));
	a->runs = xcalloc((size_t)a->words.mask + 2, sizeof *a->runs);
	if (load_list(a, e) < 0 || (a->emoticons && load_emoticons(a, e) < 0) ||
	    (conf->lexicon && load_layer(a, conf->lexicon, e) < 0))
		return -1;
	name_model(a);
	return 0;
}

static struct model *afinn_load(const struct model_conf *conf, struct err *e)
{
	struct afinn *a = xcalloc(1, sizeof *a);
	a->model.conf = *conf;
	if (load_all(a, conf, e) == 0)
		return &a->model;
	afinn_free(&a->model);
	return NULL;
}

static void afinn_scratch_free(struct scratch *scratch)
{
	struct afinn_scratch *s = (struct afinn_scratch *)scratch;
	buf_free(&s->lower);
	buf_free(&s->phrase);
	free(s);
}

/* --- one text --- */

struct afinn_run {
	const struct afinn *a;
	struct afinn_scratch *s;
	struct str original;
	struct str text; /* the original if it is ASCII, else in lower case */
	struct why *why;
	size_t at, low; /* offsets of one position in both texts, for explaining */
	double sum;
};

/* Maps an offset in the lower-case text to the original. Offsets must ascend. The two texts may differ in length. */
static size_t original(struct afinn_run *r, size_t offset, bool is_end)
{
	if (r->text.p == r->original.p)
		return offset;
	size_t before = r->at;
	while (r->low < offset && r->at < r->original.n) {
		const char *p = r->original.p + r->at;
		uint32_t lower[3];
		size_t n = unicode_lower(utf8_next(&p), lower);
		char out[4];
		before = r->at;
		for (size_t i = 0; i < n; i++)
			r->low += utf8_put(out, lower[i]);
		r->at = (size_t)(p - r->original.p);
	}
	return r->low > offset && !is_end ? before : r->at; /* within the expansion of one character */
}

static void count(struct afinn_run *r, const char *from, const char *to, double value, const char *rule)
{
	r->sum += value;
	if (unlikely(r->why != NULL) && value != 0) {
		size_t at = original(r, (size_t)(from - r->text.p), false);
		why_add(r->why, at, original(r, (size_t)(to - r->text.p), true), value, rule);
	}
}

/* Appends the gap between two runs to the phrase: white space as one blank, or a single mark. False if it is more than
 * that. */
static bool add_gap(struct buf *phrase, const char **p, const char *end)
{
	const char *start = *p, *q = start;
	uint32_t c = utf8_next(&q);
	if (!unicode_is_space(c)) {
		buf_add(phrase, start, (size_t)(q - start));
	} else {
		buf_char(phrase, ' ');
		for (const char *next = q; next < end && unicode_is_space(utf8_next(&next)); q = next)
			;
	}
	*p = q;
	const char *next = q;
	return q < end && is_word_character(utf8_next(&next));
}

/* Finds the longest entry of several runs at p: returns its end, or NULL. */
static const char *find_phrase(struct afinn_run *r, const char *p, unsigned most, const struct word **found)
{
	struct buf *phrase = &r->s->phrase;
	const char *end = r->text.p + r->text.n, *best = NULL;
	buf_clear(phrase);
	for (unsigned n = 1;; n++) {
		const char *stop = run_end(p, end);
		buf_add(phrase, p, (size_t)(stop - p));
		memset(buf_reserve(phrase, WORDS_PAD), 0, WORDS_PAD);
		uint32_t w = words_find(&r->a->words, phrase->p, phrase->n);
		if (n > 1 && (r->a->words.word[w].flags & WORD_KNOWN)) {
			*found = &r->a->words.word[w];
			best = stop;
		}
		p = stop;
		if (n == most || p == end || phrase->n > 4096 || !add_gap(phrase, &p, end))
			return best;
	}
}

/* Counts the entry that begins with the run at p: returns its end, or NULL. */
static const char *count_words(struct afinn_run *r, const char *p, const char *stop)
{
	const struct afinn *a = r->a;
	uint32_t number = words_find(&a->words, p, (size_t)(stop - p));
	const struct word *w = &a->words.word[number];
	const char *to = a->runs[number] ? find_phrase(r, p, a->runs[number], &w) : NULL;
	if (!to && (w->flags & WORD_KNOWN))
		to = stop;
	if (to)
		count(r, p, to, w->value, "lexicon");
	return to;
}

/* The byte in lower case: emoticons match in either case. */
static unsigned char small(char c)
{
	return (unsigned char)((unsigned)(c - 'A') < 26 ? c | 0x20 : c);
}

/* Counts the longest emoticon at p: returns its end, or NULL. */
static const char *count_face(struct afinn_run *r, const char *p)
{
	const struct afinn *a = r->a;
	size_t left = (size_t)(r->text.p + r->text.n - p), n = a->longest[small(*p)];
	for (n = n < left ? n : left; n > 0; n--) {
		uint32_t w = words_find(&a->faces, p, n);
		if (w) {
			count(r, p, p + n, a->faces.word[w].value, "emoticon");
			return p + n;
		}
	}
	return NULL;
}

/* Counts emoticons that begin within a word or among marks, from p to `stop`; the last may extend beyond it. */
static const char *count_faces(struct afinn_run *r, const char *p, const char *stop)
{
	while (p < stop) {
		const char *to = count_face(r, p);
		p = to ? to : p + 1;
	}
	return p;
}

/* Whether the character before p is part of a word. p is not the start. */
static bool within_word(const struct afinn_run *r, const char *p)
{
	const char *q = p - 1;
	while (q > r->text.p && (*q & 0xc0) == 0x80)
		q--;
	return is_word_character(utf8_next(&q));
}

static void count_all(struct afinn_run *r)
{
	const char *p = r->text.p, *end = p + r->text.n;
	bool faces = r->a->emoticons;
	while (p < end) {
		const char *stop = run_end(p, end), *to = NULL;
		if (stop == p) {
			const char *next = p;
			utf8_next(&next);
			p = faces ? count_faces(r, p, next) : next;
			continue;
		}
		if (p == r->text.p || !within_word(r, p))
			to = count_words(r, p, stop);
		p = to ? to : faces ? count_faces(r, p, stop) : stop;
	}
}

static void afinn_score(
    const struct model *m, struct scratch *scratch, struct str text, struct result *out, struct why *why)
{
	struct afinn_scratch *s = (struct afinn_scratch *)scratch;
	struct afinn_run r = {.a = (const struct afinn *)m, .s = s, .original = text, .text = text, .why = why};
	if (!utf8_is_ascii(text)) {
		buf_clear(&s->lower);
		buf_reserve(&s->lower, text.n * 3 + SPLIT_PAD);
		s->lower.n = text_lower(text, s->lower.p);
		memset(s->lower.p + s->lower.n, 0, SPLIT_PAD);
		r.text = buf_view(&s->lower);
	}
	count_all(&r);
	if (why)
		why->raw = r.sum;
	*out = (struct result){.score = json_round(r.sum / sqrt(r.sum * r.sum + 15), 4), .score_digits = 4};
	out->label = engine_label(m, out->score, -DBL_TRUE_MIN, DBL_TRUE_MIN);
}

const struct engine afinn_engine = {
    .name = "afinn",
    .about = "AFINN's word lists, sums equal to the Python package's: afinn:en, afinn:da, also with +emoticons",
    .variants = true,
    .load = afinn_load,
    .free = afinn_free,
    .scratch_size = sizeof(struct afinn_scratch),
    .scratch_free = afinn_scratch_free,
    .score = afinn_score,
};
