/* nltk.c - NLTK's variant of VADER: equals nltk 3.10.4's SentimentIntensityAnalyzer exactly, in time linear in the
 * text.
 *
 * It is an early VADER, and differs from today's (vader.c) in more than its word lists (lexicons/nltk): emoji mean
 * nothing; only one of a few listed punctuation marks is removed from a word, and only if the word has no other;
 * one-character words are dropped; "never so" and idioms match in lower case only; `but` works by position. A word that
 * occurs twice is judged both times by the context of its first occurrence, so here each word is judged once and
 * remembered.
 *
 * The word list is data that NLTK downloads, not part of the package; vaderSentiment's is used instead.
 */

#include "lib/score/valence.h"

#include "lib/base/map.h"
#include "lib/base/utf8.h"
#include "lib/text/split.h"

EMBED(nltk_boosters, "lexicons/nltk/boosters.tsv")
EMBED(nltk_negations, "lexicons/nltk/negations.tsv")
EMBED(nltk_idioms, "lexicons/nltk/idioms.tsv")
EMBED(nltk_sum, "lexicons/nltk.sum")

static const double DAMPENS = -0.293; /* the value of two-word boosters, whatever the table says */

enum nltk_special { NEVER, SO, THIS, LEAST, AT, VERY, KIND, OF, BUT, SPECIALS };
static const char *const special_words[SPECIALS] = {"never", "so", "this", "least", "at", "very", "kind", "of", "but"};

/* A word of the lexicon, as spelled in this text, and its valence. */
struct seen {
	uint64_t text; /* the number of the text; if it differs, the slot is empty */
	struct word_token token;
	double valence;
};

struct nltk_scratch {
	struct word_token *token;
	size_t cap;
	struct buf text, folded;
	struct but_values values;
	struct seen *seen;
	size_t slots, nseen;
	uint64_t texts;
};

/* --- loading --- */

static struct model *nltk_load(const struct model_conf *conf, struct err *e)
{
	const struct valence_tables tables = {
	    .engine = "vader-nltk-3.10.4",
	    .boosters = {"nltk/boosters.tsv", nltk_boosters()},
	    .negations = {"nltk/negations.tsv", nltk_negations()},
	    .idioms = {"nltk/idioms.tsv", nltk_idioms()},
	    .special = special_words,
	    .sum = nltk_sum(),
	    .specials = SPECIALS,
	};
	return (struct model *)valence_load(sizeof(struct valence), conf, &tables, e);
}

static void nltk_scratch_free(struct scratch *scratch)
{
	struct nltk_scratch *s = (struct nltk_scratch *)scratch;
	free(s->token);
	free(s->seen);
	buf_free(&s->text);
	buf_free(&s->folded);
	but_free(&s->values);
	free(s);
}

/* --- tokens --- */

struct nltk_run {
	const struct valence *v;
	struct nltk_scratch *s;
	struct str text;
	bool ascii;
	bool fold; /* non-ASCII tokens may be words */
	struct why *why;
	size_t n;	/* tokens */
	int mixed_case; /* 1: some token is not in capitals, 0: all are, -1: not checked yet */
};

static struct str text_of(const struct nltk_run *r, const struct word_token *t)
{
	return (struct str){r->text.p + t->from, t->n};
}

static size_t length(const struct nltk_run *r, size_t from, size_t n)
{
	return r->ascii || n > 8 ? n : utf8_count((struct str){r->text.p + from, n});
}

/* What may be removed from a word: a mark, or a few of "!" and "?". */
static bool is_listed(const char *p, size_t n)
{
	static const char *const several[] = {"!!", "!!!", "??", "???", "?!?", "!?!", "?!?!", "!?!?"};
	if (n == 1)
		return strchr(".!?,;:-'\"", *p) != NULL;
	for (size_t i = 0; i < COUNT_OF(several); i++)
		if (strlen(several[i]) == n && memcmp(several[i], p, n) == 0)
			return true;
	return false;
}

static bool is_punctuation(char c)
{
	return (c > 0x20 && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7f);
}

static bool has_punctuation(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_punctuation(p[i]))
			return true;
	return false;
}

/* Removes a word's mark if it is at one end, the word has no other, and two characters remain. */
static struct word_token strip(const struct nltk_run *r, const struct span *w)
{
	const char *p = r->text.p;
	size_t before = w->core - w->from, after = w->n - before - w->core_n;
	struct word_token whole = {w->from, w->n, 0}, core = {w->core, w->core_n, 0};
	if (likely(w->core_n == w->n) || w->core_n == 0 || (before && after))
		return whole;
	if (!is_listed(before ? p + w->from : p + w->core + w->core_n, before + after))
		return whole;
	return length(r, core.from, core.n) > 1 && !has_punctuation(p + core.from, core.n) ? core : whole;
}

static uint32_t find(const struct nltk_run *r, const struct word_token *t)
{
	struct str token = text_of(r, t);
	if (unlikely(r->fold) && !utf8_is_ascii(token))
		return words_find_folded(&r->v->words, token, &r->s->folded);
	return words_find(&r->v->words, token.p, token.n);
}

