/* valence.h - what VADER and NLTK's variant of it have in common: their tables, the look of a token, and how valences
 * become a result.
 *
 * The two differ in how tokens are cut and in which rules apply where; each has its file. Words of the dictionary have
 * the flags below and a value that is their valence or their boost: a word that is both serves as neither.
 */
#ifndef SENTI_VALENCE_H
#define SENTI_VALENCE_H

#include "lib/score/but.h"
#include "lib/score/engine.h"
#include "lib/score/lexical.h"
#include "lib/text/unicode.h"
#include "lib/base/utf8.h"

static const double CAPS = 0.733, NEGATION = -0.74;

enum {
	IN_LEXICON = WORD_KNOWN,
	BOOSTER = 2,
	NEGATES = 4,
	IN_PHRASE = 8, /* part of an idiom or of a booster of several words */
};

/* --- tables --- */

struct phrase {
	uint32_t word[3];
	unsigned n;
	double value;
};

struct phrases {
	struct phrase *p;
	size_t n;
};

struct word_token {
	uint32_t from, n;
	uint32_t word; /* its number in the dictionary, or 0 */
};

enum { VALENCE_SPECIALS = 14 };

/* What both engines hold: the first member of their models. */
struct valence {
	struct model model;
	struct words words;
	uint32_t special[VALENCE_SPECIALS]; /* the numbers of the words that the engine's rules name */
	struct phrases idioms, boosters;
	struct layer layer; /* the user's lexicon */
};

struct named_table {
	const char *name;
	struct str text;
};

/* What an engine has beside the word list, which is the same for both. */
struct valence_tables {
	const char *engine; /* and its version, for the model's name */
	struct named_table boosters, negations, idioms;
	struct str sum; /* of lexicons besides VADER's, for the model's name; absent if there are none */
	const char *const *special;
	size_t specials; /* how many words its rules name, at most VALENCE_SPECIALS */
};

/* lexicons/vader/words.tsv */
struct str valence_words(void);
/* A new model of `size` bytes that begins with struct valence, with all tables and the user's lexicon, and its name;
 * NULL and *e on failure. */
struct valence *valence_load(size_t size, const struct model_conf *conf, const struct valence_tables *t, struct err *e);
void valence_free(struct model *m);
/* The numbers of words that rules name. */
void valence_name(struct words *w, const char *const *word, size_t n, uint32_t *number);

/* The phrase that n tokens are, or NULL. Nearly always one of them is in none: that is seen at once. */
const struct phrase *phrases_search(const struct phrases *list, const struct word_token *t, unsigned n);

static inline const struct phrase *phrases_find(
    const struct phrases *list, const struct words *w, const struct word_token *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!(w->word[t[i].word].flags & IN_PHRASE))
			return NULL;
	return phrases_search(list, t, n);
}

/* The idioms around token t, of which `after` follow, give it their value, else it keeps v. Only asked with three
 * tokens before it. `find` finds the phrase of n tokens. */
typedef const struct phrase *phrase_finder(const void *run, const struct word_token *t, unsigned n);

static inline double valence_idioms(
    const void *run, phrase_finder *find, const struct word_token *t, size_t after, double v)
{
	static const struct {
		int from;
		unsigned n;
	} look[] = {{-1, 2}, {-2, 3}, {-2, 2}, {-3, 3}, {-3, 2}};
	const struct phrase *hit = NULL;
	for (size_t k = 0; k < COUNT_OF(look) && !hit; k++)
		hit = find(run, t + look[k].from, look[k].n);
	if (hit)
		v = hit->value;
	for (unsigned n = 2; n <= 3 && n <= after + 1; n++)
		if ((hit = find(run, t, n)))
			v = hit->value;
	return v;
}

/* --- tokens --- */

/* str.isupper(): something with case in it, and none of it lower or title case. */
static inline bool token_in_capitals(struct str token)
{
	bool cased = false;
	for (const char *p = token.p, *end = token.p + token.n; p < end;) {
		if ((unsigned)(*p - 'a') < 26)
			return false;
		enum unicode_case c = unicode_case_of(utf8_next(&p));
		if (c == CASE_LOWER || c == CASE_TITLE)
			return false;
		cased |= c == CASE_UPPER;
	}
	return cased;
}

/* Contractions negate whether or not the list has them. */
static inline bool token_has_nt(struct str token)
{
	for (size_t i = 1; i + 1 < token.n; i++)
		if (token.p[i] == '\'' && (token.p[i - 1] | 0x20) == 'n' && (token.p[i + 1] | 0x20) == 't')
			return true;
	return false;
}

/* A word in capitals moves away from zero; 0 goes down. */
static inline double valence_in_capitals(double v, double by)
{
	return v > 0 ? by + CAPS : by - CAPS;
}

/* What a booster `back` words before one of valence v adds to it: the less the further away. */
static inline double valence_boost(double boost, double v, bool emphatic, unsigned back)
{
	double s = v < 0 ? boost * -1 : boost;
	if (emphatic)
		s = valence_in_capitals(v, s);
	return back == 2 ? s * 0.95 : back == 3 ? s * 0.9 : s;
}

/* --- results --- */

/* What "!" and "?" add: "!" counts up to four, "?" from two on. */
double valence_emphasis(struct str text);
/* Where the first and the last of them stand. */
void valence_emphasis_at(struct str text, size_t *from, size_t *to);
/* Score and shares from the valences that are not 0, out of `tokens`, and the emphasis of the text. Returns what the
 * score is made of: the sum, with the emphasis in its direction. */
double valence_result(const struct but_values *values, size_t tokens, double emphasis, struct result *out);

#endif
