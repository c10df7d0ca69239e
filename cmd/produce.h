/* produce.h - records that a tool makes itself instead of reading them: of its operands, or of figures that it has to
 * show. Each program makes one such source, whose lines live as long as it does. */
#ifndef SENTI_PRODUCE_H
#define SENTI_PRODUCE_H

#include "cmd/tool.h"

/* New: these lines, which are lent. */
struct source *produce_lines(const char *const *line, size_t n);
/* New: this one line, which is taken. */
struct source *produce_line(struct buf *line);
/* New: {"id":...} of each operand or, with `per` 2, {"id":...,"label":...} of each two. NULL with *e. */
struct source *produce_records(const struct tool *t, size_t per, struct err *e);
/* 0 if the operand (or other word, number i of its kind) is UTF-8, as every id and text is; else -1 with *e. */
MUST_USE int operand_check(const char *word, size_t i, struct err *e);

struct figure {
	const char *name;
	uint64_t n;
	const char *text; /* instead of n, where not NULL */
};

/* New: one line, an object of the figures. For people at a terminal they are printed as a table at once, and no line is
 * left. */
struct source *produce_figures(const struct tool *t, const struct figure *f, size_t n);

#endif
