/* schema.c - from the tree of an SDL to types that know one another.
 *
 * In two passes: the first gives every definition its name, so that the second can resolve each reference as it meets
 * it.
 */
#include "lib/graphql/schema.h"

#include "lib/base/embed.h"

EMBED(introspection, "lib/graphql/introspection.graphql")

const char *const gql_location_name[GQL_LOCATIONS] = {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD",
    "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT",
    "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION"};

struct builder {
	struct gql_schema *s;
	struct gql_document doc; /* the one that is being read */
	struct err *e;
};

static int wrong(const struct builder *b, const struct gql_node *n, const char *what, struct str name)
{
	return err_set(
	    b->e, ERR_USAGE, "schema, line %u: %s '%.*s'", gql_place_of(b->doc.text, n->at).line, what, STR_FMT(name));
}

static size_t length(const struct gql_node *list)
{
	size_t n = 0;
	for (; list; list = list->next)
		n++;
	return n;
}

/* Zeroed, in the schema's arena. */
static void *make(struct builder *b, size_t n, size_t size)
{
	void *p = arena_alloc(&b->s->mem, n * size);
	memset(p, 0, n * size);
	return p;
}

static struct str described(const struct gql_node *n)
{
	return n->description ? n->description->name : STR_NONE;
}

/* The string that a directive of a definition carries in this argument; absent if there is no such directive. */
static struct str directive_text(const struct gql_node *n, struct str directive, struct str arg, struct str fallback)
{
	for (const struct gql_node *d = n->directives; d; d = d->next) {
		if (!str_eq(d->name, directive))
			continue;
		for (const struct gql_node *a = d->arguments; a; a = a->next)
			if (str_eq(a->name, arg) && a->value->kind == GQL_VALUE_STRING)
				return a->value->name;
		return fallback;
	}
	return STR_NONE;
}

static struct str deprecated(const struct gql_node *n)
{
	return directive_text(n, STR("deprecated"), STR("reason"), STR("No longer supported"));
}

/* ---- references ---- */

const struct gql_ref *gql_ref_of(const struct gql_schema *s, const struct gql_node *type, struct arena *mem)
{
	struct gql_ref *r = arena_alloc(mem, sizeof *r);
	if (type->kind == GQL_TYPE_NAME) {
		*r = (struct gql_ref){GQL_NAMED, NULL, gql_type_find(s, type->name)};
		return r->type ? r : NULL;
	}
	const struct gql_ref *of = gql_ref_of(s, type->type, mem);
	if (!of)
		return NULL;
	*r = (struct gql_ref){type->kind == GQL_TYPE_LIST ? GQL_LIST : GQL_NON_NULL, of, of->type};
	return r;
}

void gql_ref_put(struct buf *out, const struct gql_ref *r)
{
	switch (r->wrap) {
	case GQL_NAMED:
		buf_str(out, r->type->name);
		break;
	case GQL_LIST:
		buf_char(out, '[');
		gql_ref_put(out, r->of);
		buf_char(out, ']');
		break;
	case GQL_NON_NULL:
		gql_ref_put(out, r->of);
		buf_char(out, '!');
	}
}

bool gql_ref_eq(const struct gql_ref *a, const struct gql_ref *b)
{
	if (a->wrap != b->wrap)
		return false;
	return a->wrap == GQL_NAMED ? a->type == b->type : gql_ref_eq(a->of, b->of);
}

bool gql_is_subtype(const struct gql_ref *a, const struct gql_ref *b)
{
	if (b->wrap == GQL_NON_NULL)
		return a->wrap == GQL_NON_NULL && gql_is_subtype(a->of, b->of);
	if (a->wrap == GQL_NON_NULL)
		return gql_is_subtype(a->of, b);
	if (a->wrap != b->wrap)
		return false;
	if (a->wrap == GQL_LIST)
		return gql_is_subtype(a->of, b->of);
	if (a->type == b->type)
		return true;
	for (size_t i = 0; i < a->type->ninterfaces; i++)
		if (a->type->interfaces[i] == b->type)
			return true;
	return a->type->kind == GQL_OBJECT && gql_is_possible(b->type, a->type);
}

/* ---- look-ups ---- */

const struct gql_type *gql_type_find(const struct gql_schema *s, struct str name)
{
	struct map_slot *slot = map_get(&s->by_name, name);
	return slot ? slot->v.ptr : NULL;
}

const struct gql_directive *gql_directive_find(const struct gql_schema *s, struct str name)
{
	for (size_t i = 0; i < s->ndirectives; i++)
		if (str_eq(s->directives[i].name, name))
			return &s->directives[i];
	return NULL;
}