/* Cuts the text into r->s->token and looks the tokens up: first all in the filter, then those that pass it. */
static void cut_tokens(struct nltk_run *r)
{
	struct split cut = {r->text.p, r->text.n, 0};
	struct span span[8 * SPLIT_BLOCK_WORDS];
	uint16_t maybe[COUNT_OF(span)];
	struct nltk_scratch *s = r->s;
	size_t words;
	while ((words = split_words(&cut, span, COUNT_OF(span)))) {
		if (s->cap - r->n < words) {
			s->cap = (s->cap + words) * 2;
			s->token = xreallocarray(s->token, s->cap, sizeof *s->token);
		}
		struct word_token *t = s->token + r->n;
		size_t n = 0, found = 0;
		for (size_t i = 0; i < words; i++) {
			t[n] = strip(r, &span[i]);
			maybe[found] = (uint16_t)n;
			bool kept = span[i].n > 1 && length(r, span[i].from, span[i].n) > 1;
			found += (words_maybe(&r->v->words, r->text.p + t[n].from, t[n].n) | r->fold) & kept;
			n += kept;
		}
		for (size_t i = 0; i < found; i++)
			t[maybe[i]].word = find(r, &t[maybe[i]]);
		r->n += n;
	}
}

/* --- rules --- */

static const struct word *meaning_of(const struct nltk_run *r, const struct word_token *t)
{
	return &r->v->words.word[t->word];
}

static bool is(const struct nltk_run *r, const struct word_token *t, enum nltk_special word)
{
	return t->word == r->v->special[word];
}

static bool has_capital(struct str token)
{
	for (size_t i = 0; i < token.n; i++)
		if ((unsigned)(token.p[i] - 'A') < 26 || (token.p[i] & 0x80))
			return true;
	return false;
}

/* Whether the token is this word, spelled in lower case. */
static bool is_small(const struct nltk_run *r, const struct word_token *t, enum nltk_special word)
{
	return is(r, t, word) && !has_capital(text_of(r, t));
}

static const struct phrase *find_phrase(
    const struct nltk_run *r, const struct phrases *list, const struct word_token *t, unsigned n)
{
	const struct phrase *p = phrases_find(list, &r->v->words, t, n);
	for (unsigned i = 0; p && i < n; i++)
		if (has_capital(text_of(r, t + i)))
			return NULL;
	return p;
}

/* Capitals count only if the text also has tokens not in capitals. */
static bool emphatic(struct nltk_run *r, const struct word_token *t)
{
	if (!token_in_capitals(text_of(r, t)))
		return false;
	if (r->mixed_case < 0) {
		r->mixed_case = 0;
		for (size_t i = 0; i < r->n && !r->mixed_case; i++)
			r->mixed_case = !token_in_capitals(text_of(r, &r->s->token[i]));
	}
	return r->mixed_case;
}

static double boost(struct nltk_run *r, const struct word_token *t, double v, unsigned back)
{
	const struct word *m = meaning_of(r, t);
	return m->flags & BOOSTER ? valence_boost(m->value, v, emphatic(r, t), back) : 0;
}

static bool so_or_this(const struct nltk_run *r, const struct word_token *t)
{
	return is_small(r, t, SO) || is_small(r, t, THIS);
}

/* Applies negation by the token `back` places before. In the third place, `so` or `this` right before the word raises
 * it whatever is three before: the precedence of `and`/`or` in the package. */
static double negate(const struct nltk_run *r, const struct word_token *t, double v, unsigned back)
{
	if (back == 2 && is_small(r, t - 2, NEVER) && so_or_this(r, t - 1))
		return v * 1.5;
	if (back == 3 && ((is_small(r, t - 3, NEVER) && so_or_this(r, t - 2)) || so_or_this(r, t - 1)))
		return v * 1.25;
	bool negates = (meaning_of(r, t - back)->flags & NEGATES) || token_has_nt(text_of(r, t - back));
	return negates ? v * NEGATION : v;
}

static const struct phrase *find_idiom(const void *run, const struct word_token *t, unsigned n)
{
	const struct nltk_run *r = run;
	return find_phrase(r, &r->v->idioms, t, n);
}

static double boost_phrases(const struct nltk_run *r, const struct word_token *t, double v)
{
	const struct phrases *list = &r->v->boosters;
	return find_phrase(r, list, t - 3, 2) || find_phrase(r, list, t - 2, 2) ? v + DAMPENS : v;
}

static void explain(const struct nltk_run *r, const struct word_token *t, double value, const char *rule)
{
	if (value != 0)
		why_add(r->why, t->from, t->from + t->n, value, rule);
}

/* Sets *v to `now`, the result of a rule caused by token `t`. */
static void turn(const struct nltk_run *r, double *v, double now, const struct word_token *t, const char *rule)
{
	if (unlikely(r->why != NULL))
		explain(r, t, now - *v, rule);
	*v = now;
}

