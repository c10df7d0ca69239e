/* plus.c - our own rules over VADER's words and ours, for what VADER gets wrong (senti-models(7) lists it).
 *
 * One pass cuts the text into tokens and looks each up in one dictionary (words.h), as vader.c does. A text with more
 * than plain words is first rewritten (plus_rewrite.h). Then each entry of the lexicon, a word or a phrase, is judged
 * by the tokens before it, back to the end of the previous clause:
 *
 *     window   [ done | up to REACH tokens before | entry | AHEAD | filling ... ]
 *
 * Values are kept in order, so that "but" and the end of a question change the earlier ones, each once.
 */
#include <math.h>

#include "lib/base/utf8.h"
#include "lib/json/write.h"
#include "lib/score/plus_rewrite.h"
#include "lib/score/valence.h"
#include "lib/text/hash.h"
#include "lib/text/split.h"

EMBED(vader_boosters, "lexicons/vader/boosters.tsv")
EMBED(vader_negations, "lexicons/vader/negations.tsv")
EMBED(plus_derived, "lexicons/plus/derived.tsv")
EMBED(plus_words, "lexicons/plus/words.tsv")
EMBED(plus_languages, "lexicons/plus/languages.tsv")
EMBED(plus_emoji, "lexicons/plus/emoji.tsv")
EMBED(plus_phrases, "lexicons/plus/phrases.tsv")
EMBED(plus_boosters, "lexicons/plus/boosters.tsv")
EMBED(plus_negations, "lexicons/plus/negations.tsv")
EMBED(plus_sum, "lexicons/plus.sum")
EMBED(vader_sum, "lexicons/vader.sum")

/* Tuned on texts other than those that the model is compared on. */
static const double NEGATED_GOOD = -0.6, NEGATED_BAD = -0.2; /* factors of negation */
static const double BOOST = 0.35;
static const double BUT_BEFORE = 0.5, BUT_AFTER = 1.1;
static const double ASKED = 0.7;		    /* factor of a question */
static const double AGAIN = 0.3;		    /* factor of an emoji that repeats the one before */
static const double WEAK = 0.5;			    /* sums well below this are weakened */
static const double ALPHA = 15;			    /* as in VADER: the larger, the slower the score approaches 1 */
enum { BOOST_REACH = 3, REACH = 4, FAR_REACH = 7 }; /* in tokens; the last for "don't think", "wouldn't say" */

/* Flags of words, besides WORD_KNOWN and NEGATES. */
enum { RAISES = 2, LOWERS = 8, ANCHORS = 16, OPINION = 32, TURNS = 64, EMOJI = 128 };

/* The words that rules use. */
enum plus_special { NO, NEVER, SO, THIS, BUT, SPECIALS };
static const char *const special_words[SPECIALS] = {"no", "never", "so", "this", "but"};
static const char *const opinions[] = {"think", "say", "believe", "call", "feel", "expect", "find", "see", "consider",
    "guess", "suppose", "recommend", "imagine", "describe"};

/* The limit of a user's values: squares of sums stay finite. */
static const double LARGEST = 1e6;

enum { PHRASE_WORDS = 5, PART_BYTES = sizeof(struct word_bits) };

struct part {
	struct word_bits bits;
	size_t n;
};

/* A phrase is searched for at its anchor: its first word with a meaning of its own, else its longest word. So the words
 * before the anchor, which were judged earlier, added nothing to the result, and common words ("the", "of") cost
 * nothing. */
struct idiom {
	struct part part[PHRASE_WORDS];
	unsigned n, anchor;
	uint32_t at;	  /* the anchor's number in the dictionary */
	uint32_t meaning; /* the whole phrase's number */
	uint32_t next;	  /* next phrase with this anchor, not longer; 0: none */
};

struct plus {
	struct model model;
	struct words words;
	uint32_t special[SPECIALS];
	struct idiom *idiom; /* indices start at 1 */
	size_t idioms;
	uint32_t *first; /* by an anchor's number: the longest phrase */
	struct layer layer;
};

