/* validate.c - one walk over the document with the types at hand: the rules that look at a node and what is around
 * it, and the notes of what the rules on spreads and variables look at afterwards (fragments.c). */
#include "lib/graphql/validate_internal.h"

/* The type context of a selection or value. NULL: not known, since something around it is wrong. */
struct query_place {
	const struct gql_type *parent;	/* of a selection set */
	const struct gql_ref *expected; /* of a value */
	bool has_default;
	bool quiet; /* the value around this one is reported already */
};

bool gql_spend(struct gql_validation *v, size_t steps)
{
	if (v->aborted)
		return false;
	if (v->budget >= steps) {
		v->budget -= steps;
		return true;
	}
	v->aborted = true;
	gql_error_add(v->errors, NULL, NULL, 0, "The document is too complex to validate.");
	return false;
}

#define WRONG(rule, places, ...) gql_error_add(v->errors, rule, places, __VA_ARGS__)

static struct str show(const struct gql_validation *v, const struct gql_ref *r)
{
	struct buf b = {0};
	gql_ref_put(&b, r);
	struct str s = arena_str(v->mem, buf_view(&b));
	buf_free(&b);
	return s;
}

/* The spelling of a node, for messages; long ones are cut. */
static struct str spelling(const struct gql_validation *v, const struct gql_node *n)
{
	size_t len = n->end - n->at;
	return (struct str){v->doc->text.p + n->at, len < 100 ? len : 100};
}

/* ---- names that must be unique in a list ---- */

/* Reports, with all its places, each name that the list has more than once. */
static void unique_names(struct gql_validation *v, const struct gql_node *list, const char *rule, const char *what)
{
	if (!list || !list->next)
		return;
	struct map seen = {0};
	for (const struct gql_node *n = list; n; n = n->next)
		map_put(&seen, n->name, NULL)->v.num++;
	for (const struct gql_node *n = list; n && seen.n; n = n->next) {
		struct map_slot *slot = map_get(&seen, n->name);
		if (slot->v.num < 2)
			continue;
		uint32_t *at = arena_alloc(v->mem, slot->v.num * sizeof *at);
		size_t k = 0;
		for (const struct gql_node *m = n; m; m = m->next)
			if (str_eq(m->name, n->name))
				at[k++] = m->name_at;
		slot->v.num = 0; /* reported */
		WRONG(rule, at, k, "There can be only one %s \"%.*s\".", what, STR_FMT(n->name));
		if (v->errors->full)
			break;
	}
	map_free(&seen);
}

/* ---- values ---- */

static void walk_value(struct gql_validation *v, const struct gql_node *n, struct query_place p);

static const struct gql_ref *nullable(const struct gql_ref *r)
{
	return r && r->wrap == GQL_NON_NULL ? r->of : r;
}

/* What a scalar of this name takes; one of the schema's own takes anything here. */
static bool scalar_takes(struct str name, const struct gql_node *n)
{
	static const struct {
		const char *name;
		unsigned kinds;
	} known[] = {{"Int", 1u << GQL_VALUE_INT}, {"Float", 1u << GQL_VALUE_INT | 1u << GQL_VALUE_FLOAT},
	    {"String", 1u << GQL_VALUE_STRING}, {"Boolean", 1u << GQL_VALUE_BOOLEAN},
	    {"ID", 1u << GQL_VALUE_STRING | 1u << GQL_VALUE_INT}};
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_eq(name, str_of(known[i].name)))
			return (known[i].kinds >> n->kind & 1) &&
			       (i > 0 || (n->name.n < 12 &&
					     strtoll(n->name.p, NULL, 10) == (int32_t)strtoll(n->name.p, NULL, 10)));
	return true;
}

