/* groups.h - lines into named groups, by PCRE2 with a bound on the work that one line can cause. */
#ifndef SENTI_GROUPS_H
#define SENTI_GROUPS_H

#include "lib/base/err.h"

struct groups;

/* A match must begin within so many bytes of the line; and trying at one place must take at most so many steps. */
#define GROUPS_START_MAX 4096
#define GROUPS_STEPS_MAX 100000

/* New, or NULL and *e (ERR_USAGE: no regular expression, no named group). */
struct groups *groups_new(const char *expression, struct err *e);
/* The named groups in their order; lent. */
size_t groups_names(const struct groups *p, const struct str **name);
/* True on a match, and group[] holds slices of the line (which must be UTF-8), p NULL where a group took no part. Else
 * *why says what kept it from matching: constant. */
bool groups_match(struct groups *p, struct str line, struct str *group, const char **why);
void groups_free(struct groups *p);

#endif