struct tok {
	uint32_t from, n;
	uint32_t word; /* its number in the dictionary, or 0 */
	uint32_t stop; /* enum stop_word of its last character */
};

/* What the last character of a token ends. */
enum stop_word { GOES_ON, CLAUSE, SENTENCE, QUESTION };
static const uint8_t stops[256] = {[','] = CLAUSE,
    [';'] = CLAUSE,
    [':'] = CLAUSE,
    [')'] = CLAUSE,
    ['.'] = SENTENCE,
    ['!'] = SENTENCE,
    ['?'] = QUESTION};

enum { WINDOW = 256, AHEAD = PHRASE_WORDS - 1 };

struct plus_scratch {
	struct span span[WINDOW];
	struct tok window[WINDOW];
	uint16_t known[WINDOW]; /* those that matter to any rule */
	struct rewriting rewriting;
	struct but_values values;
	struct buf folded;
};

/* --- loading --- */

static struct word *add_word(struct plus *p, struct str key)
{
	return &p->words.word[words_add(&p->words, key)];
}

static void add_entry(struct plus *p, struct str key, unsigned flags, double value)
{
	struct word *w = add_word(p, key);
	w->flags |= (uint16_t)flags;
	if (flags & WORD_KNOWN)
		w->value = value;
}

/* A phrase is a dictionary word with blanks, and a list of its words for finding it. */
static int add_phrase(struct plus *p, const struct tsv *t, struct str key, struct err *e)
{
	struct idiom new = {.meaning = words_add(&p->words, key)};
	for (const char *at = key.p, *end = key.p + key.n; at < end; at++) {
		const char *blank = memchr(at, ' ', (size_t)(end - at));
		const char *stop = blank ? blank : end;
		size_t n = (size_t)(stop - at);
		if (new.n == PHRASE_WORDS || n > PART_BYTES)
			return tsv_fail(
			    t, e, "a phrase has at most %d words of at most %d bytes", PHRASE_WORDS, PART_BYTES);
		new.part[new.n++] = (struct part){word_load(at, n), n};
		at = stop;
	}
	p->idiom = xreallocarray(p->idiom, p->idioms + 2, sizeof *p->idiom);
	p->idiom[++p->idioms] = new;
	return 0;
}

static int load(struct plus *p, const char *name, struct str text, unsigned flags, struct err *e)
{
	struct tsv t = tsv_open(name, text);
	struct str key;
	double value;
	int rc;
	while ((rc = tsv_next_number(&t, &key, &value, e)) > 0) {
		unsigned f = flags ? flags : value < 0 ? LOWERS : RAISES;
		add_entry(p, key, f, value);
		if (memchr(key.p, ' ', key.n) && add_phrase(p, &t, key, e) < 0)
			return -1;
	}
	return rc;
}

static int load_negations(struct plus *p, const char *name, struct str text, struct err *e)
{
	struct tsv t = tsv_open(name, text);
	struct str key, none;
	int rc;
	while ((rc = tsv_next(&t, &key, &none, e)) > 0) {
		add_entry(p, key, NEGATES, 0);
		if (memchr(key.p, ' ', key.n) && add_phrase(p, &t, key, e) < 0)
			return -1;
	}
	return rc;
}

/* VADER's words, folded, so that ":D" is found. If this makes two entries equal, the value further from 0 wins. */
static int load_vader(struct plus *p, struct err *e)
{
	struct tsv t = tsv_open("vader/words.tsv", valence_words());
	struct str key;
	double value;
	int rc;
	while ((rc = tsv_next_number(&t, &key, &value, e)) > 0) {
		struct word *w = add_word(p, key);
		if (!(w->flags & WORD_KNOWN) || fabs(value) > fabs(w->value))
			w->value = value;
		w->flags |= WORD_KNOWN;
	}
	return rc;
}

