/* elements.c - follows the brackets and quotes of a JSON array; the scanner judges the elements. */
#include "lib/ingest/elements.h"

enum { MOST_BLANKS = 4096 };

struct elements_ctx {
	enum { START, PLAIN, OPEN, DONE } state;
	bool any;
	const char *name;
	uint64_t depth;			  /* in the element */
	bool string, escape, some, comma; /* some: the element has begun; comma: one is before it */
	bool gap, fold; /* a blank is due before the next byte; fold: blanks after a line break are dropped */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* START while more bytes are needed. */
static int decide(const struct elements_ctx *x, struct str in, bool end)
{
	size_t i = 0;
	while (i < in.n && is_blank(in.p[i]))
		i++;
	if (i < in.n && in.p[i++] != '[')
		return PLAIN;
	while (i < in.n && is_blank(in.p[i]))
		i++;
	if (i == in.n)
		return end || in.n > MOST_BLANKS ? PLAIN : START;
	return in.p[i] == '{' || (x->any && in.p[i] == ']') ? DONE : PLAIN;
}

static size_t end_element(struct elements_ctx *x, char *out)
{
	size_t n = 0;
	if (!x->some)
		out[n++] = ','; /* an element is missing: its line is not a record */
	out[n++] = '\n';
	x->some = x->gap = x->fold = x->string = x->escape = false;
	x->depth = 0;
	return n;
}

static void in_string(struct elements_ctx *x, char *c)
{
	if (*c == '\n')
		*c = '\r'; /* neither may be in a string; the element stays one line */
	if (x->escape)
		x->escape = false;
	else if (*c == '\\')
		x->escape = true;
	else if (*c == '"')
		x->string = false;
}

/* A blank outside of strings. At the end of the element it is left out. */
static size_t blank(struct elements_ctx *x, char c, char *out)
{
	bool breaks = c == '\n' || c == '\r';
	if (x->some && !x->fold && !breaks && x->depth) {
		*out = c;
		return 1;
	}
	x->fold |= breaks;
	x->gap = x->some;
	return 0;
}

static size_t byte(struct elements_ctx *x, char c, char *out)
{
	size_t n = 0;
	if (x->string) {
		in_string(x, &c);
		*out = c;
		return 1;
	}
	if (is_blank(c))
		return blank(x, c, out);
	if (!x->depth && c == ',') {
		x->comma = true;
		return end_element(x, out);
	}
	if (!x->depth && c == ']') {
		x->state = DONE;
		return x->some || x->comma ? end_element(x, out) : 0;
	}
	if (x->gap)
		out[n++] = ' ';
	x->gap = x->fold = false;
	x->some = true;
	x->string = c == '"';
	if (c == '{' || c == '[')
		x->depth++;
	else if ((c == '}' || c == ']') && x->depth)
		x->depth--;
	out[n++] = c;
	return n;
}

/* Between arrays, or after what is not one. */
static size_t outside(struct elements_ctx *x, char c, char *out)
{
	if (is_blank(c))
		return 0;
	if (c == '[') {
		x->state = OPEN;
		x->comma = false;
		return 0;
	}
	x->state = PLAIN;
	*out = c;
	return 1;
}

static ssize_t elements_run(void *ctx, struct str *in, char *out, size_t max, bool end, struct err *e)
{
	struct elements_ctx *x = ctx;
	size_t at = 0, made = 0;
	if (x->state == START && in->n)
		x->state = decide(x, *in, end);
	if (x->state == START)
		return 0;
	for (; x->state != PLAIN && at < in->n && max - made >= 2; at++)
		made += x->state == OPEN ? byte(x, in->p[at], out + made) : outside(x, in->p[at], out + made);
	if (x->state == PLAIN) {
		size_t n = in->n - at < max - made ? in->n - at : max - made;
		memcpy(out + made, in->p + at, n);
		at += n;
		made += n;
	}
	*in = (struct str){in->p + at, in->n - at};
	if (end && !in->n && x->state == OPEN) {
		if (made == 0 && !x->some)
			return err_set(e, ERR_ENV, "cannot read '%s': its JSON array ends too early", x->name);
		if (x->some && max - made >= 2)
			made += end_element(x, out + made);
	}
	return (ssize_t)made;
}

static bool elements_plain(const void *ctx)
{
	const struct elements_ctx *x = ctx;
	return x->state == PLAIN;
}

struct bytes *elements(struct bytes *from, bool any, const char *name)
{
	static const struct byte_filter filter = {elements_run, elements_plain, free};
	struct elements_ctx *x = xcalloc(1, sizeof *x);
	x->any = any;
	x->name = name;
	return bytes_filter(from, &filter, x);
}
