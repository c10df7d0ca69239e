/* verbs.c - finds the verb of a call, and checks its options and operands. */
#include "cmd/verbs.h"

#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/guess.h"
#include "lib/base/redact.h"

/* "get, put or key": the verbs whose bits are set. New. */
static char *names(const struct verb *table, unsigned bits, const char *last)
{
	struct buf b = {0};
	for (size_t i = 0; table[i].name; i++)
		if (bits >> i & 1) {
			bool first = b.n == 0, more = table[i + 1].name && bits >> (i + 1);
			buf_printf(&b, "%s%s", first ? "" : more ? ", " : last, table[i].name);
		}
	buf_char(&b, 0);
	return b.p;
}

/* Refuses a missing (word NULL) or unknown verb. With `files` the word may have been meant as a file. */
static void refuse(const struct verb *table, const char *word, bool files, struct guess *g, struct err *e)
{
	char *all = names(table, ~0u, " or ");
	if (!word)
		err_set(e, ERR_USAGE, "a verb is missing: %s", all);
	else if (g->best)
		err_set(e, ERR_USAGE, "'%s' is not a verb%s%s", word, files ? " or a file" : "", guess_hint(g, ""));
	else
		err_set(e, ERR_USAGE, "'%s' is not a verb; a verb is %s", word, all);
	free(all);
}

const struct verb *verbs_take(
    const struct verb *table, bool optional, const char *const **operand, size_t *n, struct err *e)
{
	struct guess g = {.word = *n ? **operand : ""};
	for (const struct verb *v = table; *n && v->name; v++) {
		guess_try(&g, v->name);
		if (strcmp(g.word, v->name) != 0)
			continue;
		++*operand;
		--*n;
		return v;
	}
	if (optional && (!g.best || access(g.word, F_OK) == 0))
		return table;
	refuse(table, *n ? g.word : NULL, optional, &g, e);
	return NULL;
}

int verbs_check(
    const struct verb *table, const struct verb *v, const struct option_list *l, const void *base, struct err *e)
{
	for (const struct option_entry *o = l->entry; o < l->entry + l->n; o++) {
		unsigned only = o->base == base ? o->def->only : 0;
		if (!o->given || !only || only >> (v - table) & 1)
			continue;
		char *owners = names(table, only, " and ");
		err_set(e, ERR_USAGE, "--%s belongs to %s, not to %s", o->def->name, owners, v->name);
		free(owners);
		return -1;
	}
	return 0;
}

int operands_check(
    const char *name, enum operands takes, const char *from, const char *const *operand, size_t n, struct err *e)
{
	if (takes == OPERANDS_NONE && n)
		return err_set(
		    e, ERR_USAGE, "unexpected operand '%s': %s takes no operands", REDACTED(operand[0]), name);
	if (takes == OPERANDS_NONE && from)
		return err_set(e, ERR_USAGE, "-i %s does not go with %s", REDACTED(from), name);
	if (takes != OPERANDS_COMMAND && from && n)
		return err_set(e, ERR_USAGE, "-i %s and operands exclude each other", REDACTED(from));
	return 0;
}

void verbs_usage(const struct verb *table, bool optional, const char *tool)
{
	for (const struct verb *v = table; v->name; v++) {
		printf("%s%s %s%s%s", v == table ? "usage: " : "       ", tool, optional && v == table ? "[" : "",
		    v->name, optional && v == table ? "]" : "");
		for (; v[1].name && strcmp(v[1].usage, v->usage) == 0; v++)
			printf("|%s", v[1].name);
		printf(" %s\n", v->usage);
	}
}