static int load_tables(struct plus *p, struct err *e)
{
	bool failed = load_vader(p, e) < 0 || load(p, "vader/boosters.tsv", vader_boosters(), 0, e) < 0 ||
		      load_negations(p, "vader/negations.tsv", vader_negations(), e) < 0 ||
		      load(p, "plus/derived.tsv", plus_derived(), WORD_KNOWN, e) < 0 ||
		      load(p, "plus/words.tsv", plus_words(), WORD_KNOWN, e) < 0 ||
		      load(p, "plus/languages.tsv", plus_languages(), WORD_KNOWN, e) < 0 ||
		      load(p, "plus/emoji.tsv", plus_emoji(), WORD_KNOWN | EMOJI, e) < 0 ||
		      load(p, "plus/phrases.tsv", plus_phrases(), WORD_KNOWN, e) < 0 ||
		      load(p, "plus/boosters.tsv", plus_boosters(), 0, e) < 0 ||
		      load_negations(p, "plus/negations.tsv", plus_negations(), e) < 0;
	return failed ? -1 : 0;
}

static void anchor(struct plus *p, struct idiom *i)
{
	char key[PART_BYTES + WORDS_PAD] = {0};
	size_t longest = 0;
	for (unsigned k = 0; k < i->n; k++) {
		const struct part *part = &i->part[k];
		memcpy(key, &part->bits, PART_BYTES);
		bool meant = p->words.word[words_find(&p->words, key, part->n)].flags & ~(unsigned)ANCHORS;
		if (meant || part->n > longest) {
			i->anchor = k;
			longest = part->n;
		}
		if (meant)
			break;
	}
	memcpy(key, &i->part[i->anchor].bits, PART_BYTES);
	i->at = words_add(&p->words, (struct str){key, i->part[i->anchor].n});
	p->words.word[i->at].flags |= ANCHORS;
}

static void index_phrases(struct plus *p)
{
	for (uint32_t i = 1; i <= p->idioms; i++)
		anchor(p, &p->idiom[i]);
	p->first = xcalloc(p->words.mask + 2, sizeof *p->first);
	for (unsigned n = 1; n <= PHRASE_WORDS; n++)
		for (uint32_t i = 1; i <= p->idioms; i++)
			if (p->idiom[i].n == n) {
				p->idiom[i].next = p->first[p->idiom[i].at];
				p->first[p->idiom[i].at] = i;
			}
}

/* All tables, for the name and the size. */
enum { TABLES = 11 };

static void tables(const struct plus *p, struct str out[TABLES])
{
	const struct str all[TABLES] = {valence_words(), vader_boosters(), vader_negations(), plus_derived(),
	    plus_words(), plus_languages(), plus_emoji(), plus_phrases(), plus_boosters(), plus_negations(),
	    p->model.conf.lexicon ? buf_view(&p->layer.text) : STR_NONE};
	memcpy(out, all, sizeof all);
}

/* An upper bound: the lines, the words that rules use, and the anchors of phrases. */
static size_t count_words(const struct str *table)
{
	size_t n = SPECIALS + COUNT_OF(opinions);
	for (size_t i = 0; i < TABLES; i++)
		n += count_lines(table[i]);
	return n + count_lines(plus_phrases());
}

static void name_words(struct plus *p)
{
	valence_name(&p->words, special_words, SPECIALS, p->special);
	uint32_t number[COUNT_OF(opinions)];
	valence_name(&p->words, opinions, COUNT_OF(opinions), number);
	for (size_t i = 0; i < COUNT_OF(opinions); i++)
		p->words.word[number[i]].flags |= OPINION;
	p->words.word[p->special[BUT]].flags |= TURNS;
}

static void plus_free(struct model *m)
{
	struct plus *p = (struct plus *)m;
	words_free(&p->words);
	free(p->idiom);
	free(p->first);
	layer_free(&p->layer);
	free(p);
}