static void *member(const struct gql_type *t, struct str name)
{
	struct map_slot *slot = map_get(&t->by_name, name);
	return slot ? slot->v.ptr : NULL;
}

const struct gql_field *gql_field_find(const struct gql_type *t, struct str name)
{
	return t->kind == GQL_OBJECT || t->kind == GQL_INTERFACE ? member(t, name) : NULL;
}

const struct gql_field *gql_field_select(const struct gql_schema *s, const struct gql_type *t, struct str name)
{
	const struct gql_field *f = gql_field_find(t, name);
	if (f || name.n < 2 || memcmp(name.p, "__", 2) != 0)
		return f;
	if (str_eq(name, s->type_name->name))
		return s->type_name;
	return t == s->root[GQL_QUERY] ? gql_field_find(s->everywhere, name) : NULL;
}

const struct gql_input *gql_input_find(const struct gql_input *list, size_t n, struct str name)
{
	for (size_t i = 0; i < n; i++)
		if (str_eq(list[i].name, name))
			return &list[i];
	return NULL;
}

const struct gql_enum_value *gql_enum_find(const struct gql_type *t, struct str name)
{
	return t->kind == GQL_ENUM ? member(t, name) : NULL;
}

bool gql_is_possible(const struct gql_type *t, const struct gql_type *o)
{
	if (t == o)
		return true;
	for (size_t i = 0; i < t->npossible; i++)
		if (t->possible[i] == o)
			return true;
	return false;
}

bool gql_overlap(const struct gql_type *a, const struct gql_type *b)
{
	if (a == b)
		return true;
	if (a->kind == GQL_OBJECT)
		return gql_is_possible(b, a);
	for (size_t i = 0; i < a->npossible; i++)
		if (gql_is_possible(b, a->possible[i]))
			return true;
	return false;
}

/* ---- building ---- */

static int add_name(struct builder *b, struct gql_type *t, const struct gql_node *n, void *what)
{
	bool made;
	map_put(&t->by_name, n->name, &made)->v.ptr = what;
	return made ? 0 : wrong(b, n, "a second member is called", n->name);
}

static int reference(struct builder *b, const struct gql_node *type, bool input, const struct gql_ref **out)
{
	const struct gql_node *named = type;
	while (named->kind != GQL_TYPE_NAME)
		named = named->type;
	*out = gql_ref_of(b->s, type, &b->s->mem);
	if (!*out)
		return wrong(b, named, "no type is called", named->name);
	if (input ? !gql_is_input((*out)->type) : (*out)->type->kind == GQL_INPUT)
		return wrong(b, named, input ? "not an input type:" : "not an output type:", named->name);
	return 0;
}

static int inputs(struct builder *b, const struct gql_node *list, struct gql_input **out, size_t *n)
{
	*n = 0;
	*out = make(b, length(list), sizeof **out);
	for (; list; list = list->next) {
		if (gql_input_find(*out, *n, list->name))
			return wrong(b, list, "a second argument is called", list->name);
		struct gql_input *in = &(*out)[*n];
		*in = (struct gql_input){.name = list->name,
		    .description = described(list),
		    .deprecated = deprecated(list),
		    .fallback = list->value,
		    .index = (*n)++};
		if (reference(b, list->type, true, &in->type) < 0)
			return -1;
	}
	return 0;
}

static int fields(struct builder *b, struct gql_type *t, const struct gql_node *def)
{
	t->fields = make(b, length(def->fields), sizeof *t->fields);
	for (const struct gql_node *n = def->fields; n; n = n->next) {
		struct gql_field *f = &t->fields[t->nfields++];
		*f = (struct gql_field){
		    .name = n->name, .description = described(n), .deprecated = deprecated(n), .owner = t};
		if (reference(b, n->type, false, &f->type) < 0 || inputs(b, n->variables, &f->args, &f->nargs) < 0 ||
		    add_name(b, t, n, f) < 0)
			return -1;
	}
	return t->nfields ? 0 : wrong(b, def, "no field in", t->name);
}

static int input_fields(struct builder *b, struct gql_type *t, const struct gql_node *def)
{
	if (inputs(b, def->fields, &t->inputs, &t->ninputs) < 0)
		return -1;
	for (size_t i = 0; i < t->ninputs; i++)
		map_put(&t->by_name, t->inputs[i].name, NULL)->v.ptr = &t->inputs[i];
	return t->ninputs ? 0 : wrong(b, def, "no field in", t->name);
}

static int enum_values(struct builder *b, struct gql_type *t, const struct gql_node *def)
{
	t->values = make(b, length(def->fields), sizeof *t->values);
	for (const struct gql_node *n = def->fields; n; n = n->next) {
		struct gql_enum_value *v = &t->values[t->nvalues++];
		*v = (struct gql_enum_value){n->name, described(n), deprecated(n)};
		if (add_name(b, t, n, v) < 0)
			return -1;
	}
	return t->nvalues ? 0 : wrong(b, def, "no value in", t->name);
}

