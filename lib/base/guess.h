/* guess.h - "did you mean": finds the known name nearest to an unknown word.
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
	const char *best; /* lent: the nearest name so far, or NULL */
	size_t distance;
	char hint[96];
};

/* Considers one name. It is near with at most one slip (an extra, missing, wrong or swapped letter) per three
 * letters. */
void guess_try(struct guess *g, const char *name);
/* Returns "; did you mean 'PREFIXname'?", or "" if no name was near. Lives as long as *g. */
const char *guess_hint(struct guess *g, const char *prefix);

#endif
