/* textblob.c - TextBlob's PatternAnalyzer: polarity and subjectivity of PyPI textblob 0.20.1, to the last bit.
 *
 * T. De Smedt and W. Daelemans, "Pattern for Python", JMLR 13, 2012. The package is the specification, including its
 * quirks. Its data is in lexicons/textblob; pattern_tokens.c cuts its tokens.
 *
 * A text is a sequence of assessments: a known word, alone or after words that modify it ("really good") or negate it
 * ("not a good"), an emoticon, or "(!)". The score is their mean. Unknown words end the reach of modifiers and
 * negations, unless they are short.
 *
 * Doubles are computed and added in the package's order, and written so that they read back the same.
 */
#include <float.h>

#include "lib/score/engine.h"
#include "lib/score/lexical.h"
#include "lib/score/pattern_tokens.h"
#include "lib/base/utf8.h"

EMBED(textblob_words, "lexicons/textblob/words.tsv")
EMBED(textblob_emoticons, "lexicons/textblob/emoticons.tsv")
EMBED(textblob_abbreviations, "lexicons/textblob/abbreviations.tsv")
EMBED(textblob_sum, "lexicons/textblob.sum")

/* Flags of words, besides WORD_KNOWN. The value of a word is its polarity. */
enum {
	MODIFIES = 2, /* an adverb: modifies the next word */
	IN_LY = 4,
	NEGATES = 8,
	EXCLAIMS = 16,
	SARCASM = 32,
	EMOTICON = 64,
};

static const char *const negations[] = {"no", "not", "n't", "never"};

/* A known word's figures besides its polarity. */
struct shade {
	double subjectivity, intensity;
};

struct textblob {
	struct model model;
	struct words words;
	struct shade *shade; /* by number of the word */
	struct pattern pattern;
	struct layer layer;
};

enum { WINDOW = 256 };

struct textblob_scratch {
	struct pattern_cut cut;
	struct buf text, folded;
};

/* --- loading --- */

/* Adds a word from the source code, padded for lookups. */
static uint32_t add_named(struct textblob *b, const char *name, unsigned flags)
{
	char word[16 + WORDS_PAD] = {0};
	snprintf(word, 16, "%s", name);
	uint32_t w = words_add(&b->words, str_of(word));
	b->words.word[w].flags |= (uint16_t)flags;
	return w;
}

/* Columns: word, polarity, subjectivity, intensity, whether it modifies. */
static int load_words(struct textblob *b, struct err *e)
{
	struct tsv t = tsv_open("textblob/words.tsv", textblob_words());
	struct str key, rest;
	int rc;
	while ((rc = tsv_next(&t, &key, &rest, e)) > 0) {
		double v[4];
		if (tsv_numbers(rest, v, COUNT_OF(v)) != COUNT_OF(v))
			return tsv_fail(&t, e, "expected a word and four numbers");
		uint32_t w = words_add(&b->words, key);
		bool ly = key.n >= 2 && memcmp(key.p + key.n - 2, "ly", 2) == 0;
		b->words.word[w].flags |= (uint16_t)(WORD_KNOWN | (v[3] != 0 ? MODIFIES : 0) | (ly ? IN_LY : 0));
		b->words.word[w].value = v[0];
		b->shade[w] = (struct shade){v[1], v[2]};
	}
	return rc;
}

/* The tokenizer joins emoticons made only of letters ("xD"), but the package never finds them: it looks up only tokens
 * that are not words. */
static bool is_letters(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned)((s.p[i] | 0x20) - 'a') >= 26)
			return false;
	return true;
}

static int load_emoticons(struct textblob *b, struct err *e)
{
	struct tsv t = tsv_open("textblob/emoticons.tsv", textblob_emoticons());
	struct str key;
	double value;
	int rc;
	while ((rc = tsv_next_number(&t, &key, &value, e)) > 0) {
		if (pattern_add_face(&b->pattern, key) < 0)
			return tsv_fail(&t, e, "the emoticon is too long, or one too many");
		if (is_letters(key))
			continue;
		struct word *word = &b->words.word[words_add(&b->words, key)];
		word->flags |= EMOTICON;
		word->value = value;
	}
	return rc;
}

static int load_abbreviations(struct textblob *b, struct err *e)
{
	struct tsv t = tsv_open("textblob/abbreviations.tsv", textblob_abbreviations());
	struct str key, none;
	int rc;
	while ((rc = tsv_next(&t, &key, &none, e)) > 0)
		if (pattern_add_abbreviation(&b->pattern, key) < 0)
			return tsv_fail(&t, e, "the abbreviation is too long, or one too many");
	return rc;
}