/* The named types of a list: interfaces that are implemented, members of a union. */
static int named_types(
    struct builder *b, const struct gql_node *list, enum gql_type_kind kind, const struct gql_type ***out, size_t *n)
{
	*out = make(b, length(list), sizeof **out);
	for (; list; list = list->next) {
		const struct gql_type *t = gql_type_find(b->s, list->name);
		if (!t || t->kind != kind)
			return wrong(
			    b, list, kind == GQL_INTERFACE ? "not an interface:" : "not an object type:", list->name);
		(*out)[(*n)++] = t;
	}
	return 0;
}

static const enum gql_type_kind kind_of[] = {
    [GQL_SCALAR_DEFINITION] = GQL_SCALAR,
    [GQL_OBJECT_DEFINITION] = GQL_OBJECT,
    [GQL_INTERFACE_DEFINITION] = GQL_INTERFACE,
    [GQL_UNION_DEFINITION] = GQL_UNION,
    [GQL_ENUM_DEFINITION] = GQL_ENUM,
    [GQL_INPUT_DEFINITION] = GQL_INPUT,
};

static bool is_type(const struct gql_node *n)
{
	return n->kind >= GQL_SCALAR_DEFINITION && n->kind <= GQL_INPUT_DEFINITION;
}

static int fill_type(struct builder *b, struct gql_type *t, const struct gql_node *n)
{
	switch (t->kind) {
	case GQL_SCALAR:
		t->specified_by = directive_text(n, STR("specifiedBy"), STR("url"), STR_NONE);
		return 0;
	case GQL_OBJECT:
	case GQL_INTERFACE:
		if (named_types(b, n->types, GQL_INTERFACE, &t->interfaces, &t->ninterfaces) < 0)
			return -1;
		return fields(b, t, n);
	case GQL_UNION:
		return named_types(b, n->types, GQL_OBJECT, &t->possible, &t->npossible);
	case GQL_ENUM:
		return enum_values(b, t, n);
	case GQL_INPUT:
		return input_fields(b, t, n);
	}
	return 0;
}

static int fill_directive(struct builder *b, const struct gql_node *n)
{
	struct gql_directive *d = &b->s->directives[b->s->ndirectives++];
	*d = (struct gql_directive){.name = n->name, .description = described(n), .repeatable = n->repeatable};
	for (const struct gql_node *l = n->types; l; l = l->next)
		for (unsigned i = 0; i < GQL_LOCATIONS; i++)
			if (str_eq(l->name, str_of(gql_location_name[i])))
				d->locations |= 1u << i;
	return inputs(b, n->fields, &d->args, &d->nargs);
}

static int declare(struct builder *b, const struct gql_node *n, bool builtin)
{
	struct gql_type *t = make(b, 1, sizeof *t);
	bool made;
	*t = (struct gql_type){.kind = kind_of[n->kind],
	    .name = n->name,
	    .description = described(n),
	    .builtin = builtin,
	    .introspection = n->name.n > 2 && memcmp(n->name.p, "__", 2) == 0,
	    .index = b->s->ntypes};
	t->ref = (struct gql_ref){GQL_NAMED, NULL, t};
	if (builtin && str_eq(n->name, STR("__Everywhere"))) {
		b->s->everywhere = t;
		return 0;
	}
	map_put(&b->s->by_name, n->name, &made)->v.ptr = t;
	if (!made)
		return wrong(b, n, "a second type is called", n->name);
	b->s->types[b->s->ntypes++] = t;
	return 0;
}

static int read_document(struct builder *b, struct str sdl)
{
	if (gql_parse(&b->doc, sdl, &(struct gql_parse_limits){0}, &b->s->mem) == 0)
		return 0;
	return err_set(
	    b->e, ERR_USAGE, "schema, line %u: %.*s", gql_place_of(sdl, b->doc.error_at).line, STR_FMT(b->doc.error));
}

static int declare_all(struct builder *b, bool builtin)
{
	for (const struct gql_node *n = b->doc.definitions; n; n = n->next) {
		if (n->extends || n->kind < GQL_SCHEMA_DEFINITION)
			return wrong(b, n, "neither an operation nor an extension belongs in a schema:", n->name);
		if (is_type(n) && declare(b, n, builtin) < 0)
			return -1;
	}
	return 0;
}