static void check_leaf(struct gql_validation *v, const struct gql_node *n, struct query_place p)
{
	if (!p.expected || p.quiet)
		return;
	const struct gql_type *t = p.expected->type;
	bool good = t->kind == GQL_ENUM	    ? n->kind == GQL_VALUE_ENUM && gql_enum_find(t, n->name)
		    : t->kind == GQL_SCALAR ? scalar_takes(t->name, n)
					    : false;
	if (!good)
		WRONG("ValuesOfCorrectType", GQL_AT(n->at), "Expected value of type \"%.*s\", found %.*s.",
		    STR_FMT(show(v, p.expected)), STR_FMT(spelling(v, n)));
}

static void walk_list_value(struct gql_validation *v, const struct gql_node *n, struct query_place p)
{
	const struct gql_ref *list = nullable(p.expected);
	bool is_list = list && list->wrap == GQL_LIST;
	struct query_place item = {.expected = is_list ? list->of : list, .quiet = p.quiet || !is_list};
	if (!is_list)
		check_leaf(v, n, (struct query_place){.expected = list, .quiet = p.quiet});
	for (const struct gql_node *i = n->items; i; i = i->next)
		walk_value(v, i, item);
}

static void walk_object_value(struct gql_validation *v, const struct gql_node *n, struct query_place p)
{
	const struct gql_type *t = p.expected && p.expected->type->kind == GQL_INPUT ? p.expected->type : NULL;
	struct map seen = {0};
	bool made;
	if (!t)
		check_leaf(v, n, p);
	for (const struct gql_node *f = n->items; f; f = f->next) {
		struct map_slot *slot = map_put(&seen, f->name, &made);
		if (made)
			slot->v.num = f->name_at;
		else
			WRONG("UniqueInputFieldNames", GQL_AT((uint32_t)slot->v.num, f->name_at),
			    "There can be only one input field named \"%.*s\".", STR_FMT(f->name));
		const struct gql_input *in = t ? gql_input_find(t->inputs, t->ninputs, f->name) : NULL;
		if (t && !in && !p.quiet)
			WRONG("ValuesOfCorrectType", GQL_AT(f->at), "Field \"%.*s\" is not defined by type \"%.*s\".",
			    STR_FMT(f->name), STR_FMT(t->name));
		walk_value(v, f->value,
		    (struct query_place){
			.expected = in ? in->type : NULL, .has_default = in && in->fallback, .quiet = p.quiet || !t});
	}
	for (size_t i = 0; t && !p.quiet && i < t->ninputs; i++) {
		const struct gql_input *in = &t->inputs[i];
		if (in->type->wrap == GQL_NON_NULL && !in->fallback && !map_get(&seen, in->name))
			WRONG("ValuesOfCorrectType", GQL_AT(n->at),
			    "Field \"%.*s.%.*s\" of required type \"%.*s\" was not provided.", STR_FMT(t->name),
			    STR_FMT(in->name), STR_FMT(show(v, in->type)));
	}
	map_free(&seen);
}

static void walk_value(struct gql_validation *v, const struct gql_node *n, struct query_place p)
{
	switch (n->kind) {
	case GQL_VALUE_VARIABLE: {
		struct gql_usage *u = arena_alloc(v->mem, sizeof *u);
		*u = (struct gql_usage){n, p.expected, p.has_default, NULL};
		if (v->scope) {
			*v->scope->last_usage = u;
			v->scope->last_usage = &u->next;
		}
		break;
	}
	case GQL_VALUE_NULL:
		if (p.expected && !p.quiet && p.expected->wrap == GQL_NON_NULL)
			WRONG("ValuesOfCorrectType", GQL_AT(n->at), "Expected value of type \"%.*s\", found null.",
			    STR_FMT(show(v, p.expected)));
		break;
	case GQL_VALUE_LIST:
		walk_list_value(v, n, p);
		break;
	case GQL_VALUE_OBJECT:
		walk_object_value(v, n, p);
		break;
	default:
		check_leaf(v, n, p);
	}
}

/* ---- arguments and directives ---- */

static bool has_name(const struct gql_node *list, struct str name)
{
	for (; list; list = list->next)
		if (str_eq(list->name, name))
			return true;
	return false;
}

