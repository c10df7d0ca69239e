/* vader.c - VADER: equals PyPI vaderSentiment 3.3.2 exactly for every input, in time linear in its length.
 *
 * C.J. Hutto and E.E. Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text",
 * ICWSM 2014. The package's behaviour is the specification, including its quirks, which are noted where they are
 * implemented. Its data is in lexicons/vader.
 *
 * Why it is fast: one pass cuts the text into tokens and looks each up in one dictionary of all words that matter to
 * any rule (words.h). The rules then run only around words of the lexicon, on a window of tokens, comparing numbers.
 * Capitals are checked only where a rule needs it.
 *
 *     window   [ done | i-3 i-2 i-1  i  i+1 i+2 | filling ... ]
 *
 * Why it is exact: doubles are added in the package's order (CPython 3.11's sum() is a plain loop), the compiler
 * contracts no operations, and non-ASCII texts are first rewritten into equivalents for every rule (rewrite).
 */

#include "lib/score/valence.h"
#include "lib/text/split.h"
#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

EMBED(vader_boosters, "lexicons/vader/boosters.tsv")
EMBED(vader_negations, "lexicons/vader/negations.tsv")
EMBED(vader_idioms, "lexicons/vader/idioms.tsv")
EMBED(vader_emoji, "lexicons/vader/emoji.tsv")

/* The words that rules use. */
enum vader_special { NO, OR, NOR, NEVER, SO, THIS, WITHOUT, DOUBT, LEAST, AT, VERY, KIND, OF, BUT, SPECIALS };
static const char *const special_words[SPECIALS] = {
    "no", "or", "nor", "never", "so", "this", "without", "doubt", "least", "at", "very", "kind", "of", "but"};

struct emoji {
	uint32_t code; /* 0: empty slot */
	struct str words;
};

enum { EMOJI_SLOTS = 4096 };

struct vader {
	struct valence base;
	struct emoji emoji[EMOJI_SLOTS];
};

/* Where the rewritten text comes from, for explaining. */
struct vader_origin {
	size_t at, from, to; /* offset in the rewritten text; bytes in the original */
	bool copied;	     /* byte by byte; else the whole corresponds to [from, to) */
};

enum { WINDOW = 256, BEHIND = 3, AHEAD = 2 };

struct vader_scratch {
	struct span span[WINDOW];
	struct word_token window[WINDOW];
	uint16_t known[WINDOW]; /* those that are dictionary words */
	struct buf text;	/* rewritten */
	struct but_values values;
	struct vader_origin *origin;
	size_t origins, origins_cap;
	struct buf folded;
};

/* --- loading --- */

static struct emoji *emoji_slot(const struct vader *v, uint32_t code)
{
	size_t i = (code * 2654435761U) >> 20;
	while (v->emoji[i].code && v->emoji[i].code != code)
		i = (i + 1) % EMOJI_SLOTS;
	return (struct emoji *)&v->emoji[i];
}

static int load_emoji(struct vader *v, struct err *e)
{
	struct tsv t = tsv_open("vader/emoji.tsv", vader_emoji());
	struct str key, words;
	int rc;
	while ((rc = tsv_next(&t, &key, &words, e)) > 0) {
		const char *p = key.p;
		uint32_t code = utf8_next(&p);
		if (!words.p || p != key.p + key.n)
			return tsv_fail(&t, e, "expected one code point, a tab and its words");
		*emoji_slot(v, code) = (struct emoji){code, words};
	}
	return rc;
}

_Static_assert((int)SPECIALS <= (int)VALENCE_SPECIALS, "all have a place");

static struct model *vader_load(const struct model_conf *conf, struct err *e)
{
	const struct valence_tables tables = {
	    .engine = "vader-3.3.2",
	    .boosters = {"vader/boosters.tsv", vader_boosters()},
	    .negations = {"vader/negations.tsv", vader_negations()},
	    .idioms = {"vader/idioms.tsv", vader_idioms()},
	    .special = special_words,
	    .specials = SPECIALS,
	};
	struct model *m = (struct model *)valence_load(sizeof(struct vader), conf, &tables, e);
	if (m && load_emoji((struct vader *)m, e) < 0) {
		valence_free(m);
		return NULL;
	}
	return m;
}