static int fill_all(struct builder *b)
{
	for (const struct gql_node *n = b->doc.definitions; n; n = n->next) {
		struct map_slot *slot = map_get(&b->s->by_name, n->name);
		if (is_type(n) && fill_type(b, slot ? slot->v.ptr : b->s->everywhere, n) < 0)
			return -1;
		if (n->kind == GQL_DIRECTIVE_DEFINITION && fill_directive(b, n) < 0)
			return -1;
	}
	return 0;
}

/* ---- what needs all types ---- */

/* Each interface learns who implements it; each implementation has the interface's fields, of types that go in their
 * place. */
static int check_interfaces(struct builder *b)
{
	struct gql_schema *s = b->s;
	for (size_t i = 0; i < s->ntypes; i++) {
		const struct gql_type *t = s->types[i];
		for (size_t k = 0; k < t->ninterfaces; k++) {
			struct gql_type *face = s->types[t->interfaces[k]->index];
			if (t->kind == GQL_OBJECT) {
				if (!face->possible)
					face->possible = make(b, s->ntypes, sizeof *face->possible);
				face->possible[face->npossible++] = t;
			}
			for (size_t f = 0; f < face->nfields; f++) {
				const struct gql_field *own = gql_field_find(t, face->fields[f].name);
				if (!own || !gql_is_subtype(own->type, face->fields[f].type))
					return err_set(b->e, ERR_USAGE,
					    "schema: '%.*s' does not have the field '%.*s' of '%.*s'", STR_FMT(t->name),
					    STR_FMT(face->fields[f].name), STR_FMT(face->name));
			}
		}
	}
	return 0;
}

static int set_root(struct builder *b, unsigned operation, struct str name)
{
	const struct gql_type *t = gql_type_find(b->s, name);
	if (!t || t->kind != GQL_OBJECT)
		return err_set(b->e, ERR_USAGE, "schema: no object type is called '%.*s'", STR_FMT(name));
	b->s->root[operation] = t;
	return 0;
}

static int set_roots(struct builder *b)
{
	static const char *const usual[] = {"Query", "Mutation", "Subscription"};
	for (const struct gql_node *n = b->doc.definitions; n; n = n->next) {
		if (n->kind != GQL_SCHEMA_DEFINITION)
			continue;
		b->s->description = described(n);
		for (const struct gql_node *o = n->fields; o; o = o->next)
			if (set_root(b, o->operation, o->type->name) < 0)
				return -1;
		return b->s->root[GQL_QUERY] ? 0 : err_set(b->e, ERR_USAGE, "schema: there is no query type");
	}
	for (unsigned i = 0; i < COUNT_OF(usual); i++)
		if (gql_type_find(b->s, str_of(usual[i])) && set_root(b, i, str_of(usual[i])) < 0)
			return -1;
	return b->s->root[GQL_QUERY] ? 0 : err_set(b->e, ERR_USAGE, "schema: there is no query type");
}

static int build(struct builder *b, struct str sdl)
{
	struct gql_schema *s = b->s;
	struct builder own = *b;
	if (read_document(b, sdl) < 0 || read_document(&own, introspection()) < 0)
		return -1;
	size_t most = length(b->doc.definitions) + length(own.doc.definitions);
	s->types = make(b, most, sizeof *s->types);
	s->directives = make(b, most, sizeof *s->directives);
	if (declare_all(b, false) < 0 || declare_all(&own, true) < 0 || fill_all(&own) < 0 || fill_all(b) < 0)
		return -1;
	s->type_name = gql_field_find(s->everywhere, STR("__typename"));
	return check_interfaces(b) < 0 ? -1 : set_roots(b);
}

struct gql_schema *gql_schema_new(struct str sdl, struct err *e)
{
	struct gql_schema *s = xcalloc(1, sizeof *s);
	struct builder b = {.s = s, .e = e};
	if (build(&b, sdl) == 0)
		return s;
	gql_schema_free(s);
	return NULL;
}

void gql_schema_free(struct gql_schema *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->ntypes; i++)
		map_free(&s->types[i]->by_name);
	if (s->everywhere)
		map_free(&s->everywhere->by_name);
	map_free(&s->by_name);
	arena_free(&s->mem);
	free(s);
}

int gql_schema_bind(
    struct gql_schema *s, struct str type, struct str field, gql_resolve *resolve, void *bound, struct err *e)
{
	const struct gql_type *t = gql_type_find(s, type);
	const struct gql_field *found = t ? gql_field_find(t, field) : NULL;
	if (!found)
		return err_set(e, ERR_USAGE, "schema: no field '%.*s' of '%.*s'", STR_FMT(field), STR_FMT(type));
	struct gql_field *f = &s->types[t->index]->fields[found - t->fields];
	f->resolve = resolve;
	f->bound = bound;
	return 0;
}
