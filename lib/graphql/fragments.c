/* fragments.c - the rules that follow spreads from fragment to fragment: which are used, which go in circles, which
 * variables are used through them, how deep it all gets, and what a subscription selects.
 *
 * Each search marks the scopes that it has come through with its own number, so that none is entered twice.
 */
#include "lib/graphql/validate_internal.h"

#define WRONG(rule, places, ...) gql_error_add(v->errors, rule, places, __VA_ARGS__)

static struct gql_scope *scope_of(const struct gql_validation *v, struct str fragment)
{
	const struct gql_node *n = gql_fragment_find(v->doc, fragment);
	return n ? n->mark : NULL;
}

/* ---- the spreads of each definition ---- */

/* What is still to be looked at: selection lists, the last first. */
struct lists {
	struct gql_node **list;
	size_t n, cap;
};

static void push(struct lists *l, struct gql_node *list)
{
	if (l->n == l->cap) {
		l->cap = l->cap ? l->cap * 2 : 64;
		l->list = xreallocarray(l->list, l->cap, sizeof *l->list);
	}
	l->list[l->n++] = list;
}

/* Those of a list come before those of the lists in it, and of these the last list's first: the order in which
 * circles are then found. */
static void find_spreads(struct gql_validation *v, struct gql_scope *s, struct lists *todo)
{
	struct lists found = {0};
	push(todo, s->definition->selections);
	while (todo->n)
		for (struct gql_node *n = todo->list[--todo->n]; n; n = n->next) {
			if (n->kind == GQL_FRAGMENT_SPREAD)
				push(&found, n);
			else if (n->selections)
				push(todo, n->selections);
		}
	s->nspreads = found.n;
	s->spreads = arena_alloc(v->mem, found.n * sizeof *s->spreads);
	if (found.n)
		memcpy(s->spreads, found.list, found.n * sizeof *s->spreads);
	free(found.list);
}

/* ---- circles ---- */

struct path {
	struct gql_node **spread;
	size_t n, cap;
	struct gql_scope *scope; /* innermost; the way out is kept in `frame` */
};

struct frame {
	struct gql_scope *scope;
	size_t next; /* of its spreads */
};

static void report_cycle(struct gql_validation *v, const struct lists *path, size_t from)
{
	size_t n = path->n - from;
	uint32_t *at = arena_alloc(v->mem, n * sizeof *at);
	for (size_t i = 0; i < n; i++)
		at[i] = path->list[from + i]->at;
	WRONG("NoFragmentCycles", at, n, "Cannot spread fragment \"%.*s\" within itself%s.",
	    STR_FMT(path->list[path->n - 1]->name), n > 1 ? " via others" : "");
}

/* Depth first, with a stack of its own: a chain of fragments may be as long as the document. Each fragment is entered
 * once, so that it stays linear, but for the places that a report names. */
static void find_cycles(struct gql_validation *v, struct gql_scope *first)
{
	struct lists path = {0};
	struct frame *frame = NULL;
	size_t n = 0, cap = 0;
	struct gql_scope *enter = first;
	while (enter || n) {
		if (enter) {
			/* Of fragments of one name, which is wrong by itself, spreads mean the last: the marks are
			 * kept there. */
			struct gql_scope *mark = scope_of(v, enter->definition->name);
			if (n == cap)
				frame = xreallocarray(frame, cap = cap ? cap * 2 : 64, sizeof *frame);
			mark->cycles_checked = true;
			mark->on_path = enter->nspreads > 0;
			mark->path_index = path.n;
			frame[n++] = (struct frame){enter, 0};
			enter = NULL;
		}
		struct frame *f = &frame[n - 1];
		if (f->next) /* back from the spread before */
			path.n--;
		if (f->next == f->scope->nspreads || v->errors->full) {
			scope_of(v, f->scope->definition->name)->on_path = false;
			n--;
			continue;
		}
		struct gql_node *spread = f->scope->spreads[f->next++];
		push(&path, spread);
		struct gql_scope *to = scope_of(v, spread->name);
		if (to && to->on_path) {
			v->cyclic = true;
			if (gql_spend(v, path.n - to->path_index))
				report_cycle(v, &path, to->path_index);
		} else if (to && !to->cycles_checked) {
			enter = to;
		}
	}
	free(frame);
	free(path.list);
}

/* ---- what an operation reaches ---- */

/* Marks every fragment that the operation uses, and calls `each` for the operation and for each of them. False when
 * it got too complex. */