/* Values of arguments; those that are not defined have no type. `known` is false where nothing is known of what they
 * belong to. */
static void walk_arguments(struct gql_validation *v, const struct gql_node *list, const struct gql_input *args,
    size_t nargs, bool known, const char *of, struct str owner, struct str name)
{
	unique_names(v, list, "UniqueArgumentNames", "argument named");
	for (const struct gql_node *a = list; a; a = a->next) {
		const struct gql_input *in = gql_input_find(args, nargs, a->name);
		if (known && !in)
			WRONG("KnownArgumentNames", GQL_AT(a->at), "Unknown argument \"%.*s\" on %s%.*s%.*s\".",
			    STR_FMT(a->name), of, STR_FMT(owner), STR_FMT(name));
		walk_value(v, a->value,
		    (struct query_place){.expected = in ? in->type : NULL, .has_default = in && in->fallback});
	}
}

static void check_required(
    struct gql_validation *v, const struct gql_node *n, const struct gql_input *args, size_t nargs, const char *what)
{
	for (size_t i = 0; i < nargs; i++)
		if (args[i].type->wrap == GQL_NON_NULL && !args[i].fallback && !has_name(n->arguments, args[i].name))
			WRONG("ProvidedRequiredArguments", GQL_AT(n->at),
			    "%s%.*s\" argument \"%.*s\" of type \"%.*s\" is required, but it was not provided.", what,
			    STR_FMT(n->name), STR_FMT(args[i].name), STR_FMT(show(v, args[i].type)));
}

static void walk_directives(struct gql_validation *v, const struct gql_node *list, enum gql_location where)
{
	for (const struct gql_node *n = list; n; n = n->next) {
		const struct gql_directive *d = gql_directive_find(v->s, n->name);
		if (!d)
			WRONG("KnownDirectives", GQL_AT(n->at), "Unknown directive \"@%.*s\".", STR_FMT(n->name));
		else if (!(d->locations >> where & 1))
			WRONG("KnownDirectives", GQL_AT(n->at), "Directive \"@%.*s\" may not be used on %s.",
			    STR_FMT(n->name), gql_location_name[where]);
		walk_arguments(
		    v, n->arguments, d ? d->args : NULL, d ? d->nargs : 0, d, "directive \"@", STR(""), n->name);
		if (d)
			check_required(v, n, d->args, d->nargs, "Directive \"@");
	}
	if (!list || !list->next)
		return;
	struct map seen = {0};
	bool made;
	for (const struct gql_node *n = list; n; n = n->next) {
		const struct gql_directive *d = gql_directive_find(v->s, n->name);
		if (!d || d->repeatable)
			continue;
		struct map_slot *slot = map_put(&seen, n->name, &made);
		if (made)
			slot->v.num = n->at;
		else
			WRONG("UniqueDirectivesPerLocation", GQL_AT((uint32_t)slot->v.num, n->at),
			    "The directive \"@%.*s\" can only be used once at this location.", STR_FMT(n->name));
	}
	map_free(&seen);
}

/* ---- types ---- */

/* The named type within a reference; reports one that is not known. */
static const struct gql_type *walk_type(struct gql_validation *v, const struct gql_node *n)
{
	while (n->kind != GQL_TYPE_NAME)
		n = n->type;
	const struct gql_type *t = gql_type_find(v->s, n->name);
	if (!t)
		WRONG("KnownTypeNames", GQL_AT(n->at), "Unknown type \"%.*s\".", STR_FMT(n->name));
	return t;
}

/* The type that a fragment is on, if it is one that has fields. */
static const struct gql_type *walk_condition(struct gql_validation *v, const struct gql_node *fragment)
{
	const struct gql_type *t = walk_type(v, fragment->type);
	if (!t || gql_is_composite(t))
		return t;
	WRONG("FragmentsOnCompositeTypes", GQL_AT(fragment->type->at),
	    "Fragment \"%.*s\" cannot condition on non composite type \"%.*s\".", STR_FMT(fragment->name),
	    STR_FMT(t->name));
	return NULL;
}

