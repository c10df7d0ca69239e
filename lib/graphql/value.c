/* value.c - from literals and from the JSON of variables to values. */
#include "lib/graphql/value.h"

#include <math.h>

#include "lib/json/tree.h"

/* ---- literals ---- */

static const struct gql_value *variable(const struct gql_variables *v, struct str name)
{
	size_t i = 0;
	for (const struct gql_node *n = v ? v->definitions : NULL; n; n = n->next, i++)
		if (str_eq(n->name, name))
			return v->value[i].kind == GQL_ABSENT ? NULL : &v->value[i];
	return NULL;
}

static size_t count(const struct gql_node *list)
{
	size_t n = 0;
	for (; list; list = list->next)
		n++;
	return n;
}

static struct gql_value *new_items(struct gql_value *out, enum gql_value_kind kind, size_t n, struct arena *mem)
{
	*out = (struct gql_value){.kind = kind};
	out->item = arena_alloc(mem, n * sizeof *out->item);
	out->n = n;
	if (n)
		memset(out->item, 0, n * sizeof *out->item);
	return out->item;
}

/* Whatever it is: for scalars of the schema's own. */
static void untyped(struct gql_value *out, const struct gql_node *n, const struct gql_variables *v, struct arena *mem)
{
	const struct gql_value *var;
	size_t i = 0;
	switch (n->kind) {
	case GQL_VALUE_VARIABLE:
		var = variable(v, n->name);
		*out = var ? *var : (struct gql_value){.kind = GQL_NULL};
		break;
	case GQL_VALUE_INT:
	case GQL_VALUE_FLOAT:
		*out = (struct gql_value){.kind = GQL_NUMBER, .number = strtod(n->name.p, NULL)};
		break;
	case GQL_VALUE_BOOLEAN:
		*out = (struct gql_value){.kind = GQL_TRUTH, .truth = n->name.p[0] == 't'};
		break;
	case GQL_VALUE_NULL:
		*out = (struct gql_value){.kind = GQL_NULL};
		break;
	case GQL_VALUE_LIST:
	case GQL_VALUE_OBJECT:
		new_items(out, n->kind == GQL_VALUE_LIST ? GQL_ITEMS : GQL_MEMBERS, count(n->items), mem);
		for (const struct gql_node *m = n->items; m; m = m->next, i++) {
			untyped(&out->item[i], n->kind == GQL_VALUE_LIST ? m : m->value, v, mem);
			out->item[i].name = n->kind == GQL_VALUE_LIST ? STR_NONE : m->name;
		}
		break;
	default:
		*out = (struct gql_value){.kind = GQL_TEXT, .text = n->name};
	}
}

static bool whole(double d, struct gql_value *out)
{
	*out = (struct gql_value){.kind = GQL_INTEGER, .integer = (int64_t)d};
	return d >= INT32_MIN && d <= INT32_MAX && d == floor(d);
}

/* The built-in scalars, from a literal. */
static bool scalar_literal(struct gql_value *out, const struct gql_node *n, struct str name)
{
	if (str_eq(name, STR("Int")))
		return n->kind == GQL_VALUE_INT && whole(strtod(n->name.p, NULL), out);
	if (str_eq(name, STR("Float"))) {
		*out = (struct gql_value){.kind = GQL_NUMBER};
		if (n->kind != GQL_VALUE_INT && n->kind != GQL_VALUE_FLOAT)
			return false;
		out->number = strtod(n->name.p, NULL);
		return true;
	}
	if (str_eq(name, STR("Boolean"))) {
		*out = (struct gql_value){.kind = GQL_TRUTH, .truth = n->name.p && n->name.p[0] == 't'};
		return n->kind == GQL_VALUE_BOOLEAN;
	}
	*out = (struct gql_value){.kind = GQL_TEXT, .text = n->name};
	return n->kind == GQL_VALUE_STRING || (n->kind == GQL_VALUE_INT && str_eq(name, STR("ID")));
}

static bool leaf_literal(struct gql_value *out, const struct gql_node *n, const struct gql_type *t,
    const struct gql_variables *v, struct arena *mem)
{
	if (t->kind == GQL_ENUM) {
		*out = (struct gql_value){.kind = GQL_TEXT, .text = n->name};
		return n->kind == GQL_VALUE_ENUM && gql_enum_find(t, n->name);
	}
	if (t->builtin)
		return scalar_literal(out, n, t->name);
	untyped(out, n, v, mem);
	return !t->check || t->check(out);
}

