/* produce.h - records that a tool makes itself, of its operands or its figures. Each program makes one such source,
 * whose lines live as long as the program. */
#ifndef SENTI_PRODUCE_H
#define SENTI_PRODUCE_H

#include "cmd/tool.h"

/* New; the lines are lent. */
struct source *produce_lines(const char *const *line, size_t n);
/* New, of one line, which is taken. */
struct source *produce_line(struct buf *line);
/* New: {"id":...} for each operand or, with `per` 2, {"id":...,"label":...} for each pair. NULL with *e. */
struct source *produce_records(const struct tool *t, size_t per, struct err *e);
/* 0 if the operand (or other word, number i of its kind) is UTF-8; else -1 with *e. */
MUST_USE int operand_check(const char *word, size_t i, struct err *e);

struct figure {
	const char *name;
	uint64_t n;
	const char *text; /* instead of n, unless NULL */
};

/* New: one line, an object of the figures. At a terminal it prints them as a table instead, and the source is empty. */
struct source *produce_figures(const struct tool *t, const struct figure *f, size_t n);

#endif
