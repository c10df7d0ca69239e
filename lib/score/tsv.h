/* tsv.h - the lexicon file format (senti-lexicon(5)): lines of key TAB value, sorted or not, "# " comments.
 *
 *     struct tsv t = tsv_open("my.tsv", text);
 *     while ((rc = tsv_next(&t, &key, &value, e)) > 0) ...
 */
#ifndef SENTI_TSV_H
#define SENTI_TSV_H

#include "lib/base/embed.h"
#include "lib/base/err.h"

/* Numbers lie between -TSV_MOST and TSV_MOST. */
#define TSV_MOST 1000000000

struct tsv {
	const char *name; /* for messages */
	struct str rest;
	size_t lineno;
};

struct tsv tsv_open(const char *name, struct str text);
/* Returns 1 and the next row (value.p is NULL if the row has one column), 0 at the end, or -1 with "NAME:LINE: ..." in
 * *e. The slices point into the text. */
int tsv_next(struct tsv *t, struct str *key, struct str *value, struct err *e);
/* The same, for values that must be numbers. */
int tsv_next_number(struct tsv *t, struct str *key, double *value, struct err *e);
/* Parses numbers separated by tabs, as tsv_next leaves them in `value`. Returns how many (at most `most`) precede the
 * end or the first column that is not a number. */
size_t tsv_numbers(struct str columns, double *v, size_t most);
/* Fills *e with "NAME:LINE: ..." for the last row; returns -1. */
int tsv_fail(const struct tsv *t, struct err *e, const char *fmt, ...) PRINTF_LIKE(3, 4);

#endif