static struct model *plus_load(const struct model_conf *conf, struct err *e)
{
	struct plus *p = xcalloc(1, sizeof *p);
	p->model.conf = *conf;
	if (layer_read(&p->layer, conf->lexicon, e) < 0) {
		free(p);
		return NULL;
	}
	struct str table[TABLES];
	tables(p, table);
	words_init(&p->words, count_words(table));
	if (load_tables(p, e) < 0 ||
	    (conf->lexicon && layer_apply(&p->layer, conf->lexicon, &p->words, LARGEST, e) < 0)) {
		plus_free(&p->model);
		return NULL;
	}
	name_words(p);
	index_phrases(p);
	model_set_name(&p->model, "plus-1", (struct str[]){vader_sum(), plus_sum()}, 2, table[TABLES - 1]);
	char hash[HASH_HEX];
	hash_list_xxh3(table, TABLES, hash);
	snprintf(p->model.former_name, sizeof p->model.former_name, "plus-1@%.8s", hash);
	return &p->model;
}

static void plus_scratch_free(struct scratch *scratch)
{
	struct plus_scratch *s = (struct plus_scratch *)scratch;
	rewriting_free(&s->rewriting);
	buf_free(&s->folded);
	but_free(&s->values);
	free(s);
}

/* --- one text --- */

struct plus_run {
	const struct plus *p;
	struct plus_scratch *s;
	struct str text; /* the original if plain, else rewritten */
	bool plain, ascii;
	struct why *why;
	size_t tokens;	 /* seen so far */
	size_t base;	 /* number of the token at window[0] */
	size_t filled;	 /* of the window */
	size_t next;	 /* number of the first token that is not part of a found phrase */
	size_t sentence; /* the first value of the sentence */
	bool behind_but; /* a "but" came before in this sentence */
	int mixed_case;	 /* 1: some token is not in capitals, 0: all are, -1: not checked yet */
};

/* Removes punctuation at both ends. A mention is not a word. */
static inline struct tok strip(const struct span *w, const char *text)
{
	uint32_t stop = stops[(unsigned char)text[w->from + w->n - 1]];
	if (text[w->from] == '@')
		return (struct tok){w->from, 0, 0, stop};
	return w->core_n ? (struct tok){w->core, w->core_n, 0, stop} : (struct tok){w->from, w->n, 0, stop};
}

static struct str text_of(const struct plus_run *r, const struct tok *t)
{
	return (struct str){r->text.p + t->from, t->n};
}

/* Capitals count only if the text also has words not in capitals. */
static bool mixed_case(struct plus_run *r)
{
	if (r->mixed_case < 0) {
		r->mixed_case = 0;
		for (const char *p = r->text.p, *end = p + r->text.n; p < end && !r->mixed_case; p++)
			r->mixed_case = (unsigned)(*p - 'a') < 26;
	}
	return r->mixed_case;
}

static bool emphatic(struct plus_run *r, const struct tok *t)
{
	return t->n > 1 && is_letter(r->text.p[t->from]) && token_in_capitals(text_of(r, t)) && mixed_case(r);
}

static const struct word *meaning_of(const struct plus_run *r, const struct tok *t)
{
	return &r->p->words.word[t->word];
}

static bool is(const struct plus_run *r, const struct tok *t, enum plus_special word)
{
	return t->word == r->p->special[word];
}

static void explain(const struct plus_run *r, size_t from, size_t to, double value, const char *rule)
{
	if (value == 0)
		return;
	if (!r->plain) {
		const struct draft_origin *o = (const struct draft_origin *)(const void *)r->s->rewriting.out.origin.p;
		to = to > from ? o[to - 1].to : o[from].from;
		from = o[from].from;
	}
	why_add(r->why, from, to, value, rule);
}

/* Sets *v to `now`, the result of a rule caused by token `t`. */
static inline void turn(const struct plus_run *r, double *v, double now, const struct tok *t, const char *rule)
{
	if (unlikely(r->why != NULL))
		explain(r, t->from, t->from + t->n, now - *v, rule);
	*v = now;
}