static void vader_scratch_free(struct scratch *scratch)
{
	struct vader_scratch *s = (struct vader_scratch *)scratch;
	buf_free(&s->text);
	buf_free(&s->folded);
	but_free(&s->values);
	free(s->origin);
	free(s);
}

/* --- non-ASCII texts --- */

static void add_origin(struct vader_scratch *s, size_t at, size_t from, size_t to, bool copied)
{
	s->origin = xgrow(s->origin, s->origins, &s->origins_cap, 64, sizeof *s->origin);
	s->origin[s->origins++] = (struct vader_origin){at, from, to, copied};
}

/* Rewrites a text so that the rules need to handle only ASCII. Emoji of one code point become their words, with a blank
 * before unless there is one, and none after: "😀good" is "grinning facegood". White space becomes a blank, and
 * KELVIN SIGN, the only non-ASCII character with an ASCII lower case, becomes K; neither changes what the rules see. */
static struct str rewrite(const struct vader *v, struct vader_scratch *s, struct str text, bool explain)
{
	struct buf *out = &s->text;
	const char *p = text.p, *end = text.p + text.n;
	bool after_blank = true;
	buf_clear(out);
	s->origins = 0;
	buf_reserve(out, text.n + SPLIT_PAD);
	while (p < end) {
		const char *start = p;
		while (p < end && !(*p & 0x80))
			p++;
		if (p > start) {
			if (explain)
				add_origin(s, out->n, (size_t)(start - text.p), (size_t)(p - text.p), true);
			buf_add(out, start, (size_t)(p - start));
			after_blank = p[-1] == ' ';
			if (p == end)
				break;
			start = p;
		}
		uint32_t code = utf8_next(&p);
		bool maybe_emoji = code >= 0x2000 || code == 0xa9 || code == 0xae;
		const struct emoji *emoji = maybe_emoji ? emoji_slot(v, code) : NULL;
		if (explain)
			add_origin(s, out->n, (size_t)(start - text.p), (size_t)(p - text.p), false);
		if (emoji && emoji->code) {
			if (!after_blank)
				buf_char(out, ' ');
			buf_str(out, emoji->words);
		} else if (unicode_is_space(code)) {
			buf_char(out, ' ');
		} else if (code == 0x212a) {
			buf_char(out, 'K');
		} else {
			buf_add(out, start, (size_t)(p - start));
		}
		after_blank = false;
	}
	memset(buf_reserve(out, SPLIT_PAD), 0, SPLIT_PAD);
	return buf_view(out);
}

/* --- one text --- */

struct vader_run {
	const struct valence *v;
	struct vader_scratch *s;
	struct str text; /* the original if ASCII, else rewritten */
	bool ascii;
	struct why *why;
	size_t tokens;	 /* seen so far */
	size_t base;	 /* number of the token at window[0] */
	size_t filled;	 /* of the window */
	size_t but;	 /* number of the first "but"; SIZE_MAX: none */
	int apostrophes; /* 1: the text has some, 0: none, -1: not checked yet */
	int mixed_case;	 /* 1: some token is not in capitals, 0: all are, -1: not checked yet */
};

/* Removes punctuation at both ends, unless at most two characters would remain: "no." stays "no." and so is not a
 * word. */
static inline struct word_token strip(const struct span *w, const char *text, bool ascii)
{
	size_t n = w->core_n;
	if (unlikely(!ascii) && n > 2 && n <= 8)
		n = utf8_count((struct str){text + w->core, n});
	return n > 2 ? (struct word_token){w->core, w->core_n, 0} : (struct word_token){w->from, w->n, 0};
}

static struct str text_of(const struct vader_run *r, const struct word_token *t)
{
	return (struct str){r->text.p + t->from, t->n};
}

/* Capitals count only if the text also has tokens not in capitals. Called for a token in capitals, so one token without
 * decides. */
static bool mixed_case(struct vader_run *r)
{
	if (r->mixed_case < 0) {
		r->mixed_case = 0;
		struct split cut = {r->text.p, r->text.n, 0};
		struct span w[SPLIT_BLOCK_WORDS];
		for (size_t n; !r->mixed_case && (n = split_words(&cut, w, COUNT_OF(w)));)
			for (size_t i = 0; i < n && !r->mixed_case; i++) {
				struct word_token t = strip(&w[i], r->text.p, r->ascii);
				r->mixed_case = !token_in_capitals(text_of(r, &t));
			}
	}
	return r->mixed_case;
}

