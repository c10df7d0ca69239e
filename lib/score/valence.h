/* valence.h - what VADER and NLTK's variant of it share: tables, tests of tokens, and how valences become a result.
 *
 * The two differ in how they cut tokens and where rules apply; each has its own file. Words of the dictionary have the
 * flags below and a value, which is their valence or their boost. A word that is both acts as neither.
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

/* The common part of both engines' models; their first member. */
struct valence {
	struct model model;
	struct words words;
	uint32_t special[VALENCE_SPECIALS]; /* numbers of the words that the engine's rules use */
	struct phrases idioms, boosters;
	struct layer layer; /* the user's lexicon */
};

struct named_table {
	const char *name;
	struct str text;
};

/* An engine's tables. The word list is the same for both. */
struct valence_tables {
	const char *engine; /* name and version, for the model's name */
	struct named_table boosters, negations, idioms;
	struct str sum; /* checksum of lexicons other than VADER's, for the model's name; may be absent */
	const char *const *special;
	size_t specials; /* how many words its rules use, at most VALENCE_SPECIALS */
};

/* lexicons/vader/words.tsv */
struct str valence_words(void);
/* New model of `size` bytes (a struct that begins with struct valence), with its name, all tables and the user's
 * lexicon; NULL and *e on failure. */
struct valence *valence_load(size_t size, const struct model_conf *conf, const struct valence_tables *t, struct err *e);
void valence_free(struct model *m);
/* Looks up the numbers of the words that rules use. */
void valence_name(struct words *w, const char *const *word, size_t n, uint32_t *number);

/* Finds the phrase that n tokens form, or NULL. Usually one of them is in no phrase, which is checked first. */
const struct phrase *phrases_search(const struct phrases *list, const struct word_token *t, unsigned n);

static inline const struct phrase *phrases_find(
    const struct phrases *list, const struct words *w, const struct word_token *t, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!(w->word[t[i].word].flags & IN_PHRASE))
			return NULL;
	return phrases_search(list, t, n);
}

/* The value of token t: that of the idioms around it, if any, else v. `after` tokens follow it. Requires three tokens
 * before it. `find` finds the phrase of n tokens. */
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

/* str.isupper(): has a cased character, and none in lower or title case. */
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

/* Contractions negate even if the list does not have them. */
static inline bool token_has_nt(struct str token)
{
	for (size_t i = 1; i + 1 < token.n; i++)
		if (token.p[i] == '\'' && (token.p[i - 1] | 0x20) == 'n' && (token.p[i + 1] | 0x20) == 't')
			return true;
	return false;
}

/* Adds CAPS to `by` in the direction of v (downwards if v is 0). */
static inline double valence_in_capitals(double v, double by)
{
	return v > 0 ? by + CAPS : by - CAPS;
}

/* What a booster `back` words before a word of valence v adds; less if further away. */
static inline double valence_boost(double boost, double v, bool emphatic, unsigned back)
{
	double s = v < 0 ? boost * -1 : boost;
	if (emphatic)
		s = valence_in_capitals(v, s);
	return back == 2 ? s * 0.95 : back == 3 ? s * 0.9 : s;
}

/* --- results --- */

/* What "!" and "?" add: "!" counts up to four times, "?" from the second. */
double valence_emphasis(struct str text);
/* The positions of the first and the last of them. */
void valence_emphasis_at(struct str text, size_t *from, size_t *to);
/* Computes score and shares from the nonzero valences, the number of tokens, and the text's emphasis. Returns the raw
 * score: the sum, with the emphasis in its direction. */
double valence_result(const struct but_values *values, size_t tokens, double emphasis, struct result *out);

#endif