static double negated(double v)
{
	return v > 0 ? v * NEGATED_GOOD : v * NEGATED_BAD;
}

/* Whether the token `back` places before the entry negates it: nearby, or with an opinion in between ("don't think that
 * this is good"). */
static bool negates(const struct plus_run *r, const struct tok *t, unsigned back)
{
	if (!(meaning_of(r, t)->flags & NEGATES))
		return false;
	return back <= REACH || meaning_of(r, t + 1)->flags & OPINION;
}

/* Applies the tokens before an entry to its value. */
static double look_back(struct plus_run *r, const struct tok *t, size_t before, double v)
{
	bool flip = false;
	const struct tok *by = t;
	for (unsigned back = 1; back <= FAR_REACH && back <= before; back++) {
		const struct tok *b = t - back;
		if (b->stop || meaning_of(r, b)->flags & TURNS)
			break;
		unsigned flags = meaning_of(r, b)->flags;
		if (flags & (RAISES | LOWERS) && back <= BOOST_REACH) {
			double by_much = valence_boost(flags & RAISES ? BOOST : -BOOST, v, emphatic(r, b), back);
			turn(r, &v, v + by_much, b, "booster");
		}
		if (is(r, b, NEVER) && back > 1 && (is(r, b + 1, SO) || is(r, b + 1, THIS))) {
			turn(r, &v, v * 1.25, b, "never so");
		} else if (negates(r, b, back)) {
			flip = !flip;
			by = b;
		}
	}
	if (flip)
		turn(r, &v, negated(v), by, "negation");
	return v;
}

/* "no" before an entry negates it; alone it is a refusal. */
static bool no_is_negation(const struct plus_run *r, const struct tok *t, size_t after)
{
	for (size_t i = 0; i < after && i < AHEAD && !t[i].stop; i++)
		if (meaning_of(r, t + i + 1)->flags & WORD_KNOWN)
			return true;
	return false;
}

/* The value of an emoji; a repeated one adds little. */
static double emoji(const struct plus_run *r, const struct tok *t, size_t before)
{
	double v = 0;
	turn(r, &v, meaning_of(r, t)->value, t, "emoji");
	if (before >= 1 && t[-1].word == t->word)
		turn(r, &v, before >= 2 && t[-2].word == t->word ? 0 : v * AGAIN, t, "emoji");
	return v;
}

static bool is_part(const struct plus_run *r, const struct tok *t, const struct part *p)
{
	if (t->n != p->n)
		return false;
	struct word_bits b = word_load(r->text.p + t->from, t->n);
	return b.k[0] == p->bits.k[0] && b.k[1] == p->bits.k[1];
}

/* Finds the longest phrase around the anchor t, or NULL. Phrases do not cross punctuation. */
static const struct idiom *find_phrase(const struct plus_run *r, const struct tok *t, size_t before, size_t after)
{
	for (uint32_t i = r->p->first[t->word]; i; i = r->p->idiom[i].next) {
		const struct idiom *p = &r->p->idiom[i];
		if (p->anchor > before || p->n - p->anchor > after + 1)
			continue;
		const struct tok *start = t - p->anchor;
		unsigned k = 0;
		while (k < p->n && (k == p->anchor || is_part(r, start + k, &p->part[k])) &&
		       (k + 1 == p->n || !start[k].stop))
			k++;
		if (k == p->n)
			return p;
	}
	return NULL;
}

/* Merges the tokens of a phrase into the last; the others become empty. */
static struct tok *join(const struct idiom *p, struct tok *t)
{
	struct tok *last = t + p->n - 1;
	last->n += last->from - t->from;
	last->from = t->from;
	last->word = p->meaning;
	for (; t < last; t++)
		t->word = 0;
	return last;
}

