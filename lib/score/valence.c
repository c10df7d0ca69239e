/* valence.c - what VADER and NLTK's variant of it share. */
#include "lib/score/valence.h"

#include <math.h>

#include "lib/json/write.h"

EMBED(vader_words, "lexicons/vader/words.tsv")
EMBED(vader_sum, "lexicons/vader.sum")

struct str valence_words(void)
{
	return vader_words();
}

/* --- tables --- */

static void add_value(struct words *w, struct str key, unsigned flags, double value)
{
	struct word *word = &w->word[words_add(w, key)];
	word->flags |= (uint16_t)flags;
	word->value = value;
}

/* Adds a phrase of two or three words; its words join the dictionary. */
static void add_phrase(struct words *w, struct phrases *list, struct str key, double value)
{
	struct phrase p = {.value = value};
	for (const char *at = key.p, *end = key.p + key.n; at < end && p.n < 3; at++) {
		const char *blank = memchr(at, ' ', (size_t)(end - at));
		const char *stop = blank ? blank : end;
		uint32_t number = words_add(w, (struct str){at, (size_t)(stop - at)});
		w->word[number].flags |= IN_PHRASE;
		p.word[p.n++] = number;
		at = stop;
	}
	list->p = xreallocarray(list->p, list->n + 1, sizeof *list->p);
	list->p[list->n++] = p;
}

/* Tokens are looked up in lower case, so upstream's keys with capitals (":D", "O.o", ":-Þ") never match. Its other
 * keys are ASCII. */
static bool reachable(struct str key)
{
	for (size_t i = 0; i < key.n; i++)
		if ((key.p[i] & 0x80) || (unsigned)(key.p[i] - 'A') < 26)
			return false;
	return true;
}

/* Phrases go into `list` unless it is NULL; words get `flags` unless 0. The packages' tables also hold one-word idioms,
 * but their rules look only for two and three words. */
static int load_values(struct words *w, struct phrases *list, struct named_table table, unsigned flags, struct err *e)
{
	struct tsv t = tsv_open(table.name, table.text);
	struct str key;
	double value;
	int rc;
	while ((rc = tsv_next_number(&t, &key, &value, e)) > 0) {
		if (list && memchr(key.p, ' ', key.n))
			add_phrase(w, list, key, value);
		else if (flags && reachable(key))
			add_value(w, key, flags, value);
	}
	return rc;
}

static int load_negations(struct words *w, struct named_table table, struct err *e)
{
	struct tsv t = tsv_open(table.name, table.text);
	struct str key, none;
	int rc;
	while ((rc = tsv_next(&t, &key, &none, e)) > 0)
		w->word[words_add(w, key)].flags |= NEGATES;
	return rc;
}

/* An upper bound: one word per line, up to three per phrase. */
static size_t count_words(const struct valence *v, const struct valence_tables *t)
{
	return count_lines(vader_words()) + count_lines(t->negations.text) + t->specials +
	       3 * (count_lines(t->boosters.text) + count_lines(t->idioms.text)) +
	       count_lines(buf_view(&v->layer.text));
}

static int load(struct valence *v, const struct valence_tables *t, struct err *e)
{
	const struct named_table vader = {"vader/words.tsv", vader_words()};
	const char *own = v->model.conf.lexicon;
	struct words *w = &v->words;
	if (layer_read(&v->layer, own, e) < 0)
		return -1;
	words_init(w, count_words(v, t));
	if (load_values(w, NULL, vader, IN_LEXICON, e) < 0 ||
	    load_values(w, &v->boosters, t->boosters, BOOSTER, e) < 0 ||
	    load_values(w, &v->idioms, t->idioms, 0, e) < 0 || load_negations(w, t->negations, e) < 0 ||
	    (own && layer_apply(&v->layer, own, w, HUGE_VAL, e) < 0))
		return -1;
	valence_name(w, t->special, t->specials, v->special);
	model_set_name(
	    &v->model, t->engine, (struct str[]){vader_sum(), t->sum}, 2, own ? buf_view(&v->layer.text) : STR_NONE);
	return 0;
}

struct valence *valence_load(size_t size, const struct model_conf *conf, const struct valence_tables *t, struct err *e)
{
	struct valence *v = xcalloc(1, size);
	v->model.conf = *conf;
	if (load(v, t, e) < 0) {
		valence_free(&v->model);
		return NULL;
	}
	return v;
}

void valence_free(struct model *m)
{
	struct valence *v = (struct valence *)m;
	words_free(&v->words);
	free(v->idioms.p);
	free(v->boosters.p);
	layer_free(&v->layer);
	free(v);
}

void valence_name(struct words *w, const char *const *word, size_t n, uint32_t *number)
{
	for (size_t i = 0; i < n; i++) {
		char padded[16 + WORDS_PAD] = {0};
		snprintf(padded, 16, "%s", word[i]);
		number[i] = words_add(w, str_of(padded));
	}
}

const struct phrase *phrases_search(const struct phrases *list, const struct word_token *t, unsigned n)
{
	for (const struct phrase *p = list->p; p < list->p + list->n; p++) {
		bool same = p->n == n;
		for (unsigned i = 0; same && i < n; i++)
			same = p->word[i] == t[i].word;
		if (same)
			return p;
	}
	return NULL;
}

/* --- results --- */

static unsigned count_up_to(struct str text, char c, unsigned most)
{
	unsigned n = 0;
	const char *end = text.p + text.n;
	for (const char *p = text.p; n < most && p < end && (p = memchr(p, c, (size_t)(end - p))); p++)
		n++;
	return n;
}

double valence_emphasis(struct str text)
{
	unsigned exclamations = count_up_to(text, '!', 4), questions = count_up_to(text, '?', 4);
	double q = questions <= 1 ? 0 : questions <= 3 ? questions * 0.18 : 0.96;
	return exclamations * 0.292 + q;
}

void valence_emphasis_at(struct str text, size_t *from, size_t *to)
{
	const char *p = text.p, *end = p + text.n;
	while (p < end && *p != '!' && *p != '?')
		p++;
	while (end > p && end[-1] != '!' && end[-1] != '?')
		end--;
	*from = (size_t)(p - text.p);
	*to = (size_t)(end - text.p);
}

static double clamp(double v)
{
	return v < -1 ? -1 : v > 1 ? 1 : v;
}

double valence_result(const struct but_values *values, size_t tokens, double emphasis, struct result *out)
{
	double sum = 0, pos = 0, neg = 0;
	size_t neutral = tokens - values->n;
	for (size_t i = 0; i < values->n; i++) {
		double v = values->value[i].v;
		sum += v;
		if (v > 0)
			pos += v + 1; /* compensates for neutral words, which count as 1 */
		else if (v < 0)
			neg += v - 1;
		else
			neutral++;
	}
	if (tokens == 0)
		return 0;
	sum = sum > 0 ? sum + emphasis : sum < 0 ? sum - emphasis : sum;
	if (pos > fabs(neg))
		pos += emphasis;
	else if (pos < fabs(neg))
		neg -= emphasis;
	double total = pos + fabs(neg) + (double)neutral;
	out->score = json_round(clamp(sum / sqrt(sum * sum + 15)), 4);
	out->neg = fabs(neg / total);
	out->neu = fabs((double)neutral / total);
	out->pos = fabs(pos / total);
	return sum;
}
