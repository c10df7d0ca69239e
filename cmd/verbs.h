/* verbs.h - tools with verbs, such as senti-store get: the table of verbs, and its reader.
 *
 *     static const struct verb verbs[] = {
 *         {"put", "[OPTION...] [FILE...]", OPERANDS_FILES, put},
 *         {"stats", "[OPTION...]", OPERANDS_NONE, stats},
 *         {0},
 *     };
 *
 * `only` of the tool's options says which verbs take them: bit N is entry N of the table.
 */
#ifndef SENTI_VERBS_H
#define SENTI_VERBS_H

#include "cmd/options.h"

struct tool;

/* The operands of a tool or verb. */
enum operands { OPERANDS_FILES, OPERANDS_IDS, OPERANDS_COMMAND, OPERANDS_NONE };

struct verb {
	const char *name;
	const char *usage; /* the synopsis after the name; neighbours with equal ones share a line */
	enum operands operands;
	/* The rest of main: returns the exit status. */
	int (*run)(struct tool *t, void *options);
};

/* Takes the verb off the operands: its entry, or NULL with *e. With `optional` the first entry is the default. */
const struct verb *verbs_take(
    const struct verb *table, bool optional, const char *const **operand, size_t *n, struct err *e);
/* Checks that each given option whose target is in *base belongs to the verb: 0, or -1 with *e. */
MUST_USE int verbs_check(
    const struct verb *table, const struct verb *v, const struct option_list *l, const void *base, struct err *e);
/* Checks that the operands, and the source of -i (NULL: not given), suit `name`: 0, or -1 with *e. */
MUST_USE int operands_check(
    const char *name, enum operands takes, const char *from, const char *const *operand, size_t n, struct err *e);
/* Prints the synopsis. */
void verbs_usage(const struct verb *table, bool optional, const char *tool);

#endif