static bool list_literal(struct gql_value *out, const struct gql_node *n, const struct gql_ref *of,
    const struct gql_variables *v, struct arena *mem)
{
	bool list = n->kind == GQL_VALUE_LIST;
	struct gql_value *item = new_items(out, GQL_ITEMS, list ? count(n->items) : 1, mem);
	if (!list) /* a single value stands for a list of one */
		return gql_value_of(item, n, of, v, mem);
	for (const struct gql_node *m = n->items; m; m = m->next, item++) {
		if (m->kind == GQL_VALUE_VARIABLE && !variable(v, m->name)) {
			if (of->wrap == GQL_NON_NULL)
				return false;
			*item = (struct gql_value){.kind = GQL_NULL};
		} else if (!gql_value_of(item, m, of, v, mem)) {
			return false;
		}
	}
	return true;
}

static const struct gql_node *member_of(const struct gql_node *object, struct str name)
{
	const struct gql_node *found = NULL;
	for (const struct gql_node *m = object->items; m; m = m->next)
		if (str_eq(m->name, name))
			found = m;
	return found;
}

static bool default_value(struct gql_value *out, const struct gql_input *in, struct arena *mem)
{
	*out = (struct gql_value){.kind = GQL_ABSENT};
	return in->fallback ? gql_value_of(out, in->fallback, in->type, NULL, mem) : in->type->wrap != GQL_NON_NULL;
}

static bool object_literal(struct gql_value *out, const struct gql_node *n, const struct gql_type *t,
    const struct gql_variables *v, struct arena *mem)
{
	if (n->kind != GQL_VALUE_OBJECT)
		return false;
	struct gql_value *item = new_items(out, GQL_MEMBERS, t->ninputs, mem);
	for (size_t i = 0; i < t->ninputs; i++) {
		const struct gql_node *m = member_of(n, t->inputs[i].name);
		bool missing = !m || (m->value->kind == GQL_VALUE_VARIABLE && !variable(v, m->value->name));
		if (missing ? !default_value(&item[i], &t->inputs[i], mem)
			    : !gql_value_of(&item[i], m->value, t->inputs[i].type, v, mem))
			return false;
	}
	return true;
}

bool gql_value_of(struct gql_value *out, const struct gql_node *n, const struct gql_ref *type,
    const struct gql_variables *v, struct arena *mem)
{
	if (n->kind == GQL_VALUE_VARIABLE) {
		const struct gql_value *var = variable(v, n->name);
		if (!var || (var->kind == GQL_NULL && type->wrap == GQL_NON_NULL))
			return false;
		*out = *var; /* of a type that goes here, which validation has seen to */
		return true;
	}
	if (type->wrap == GQL_NON_NULL)
		return n->kind != GQL_VALUE_NULL && gql_value_of(out, n, type->of, v, mem);
	if (n->kind == GQL_VALUE_NULL) {
		*out = (struct gql_value){.kind = GQL_NULL};
		return true;
	}
	if (type->wrap == GQL_LIST)
		return list_literal(out, n, type->of, v, mem);
	return type->type->kind == GQL_INPUT ? object_literal(out, n, type->type, v, mem)
					     : leaf_literal(out, n, type->type, v, mem);
}

/* ---- variables ---- */

struct reader {
	struct gql_errors *errors;
	const struct gql_node *definition;
	struct buf path; /* $input.list[3] */
};

static bool bad(struct reader *r, const char *what, struct str a, struct str b)
{
	struct gql_error *e = gql_error_add(r->errors, NULL, GQL_AT(r->definition->at),
	    "Variable \"$%.*s\" got invalid value at \"%.*s\"; %s%.*s%s%.*s.", STR_FMT(r->definition->name),
	    STR_FMT(buf_view(&r->path)), what, STR_FMT(a), b.p ? " " : "", STR_FMT(b));
	if (e)
		e->code = "BAD_USER_INPUT";
	return false;
}

static double number_of(const struct json_node *j)
{
	return strtod(j->text.p, NULL);
}

static void untyped_json(struct gql_value *out, const struct json_node *j, struct arena *mem)
{
	struct gql_value *item;
	switch (j->type) {
	case JSON_STRING:
		*out = (struct gql_value){.kind = GQL_TEXT, .text = j->text};
		break;
	case JSON_NUMBER:
		*out = (struct gql_value){.kind = GQL_NUMBER, .number = number_of(j)};
		break;
	case JSON_TRUE:
	case JSON_FALSE:
		*out = (struct gql_value){.kind = GQL_TRUTH, .truth = j->type == JSON_TRUE};
		break;
	case JSON_NULL:
		*out = (struct gql_value){.kind = GQL_NULL};
		break;
	default:
		item = new_items(out, j->type == JSON_ARRAY ? GQL_ITEMS : GQL_MEMBERS, j->n, mem);
		for (const struct json_node *m = j->first; m; m = m->next, item++) {
			untyped_json(item, m, mem);
			item->name = m->name;
		}
	}
}

