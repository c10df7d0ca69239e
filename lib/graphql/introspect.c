/* introspect.c - one function answers for each type of introspection; the field's place in the SDL says what is
 * asked. */
#include "lib/graphql/introspect.h"

#include "lib/json/write.h"

/* A literal as GraphQL spells it. */
static void put_literal(struct buf *out, const struct gql_node *n)
{
	bool object = n->kind == GQL_VALUE_OBJECT;
	switch (n->kind) {
	case GQL_VALUE_STRING:
		json_put_string(out, n->name);
		break;
	case GQL_VALUE_LIST:
	case GQL_VALUE_OBJECT:
		buf_char(out, object ? '{' : '[');
		for (const struct gql_node *m = n->items; m; m = m->next) {
			if (m != n->items)
				buf_str(out, STR(", "));
			if (object)
				buf_printf(out, "%.*s: ", STR_FMT(m->name));
			put_literal(out, object ? m->value : m);
		}
		buf_char(out, object ? '}' : ']');
		break;
	default:
		buf_str(out, n->name);
	}
}

static struct gql_out literal(struct gql_call *call, const struct gql_node *n)
{
	struct buf b = {0};
	if (!n)
		return gql_text(STR_NONE);
	put_literal(&b, n);
	struct gql_out out = gql_text(arena_str(call->mem, buf_view(&b)));
	buf_free(&b);
	return out;
}

static bool wants_deprecated(const struct gql_call *call)
{
	return call->args && call->args[0].kind == GQL_TRUTH && call->args[0].truth;
}

/* The list of those of n elements, `size` apart, that are not deprecated, or of all. `reason` is where each keeps its
 * reason. */
static struct gql_out list_of(struct gql_call *call, const void *first, size_t n, size_t size, size_t reason)
{
	struct gql_out out = gql_list(call, n);
	bool all = wants_deprecated(call);
	out.n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *p = (const char *)first + i * size;
		if (all || !((const struct str *)(p + reason))->p)
			out.item[out.n++] = gql_object(p);
	}
	return out;
}

static struct gql_out inputs_of(struct gql_call *call, const struct gql_input *list, size_t n)
{
	return list_of(call, list, n, sizeof *list, offsetof(struct gql_input, deprecated));
}

static struct gql_out types_of(struct gql_call *call, const struct gql_type *const *list, size_t n)
{
	struct gql_out out = gql_list(call, n);
	for (size_t i = 0; i < n; i++)
		out.item[i] = gql_object(&list[i]->ref);
	return out;
}

/* The place of the field among those of its type. */
static size_t place(const struct gql_call *call)
{
	return (size_t)(call->field - call->field->owner->fields);
}

static struct gql_out type_or_null(const struct gql_type *t)
{
	return gql_object(t ? &t->ref : NULL);
}

static struct gql_out schema_field(struct gql_call *call, const struct gql_schema *s)
{
	struct gql_out out;
	switch (place(call)) {
	case 0:
		return gql_text(s->description);
	case 1:
		return types_of(call, (const struct gql_type *const *)s->types, s->ntypes);
	case 2:
		return type_or_null(s->root[GQL_QUERY]);
	case 3:
		return type_or_null(s->root[GQL_MUTATION]);
	case 4:
		return type_or_null(s->root[GQL_SUBSCRIPTION]);
	default:
		out = gql_list(call, s->ndirectives);
		for (size_t i = 0; i < s->ndirectives; i++)
			out.item[i] = gql_object(&s->directives[i]);
		return out;
	}
}

static struct gql_out kind_of(const struct gql_ref *r)
{
	static const char *const named[] = {"SCALAR", "OBJECT", "INTERFACE", "UNION", "ENUM", "INPUT_OBJECT"};
	return gql_text(r->wrap == GQL_LIST	  ? STR("LIST")
			: r->wrap == GQL_NON_NULL ? STR("NON_NULL")
						  : str_of(named[r->type->kind]));
}