/* ---- selections ---- */

static void walk_selections(struct gql_validation *v, struct gql_node *list, const struct gql_type *parent);

static void check_leafs(struct gql_validation *v, const struct gql_node *n, const struct gql_field *f)
{
	if (gql_is_leaf(f->type->type)) {
		if (n->has_selections)
			WRONG("ScalarLeafs", GQL_AT(n->selections_at),
			    "Field \"%.*s\" must not have a selection since type \"%.*s\" has no subfields.",
			    STR_FMT(n->name), STR_FMT(show(v, f->type)));
	} else if (!n->has_selections) {
		WRONG("ScalarLeafs", GQL_AT(n->at),
		    "Field \"%.*s\" of type \"%.*s\" must have a selection of subfields.", STR_FMT(n->name),
		    STR_FMT(show(v, f->type)));
	}
}

static void walk_field(struct gql_validation *v, struct gql_node *n, const struct gql_type *parent)
{
	const struct gql_field *f = parent ? gql_field_select(v->s, parent, n->name) : NULL;
	n->mark = (void *)f;
	if (parent && !f)
		WRONG("FieldsOnCorrectType", GQL_AT(n->at), "Cannot query field \"%.*s\" on type \"%.*s\".",
		    STR_FMT(n->name), STR_FMT(parent->name));
	walk_arguments(v, n->arguments, f ? f->args : NULL, f ? f->nargs : 0, f, "field \"",
	    parent ? parent->name : STR_NONE, f ? arena_printf(v->mem, ".%.*s", STR_FMT(n->name)) : STR_NONE);
	walk_directives(v, n->directives, GQL_ON_FIELD);
	if (f) {
		check_leafs(v, n, f);
		check_required(v, n, f->args, f->nargs, "Field \"");
	}
	const struct gql_type *own = f && gql_is_composite(f->type->type) ? f->type->type : NULL;
	walk_selections(v, n->selections, own);
}

static void walk_spread(struct gql_validation *v, struct gql_node *n, const struct gql_type *parent)
{
	const struct gql_node *fragment = gql_fragment_find(v->doc, n->name);
	if (!fragment)
		WRONG("KnownFragmentNames", GQL_AT(n->name_at), "Unknown fragment \"%.*s\".", STR_FMT(n->name));
	const struct gql_type *t = fragment ? gql_type_find(v->s, fragment->type->name) : NULL;
	if (t && gql_is_composite(t) && parent && !gql_overlap(t, parent))
		WRONG("PossibleFragmentSpreads", GQL_AT(n->at),
		    "Fragment \"%.*s\" cannot be spread here as objects of type \"%.*s\" can never be of type "
		    "\"%.*s\".",
		    STR_FMT(n->name), STR_FMT(parent->name), STR_FMT(t->name));
	walk_directives(v, n->directives, GQL_ON_FRAGMENT_SPREAD);
}

static void walk_inline(struct gql_validation *v, struct gql_node *n, const struct gql_type *parent)
{
	const struct gql_type *t = n->type ? walk_condition(v, n) : parent;
	if (t && parent && !gql_overlap(t, parent))
		WRONG("PossibleFragmentSpreads", GQL_AT(n->at),
		    "Fragment cannot be spread here as objects of type \"%.*s\" can never be of type \"%.*s\".",
		    STR_FMT(parent->name), STR_FMT(t->name));
	walk_directives(v, n->directives, GQL_ON_INLINE_FRAGMENT);
	n->mark = (void *)t;
	walk_selections(v, n->selections, t);
}

static void walk_selections(struct gql_validation *v, struct gql_node *list, const struct gql_type *parent)
{
	for (struct gql_node *n = list; n && !v->errors->full; n = n->next) {
		if (n->kind == GQL_FIELD)
			walk_field(v, n, parent);
		else if (n->kind == GQL_FRAGMENT_SPREAD)
			walk_spread(v, n, parent);
		else
			walk_inline(v, n, parent);
	}
}