static bool emphatic(struct vader_run *r, const struct word_token *t)
{
	return token_in_capitals(text_of(r, t)) && mixed_case(r);
}

static const struct word *meaning_of(const struct vader_run *r, const struct word_token *t)
{
	return &r->v->words.word[t->word];
}

static bool negates(struct vader_run *r, const struct word_token *t)
{
	if (meaning_of(r, t)->flags & NEGATES)
		return true;
	if (r->apostrophes < 0)
		r->apostrophes = memchr(r->text.p, '\'', r->text.n) != NULL;
	return r->apostrophes && token_has_nt(text_of(r, t));
}

static const struct phrase *find_phrase(
    const struct vader_run *r, const struct phrases *list, const struct word_token *t, unsigned n)
{
	return phrases_find(list, &r->v->words, t, n);
}

/* Maps an offset in the rewritten text to the original. */
static size_t original(const struct vader_run *r, size_t at, bool is_end)
{
	const struct vader_scratch *s = r->s;
	if (r->ascii)
		return at;
	size_t low = 0, high = s->origins, key = is_end && at ? at - 1 : at;
	while (high - low > 1) {
		size_t mid = (low + high) / 2;
		if (s->origin[mid].at <= key)
			low = mid;
		else
			high = mid;
	}
	const struct vader_origin *o = &s->origin[low];
	return o->copied ? o->from + (at - o->at) : is_end ? o->to : o->from;
}

static void explain(const struct vader_run *r, size_t from, size_t to, double value, const char *rule)
{
	if (value != 0)
		why_add(r->why, original(r, from, false), original(r, to, true), value, rule);
}

/* Sets *v to `now`, the result of a rule caused by token `t`. */
static inline void turn(const struct vader_run *r, double *v, double now, const struct word_token *t, const char *rule)
{
	if (unlikely(r->why != NULL))
		explain(r, t->from, t->from + t->n, now - *v, rule);
	*v = now;
}

/* A word of the lexicon and its neighbours t[-3..2], as far as they exist: i tokens before it, `after` after it. */
struct neighbours {
	const struct word_token *t;
	size_t i, after;
};

static bool is(const struct vader_run *r, const struct word_token *t, enum vader_special word)
{
	return t->word == r->v->special[word];
}

/* `no` right before, two before, or three before with `or` or `nor` in between. */
static bool after_no(const struct vader_run *r, const struct neighbours *p)
{
	return (p->i > 0 && is(r, p->t - 1, NO)) || (p->i > 1 && is(r, p->t - 2, NO)) ||
	       (p->i > 2 && is(r, p->t - 3, NO) && (is(r, p->t - 1, OR) || is(r, p->t - 1, NOR)));
}

/* What a booster `back` words before adds; less if further away. */
static double boost(struct vader_run *r, const struct word_token *t, double v, unsigned back)
{
	if (!(meaning_of(r, t)->flags & BOOSTER))
		return 0;
	return valence_boost(meaning_of(r, t)->value, v, emphatic(r, t), back);
}

static bool so_or_this(const struct vader_run *r, const struct word_token *t)
{
	return is(r, t, SO) || is(r, t, THIS);
}

/* Applies negation by the token `back` places before. In the third place, `so` or `this` right before the word raises
 * it whatever is three before: the precedence of `and`/`or` in the package. */
static double negate(struct vader_run *r, const struct neighbours *p, double v, unsigned back)
{
	const struct word_token *t = p->t;
	if (back == 2) {
		if (is(r, t - 2, NEVER) && so_or_this(r, t - 1))
			return v * 1.25;
		if (is(r, t - 2, WITHOUT) && is(r, t - 1, DOUBT))
			return v;
	} else if (back == 3) {
		if ((is(r, t - 3, NEVER) && so_or_this(r, t - 2)) || so_or_this(r, t - 1))
			return v * 1.25;
		if (is(r, t - 3, WITHOUT) && (is(r, t - 2, DOUBT) || is(r, t - 1, DOUBT)))
			return v;
	}
	return negates(r, t - back) ? v * NEGATION : v;
}

