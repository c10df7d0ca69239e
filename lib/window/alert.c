/* alert.c - a condition becomes a program for a stack of truths: comparisons push, and/or/not take. */
#include "lib/window/alert.h"

#include <ctype.h>

enum { STEPS = 256, DEPTH = 64 };
enum operation { OP_LESS, OP_LESS_EQUAL, OP_MORE, OP_MORE_EQUAL, OP_EQUAL, OP_UNEQUAL, OP_NOT, OP_AND, OP_OR };

struct operand {
	bool is_number;
	double number;
	enum alert_figure figure;
};

struct condition_step {
	enum operation op;
	struct operand left, right;
};

struct condition {
	size_t n;
	struct condition_step step[STEPS];
};

struct condition_parser {
	const char *text, *p, *option;
	struct condition *out;
	unsigned depth;
	struct err *e;
};

static const char *const figure_name[FIGURES] = {
    "count", "mean", "stdev", "p50", "p90", "p99", "ewm", "positive", "neutral", "negative"};

static int wrong(const struct condition_parser *p, const char *expected)
{
	return err_set(p->e, ERR_USAGE, "--%s '%.200s': expected %s at column %zu", p->option, p->text, expected,
	    (size_t)(p->p - p->text) + 1);
}

static void skip_blanks(struct condition_parser *p)
{
	while (*p->p == ' ' || *p->p == '\t')
		p->p++;
}

static size_t word_length(const struct condition_parser *p)
{
	size_t n = 0;
	while (isalnum((unsigned char)p->p[n]) || p->p[n] == '_')
		n++;
	return n;
}

/* Takes the word if it comes next. */
static bool took(struct condition_parser *p, const char *word)
{
	skip_blanks(p);
	size_t n = word_length(p);
	if (n != strlen(word) || memcmp(p->p, word, n) != 0)
		return false;
	p->p += n;
	return true;
}

static int add_step(struct condition_parser *p, struct condition_step step)
{
	if (p->out->n == STEPS)
		return wrong(p, "the end (the condition is too long)");
	p->out->step[p->out->n++] = step;
	return 0;
}

static int read_operand(struct condition_parser *p, struct operand *out)
{
	skip_blanks(p);
	for (int i = 0; i < FIGURES; i++)
		if (took(p, figure_name[i])) {
			*out = (struct operand){.figure = (enum alert_figure)i};
			return 0;
		}
	char *end = NULL;
	const char *digit = p->p + (*p->p == '-' || *p->p == '+');
	bool decimal = digit[0] != '0' || (digit[1] | 0x20) != 'x'; /* strtod(3) reads others too */
	if (decimal && (isdigit((unsigned char)*digit) || (*digit == '.' && isdigit((unsigned char)digit[1]))))
		*out = (struct operand){.is_number = true, .number = strtod(p->p, &end)};
	if (!end)
		return wrong(
		    p, "a number or one of count, mean, stdev, p50, p90, p99, ewm, positive, neutral, negative");
	p->p = end;
	return 0;
}

static int read_relation(struct condition_parser *p, enum operation *op)
{
	static const char *const sign[] = {
	    [OP_LESS_EQUAL] = "<=", [OP_MORE_EQUAL] = ">=", [OP_EQUAL] = "==", [OP_UNEQUAL] = "!="};
	skip_blanks(p);
	for (size_t i = 0; i < COUNT_OF(sign); i++)
		if (sign[i] && strncmp(p->p, sign[i], 2) == 0) {
			*op = (enum operation)i;
			p->p += 2;
			return 0;
		}
	if (*p->p != '<' && *p->p != '>')
		return wrong(p, "one of < <= > >= == !=");
	*op = *p->p++ == '<' ? OP_LESS : OP_MORE;
	return 0;
}

static int read_condition(struct condition_parser *p);

static int read_factor(struct condition_parser *p)
{
	if (++p->depth > DEPTH)
		return wrong(p, "fewer parentheses");
	struct condition_step step = {0};
	int rc;
	skip_blanks(p);
	if (took(p, "not")) {
		rc = read_factor(p) < 0 ? -1 : add_step(p, (struct condition_step){.op = OP_NOT});
	} else if (*p->p == '(') {
		p->p++;
		rc = read_condition(p);
		skip_blanks(p);
		if (rc == 0)
			rc = *p->p == ')' ? 0 : wrong(p, "')'");
		p->p += rc == 0;
	} else {
		rc = read_operand(p, &step.left) < 0 || read_relation(p, &step.op) < 0 ||
			     read_operand(p, &step.right) < 0
			 ? -1
			 : add_step(p, step);
	}
	p->depth--;
	return rc;
}

static int read_term(struct condition_parser *p)
{
	int rc = read_factor(p);
	while (rc == 0 && took(p, "and"))
		rc = read_factor(p) < 0 ? -1 : add_step(p, (struct condition_step){.op = OP_AND});
	return rc;
}

static int read_condition(struct condition_parser *p)
{
	int rc = read_term(p);
	while (rc == 0 && took(p, "or"))
		rc = read_term(p) < 0 ? -1 : add_step(p, (struct condition_step){.op = OP_OR});
	return rc;
}

struct condition *condition_parse(const char *text, const char *option, struct err *e)
{
	struct condition_parser p = {
	    .text = text, .p = text, .option = option, .out = xcalloc(1, sizeof *p.out), .e = e};
	int rc = read_condition(&p);
	skip_blanks(&p);
	if (rc == 0 && *p.p)
		rc = wrong(&p, "'and', 'or' or the end");
	if (rc == 0)
		return p.out;
	condition_free(p.out);
	return NULL;
}

static double value_of(const struct operand *o, const double figure[FIGURES])
{
	return o->is_number ? o->number : figure[o->figure];
}

static bool compare(const struct condition_step *s, const double figure[FIGURES])
{
	double a = value_of(&s->left, figure), b = value_of(&s->right, figure);
	switch (s->op) {
	case OP_LESS:
		return a < b;
	case OP_LESS_EQUAL:
		return a <= b;
	case OP_MORE:
		return a > b;
	case OP_MORE_EQUAL:
		return a >= b;
	case OP_EQUAL:
		return a == b;
	default:
		return a != b;
	}
}

bool condition_holds(const struct condition *c, const double figure[FIGURES])
{
	bool stack[STEPS];
	size_t n = 0;
	for (size_t i = 0; i < c->n; i++) {
		const struct condition_step *s = &c->step[i];
		if (s->op == OP_NOT) {
			stack[n - 1] = !stack[n - 1];
		} else if (s->op == OP_AND || s->op == OP_OR) {
			n--;
			stack[n - 1] = s->op == OP_AND ? stack[n - 1] && stack[n] : stack[n - 1] || stack[n];
		} else {
			stack[n++] = compare(s, figure);
		}
	}
	return n && stack[n - 1];
}

void condition_free(struct condition *c)
{
	free(c);
}