static bool scalar_json(struct gql_value *out, const struct json_node *j, struct str name, struct arena *mem)
{
	bool number = j->type == JSON_NUMBER;
	double d = number ? number_of(j) : 0;
	if (str_eq(name, STR("Int")))
		return number && whole(d, out);
	if (str_eq(name, STR("Float"))) {
		*out = (struct gql_value){.kind = GQL_NUMBER, .number = d};
		return number && isfinite(d);
	}
	if (str_eq(name, STR("Boolean"))) {
		*out = (struct gql_value){.kind = GQL_TRUTH, .truth = j->type == JSON_TRUE};
		return j->type == JSON_TRUE || j->type == JSON_FALSE;
	}
	*out = (struct gql_value){.kind = GQL_TEXT, .text = j->text};
	if (j->type == JSON_STRING)
		return true;
	if (!number || !str_eq(name, STR("ID")) || d != floor(d) || fabs(d) > 9007199254740991.0)
		return false;
	out->text = arena_printf(mem, "%lld", (long long)d);
	return true;
}

static bool leaf_json(
    struct reader *r, struct gql_value *out, const struct json_node *j, const struct gql_type *t, struct arena *mem)
{
	bool good;
	if (t->kind == GQL_ENUM) {
		*out = (struct gql_value){.kind = GQL_TEXT, .text = j->text};
		good = j->type == JSON_STRING && gql_enum_find(t, j->text);
	} else if (t->builtin) {
		good = scalar_json(out, j, t->name, mem);
	} else {
		untyped_json(out, j, mem);
		good = !t->check || t->check(out);
	}
	return good || bad(r, "expected a value of type ", t->name, STR_NONE);
}

static bool read_json(
    struct reader *r, struct gql_value *out, const struct json_node *j, const struct gql_ref *type, struct arena *mem);

/* Below `path`, which is put back afterwards. */
static bool read_below(struct reader *r, struct gql_value *out, const struct json_node *j, const struct gql_ref *type,
    struct arena *mem, size_t path)
{
	bool good = read_json(r, out, j, type, mem);
	r->path.n = path;
	return good;
}

static bool list_json(
    struct reader *r, struct gql_value *out, const struct json_node *j, const struct gql_ref *of, struct arena *mem)
{
	if (j->type != JSON_ARRAY)
		return read_json(r, new_items(out, GQL_ITEMS, 1, mem), j, of, mem);
	bool good = true;
	size_t path = r->path.n, i = 0;
	new_items(out, GQL_ITEMS, j->n, mem);
	for (const struct json_node *m = j->first; m && !r->errors->full; m = m->next, i++) {
		buf_printf(&r->path, "[%zu]", i);
		good &= read_below(r, &out->item[i], m, of, mem, path);
	}
	return good;
}

static bool object_json(
    struct reader *r, struct gql_value *out, const struct json_node *j, const struct gql_type *t, struct arena *mem)
{
	bool good = true;
	size_t path = r->path.n;
	if (j->type != JSON_OBJECT)
		return bad(r, "expected an object of type ", t->name, STR_NONE);
	new_items(out, GQL_MEMBERS, t->ninputs, mem);
	for (size_t i = 0; i < t->ninputs; i++) {
		const struct gql_input *in = &t->inputs[i];
		const struct json_node *m = json_tree_member(j, in->name);
		if (!m && !default_value(&out->item[i], in, mem)) {
			good = bad(r, "a value is required for field ", in->name, STR_NONE);
		} else if (m) {
			buf_printf(&r->path, ".%.*s", STR_FMT(in->name));
			good &= read_below(r, &out->item[i], m, in->type, mem, path);
		}
	}
	for (const struct json_node *m = j->first; m && !r->errors->full; m = m->next)
		if (!gql_input_find(t->inputs, t->ninputs, m->name))
			good = bad(r, "no such field is defined by type ", t->name, m->name);
	return good;
}

static bool read_json(
    struct reader *r, struct gql_value *out, const struct json_node *j, const struct gql_ref *type, struct arena *mem)
{
	bool null = j->type == JSON_NULL;
	if (type->wrap == GQL_NON_NULL)
		return null ? bad(r, "null is not allowed for type ", type->type->name, STR("here"))
			    : read_json(r, out, j, type->of, mem);
	if (null) {
		*out = (struct gql_value){.kind = GQL_NULL};
		return true;
	}
	if (type->wrap == GQL_LIST)
		return list_json(r, out, j, type->of, mem);
	return type->type->kind == GQL_INPUT ? object_json(r, out, j, type->type, mem)
					     : leaf_json(r, out, j, type->type, mem);
}