/* ---- definitions ---- */

static void walk_variables(struct gql_validation *v, struct gql_node *list)
{
	unique_names(v, list, "UniqueVariableNames", "variable named");
	for (struct gql_node *n = list; n; n = n->next) {
		const struct gql_type *t = walk_type(v, n->type);
		const struct gql_ref *r = t ? gql_ref_of(v->s, n->type, v->mem) : NULL;
		if (t && !gql_is_input(t)) {
			WRONG("VariablesAreInputTypes", GQL_AT(n->type->at),
			    "Variable \"$%.*s\" cannot be non-input type \"%.*s\".", STR_FMT(n->name),
			    STR_FMT(spelling(v, n->type)));
		}
		n->mark = (void *)r;
		if (n->value)
			walk_value(v, n->value, (struct query_place){.expected = t && gql_is_input(t) ? r : NULL});
		walk_directives(v, n->directives, GQL_ON_VARIABLE_DEFINITION);
	}
}

static struct gql_scope *add_scope(struct gql_validation *v, struct gql_node *definition)
{
	struct gql_scope *s = arena_alloc(v->mem, sizeof *s);
	*s = (struct gql_scope){.definition = definition};
	s->last_usage = &s->usages;
	*v->last_scope = s;
	v->last_scope = &s->next;
	definition->mark = s;
	return s;
}

static void walk_operation(struct gql_validation *v, struct gql_node *n)
{
	static const enum gql_location where[] = {GQL_ON_QUERY, GQL_ON_MUTATION, GQL_ON_SUBSCRIPTION};
	walk_variables(v, n->variables);
	walk_directives(v, n->directives, where[n->operation]);
	walk_selections(v, n->selections, v->s->root[n->operation]);
}

static bool defined_here(const struct gql_validation *v, struct str name)
{
	for (const struct gql_node *n = v->doc->definitions; n; n = n->next)
		if (n->kind >= GQL_SCALAR_DEFINITION && n->kind <= GQL_INPUT_DEFINITION && str_eq(n->name, name))
			return true;
	return false;
}

static void walk_defined(struct gql_validation *v, const struct gql_node *n, enum gql_kind around);

static void walk_defined_list(struct gql_validation *v, const struct gql_node *list, enum gql_kind around)
{
	for (; list; list = list->next)
		walk_defined(v, list, around);
}

/* A type that a document defines is refused as such; what it names is looked at all the same. */
static void walk_defined(struct gql_validation *v, const struct gql_node *n, enum gql_kind around)
{
	static const enum gql_location where[] = {
	    [GQL_SCHEMA_DEFINITION] = GQL_ON_SCHEMA,
	    [GQL_SCALAR_DEFINITION] = GQL_ON_SCALAR,
	    [GQL_OBJECT_DEFINITION] = GQL_ON_OBJECT,
	    [GQL_INTERFACE_DEFINITION] = GQL_ON_INTERFACE,
	    [GQL_UNION_DEFINITION] = GQL_ON_UNION,
	    [GQL_ENUM_DEFINITION] = GQL_ON_ENUM,
	    [GQL_INPUT_DEFINITION] = GQL_ON_INPUT_OBJECT,
	    [GQL_FIELD_DEFINITION] = GQL_ON_FIELD_DEFINITION,
	    [GQL_INPUT_VALUE_DEFINITION] = GQL_ON_ARGUMENT_DEFINITION,
	    [GQL_ENUM_VALUE_DEFINITION] = GQL_ON_ENUM_VALUE,
	};
	const struct gql_node *named = n->kind == GQL_TYPE_NAME ? n : n->type;
	while (named && named->kind != GQL_TYPE_NAME)
		named = named->type;
	if (named && !defined_here(v, named->name))
		walk_type(v, named);
	if (n->kind == GQL_TYPE_NAME)
		return;
	if (n->value)
		walk_value(v, n->value, (struct query_place){0});
	bool input_field = n->kind == GQL_INPUT_VALUE_DEFINITION && around == GQL_INPUT_DEFINITION;
	if (n->kind != GQL_OPERATION_TYPE && n->kind != GQL_DIRECTIVE_DEFINITION)
		walk_directives(v, n->directives, input_field ? GQL_ON_INPUT_FIELD_DEFINITION : where[n->kind]);
	if (n->kind != GQL_DIRECTIVE_DEFINITION)
		walk_defined_list(v, n->types, n->kind);
	walk_defined_list(v, n->fields, n->kind);
	walk_defined_list(v, n->variables, n->kind);
}

