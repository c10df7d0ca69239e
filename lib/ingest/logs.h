/* logs.h - the named log formats. */
#ifndef SENTI_LOGS_H
#define SENTI_LOGS_H

#include "lib/base/base.h"

struct logs_preset {
	const char *name;
	const char *expression;
	const char *const *text; /* the group that is the text: see struct defaults */
};

/* The preset that matches a line, or NULL. */
const struct logs_preset *logs_guess(struct str line);

#endif