static void add_value(struct plus_run *r, const struct tok *t, double v)
{
	if (r->behind_but)
		turn(r, &v, v * BUT_AFTER, t, "but");
	if (v != 0)
		but_add(&r->s->values, 0, v, t->from, t->from + t->n);
}

static void scale(struct plus_run *r, size_t from, double by, const char *rule)
{
	for (size_t i = from; i < r->s->values.n; i++) {
		struct but_value *v = &r->s->values.value[i];
		if (r->why)
			explain(r, v->from, v->to, v->v * by - v->v, rule);
		v->v *= by;
	}
}

static void end_sentence(struct plus_run *r, bool question)
{
	if (question)
		scale(r, r->sentence, ASKED, "question");
	r->sentence = r->s->values.n;
	r->behind_but = false;
}

/* Halves what was said before the first "but" of a sentence, each value once. */
static void turn_at_but(struct plus_run *r)
{
	if (r->behind_but)
		return;
	scale(r, r->sentence, BUT_BEFORE, "but");
	r->behind_but = true;
}

static void judge_entry(struct plus_run *r, struct tok *t, size_t before, size_t after)
{
	unsigned flags = meaning_of(r, t)->flags;
	bool intensifies =
	    flags & (RAISES | LOWERS) && after >= 1 && !t->stop && meaning_of(r, t + 1)->flags & WORD_KNOWN;
	if (!(flags & WORD_KNOWN) || intensifies || (is(r, t, NO) && no_is_negation(r, t, after)))
		return;
	if (flags & EMOJI) {
		add_value(r, t, emoji(r, t, before));
		return;
	}
	double v = 0;
	turn(r, &v, meaning_of(r, t)->value, t, "lexicon");
	if (v != 0 && emphatic(r, t))
		turn(r, &v, valence_in_capitals(v, v), t, "capitals");
	if (v != 0)
		v = look_back(r, t, before, v);
	add_value(r, t, v);
}

/* Judges one token of the window, whose neighbours are loaded. */
static inline void judge(struct plus_run *r, size_t k)
{
	struct tok *t = &r->s->window[k];
	if (r->base + k >= r->next) {
		size_t after = r->filled - k - 1;
		if (meaning_of(r, t)->flags & ANCHORS) {
			size_t free = r->base + k - r->next;
			const struct idiom *p = find_phrase(r, t, free < k ? free : k, after);
			if (p) {
				t = join(p, t - p->anchor);
				after = r->filled - (size_t)(t - r->s->window) - 1;
				r->next = r->base + r->filled - after;
			}
		}
		if (meaning_of(r, t)->flags & TURNS)
			turn_at_but(r);
		judge_entry(r, t, (size_t)(t - r->s->window), after);
	}
	if (r->s->window[k].stop >= SENTENCE)
		end_sentence(r, r->s->window[k].stop == QUESTION);
}

/* An emoticon of punctuation and up to two letters or digits (":D", "<3", "8)") is one token. */
static struct tok emoticon_or(const struct plus_run *r, const struct span *w, struct tok t)
{
	if (!words_find(&r->p->words, r->text.p + w->from, w->n))
		return t;
	return (struct tok){w->from, w->n, 0, GOES_ON};
}

/* Fills the window and looks its tokens up, in two rounds, so that the processor can overlap the first. */
static void fill(struct plus_run *r, struct split *cut, size_t *known)
{
	struct plus_scratch *s = r->s;
	const struct words *words = &r->p->words;
	size_t n = split_words(cut, s->span, WINDOW - r->filled), maybe = *known;
	struct tok *window = s->window + r->filled;
	for (size_t i = 0; i < n; i++) {
		const struct span *w = &s->span[i];
		struct tok t = strip(w, r->text.p);
		if (unlikely(w->core_n <= 2 && w->core_n != w->n && words_maybe(words, r->text.p + w->from, w->n)))
			t = emoticon_or(r, w, t);
		t.word = words_maybe(words, r->text.p + t.from, t.n) | !r->ascii;
		window[i] = t;
		s->known[maybe] = (uint16_t)(r->filled + i);
		maybe += t.word | (t.stop >= SENTENCE);
	}
	r->filled += n;
	r->tokens += n;
	for (size_t i = *known; i < maybe; i++) {
		struct tok *t = &s->window[s->known[i]];
		if (t->word)
			t->word = words_find(words, r->text.p + t->from, t->n);
		if (!t->word && !r->ascii && !utf8_is_ascii(text_of(r, t)))
			t->word = words_find_folded(words, text_of(r, t), &s->folded);
		s->known[*known] = s->known[i];
		*known += t->word != 0 || t->stop >= SENTENCE;
	}
}