static const struct phrase *find_idiom(const void *run, const struct word_token *t, unsigned n)
{
	const struct vader_run *r = run;
	return find_phrase(r, &r->v->idioms, t, n);
}

/* Boosters of several words; their sign does not depend on the word's. */
static double boost_phrases(const struct vader_run *r, const struct neighbours *p, double v)
{
	const struct phrase *hit;
	if ((hit = find_phrase(r, &r->v->boosters, p->t - 3, 3)))
		v = v + hit->value;
	if ((hit = find_phrase(r, &r->v->boosters, p->t - 3, 2)))
		v = v + hit->value;
	if ((hit = find_phrase(r, &r->v->boosters, p->t - 2, 2)))
		v = v + hit->value;
	return v;
}

static bool least_before(const struct vader_run *r, const struct neighbours *p)
{
	const struct word_token *t = p->t;
	return p->i > 0 && is(r, t - 1, LEAST) && !(meaning_of(r, t - 1)->flags & IN_LEXICON) &&
	       !(p->i > 1 && (is(r, t - 2, AT) || is(r, t - 2, VERY)));
}

static double valence(struct vader_run *r, const struct neighbours *p)
{
	const struct word_token *t = p->t;
	const struct word *m = meaning_of(r, t);
	double v = 0;
	turn(r, &v, m->value, t, "lexicon");
	if (is(r, t, NO) && p->after >= 1 && (meaning_of(r, t + 1)->flags & IN_LEXICON))
		turn(r, &v, 0, t, "no");
	if (after_no(r, p))
		turn(r, &v, m->value * NEGATION, t, "no");
	if (emphatic(r, t))
		turn(r, &v, valence_in_capitals(v, v), t, "capitals");
	for (unsigned back = 1; back <= 3 && back <= p->i; back++) {
		if (meaning_of(r, t - back)->flags & IN_LEXICON)
			continue;
		turn(r, &v, v + boost(r, t - back, v, back), t - back, "booster");
		turn(r, &v, negate(r, p, v, back), t - back, "negation");
		if (back == 3) {
			turn(r, &v, valence_idioms(r, find_idiom, t, p->after, v), t, "idiom");
			turn(r, &v, boost_phrases(r, p, v), t - 1, "booster");
		}
	}
	if (least_before(r, p))
		turn(r, &v, v * NEGATION, t - 1, "least");
	return v;
}

/* Judges one token of the window, whose neighbours are loaded. */
static inline void judge(struct vader_run *r, size_t k)
{
	const struct word_token *t = &r->s->window[k];
	if ((meaning_of(r, t)->flags & (IN_LEXICON | BOOSTER)) != IN_LEXICON)
		return;
	struct neighbours p = {t, r->base + k, r->filled - k - 1};
	if (is(r, t, KIND) && p.after >= 1 && is(r, t + 1, OF))
		return;
	double v = valence(r, &p);
	if (v != 0)
		but_add(&r->s->values, p.i, v, t->from, t->from + t->n);
}

/* Fills the window and looks up its tokens, each without a branch that depends on it, so that the processor can overlap
 * them. Adds the dictionary words to s->known. */
static void fill(struct vader_run *r, struct split *cut, size_t *known)
{
	struct vader_scratch *s = r->s;
	size_t n = split_words(cut, s->span, WINDOW - r->filled), maybe = *known;
	struct word_token *window = s->window + r->filled;
	for (size_t i = 0; i < n; i++) {
		struct word_token t = strip(&s->span[i], r->text.p, r->ascii);
		window[i] = t;
		s->known[maybe] = (uint16_t)(r->filled + i);
		maybe += words_maybe(&r->v->words, r->text.p + t.from, t.n);
	}
	r->filled += n;
	r->tokens += n;
	for (size_t i = *known; i < maybe; i++) {
		struct word_token *t = &s->window[s->known[i]];
		t->word = words_find(&r->v->words, r->text.p + t->from, t->n);
		s->known[*known] = s->known[i];
		*known += t->word != 0;
	}
}