static void init_words(struct textblob *b)
{
	words_init(&b->words, count_lines(textblob_words()) + count_lines(textblob_emoticons()) + COUNT_OF(negations) +
				  2 + count_lines(buf_view(&b->layer.text)));
	size_t n = (size_t)b->words.mask + 2;
	b->shade = xreallocarray(NULL, n, sizeof *b->shade);
	for (size_t i = 0; i < n; i++) /* the package's defaults for a word that a user adds */
		b->shade[i] = (struct shade){0, 1};
}

static void textblob_free(struct model *m)
{
	struct textblob *b = (struct textblob *)m;
	words_free(&b->words);
	layer_free(&b->layer);
	free(b->shade);
	free(b);
}

static struct model *textblob_load(const struct model_conf *conf, struct err *e)
{
	struct textblob *b = xcalloc(1, sizeof *b);
	b->model.conf = *conf;
	if (layer_read(&b->layer, conf->lexicon, e) < 0) {
		free(b);
		return NULL;
	}
	init_words(b);
	for (size_t i = 0; i < COUNT_OF(negations); i++)
		add_named(b, negations[i], NEGATES);
	add_named(b, "!", EXCLAIMS);
	add_named(b, "(!)", SARCASM);
	if (load_words(b, e) < 0 || load_emoticons(b, e) < 0 || load_abbreviations(b, e) < 0 ||
	    (conf->lexicon && layer_apply(&b->layer, conf->lexicon, &b->words, 1, e) < 0)) {
		textblob_free(&b->model);
		return NULL;
	}
	pattern_ready(&b->pattern, &b->words);
	model_set_name(&b->model, "textblob-0.20.1", (struct str[]){textblob_sum()}, 1,
	    conf->lexicon ? buf_view(&b->layer.text) : STR_NONE);
	return &b->model;
}

static void textblob_scratch_free(struct scratch *scratch)
{
	struct textblob_scratch *s = (struct textblob_scratch *)scratch;
	pattern_cut_free(&s->cut);
	buf_free(&s->text);
	buf_free(&s->folded);
	free(s);
}

/* --- one text --- */

struct assessment {
	double polarity, subjectivity, intensity;
	bool negated;
	size_t from, to; /* for explaining */
	const char *rule;
};

struct textblob_run {
	const struct textblob *b;
	struct textblob_scratch *s;
	struct str text;
	bool fold; /* non-ASCII tokens may be words */
	struct why *why;
	struct assessment last;
	size_t n;			      /* assessments so far, including the last */
	double polarity, subjectivity;	      /* of those before the last */
	const struct pattern_token *negation; /* NULL: none in reach */
	const struct word *modifier;
};

static double clamp(double v)
{
	return v > 1 ? 1 : v < -1 ? -1 : v;
}

/* The last assessment is final: the next begins, or the text ends. */
static void settle(struct textblob_run *r)
{
	if (r->n == 0)
		return;
	const struct assessment *a = &r->last;
	double p = a->negated ? a->polarity * -0.5 : a->polarity;
	r->polarity += p;
	r->subjectivity += a->subjectivity;
	if (unlikely(r->why != NULL))
		why_add(r->why, a->from, a->to, p, a->negated ? "negation" : a->rule);
}

static void begin(struct textblob_run *r, const struct pattern_token *t, double p, double s, double i, const char *rule)
{
	settle(r);
	r->last = (struct assessment){p, s, i, false, t->from, t->from + t->n, rule};
	r->n++;
}

static void extend(struct textblob_run *r, const struct pattern_token *t)
{
	size_t from = t->from, to = from + t->n;
	r->last.from = from < r->last.from ? from : r->last.from;
	r->last.to = to > r->last.to ? to : r->last.to;
}

/* A word of the lexicon. After a modifier it joins the same assessment. */
static void known(struct textblob_run *r, const struct pattern_token *t, const struct word *w)
{
	const struct shade *shade = &r->b->shade[w - r->b->words.word];
	if (!r->modifier) {
		begin(r, t, w->value, shade->subjectivity, shade->intensity, "lexicon");
	} else {
		double by = r->last.intensity;
		r->last.polarity = clamp(w->value * by);
		r->last.subjectivity = clamp(shade->subjectivity * by);
		r->last.intensity = shade->intensity;
		r->last.rule = "modifier";
		extend(r, t);
	}
	if (r->negation) {
		r->last.intensity = 1 / r->last.intensity;
		r->last.negated = true;
		extend(r, r->negation);
	}
	r->modifier = w->flags & MODIFIES ? w : NULL;
	r->negation = w->flags & NEGATES ? t : NULL;
}