/* The valence of token i, a word of the lexicon. */
static double valence(struct nltk_run *r, size_t i)
{
	const struct word_token *t = &r->s->token[i];
	size_t after = r->n - i - 1;
	double v = 0;
	if ((meaning_of(r, t)->flags & BOOSTER) || (is(r, t, KIND) && after >= 1 && is(r, t + 1, OF)))
		return 0;
	turn(r, &v, meaning_of(r, t)->value, t, "lexicon");
	if (emphatic(r, t))
		turn(r, &v, valence_in_capitals(v, v), t, "capitals");
	for (unsigned back = 1; back <= 3 && back <= i; back++) {
		if (meaning_of(r, t - back)->flags & IN_LEXICON)
			continue;
		turn(r, &v, v + boost(r, t - back, v, back), t - back, "booster");
		turn(r, &v, negate(r, t, v, back), t - back, "negation");
		if (back == 3) {
			turn(r, &v, valence_idioms(r, find_idiom, t, after, v), t, "idiom");
			turn(r, &v, boost_phrases(r, t, v), t - 1, "booster");
		}
	}
	bool least = i > 0 && is(r, t - 1, LEAST) && !(meaning_of(r, t - 1)->flags & IN_LEXICON);
	if (least && !(i > 1 && (is(r, t - 2, AT) || is(r, t - 2, VERY))))
		turn(r, &v, v * NEGATION, t - 1, "least");
	return v;
}

/* --- words seen before --- */

static struct seen *seen_slot(const struct nltk_run *r, const struct word_token *t)
{
	struct nltk_scratch *s = r->s;
	struct str token = text_of(r, t);
	for (size_t at = hash_bytes(token) & (s->slots - 1);; at = (at + 1) & (s->slots - 1)) {
		struct seen *e = &s->seen[at];
		if (e->text != s->texts || str_eq(text_of(r, &e->token), token))
			return e;
	}
}

static void grow_seen(struct nltk_run *r)
{
	struct nltk_scratch *s = r->s;
	struct seen *old = s->seen;
	size_t n = s->slots;
	s->slots = n ? n * 4 : 256;
	s->seen = xcalloc(s->slots, sizeof *s->seen);
	for (size_t i = 0; i < n; i++)
		if (old[i].text == s->texts)
			*seen_slot(r, &old[i].token) = old[i];
	free(old);
}

/* The valence of token i: that of the first token spelled the same. */
static double valence_once(struct nltk_run *r, size_t i)
{
	const struct word_token *t = &r->s->token[i];
	if (r->s->nseen * 2 >= r->s->slots)
		grow_seen(r);
	struct seen *e = seen_slot(r, t);
	if (e->text != r->s->texts) {
		*e = (struct seen){r->s->texts, *t, valence(r, i)};
		r->s->nseen++;
	} else if (r->why) {
		explain(r, t, e->valence, "as before");
	}
	return e->valence;
}

/* --- one text --- */

static void judge(struct nltk_run *r)
{
	size_t but = SIZE_MAX;
	struct but_values *values = &r->s->values;
	for (size_t i = 0; i < r->n; i++) {
		const struct word_token *t = &r->s->token[i];
		if (!t->word)
			continue;
		if (but == SIZE_MAX && is(r, t, BUT))
			but = i;
		if (!(meaning_of(r, t)->flags & IN_LEXICON))
			continue;
		double v = valence_once(r, i);
		if (v != 0)
			but_add(values, i, v, t->from, t->from + t->n);
	}
	for (size_t k = 0; but != SIZE_MAX && k < values->n; k++) {
		struct but_value *value = &values->value[k];
		if (value->token != but)
			turn(r, &value->v, value->v * (value->token < but ? 0.5 : 1.5), &r->s->token[value->token],
			    "but");
	}
}

static void nltk_score(
    const struct model *model, struct scratch *scratch, struct str text, struct result *out, struct why *why)
{
	struct nltk_scratch *s = (struct nltk_scratch *)scratch;
	const struct valence *v = (const struct valence *)model;
	bool ascii = utf8_is_ascii(text);
	struct nltk_run r = {.v = v, .s = s, .ascii = ascii, .why = why, .mixed_case = -1};
	r.text = ascii ? text : text_with_blanks(text, &s->text);
	r.fold = !ascii && (v->layer.beyond_ascii || text_has_kelvin(text));
	*out = (struct result){.has_shares = true, .score_digits = 4, .share_digits = 3};
	s->values.n = s->nseen = 0;
	s->texts++;
	cut_tokens(&r);
	judge(&r);
	double emphasis = s->values.n ? valence_emphasis(text) : 0;
	double raw = valence_result(&s->values, r.n, emphasis, out);
	if (why) {
		size_t from, to;
		valence_emphasis_at(text, &from, &to);
		if (raw != 0 && emphasis != 0)
			why_add(why, from, to, raw > 0 ? emphasis : -emphasis, "punctuation");
		why->raw = raw;
	}
	out->label = engine_label(model, out->score, -0.05, 0.05);
}

const struct engine nltk_engine = {
    .name = "vader-nltk",
    .about = "VADER as in NLTK 3.10.4, equal to the Python package on vaderSentiment's word list",
    .load = nltk_load,
    .free = valence_free,
    .scratch_size = sizeof(struct nltk_scratch),
    .scratch_free = nltk_scratch_free,
    .score = nltk_score,
};