/* A user's lexicon may have non-ASCII words, which the lookup above does not fold. */
static void fill_folded(struct vader_run *r, size_t from, size_t *known)
{
	*known = 0;
	for (size_t k = from; k < r->filled; k++) {
		struct word_token *t = &r->s->window[k];
		if (!utf8_is_ascii(text_of(r, t)))
			t->word = words_find_folded(&r->v->words, text_of(r, t), &r->s->folded);
		r->s->known[*known] = (uint16_t)k;
		*known += t->word != 0;
	}
}

/* Fills windows and judges them. The last AHEAD tokens wait for their neighbours; BEHIND tokens before them are
 * kept. */
static void judge_all(struct vader_run *r)
{
	struct split cut = {r->text.p, r->text.n, 0};
	struct vader_scratch *s = r->s;
	uint32_t but = r->v->special[BUT];
	size_t from = 0; /* index in the window of the first new token */
	for (;;) {
		size_t known = 0;
		/* The waiting tokens are judged together with the new ones. */
		size_t first = from < AHEAD ? 0 : from - AHEAD;
		for (size_t k = first; k < from; k++) {
			s->known[known] = (uint16_t)k;
			known += s->window[k].word != 0;
		}
		fill(r, &cut, &known);
		if (unlikely(r->v->layer.beyond_ascii) && !r->ascii)
			fill_folded(r, first, &known);
		bool more = cut.at < cut.n;
		size_t ready = more ? r->filled - AHEAD : r->filled;
		for (size_t i = 0; i < known; i++) {
			size_t k = s->known[i];
			if (unlikely(s->window[k].word == but) && r->but == SIZE_MAX)
				r->but = r->base + k;
			if (k < ready)
				judge(r, k);
		}
		if (!more)
			return;
		from = BEHIND + AHEAD;
		memmove(s->window, s->window + r->filled - from, from * sizeof *s->window);
		r->base += r->filled - from;
		r->filled = from;
	}
}

static void explain_emphasis(const struct vader_run *r, double value)
{
	size_t from, to;
	valence_emphasis_at(r->text, &from, &to);
	explain(r, from, to, value, "punctuation");
}

static void explain_but(const struct vader_run *r, const struct but_values *before)
{
	for (size_t i = 0; i < before->n; i++) {
		const struct but_value *was = &before->value[i], *now = &r->s->values.value[i];
		explain(r, was->from, was->to, now->v - was->v, "but");
	}
}

static void apply_but(struct vader_run *r)
{
	struct but_values *values = &r->s->values;
	if (r->but == SIZE_MAX || values->n == 0)
		return;
	struct but_values before = {0};
	if (r->why)
		but_copy(&before, values);
	but_shift(values, r->but);
	if (r->why)
		explain_but(r, &before);
	but_free(&before);
}

static void finish(struct vader_run *r, struct result *out)
{
	const struct but_values *values = &r->s->values;
	double emphasis = values->n ? valence_emphasis(r->text) : 0;
	double raw = valence_result(values, r->tokens, emphasis, out);
	if (r->why && raw != 0)
		explain_emphasis(r, raw > 0 ? emphasis : -emphasis);
	if (r->why)
		r->why->raw = raw;
}

static void vader_score(
    const struct model *m, struct scratch *scratch, struct str text, struct result *out, struct why *why)
{
	struct vader_scratch *s = (struct vader_scratch *)scratch;
	const struct vader *v = (const struct vader *)m;
	bool ascii = utf8_is_ascii(text);
	struct vader_run r = {.v = &v->base,
	    .s = s,
	    .text = ascii ? text : rewrite(v, s, text, why != NULL),
	    .ascii = ascii,
	    .why = why,
	    .but = SIZE_MAX,
	    .apostrophes = -1,
	    .mixed_case = -1};
	*out = (struct result){.has_shares = true, .score_digits = 4, .share_digits = 3};
	s->values.n = 0;
	judge_all(&r);
	apply_but(&r);
	finish(&r, out);
	out->label = engine_label(m, out->score, -0.05, 0.05);
}

const struct engine vader_engine = {
    .name = "vader",
    .about = "VADER 3.3.2, equal to the Python package (default)",
    .load = vader_load,
    .free = valence_free,
    .scratch_size = sizeof(struct vader_scratch),
    .scratch_free = vader_scratch_free,
    .score = vader_score,
};