static bool read_variable(
    struct reader *r, struct gql_value *out, const struct json_node *j, const struct gql_ref *type, struct arena *mem)
{
	const struct gql_node *d = r->definition;
	buf_clear(&r->path);
	buf_str(&r->path, d->name);
	if (j)
		return read_json(r, out, j, type, mem);
	*out = (struct gql_value){.kind = GQL_ABSENT};
	if (d->value)
		return gql_value_of(out, d->value, type, NULL, mem) ||
		       bad(r, "the default is not of type ", type->type->name, STR_NONE);
	return type->wrap != GQL_NON_NULL || bad(r, "a value is required of type ", type->type->name, STR_NONE);
}

enum { FEW = 12 }; /* names that are found without a table */

/* The JSON object; NULL: it is not one. Of many members, a table by name. */
static const struct json_node *read_given(struct map *by_name, struct str json, struct arena *mem)
{
	struct json_scan s = {0};
	struct str text = json_padded(mem, json);
	const struct json_node *object = json_check(&s, text) == 0 ? json_tree(text, mem) : NULL;
	if (!object || object->type != JSON_OBJECT)
		return NULL;
	for (struct json_node *m = object->n > FEW ? object->first : NULL; m; m = m->next)
		map_put(by_name, m->name, NULL)->v.ptr = m;
	return object;
}

static const struct json_node *find_given(const struct map *by_name, const struct json_node *object, struct str name)
{
	const struct map_slot *slot = map_get(by_name, name);
	return slot ? slot->v.ptr : object && object->n <= FEW ? json_tree_member(object, name) : NULL;
}

bool gql_variables_read(struct gql_variables *v, const struct gql_schema *s, const struct gql_node *operation,
    struct str json, struct gql_errors *errors)
{
	struct reader r = {.errors = errors};
	struct map by_name = {0};
	const struct json_node *given = NULL;
	bool good = true;
	size_t i = 0;
	*v = (struct gql_variables){.definitions = operation->variables};
	if (!operation->variables)
		return true;
	v->value = arena_alloc(errors->mem, count(operation->variables) * sizeof *v->value);
	if (json.p)
		given = read_given(&by_name, json, errors->mem);
	for (const struct gql_node *d = operation->variables; d; d = d->next, i++) {
		r.definition = d;
		const struct gql_ref *type = gql_ref_of(s, d->type, errors->mem);
		const struct json_node *j = find_given(&by_name, given, d->name);
		good &= type && read_variable(&r, &v->value[i], j, type, errors->mem);
	}
	map_free(&by_name);
	buf_free(&r.path);
	return good;
}

/* ---- arguments ---- */

static const struct gql_node *argument_of(const struct gql_node *n, struct str name)
{
	const struct gql_node *a = n->arguments;
	while (a && !str_eq(a->name, name))
		a = a->next;
	return a;
}

struct gql_value *gql_arguments(const struct gql_variables *v, const struct gql_input *args, size_t nargs,
    const struct gql_node *node, struct gql_errors *errors)
{
	struct gql_value list, *item = new_items(&list, GQL_ITEMS, nargs, errors->mem);
	for (size_t i = 0; i < nargs; i++) {
		const struct gql_node *a = argument_of(node, args[i].name);
		bool missing = !a || (a->value->kind == GQL_VALUE_VARIABLE && !variable(v, a->value->name));
		if (missing ? default_value(&item[i], &args[i], errors->mem)
			    : gql_value_of(&item[i], a->value, args[i].type, v, errors->mem))
			continue;
		gql_error_add(errors, NULL, GQL_AT(a ? a->value->at : node->at),
		    "Argument \"%.*s\" has no value that it can take.", STR_FMT(args[i].name));
		return NULL;
	}
	return item;
}

bool gql_included(const struct gql_schema *s, const struct gql_node *selection, const struct gql_variables *v,
    struct gql_errors *errors)
{
	for (const struct gql_node *d = selection->directives; d; d = d->next) {
		bool skip = str_eq(d->name, STR("skip"));
		if (!skip && !str_eq(d->name, STR("include")))
			continue;
		const struct gql_directive *def = gql_directive_find(s, d->name);
		const struct gql_value *args = gql_arguments(v, def->args, def->nargs, d, errors);
		if (!args || args[0].truth == skip)
			return false;
	}
	return true;
}