static void walk_type_system(struct gql_validation *v, const struct gql_node *n)
{
	if (n->kind == GQL_SCHEMA_DEFINITION)
		WRONG("ExecutableDefinitions", GQL_AT(n->at), "The schema definition is not executable.");
	else
		WRONG("ExecutableDefinitions", GQL_AT(n->at), "The \"%.*s\" definition is not executable.",
		    STR_FMT(n->name));
	walk_defined(v, n, n->kind);
}

static void walk_definition(struct gql_validation *v, struct gql_node *n)
{
	v->scope = n->mark;
	if (n->kind == GQL_OPERATION) {
		walk_operation(v, n);
	} else if (n->kind == GQL_FRAGMENT) {
		const struct gql_type *t = walk_condition(v, n);
		walk_directives(v, n->directives, GQL_ON_FRAGMENT_DEFINITION);
		walk_selections(v, n->selections, t);
	} else {
		walk_type_system(v, n);
	}
}

/* Operations and fragments by their names. */
static void note_names(struct gql_validation *v)
{
	struct map operations = {0}, fragments = {0};
	struct gql_node *n;
	size_t count = 0;
	bool made;
	for (n = v->doc->definitions; n; n = n->next)
		count += n->kind == GQL_OPERATION;
	for (n = v->doc->definitions; n; n = n->next) {
		if (n->kind != GQL_OPERATION && n->kind != GQL_FRAGMENT)
			continue;
		add_scope(v, n);
		if (n->kind == GQL_OPERATION && !n->name.p) {
			if (count > 1)
				WRONG("LoneAnonymousOperation", GQL_AT(n->at),
				    "This anonymous operation must be the only defined operation.");
			continue;
		}
		bool fragment = n->kind == GQL_FRAGMENT;
		struct map_slot *slot = map_put(fragment ? &fragments : &operations, n->name, &made);
		if (fragment) /* of several, spreads mean the last */
			map_put(&v->doc->fragments, n->name, NULL)->v.ptr = n;
		if (made) {
			slot->v.ptr = n;
			continue;
		}
		const struct gql_node *first = slot->v.ptr;
		v->cyclic |= fragment; /* circles through the others are not looked for */
		WRONG(fragment ? "UniqueFragmentNames" : "UniqueOperationNames", GQL_AT(first->name_at, n->name_at),
		    "There can be only one %s named \"%.*s\".", fragment ? "fragment" : "operation", STR_FMT(n->name));
	}
	map_free(&operations);
	map_free(&fragments);
}

struct gql_node *gql_fragment_find(const struct gql_document *doc, struct str name)
{
	struct map_slot *slot = map_get(&doc->fragments, name);
	return slot ? slot->v.ptr : NULL;
}

bool gql_validate(const struct gql_schema *s, struct gql_document *doc, struct gql_errors *errors)
{
	enum { STEPS_EACH = 64, STEPS_LEAST = 100000 };
	size_t before = errors->n;
	struct gql_validation v = {
	    .s = s, .doc = doc, .errors = errors, .mem = errors->mem, .budget = STEPS_LEAST + STEPS_EACH * doc->tokens};
	v.last_scope = &v.scopes;
	note_names(&v);
	for (struct gql_node *n = doc->definitions; n && !errors->full; n = n->next)
		walk_definition(&v, n);
	if (!errors->full)
		gql_check_spreads(&v);
	if (!errors->full)
		gql_check_overlaps(&v);
	return errors->n == before;
}
