/* label.c - reads the labels that people gave. */
#include "lib/learn/label.h"

#include <errno.h>
#include <math.h>

/* Parses a number in JSON's spelling, which strings from CSV columns have too. */
static bool number_of(struct str s, double *out)
{
	char copy[64], *end;
	if (s.n == 0 || s.n >= sizeof copy || !strchr("-0123456789", s.p[0]))
		return false;
	memcpy(copy, s.p, s.n);
	copy[s.n] = 0;
	errno = 0;
	*out = strtod(copy, &end);
	return *end == 0 && errno == 0 && isfinite(*out) && !strpbrk(copy, "xX");
}

/* 5, 5.0 and 5e0 are one label. */
static bool same_label(struct str a, struct str b)
{
	double x, y;
	return str_eq(a, b) || (number_of(a, &x) && number_of(b, &y) && x == y);
}

static const struct label_rename *renamed(const struct label_conf *c, struct str label)
{
	for (size_t i = 0; i < c->renames; i++)
		if (same_label(str_of(c->rename[i].from), label))
			return &c->rename[i];
	return NULL;
}

static int add_rename(struct label_conf *c, struct str pair, struct err *e)
{
	const char *equals = memrchr(pair.p, '=', pair.n);
	struct str from = str_trim((struct str){pair.p, equals ? (size_t)(equals - pair.p) : 0});
	struct str to = equals ? str_trim((struct str){equals + 1, (size_t)(pair.p + pair.n - equals - 1)}) : from;
	struct label_rename one;
	if (from.n == 0 || label_parse(to, &one.to) < 0)
		return err_set(e, ERR_USAGE,
		    "--map takes LABEL=positive, neutral or negative, with commas between, not '%.*s'", STR_FMT(pair));
	if (renamed(c, from))
		return err_set(e, ERR_USAGE, "--map renames '%.*s' twice", STR_FMT(from));
	one.from = str_dup(from);
	c->rename = xreallocarray(c->rename, c->renames + 1, sizeof *c->rename);
	c->rename[c->renames++] = one;
	return 0;
}

int label_map(struct label_conf *c, const char *spec, struct err *e)
{
	for (const char *p = spec;; p++) {
		size_t n = strcspn(p, ",");
		if (add_rename(c, (struct str){p, n}, e) < 0)
			return -1;
		p += n;
		if (!*p)
			return 0;
	}
}

void label_conf_free(struct label_conf *c)
{
	for (size_t i = 0; i < c->renames; i++)
		free(c->rename[i].from);
	free(c->rename);
	c->rename = NULL;
	c->renames = 0;
}

/* The member's value as text: strings are decoded, other values stay as spelled. */
static struct str value_of(const struct json_member *m, struct arena *mem)
{
	return str_trim(m->type == JSON_STRING ? json_decode(m, mem) : m->value);
}

static const struct json_member *in_result(const struct rec *r, struct json_scan *nested)
{
	return r->result.p && json_scan(nested, r->result) == 0 ? json_find(nested, STR("label")) : NULL;
}

static const struct json_member *find(
    const struct label_conf *c, const struct rec *r, const struct json_scan *s, struct json_scan *nested)
{
	if (str_eq(c->member, STR("sentiment.label")))
		return in_result(r, nested);
	const struct json_member *m = json_find(s, c->member);
	return m || c->no_fallback ? m : in_result(r, nested);
}

int label_read(const struct label_conf *c, struct batch *b, struct rec *r, const struct json_scan *s,
    struct json_scan *nested, struct gold *out)
{
	*out = (struct gold){0};
	const struct json_member *m = find(c, r, s, nested);
	if (!m)
		return rec_reject(b, r, CODE_BAD_LABEL, "no member '%.*s' (--label names another)", STR_FMT(c->member));
	struct str value = value_of(m, &b->mem);
	const struct label_rename *map = renamed(c, value);
	out->has_number = (m->type == JSON_NUMBER || m->type == JSON_STRING) && number_of(value, &out->number);
	out->has_class = true;
	if (map)
		out->label = map->to;
	else if (m->type != JSON_STRING || label_parse(value, &out->label) < 0)
		out->has_class = false;
	if (out->has_class || (out->has_number && c->renames == 0))
		return 0;
	return rec_reject(b, r, CODE_BAD_LABEL,
	    "the label is %.*s: neither positive, neutral nor negative (--map renames)",
	    (int)(m->value.n > 80 ? 80 : m->value.n), m->value.p);
}
