/* logs.h - the kinds of log that have a name. */
#ifndef SENTI_LOGS_H
#define SENTI_LOGS_H

#include "lib/base/base.h"

struct logs_preset {
	const char *name;
	const char *expression;
	const char *const *text; /* the group that is the text: see struct defaults */
};

/* combined, common, syslog; NULL if there is none of that name. */
const struct logs_preset *logs_preset(const char *name);
/* The preset that fits a line; NULL if none does. */
const struct logs_preset *logs_guess(struct str line);

#endif