static bool reach(struct gql_validation *v, struct gql_scope *operation,
    void (*each)(struct gql_validation *v, struct gql_scope *s, void *arg), void *arg)
{
	struct gql_scope **todo = NULL;
	size_t n = 0, cap = 0;
	size_t search = ++v->searches;
	for (struct gql_scope *s = operation; s;) {
		if (!gql_spend(v, 1 + s->nspreads))
			break;
		each(v, s, arg);
		for (size_t i = 0; i < s->nspreads; i++) {
			struct gql_scope *to = scope_of(v, s->spreads[i]->name);
			if (!to || to->visit == search)
				continue;
			to->visit = search;
			if (n == cap)
				todo = xreallocarray(todo, cap = cap ? cap * 2 : 64, sizeof(struct gql_scope *));
			todo[n++] = to;
		}
		s = n ? todo[--n] : NULL;
	}
	free(todo);
	return !v->aborted;
}

/* ---- variables ---- */

struct variables {
	struct map by_name; /* definitions; of several of one name the last */
	struct gql_scope *operation;
};

static bool usage_allowed(const struct gql_node *definition, const struct gql_usage *u)
{
	const struct gql_ref *var = definition->mark, *want = u->type;
	if (want->wrap == GQL_NON_NULL && var->wrap != GQL_NON_NULL) {
		bool has_value = definition->value && definition->value->kind != GQL_VALUE_NULL;
		return (has_value || u->has_default) && gql_is_subtype(var, want->of);
	}
	return gql_is_subtype(var, want);
}

static struct str spelled(const struct gql_validation *v, const struct gql_ref *r)
{
	struct buf b = {0};
	gql_ref_put(&b, r);
	struct str s = arena_str(v->mem, buf_view(&b));
	buf_free(&b);
	return s;
}

static void check_usage(struct gql_validation *v, struct variables *vars, const struct gql_usage *u)
{
	const struct gql_node *operation = vars->operation->definition;
	struct map_slot *slot = map_get(&vars->by_name, u->variable->name);
	if (!slot) {
		WRONG("NoUndefinedVariables", GQL_AT(u->variable->at, operation->at),
		    "Variable \"$%.*s\" is not defined%s%.*s%s.", STR_FMT(u->variable->name),
		    operation->name.p ? " by operation \"" : "", STR_FMT(operation->name),
		    operation->name.p ? "\"" : "");
		return;
	}
	struct gql_node *definition = slot->v.ptr;
	if (definition->mark && u->type && !usage_allowed(definition, u))
		WRONG("VariablesInAllowedPosition", GQL_AT(definition->at, u->variable->at),
		    "Variable \"$%.*s\" of type \"%.*s\" used in position expecting type \"%.*s\".",
		    STR_FMT(u->variable->name), STR_FMT(spelled(v, definition->mark)), STR_FMT(spelled(v, u->type)));
}

static void use_variables(struct gql_validation *v, struct gql_scope *s, void *arg)
{
	struct variables *vars = arg;
	for (const struct gql_usage *u = s->usages; u && gql_spend(v, 1); u = u->next) {
		struct map_slot *slot = map_get(&vars->by_name, u->variable->name);
		if (slot)
			((struct gql_node *)slot->v.ptr)->used = true;
		check_usage(v, vars, u);
	}
}

static void check_variables(struct gql_validation *v, struct gql_scope *operation)
{
	struct variables vars = {.operation = operation};
	struct gql_node *list = operation->definition->variables, *n;
	for (n = list; n; n = n->next)
		map_put(&vars.by_name, n->name, NULL)->v.ptr = n;
	if (reach(v, operation, use_variables, &vars))
		for (n = list; n; n = n->next) {
			const struct gql_node *last = map_get(&vars.by_name, n->name)->v.ptr;
			if (!last->used)
				WRONG("NoUnusedVariables", GQL_AT(n->at), "Variable \"$%.*s\" is never used%s%.*s%s.",
				    STR_FMT(n->name), operation->definition->name.p ? " in operation \"" : "",
				    STR_FMT(operation->definition->name), operation->definition->name.p ? "\"" : "");
		}
	map_free(&vars.by_name);
}

static void use_fragment(struct gql_validation *v, struct gql_scope *s, void *used)
{
	(void)v;
	(void)used;
	s->definition->used = true;
}

/* ---- subscriptions ---- */

struct root_field {
	struct gql_node *node;
	struct root_field *next;
};

struct root_group {
	struct str key;
	struct root_field *first, **last;
	struct root_group *next;
};

