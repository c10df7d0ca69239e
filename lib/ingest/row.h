/* row.h - makes rows of physical lines, with libcsv. Does no I/O: feed lines, take rows.
 *
 * A row that ends in its own line is read as most tools read it: a quote inside a field is a character ('5" disk'). A
 * row that spans lines must be quoted as in RFC 4180, or one stray quote would swallow the file. If it is not, or if
 * its quote is not closed within `max` bytes or before the end, only its first line is broken, and the following lines
 * are read anew.
 *
 * TSV has quotes from spreadsheets and texts with stray ones. A line is read with quotes if they are well-formed and
 * the number of fields is right, else literally if that number is right, else as the start of a row that spans lines.
 *
 * Work is linear in the input. Lines after a broken one are read at most once more: a line in the middle of a quoted
 * row has an even number of quotes, and a line that opens such a row has an odd one.
 */
#ifndef SENTI_ROW_H
#define SENTI_ROW_H

#include "lib/base/buf.h"

struct rows;

enum row_got { ROW_NONE, ROW_READY, ROW_BROKEN };

/* Lent until the next call. */
struct row {
	const struct str *cell;
	size_t n;	 /* 0 if broken */
	struct str raw;	 /* includes its line end */
	uint64_t line;	 /* the line on which it starts */
	unsigned sub;	 /* 0, 1, ... among the rows that lone "\r" make of one line */
	const char *why; /* why it is broken; constant */
};

/* The C of a line "sep=C", which Excel writes before the header; else 0. */
char row_separator(struct str line);

struct rows *rows_new(char delimiter, bool tsv);
/* From the next row on. */
void rows_delimit(struct rows *r, char delimiter);
/* Copies one line, including its end. number: its line number in the file. */
void rows_feed(struct rows *r, struct str line, uint64_t number);
/* No line continues those taken so far. */
void rows_cut(struct rows *r);
/* Returns the next row; ROW_NONE: needs more lines. `expect`: how many fields a row should have; 0: not known yet. */
enum row_got rows_next(struct rows *r, size_t expect, size_t max, struct row *row);
/* The number of the first line that is not in a row yet; 0: none. */
uint64_t rows_held(const struct rows *r);
void rows_free(struct rows *r);

#endif
