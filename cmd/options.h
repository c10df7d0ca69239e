/* options.h - what an option is, and how its value is read. */
#ifndef SENTI_OPTIONS_H
#define SENTI_OPTIONS_H

#include "lib/base/err.h"

struct opt_def {
	int letter; /* a character, or OPT_OWN + i for an option with a long name only */
	const char *name;
	const char *arg;  /* its argument's name; NULL: takes none */
	const char *help; /* one sentence fragment; "\n" starts a further line */
};

#define OPT_OWN 1000

/* Parses a whole number from min to max for option `name`: 0, or -1 with *e. */
MUST_USE int opt_number(const char *value, const char *name, uint64_t min, uint64_t max, uint64_t *out, struct err *e);
/* The same with a suffix K, M or G (powers of 1024). */
MUST_USE int opt_size(const char *value, const char *name, uint64_t min, uint64_t max, uint64_t *out, struct err *e);
/* A duration such as 90s, 30m, 12h or 7d, of at least so many of its unit: *ms milliseconds. */
MUST_USE int opt_duration(const char *value, const char *name, uint64_t min, int64_t *ms, struct err *e);
/* -1, with "--name takes wanted, not 'value'" in *e. */
int opt_bad_value(const char *name, const char *value, const char *wanted, struct err *e);

#endif
