/* groups.c - PCRE2 in UTF mode, compiled to machine code where possible. */
#include "lib/ingest/groups.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

struct groups {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
	struct str *name;
	uint32_t *number;
	size_t n;
};

enum { STACK_MIN = 32 << 10, STACK_MAX = 4 << 20, HEAP_KIB = 16 << 10 };

static pcre2_code *compile(const char *expression, uint32_t options, const char *what, struct err *e)
{
	int error;
	PCRE2_SIZE at;
	PCRE2_UCHAR message[200];
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)expression, PCRE2_ZERO_TERMINATED,
	    options | PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_USE_OFFSET_LIMIT, &error, &at, NULL);
	if (code)
		return code;
	pcre2_get_error_message(error, message, sizeof message);
	err_set(e, ERR_USAGE, "%s: %s at character %zu of '%.200s'", what, (const char *)message, (size_t)at + 1,
	    expression);
	return NULL;
}

static int by_number(const void *a, const void *b)
{
	const PCRE2_SPTR x = *(const PCRE2_SPTR *)a, y = *(const PCRE2_SPTR *)b;
	int n = (x[0] << 8 | x[1]) - (y[0] << 8 | y[1]);
	return n;
}

/* PCRE2's table is sorted by name; records list groups in the order of the expression. */
static int read_names(struct groups *p, struct err *e)
{
	uint32_t count, size;
	PCRE2_SPTR table;
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMECOUNT, &count);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMEENTRYSIZE, &size);
	pcre2_pattern_info(p->code, PCRE2_INFO_NAMETABLE, &table);
	if (!count)
		return err_set(e, ERR_USAGE, "the pattern has no named group; name at least the text: (?<text>...)");
	PCRE2_SPTR *entry = xcalloc(count, sizeof *entry);
	for (uint32_t i = 0; i < count; i++)
		entry[i] = table + (size_t)i * size;
	sort(entry, count, sizeof *entry, by_number);
	p->name = xcalloc(count, sizeof *p->name);
	p->number = xcalloc(count, sizeof *p->number);
	p->n = count;
	for (uint32_t i = 0; i < count; i++) {
		p->name[i] = str_of((const char *)entry[i] + 2);
		p->number[i] = (uint32_t)(entry[i][0] << 8 | entry[i][1]);
	}
	free(entry);
	return 0;
}

static void prepare(struct groups *p)
{
	p->match = pcre2_match_data_create_from_pattern(p->code, NULL);
	p->context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(p->context, GROUPS_STEPS_MAX);
	pcre2_set_heap_limit(p->context, HEAP_KIB);
	pcre2_set_offset_limit(p->context, GROUPS_START_MAX);
	/* Without machine code (SELinux, an unusual machine), the interpreter does the same. */
	if (pcre2_jit_compile(p->code, PCRE2_JIT_COMPLETE) == 0) {
		p->stack = pcre2_jit_stack_create(STACK_MIN, STACK_MAX, NULL);
		pcre2_jit_stack_assign(p->context, NULL, p->stack);
	}
}

static struct groups *new_named(const char *expression, uint32_t options, struct err *e)
{
	struct groups *p = xcalloc(1, sizeof *p);
	p->code = compile(expression, options, "the pattern is neither a preset nor a regular expression", e);
	if (!p->code || read_names(p, e) < 0) {
		groups_free(p);
		return NULL;
	}
	prepare(p);
	return p;
}

struct groups *groups_new(const char *expression, struct err *e)
{
	return new_named(expression, 0, e);
}

struct groups *groups_new_lines(const char *expression, struct err *e)
{
	return new_named(expression, PCRE2_DOTALL, e);
}

struct groups *groups_finder(const char *expression, struct err *e)
{
	struct groups *p = xcalloc(1, sizeof *p);
	p->code = compile(expression, PCRE2_MATCH_INVALID_UTF, "--join is not a regular expression", e);
	if (!p->code) {
		groups_free(p);
		return NULL;
	}
	prepare(p);
	return p;
}

size_t groups_names(const struct groups *p, const struct str **name)
{
	*name = p->name;
	return p->n;
}

bool groups_match(struct groups *p, struct str line, struct str *group, const char **why)
{
	int rc = pcre2_match(p->code, (PCRE2_SPTR)line.p, line.n, 0, PCRE2_NO_UTF_CHECK, p->match, p->context);
	if (rc < 0) {
		*why = rc == PCRE2_ERROR_NOMATCH ? "the line does not match the pattern"
		       : rc == PCRE2_ERROR_MATCHLIMIT
			   ? "matching stopped: the pattern takes too many steps on this line"
			   : "matching stopped: the pattern takes too much memory on this line";
		return false;
	}
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(p->match);
	for (size_t i = 0; i < p->n; i++) {
		PCRE2_SIZE from = at[2 * p->number[i]], to = at[2 * p->number[i] + 1];
		bool set = from != PCRE2_UNSET && from <= to;
		group[i] = set ? (struct str){line.p + from, to - from} : STR_NONE;
	}
	return true;
}

bool groups_found(struct groups *p, struct str line)
{
	return pcre2_match(p->code, (PCRE2_SPTR)line.p, line.n, 0, 0, p->match, p->context) >= 0;
}

void groups_free(struct groups *p)
{
	if (!p)
		return;
	pcre2_jit_stack_free(p->stack);
	pcre2_match_context_free(p->context);
	pcre2_match_data_free(p->match);
	pcre2_code_free(p->code);
	free(p->name);
	free(p->number);
	free(p);
}
