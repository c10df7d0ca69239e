/* row.h - rows out of physical lines, by libcsv. It does no I/O: feed lines, take rows.
 *
 * A row that ends in its own line is read as most tools read it: a quote inside a field is a character ('5" disk'). A
 * row that goes on over line ends must be quoted as RFC 4180 says, else one stray quote would swallow the file: where
 * it is not, or where its quote is not closed within `max` bytes or before the end, its first line alone is broken and
 * the lines after it are read afresh.
 *
 * TSV has quotes from spreadsheets and texts with stray ones. A line is read with quotes if they are right in it and
 * the number of fields is too, else literally if that number is right, else as the start of a row over several
 * lines.
 *
 * Work is linear in the input: lines after a broken one are read at most once more, since a line that a quoted row
 * goes on over has an even number of quotes, and one that opens such a row an odd one.
 */
#ifndef SENTI_ROW_H
#define SENTI_ROW_H

#include "lib/base/buf.h"

struct rows;

enum row_got { ROW_NONE, ROW_READY, ROW_BROKEN };

/* Lent until the next call. */
struct row {
	const struct str *cell;
	size_t n;	 /* 0 when broken */
	struct str raw;	 /* with its line end */
	uint64_t line;	 /* on which it starts */
	unsigned sub;	 /* 0, 1, ... of the rows that lone "\r" make of one line */
	const char *why; /* of a broken one; constant */
};

struct rows *rows_new(char delimiter, bool tsv);
/* Takes a copy of one line, its end included. Number: of the line in its file. */
void rows_feed(struct rows *r, struct str line, uint64_t number);
/* No line follows the ones taken so far. */
void rows_cut(struct rows *r);
/* The next row; ROW_NONE: it needs more lines. `expect`: how many fields a row should have, 0 when that is not known
 * yet. */
enum row_got rows_next(struct rows *r, size_t expect, size_t max, struct row *row);
/* True while lines have been taken of which no row was made. */
bool rows_pending(const struct rows *r);
void rows_free(struct rows *r);

#endif
