/* tsv.h - the lexicon file format (senti-lexicon(5)): lines of key TAB value, sorted or not, "# " comments.
 *
 *     struct tsv t = tsv_open("my.tsv", text);
 *     while ((rc = tsv_next(&t, &key, &value, e)) > 0) ...
 */
#ifndef SENTI_TSV_H
#define SENTI_TSV_H

#include "lib/base/embed.h"
#include "lib/base/err.h"

/* A number is at most so large, and at least its negative. */
#define TSV_MOST 1000000000

struct tsv {
	const char *name; /* for messages */
	struct str rest;
	size_t lineno;
};

struct tsv tsv_open(const char *name, struct str text);
/* 1 and the next row (value.p is NULL in a row of one column), 0 at the end, -1 with "NAME:LINE: ..." in *e. Slices of
 * the text. */
int tsv_next(struct tsv *t, struct str *key, struct str *value, struct err *e);
/* The same, where the value must be a number of up to TSV_MOST. */
int tsv_next_number(struct tsv *t, struct str *key, double *value, struct err *e);
/* Several numbers with tabs between them, as tsv_next leaves them in `value`: how many of at most `most` were read
 * before the end or a column that is not such a number. */
size_t tsv_numbers(struct str columns, double *v, size_t most);
/* Fills *e with "NAME:LINE: ..." for the row last given; returns -1. */
int tsv_fail(const struct tsv *t, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
