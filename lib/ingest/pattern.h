/* pattern.h - lines into named groups, by PCRE2 with a bound on the work that one line can cause. */
#ifndef SENTI_PATTERN_H
#define SENTI_PATTERN_H

#include "lib/base/err.h"

struct pattern;

/* A match must begin within so many bytes of the line; and trying at one place must take at most so many steps. */
#define PATTERN_START_MAX 4096
#define PATTERN_STEPS_MAX 100000

/* New, or NULL and *e (ERR_USAGE: no regular expression, no named group). */
struct pattern *pattern_new(const char *expression, struct err *e);
/* The named groups in their order; lent. */
size_t pattern_names(const struct pattern *p, const struct str **name);
/* True on a match, and group[] holds slices of the line (which must be UTF-8), p NULL where a group took no part. Else *why says what kept it
 * from matching: constant. */
bool pattern_match(struct pattern *p, struct str line, struct str *group, const char **why);
void pattern_free(struct pattern *p);

#endif
