/* guess.h - "did you mean": the known name that is nearest to a word that is not known.
 *
 *     struct guess g = {.word = word};
 *     for (...) guess_try(&g, name[i]);
 *     err_set(e, ERR_USAGE, "unknown model '%s'%s", word, guess_hint(&g, ""));
 */
#ifndef SENTI_GUESS_H
#define SENTI_GUESS_H

#include "lib/base/base.h"

struct guess {
	const char *word;
	const char *best; /* lent: the nearest name so far, or NULL if none is near */
	size_t distance;
	char hint[96];
};

/* Compares one name. Near is at most one slip (a letter too many, missing, wrong, or two swapped) in three letters. */
void guess_try(struct guess *g, const char *name);
/* "; did you mean 'PREFIXname'?", or "" if no name was near. Lives as long as *g. */
const char *guess_hint(struct guess *g, const char *prefix);

#endif