/* Code points of a token in lower case, counted up to 3 (İ becomes two). A joined token has at least two, and exactly
 * two only if it is an emoticon of two marks. */
static unsigned length(const struct textblob_run *r, const struct pattern_token *t)
{
	if (t->joined)
		return r->s->cut.joined[t->joined - 1].n > 2 ? 3 : 2;
	unsigned n = 0;
	for (const char *p = r->text.p + t->from, *end = p + t->n; p < end && n < 3;)
		n += utf8_next(&p) == 0x130 ? 2 : 1;
	return n;
}

/* Any other token; `w` is the empty word if the dictionary does not have it. */
static void unknown(struct textblob_run *r, const struct pattern_token *t, const struct word *w)
{
	unsigned flags = w->flags;
	if (flags & NEGATES)
		r->negation = t;
	else if (r->negation && length(r, t) > 1)
		r->negation = NULL;
	if (r->negation && r->modifier && (r->modifier->flags & IN_LY)) {
		r->last.negated = true;
		extend(r, r->negation);
		r->negation = NULL;
	} else if (r->modifier && length(r, t) > 2) {
		r->modifier = NULL;
	}
	if ((flags & EXCLAIMS) && r->n) {
		r->last.polarity = clamp(r->last.polarity * 1.25);
		extend(r, t);
	}
	if (flags & SARCASM)
		begin(r, t, 0, 1, 1, "sarcasm");
	if (flags & EMOTICON)
		begin(r, t, w->value, 1, 1, "emoticon");
}

/* Unknown tokens matter only while a modifier or negation is in reach. */
static void pass_over(struct textblob_run *r, const struct pattern_token *t, const struct pattern_token *end)
{
	for (; t < end && (r->negation || r->modifier); t++)
		unknown(r, t, &r->b->words.word[0]);
}

static uint32_t find(const struct textblob_run *r, const struct pattern_token *t)
{
	const struct words *words = &r->b->words;
	struct str token = {r->text.p + t->from, t->n};
	if (unlikely(t->joined))
		return r->s->cut.joined[t->joined - 1].word;
	if (unlikely(r->fold) && !utf8_is_ascii(token))
		return words_find_folded(words, token, &r->s->folded);
	return words_find(words, token.p, token.n);
}

/* Judges a window of tokens: first finds those that may be words, without branching, then looks them up. */
static void judge(struct textblob_run *r, const struct pattern_token *t, size_t n)
{
	uint16_t maybe[WINDOW];
	size_t found = 0, done = 0;
	for (size_t i = 0; i < n; i++) {
		maybe[found] = (uint16_t)i;
		found += words_maybe(&r->b->words, r->text.p + t[i].from, t[i].n) | r->fold | (t[i].joined != 0);
	}
	for (size_t k = 0; k < found; k++) {
		const struct word *w = &r->b->words.word[find(r, &t[maybe[k]])];
		if (w->n == 0)
			continue;
		pass_over(r, t + done, t + maybe[k]);
		if (w->flags & WORD_KNOWN)
			known(r, &t[maybe[k]], w);
		else
			unknown(r, &t[maybe[k]], w);
		done = maybe[k] + 1u;
	}
	pass_over(r, t + done, t + n);
}

static void textblob_score(
    const struct model *m, struct scratch *scratch, struct str text, struct result *out, struct why *why)
{
	struct textblob_scratch *s = (struct textblob_scratch *)scratch;
	const struct textblob *b = (const struct textblob *)m;
	bool ascii = utf8_is_ascii(text);
	struct textblob_run r = {.b = b, .s = s, .text = ascii ? text : text_with_blanks(text, &s->text), .why = why};
	r.fold = !ascii && (b->layer.beyond_ascii || text_has_kelvin(text));
	pattern_tokens(&b->pattern, &s->cut, r.text);
	for (size_t at = 0; at < s->cut.n; at += WINDOW)
		judge(&r, s->cut.token + at, s->cut.n - at < WINDOW ? s->cut.n - at : WINDOW);
	settle(&r);
	double n = (double)(r.n ? r.n : 1);
	*out = (struct result){
	    .has_subjectivity = true, .exact = true, .score = r.polarity / n, .subjectivity = r.subjectivity / n};
	out->label = engine_label(m, out->score, -DBL_TRUE_MIN, DBL_TRUE_MIN);
}

const struct engine textblob_engine = {
    .name = "textblob",
    .about = "TextBlob 0.20.1 (PatternAnalyzer), equal to the Python package; adds subjectivity",
    .load = textblob_load,
    .free = textblob_free,
    .scratch_size = sizeof(struct textblob_scratch),
    .scratch_free = textblob_scratch_free,
    .score = textblob_score,
};