struct roots {
	struct root_group *first, **last;
};

/* False where a literal says that it is left out; a variable is taken to let it in. */
static bool included(const struct gql_node *n)
{
	for (const struct gql_node *d = n->directives; d; d = d->next) {
		bool skip = str_eq(d->name, STR("skip"));
		if (!skip && !str_eq(d->name, STR("include")))
			continue;
		for (const struct gql_node *a = d->arguments; a; a = a->next)
			if (str_eq(a->name, STR("if")) && a->value->kind == GQL_VALUE_BOOLEAN &&
			    str_eq(a->value->name, skip ? STR("true") : STR("false")))
				return false;
	}
	return true;
}

static void add_root(struct gql_validation *v, struct roots *r, struct gql_node *n)
{
	struct str key = n->alias.p ? n->alias : n->name;
	struct root_group *g = r->first;
	while (g && !str_eq(g->key, key) && gql_spend(v, 1))
		g = g->next;
	if (!g) {
		g = arena_alloc(v->mem, sizeof *g);
		*g = (struct root_group){.key = key};
		g->last = &g->first;
		*r->last = g;
		r->last = &g->next;
	}
	struct root_field *f = arena_alloc(v->mem, sizeof *f);
	*f = (struct root_field){.node = n};
	*g->last = f;
	g->last = &f->next;
}

static bool applies(const struct gql_validation *v, const struct gql_node *fragment)
{
	const struct gql_type *root = v->s->root[GQL_SUBSCRIPTION];
	const struct gql_type *t = fragment->type ? gql_type_find(v->s, fragment->type->name) : root;
	return t && gql_is_possible(t, root);
}

/* The recursion is bounded by gql_check_depth, which has been here before. */
static void collect_roots(struct gql_validation *v, struct roots *r, struct gql_node *list, size_t search)
{
	for (struct gql_node *n = list; n && gql_spend(v, 1); n = n->next) {
		if (n->kind == GQL_FIELD) {
			if (included(n))
				add_root(v, r, n);
			continue;
		}
		struct gql_node *fragment = n;
		if (n->kind == GQL_FRAGMENT_SPREAD) {
			struct gql_scope *s = scope_of(v, n->name);
			if (!included(n) || (s && s->visit == search))
				continue;
			if (s)
				s->visit = search;
			fragment = s ? s->definition : NULL;
		} else if (!included(n)) {
			continue;
		}
		if (fragment && applies(v, fragment))
			collect_roots(v, r, fragment->selections, search);
	}
}

static void report_roots(struct gql_validation *v, const struct root_group *from, bool all, const char *what)
{
	size_t n = 0;
	for (const struct root_group *g = from; g; g = all ? g->next : NULL)
		for (const struct root_field *f = g->first; f; f = f->next)
			n++;
	uint32_t *at = arena_alloc(v->mem, n * sizeof *at);
	n = 0;
	for (const struct root_group *g = from; g; g = all ? g->next : NULL)
		for (const struct root_field *f = g->first; f; f = f->next)
			at[n++] = f->node->at;
	WRONG("SingleFieldSubscriptions", at, n, "The subscription must %s.", what);
}

static void check_subscription(struct gql_validation *v, struct gql_scope *operation)
{
	struct roots r = {0};
	r.last = &r.first;
	collect_roots(v, &r, operation->definition->selections, ++v->searches);
	if (r.first && r.first->next)
		report_roots(v, r.first->next, true, "select only one top level field");
	for (const struct root_group *g = r.first; g; g = g->next)
		if (g->first->node->name.n >= 2 && memcmp(g->first->node->name.p, "__", 2) == 0)
			report_roots(v, g, false, "not select an introspection top level field");
}

/* ---- depth, and lists of introspection ---- */

/* The levels of braces in a list of selections and below, through fragments if `through`; more than GQL_MAX_DEPTH
 * where that cannot be followed. */
static size_t depth_of(struct gql_validation *v, struct gql_node *list, bool through, size_t level);

static size_t fragment_depth(struct gql_validation *v, struct gql_scope *s, size_t level)
{
	if (!s->depth)
		s->depth = depth_of(v, s->definition->selections, true, level);
	return s->depth;
}