static struct gql_out type_field(struct gql_call *call, const struct gql_ref *r)
{
	const struct gql_type *t = r->type;
	const struct gql_out none = {.kind = GQL_OUT_NULL};
	bool named = r->wrap == GQL_NAMED;
	bool fields = named && (t->kind == GQL_OBJECT || t->kind == GQL_INTERFACE);
	switch (place(call)) {
	case 0:
		return kind_of(r);
	case 1:
		return named ? gql_text(t->name) : none;
	case 2:
		return named ? gql_text(t->description) : none;
	case 3:
		return named ? gql_text(t->specified_by) : none;
	case 4:
		return fields ? list_of(call, t->fields, t->nfields, sizeof *t->fields,
				    offsetof(struct gql_field, deprecated))
			      : none;
	case 5:
		return fields ? types_of(call, t->interfaces, t->ninterfaces) : none;
	case 6:
		return named && (t->kind == GQL_INTERFACE || t->kind == GQL_UNION)
			   ? types_of(call, t->possible, t->npossible)
			   : none;
	case 7:
		return named && t->kind == GQL_ENUM ? list_of(call, t->values, t->nvalues, sizeof *t->values,
							  offsetof(struct gql_enum_value, deprecated))
						    : none;
	case 8:
		return named && t->kind == GQL_INPUT ? inputs_of(call, t->inputs, t->ninputs) : none;
	default:
		return named ? none : gql_object(r->of);
	}
}

static struct gql_out field_field(struct gql_call *call, const struct gql_field *f)
{
	switch (place(call)) {
	case 0:
		return gql_text(f->name);
	case 1:
		return gql_text(f->description);
	case 2:
		return inputs_of(call, f->args, f->nargs);
	case 3:
		return gql_object(f->type);
	case 4:
		return gql_truth(f->deprecated.p);
	default:
		return gql_text(f->deprecated);
	}
}

static struct gql_out input_field(struct gql_call *call, const struct gql_input *in)
{
	switch (place(call)) {
	case 0:
		return gql_text(in->name);
	case 1:
		return gql_text(in->description);
	case 2:
		return gql_object(in->type);
	case 3:
		return literal(call, in->fallback);
	case 4:
		return gql_truth(in->deprecated.p);
	default:
		return gql_text(in->deprecated);
	}
}

static struct gql_out enum_field(struct gql_call *call, const struct gql_enum_value *v)
{
	switch (place(call)) {
	case 0:
		return gql_text(v->name);
	case 1:
		return gql_text(v->description);
	case 2:
		return gql_truth(v->deprecated.p);
	default:
		return gql_text(v->deprecated);
	}
}

static struct gql_out directive_field(struct gql_call *call, const struct gql_directive *d)
{
	struct gql_out out;
	switch (place(call)) {
	case 0:
		return gql_text(d->name);
	case 1:
		return gql_text(d->description);
	case 2:
		return gql_truth(d->repeatable);
	case 3:
		out = gql_list(call, GQL_LOCATIONS);
		out.n = 0;
		for (unsigned i = 0; i < GQL_LOCATIONS; i++)
			if (d->locations >> i & 1)
				out.item[out.n++] = gql_text(str_of(gql_location_name[i]));
		return out;
	default:
		return inputs_of(call, d->args, d->nargs);
	}
}

static void resolve_root(struct gql_call *call, size_t n, void *schema)
{
	const struct gql_schema *s = schema;
	for (size_t i = 0; i < n; i++)
		call[i].out =
		    call[i].field->nargs ? type_or_null(gql_type_find(s, call[i].args[0].text)) : gql_object(s);
}

/* The same loop for each type: RESOLVE(name, type) makes resolve_name of name_field. */
#define RESOLVE(name, type)                                                                                            \
	static void resolve_##name(struct gql_call *call, size_t n, void *app)                                         \
	{                                                                                                              \
		(void)app;                                                                                             \
		for (size_t i = 0; i < n; i++)                                                                         \
			call[i].out = name##_field(&call[i], (const type *)call[i].parent);                            \
	}
RESOLVE(schema, struct gql_schema)
RESOLVE(type, struct gql_ref)
RESOLVE(field, struct gql_field)
RESOLVE(input, struct gql_input)
RESOLVE(enum, struct gql_enum_value)
RESOLVE(directive, struct gql_directive)

static void bind(struct gql_type *t, gql_resolve *resolve, void *bound)
{
	for (size_t i = 0; i < t->nfields; i++) {
		t->fields[i].resolve = resolve;
		t->fields[i].bound = bound;
	}
}

void gql_introspection_bind(struct gql_schema *s)
{
	static const struct {
		const char *type;
		gql_resolve *resolve;
	} all[] = {{"__Schema", resolve_schema}, {"__Type", resolve_type}, {"__Field", resolve_field},
	    {"__InputValue", resolve_input}, {"__EnumValue", resolve_enum}, {"__Directive", resolve_directive}};
	for (size_t i = 0; i < COUNT_OF(all); i++)
		bind(s->types[gql_type_find(s, str_of(all[i].type))->index], all[i].resolve, s);
	bind(s->everywhere, resolve_root, s);
}