/* Fills windows and judges them. The last AHEAD tokens wait for their neighbours; FAR_REACH tokens before them are
 * kept. */
static void judge_all(struct plus_run *r)
{
	struct split cut = {r->text.p, r->text.n, 0};
	struct plus_scratch *s = r->s;
	size_t from = 0; /* index in the window of the first new token */
	for (;;) {
		size_t known = 0;
		size_t first = from < AHEAD ? 0 : from - AHEAD;
		for (size_t k = first; k < from; k++) {
			s->known[known] = (uint16_t)k;
			known += s->window[k].word != 0 || s->window[k].stop >= SENTENCE;
		}
		fill(r, &cut, &known);
		bool more = cut.at < cut.n;
		size_t ready = more ? r->filled - AHEAD : r->filled;
		for (size_t i = 0; i < known && s->known[i] < ready; i++)
			judge(r, s->known[i]);
		if (!more)
			return;
		from = FAR_REACH + AHEAD;
		memmove(s->window, s->window + r->filled - from, from * sizeof *s->window);
		r->base += r->filled - from;
		r->filled = from;
	}
}

/* Weakens a weak sum, so that a text with one faint word is neutral; keeps its sign. */
static double strengthen(double sum)
{
	return sum * (sum * sum / (sum * sum + WEAK * WEAK));
}

static void finish(struct plus_run *r, struct result *out)
{
	const struct but_values *values = &r->s->values;
	double emphasis = values->n ? valence_emphasis(r->text) : 0;
	double sum = valence_result(values, r->tokens, emphasis, out), raw = strengthen(sum);
	out->score = json_round(raw / sqrt(raw * raw + ALPHA), 4);
	if (!r->why)
		return;
	size_t from, to;
	valence_emphasis_at(r->text, &from, &to);
	if (sum != 0 && emphasis > 0)
		explain(r, from, to, sum > 0 ? emphasis : -emphasis, "punctuation");
	explain(r, 0, r->text.n, raw - sum, "weak");
	r->why->raw = raw;
}

static void plus_score(
    const struct model *m, struct scratch *scratch, struct str text, struct result *out, struct why *why)
{
	struct plus_scratch *s = (struct plus_scratch *)scratch;
	const struct plus *p = (const struct plus *)m;
	size_t odd = next_odd(text, 0);
	bool plain = odd == text.n;
	struct plus_run r = {.p = p,
	    .s = s,
	    .text = plain ? text : rewrite(&s->rewriting, &p->words, text, odd, why != NULL),
	    .plain = plain,
	    .why = why,
	    .mixed_case = -1};
	r.ascii = plain || utf8_is_ascii(r.text);
	*out = (struct result){.has_shares = true, .score_digits = 4, .share_digits = 3};
	s->values.n = 0;
	judge_all(&r);
	finish(&r, out);
	out->label = engine_label(m, out->score, -0.05, 0.05);
}

const struct engine plus_engine = {
    .name = "plus",
    .about = "VADER's words and ours, with better rules",
    .load = plus_load,
    .free = plus_free,
    .scratch_size = sizeof(struct plus_scratch),
    .scratch_free = plus_scratch_free,
    .score = plus_score,
};
