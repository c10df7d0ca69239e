/* limits.c - counts what an operation asks for. */
#include "lib/graphql/limits.h"

struct query_counts {
	const struct gql_limits *l;
	const struct gql_schema *s;
	const struct gql_document *doc;
	const struct gql_variables *v;
	struct gql_errors *errors;
	size_t aliases, directives, roots, steps;
	bool over;
};

enum { MOST_STEPS = 1000000 };

/* Always false. */
static bool over(struct query_counts *c, uint32_t at, const char *code, const char *what, size_t limit)
{
	if (c->over)
		return false;
	c->over = true;
	struct gql_error *e =
	    gql_error_add(c->errors, NULL, GQL_AT(at), "The operation %s (at most %zu are allowed).", what, limit);
	if (e)
		e->code = code;
	return false;
}

static bool count_node(struct query_counts *c, const struct gql_node *n)
{
	if (++c->steps > MOST_STEPS)
		return over(c, n->at, "COST_LIMIT", "has too many fields through its fragments", MOST_STEPS);
	if (n->alias.p && c->l->aliases && ++c->aliases > c->l->aliases)
		return over(c, n->at, "ALIAS_LIMIT", "has too many aliases", c->l->aliases);
	for (const struct gql_node *d = n->directives; d; d = d->next)
		if (c->l->directives && ++c->directives > c->l->directives)
			return over(c, d->at, "DIRECTIVE_LIMIT", "has too many directives", c->l->directives);
	return true;
}

/* How many objects a field may give: its `first`, or the length of a list that it is given. */
static uint64_t size_of(struct query_counts *c, const struct gql_node *n, const struct gql_field *f)
{
	uint64_t size = 1;
	if (!f->nargs)
		return size;
	const struct gql_value *args = gql_arguments(c->v, f->args, f->nargs, n, c->errors);
	for (size_t i = 0; args && i < f->nargs; i++) {
		bool first = str_eq(f->args[i].name, STR("first")) && args[i].kind == GQL_INTEGER;
		uint64_t many = first && args[i].integer > 0 ? (uint64_t)args[i].integer
				: args[i].kind == GQL_ITEMS  ? args[i].n
							     : 1;
		size = many > size ? many : size;
	}
	return size;
}

static bool is_introspection(struct str name)
{
	return name.n > 2 && memcmp(name.p, "__", 2) == 0 && !str_eq(name, STR("__typename"));
}

/* The cost of a list of selections, each of whose fields stands `times` times in the answer; false when a limit is
 * passed. */
static bool count_list(
    struct query_counts *c, const struct gql_node *list, size_t depth, uint64_t times, uint64_t *cost);

static bool count_field(struct query_counts *c, const struct gql_node *n, size_t depth, uint64_t times, uint64_t *cost)
{
	const struct gql_field *f = n->mark;
	if (depth == 1 && c->l->root_fields && ++c->roots > c->l->root_fields)
		return over(c, n->at, "ROOT_FIELD_LIMIT", "has too many root fields", c->l->root_fields);
	if (c->l->depth && depth > c->l->depth)
		return over(c, n->at, "DEPTH_LIMIT", "is nested too deeply", c->l->depth);
	if (c->l->no_introspection && is_introspection(n->name)) {
		struct gql_error *e = gql_error_add(c->errors, NULL, GQL_AT(n->at), "Introspection is switched off.");
		if (e)
			e->code = "INTROSPECTION_DISABLED";
		c->over = true;
		return false;
	}
	*cost += times;
	if (c->l->cost && *cost > c->l->cost)
		return over(c, n->at, "COST_LIMIT", "costs too much", (size_t)c->l->cost);
	if (!f || !n->selections)
		return true;
	uint64_t below = times;
	if (c->l->cost && __builtin_mul_overflow(times, size_of(c, n, f), &below))
		below = UINT64_MAX / 2;
	return count_list(c, n->selections, depth + 1, below, cost);
}

static bool count_list(
    struct query_counts *c, const struct gql_node *list, size_t depth, uint64_t times, uint64_t *cost)
{
	for (const struct gql_node *n = list; n; n = n->next) {
		if (!count_node(c, n))
			return false;
		if (n->kind == GQL_FIELD) {
			if (!count_field(c, n, depth, times, cost))
				return false;
			continue;
		}
		const struct gql_node *f = n->kind == GQL_FRAGMENT_SPREAD ? gql_fragment_find(c->doc, n->name) : n;
		if (!count_list(c, f->selections, depth, times, cost))
			return false;
	}
	return true;
}

bool gql_limits_check(const struct gql_limits *l, const struct gql_schema *s, const struct gql_document *doc,
    const struct gql_node *operation, const struct gql_variables *v, struct gql_errors *errors)
{
	struct query_counts c = {.l = l, .s = s, .doc = doc, .v = v, .errors = errors};
	uint64_t cost = 0;
	size_t before = errors->n;
	return count_list(&c, operation->selections, 1, 1, &cost) && errors->n == before;
}