static size_t depth_of(struct gql_validation *v, struct gql_node *list, bool through, size_t level)
{
	size_t most = 1;
	if (level > GQL_MAX_DEPTH)
		return level;
	for (struct gql_node *n = list; n; n = n->next) {
		struct gql_scope *s = through && n->kind == GQL_FRAGMENT_SPREAD ? scope_of(v, n->name) : NULL;
		size_t d = s		   ? fragment_depth(v, s, level + 1) + 1
			   : n->selections ? depth_of(v, n->selections, through, level + 1) + 1
					   : 0;
		most = d > most ? d : most;
	}
	return most;
}

/* All that follows recurses over selections, through fragments: what is deeper than the stack allows is refused here.
 * Where fragments go in circles their depths are added up, since a search enters each of them once. */
static bool check_depth(struct gql_validation *v)
{
	size_t sum = 0, most = 0;
	for (struct gql_scope *s = v->scopes; s; s = s->next) {
		size_t d = v->cyclic ? depth_of(v, s->definition->selections, false, 0) : fragment_depth(v, s, 0);
		sum += d;
		most = d > most ? d : most;
	}
	return (v->cyclic ? sum : most) <= GQL_MAX_DEPTH;
}

enum { MOST_LISTS = 3 };

static bool is_introspection_list(struct str name)
{
	return str_eq(name, STR("fields")) || str_eq(name, STR("interfaces")) || str_eq(name, STR("possibleTypes")) ||
	       str_eq(name, STR("inputFields"));
}

/* True where a list of introspection stands within others, as many as MOST_LISTS in all; each multiplies the answer. */
static bool lists_too_deep(struct gql_validation *v, struct gql_node *n, size_t lists)
{
	if (n->kind == GQL_FIELD && is_introspection_list(n->name) && ++lists >= MOST_LISTS)
		return true;
	struct gql_node *list = n->selections;
	if (n->kind == GQL_FRAGMENT_SPREAD) {
		struct gql_scope *s = scope_of(v, n->name);
		/* Known from a look at this fragment with as many lists around it. */
		if (!s || (s->path_index > lists && s->cycles_checked))
			return false;
		s->cycles_checked = true;
		s->path_index = lists + 1;
		list = s->definition->selections;
	}
	for (n = list; n && gql_spend(v, 1); n = n->next)
		if (lists_too_deep(v, n, lists))
			return true;
	return false;
}

static void forget_lists(struct gql_validation *v)
{
	for (struct gql_scope *s = v->scopes; s; s = s->next)
		s->path_index = 0;
}

static void check_introspection(struct gql_validation *v, struct gql_node *list)
{
	for (struct gql_node *n = list; n && gql_spend(v, 1); n = n->next) {
		bool root =
		    n->kind == GQL_FIELD && (str_eq(n->name, STR("__schema")) || str_eq(n->name, STR("__type")));
		if (root) {
			forget_lists(v);
			if (lists_too_deep(v, n, 0)) {
				WRONG("MaxIntrospectionDepth", GQL_AT(n->at), "Maximum introspection depth exceeded");
				continue;
			}
		}
		if (n->selections)
			check_introspection(v, n->selections);
	}
}

/* ---- all of it ---- */

void gql_check_spreads(struct gql_validation *v)
{
	struct lists todo = {0};
	struct gql_scope *s;
	for (s = v->scopes; s; s = s->next)
		find_spreads(v, s, &todo);
	free(todo.list);
	for (s = v->scopes; s; s = s->next)
		if (s->definition->kind == GQL_FRAGMENT && !scope_of(v, s->definition->name)->cycles_checked)
			find_cycles(v, s);
	size_t search = 0;
	for (s = v->scopes; s; s = s->next)
		if (s->definition->kind == GQL_OPERATION) {
			check_variables(v, s);
			reach(v, s, use_fragment, &search);
		}
	for (s = v->scopes; s; s = s->next)
		if (s->definition->kind == GQL_FRAGMENT && !gql_fragment_find(v->doc, s->definition->name)->used &&
		    !v->aborted)
			WRONG("NoUnusedFragments", GQL_AT(s->definition->at), "Fragment \"%.*s\" is never used.",
			    STR_FMT(s->definition->name));
	if (!check_depth(v)) {
		gql_error_add(v->errors, NULL, NULL, 0, "The document is nested too deeply through its fragments.");
		v->aborted = true;
	}
	for (s = v->scopes; s && !v->aborted; s = s->next) {
		if (s->definition->kind == GQL_OPERATION && s->definition->operation == GQL_SUBSCRIPTION &&
		    v->s->root[GQL_SUBSCRIPTION])
			check_subscription(v, s);
		check_introspection(v, s->definition->selections);
	}
}
