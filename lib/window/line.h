/* line.h - what a window reads and writes: scored records in, lines of windows out and, to be merged, in again. */
#ifndef SENTI_LINE_H
#define SENTI_LINE_H

#include "lib/flow/record.h"
#include "lib/window/windows.h"

struct line_conf {
	const struct str *by; /* the members that make the key */
	size_t nby;
	struct rec_form form; /* result_name: the member that holds the result */
	bool local;	      /* times in the process' zone, else in UTC */
	const struct aggregate_conf *aggregate;
};

/* What a record says. All is lent until the next read, by the record's batch or by the reader. */
struct record_reading {
	struct str key; /* {"source":"x"}, in the order of `by`; {} without */
	int64_t time;
	struct observation observation;
};

/* What a line of a window says; the aggregate is to be freed. */
struct window_reading {
	struct str key;
	int64_t start, end;
	struct aggregate aggregate;
};

/* Scratch of one reader. Zeroed at first. */
struct line_reader {
	struct json_scan scan, nested, item;
	struct buf key;
	struct contribution *word;
	size_t words;
};

/* Both reject the record and return -1, with a code of record.h. */
MUST_USE int line_read(
    struct line_reader *l, const struct line_conf *c, struct batch *b, struct rec *r, struct record_reading *out);
MUST_USE int line_read_window(
    struct line_reader *l, const struct line_conf *c, struct batch *b, struct rec *r, struct window_reading *out);
/* Appends the line of a window; `alert` (NULL: none) is what it says of one. */
void line_put(const struct closed_window *w, const struct line_conf *c, const char *alert, struct buf *out);
/* Appends a time as such lines have it. */
void line_put_time(const struct line_conf *c, int64_t ms, struct buf *out);
void line_reader_free(struct line_reader *l);

#endif
