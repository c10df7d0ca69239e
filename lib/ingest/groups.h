/* groups.h - splits lines into named groups by PCRE2, with bounded work per line. */
#ifndef SENTI_GROUPS_H
#define SENTI_GROUPS_H

#include "lib/base/err.h"

struct groups;

/* A match must begin within the first GROUPS_START_MAX bytes of the line; an attempt at one place takes at most
 * GROUPS_STEPS_MAX steps. */
#define GROUPS_START_MAX 4096
#define GROUPS_STEPS_MAX 100000

/* New, or NULL and *e (ERR_USAGE: not a regular expression, or without a named group). */
struct groups *groups_new(const char *expression, struct err *e);
/* The same, where "." matches line ends too: for records of several lines. */
struct groups *groups_new_lines(const char *expression, struct err *e);
/* The same of an expression that needs no groups, for groups_found alone. */
struct groups *groups_finder(const char *expression, struct err *e);
/* The named groups, in order; lent. */
size_t groups_names(const struct groups *p, const struct str **name);
/* True on a match: group[] holds slices of the line (which must be UTF-8), p NULL for a group that did not take part.
 * Else *why says why it did not match: constant. */
bool groups_match(struct groups *p, struct str line, struct str *group, const char **why);
/* True on a match within the same bounds. The line need not be UTF-8; nothing matches the bytes that are not. */
bool groups_found(struct groups *p, struct str line);
void groups_free(struct groups *p);

#endif
