/* guess.c - Damerau's distance between words: slips of one letter, and swaps of two neighbours. */
#include "lib/base/guess.h"

enum { MOST_LETTERS = 32 };

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Keeps three rows of the usual table: d[i % 3][j] is the distance between the first i letters of a and the first j of
 * b. */
static size_t distance(struct str a, struct str b)
{
	size_t d[3][MOST_LETTERS + 1];
	for (size_t j = 0; j <= b.n; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= a.n; i++) {
		size_t *row = d[i % 3], *above = d[(i + 2) % 3], *two_above = d[(i + 1) % 3];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (a.p[i - 1] != b.p[j - 1]));
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return d[a.n % 3][b.n];
}

void guess_try(struct guess *g, const char *name)
{
	struct str word = str_of(g->word), known = str_of(name);
	if (word.n > MOST_LETTERS || known.n > MOST_LETTERS)
		return;
	size_t slips = distance(word, known), allowed = (known.n + 2) / 3;
	if (slips > allowed || slips >= word.n || (g->best && slips >= g->distance))
		return;
	g->best = name;
	g->distance = slips;
}

const char *guess_hint(struct guess *g, const char *prefix)
{
	g->hint[0] = 0;
	if (g->best)
		snprintf(g->hint, sizeof g->hint, "; did you mean '%s%s'?", prefix, g->best);
	return g->hint;
}
