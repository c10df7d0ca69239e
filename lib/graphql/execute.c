/* execute.c - from an operation to its answer, breadth first.
 *
 * The answer is a tree of nodes. A level is a list of objects that have fields to be resolved; completing what the
 * resolvers gave makes the nodes below, and the objects among them are the next level. What a selection set comes to
 * for one type of object (its plan) is worked out once and shared by all objects there.
 */
#include "lib/graphql/execute.h"

#include <math.h>

#include "lib/base/clock.h"
#include "lib/json/write.h"

/* Limits are looked at after so many values. */
enum { LOOK_EVERY = 1024 };

struct plan;

/* The selections that fields of one name in the answer have in common. */
struct gql_group {
	struct str key;
	const struct gql_field *field;
	const struct gql_node **node; /* the fields: the first gives the arguments */
	size_t n;
	struct plan *plans; /* of what is below, by type */
	const struct gql_value *args;
	bool bad_args;
	struct gql_group *next;
};

struct plan {
	const struct gql_type *type;
	struct gql_group *groups;
	size_t ngroups;
	struct plan *next;
};

enum node_kind { NODE_NULL, NODE_LEAF, NODE_LIST, NODE_OBJECT };

struct node {
	enum node_kind kind;
	const struct gql_ref *type;
	const struct gql_group *group; /* NULL: an item of a list, or the root */
	struct node *parent;
	size_t index; /* within its list */
	union {
		struct str text; /* of a leaf: JSON */
		struct {
			struct node *child; /* of a list its items, of an object its fields in the plan's order */
			size_t n;
		};
	};
	const void *object;
	struct plan *plan;
	struct node *next; /* of the same level */
};

/* The fields of a level that one resolver answers. */
struct bucket {
	const struct gql_field *field;
	struct node **slot;
	size_t n, cap;
	struct bucket *next;
};

struct run {
	struct gql_request *q;
	void *app;
	struct arena *mem;
	struct node *level, **last; /* objects of the level to come */
	size_t bytes;
	bool stopped; /* nothing more is resolved: too large, or too late */
	struct buf scratch;
};

/* ---- plans ---- */

enum { FEW = 12 }; /* names that are found without a table */

static struct gql_group *group_of(
    struct run *r, struct plan *p, struct gql_group ***last, struct str key, struct map *by_key)
{
	bool made = true;
	struct map_slot *slot = NULL, few = {0};
	if (p->ngroups < FEW) {
		slot = &few;
		for (struct gql_group *g = p->groups; g && made; g = g->next)
			if (str_eq(g->key, key)) {
				slot->v.ptr = g;
				made = false;
			}
	} else {
		for (struct gql_group *g = by_key->n ? NULL : p->groups; g; g = g->next)
			map_put(by_key, g->key, NULL)->v.ptr = g;
		slot = map_put(by_key, key, &made);
	}
	if (made) {
		struct gql_group *g = arena_alloc(r->mem, sizeof *g);
		*g = (struct gql_group){.key = key};
		**last = g;
		*last = &g->next;
		p->ngroups++;
		slot->v.ptr = g;
	}
	return slot->v.ptr;
}

static void add_node(struct run *r, struct gql_group *g, const struct gql_node *n)
{
	if ((g->n & (g->n - 1)) == 0) { /* 0 or a power of two: full */
		const struct gql_node **bigger = arena_alloc(r->mem, (g->n ? 2 * g->n : 1) * sizeof(struct gql_node *));
		if (g->n)
			memcpy(bigger, g->node, g->n * sizeof(struct gql_node *));
		g->node = bigger;
	}
	g->node[g->n++] = n;
}

struct collection {
	struct plan *plan;
	struct gql_group **last;
	struct map by_key, spread;
};

static void collect(struct run *r, struct collection *c, const struct gql_node *list)
{
	for (const struct gql_node *n = list; n; n = n->next) {
		const struct gql_node *fragment = n;
		bool made;
		if (n->directives && !gql_included(r->q->schema, n, &r->q->variables, &r->q->errors))
			continue;
		if (n->kind == GQL_FIELD) {
			struct str key = n->alias.p ? n->alias : n->name;
			add_node(r, group_of(r, c->plan, &c->last, key, &c->by_key), n);
			continue;
		}
		if (n->kind == GQL_FRAGMENT_SPREAD) {
			map_put(&c->spread, n->name, &made);
			if (!made)
				continue;
			fragment = gql_fragment_find(&r->q->document->doc, n->name);
		}
		const struct gql_type *t =
		    fragment->type ? gql_type_find(r->q->schema, fragment->type->name) : c->plan->type;
		if (gql_is_possible(t, c->plan->type))
			collect(r, c, fragment->selections);
	}
}

/* Definitions and arguments of what was collected. */
static void finish_plan(struct run *r, struct plan *p)
{
	for (struct gql_group *g = p->groups; g; g = g->next) {
		const struct gql_node *first = g->node[0];
		const struct gql_field *known = first->mark; /* by validation; of an interface it is another */
		g->field = known->owner == p->type ? known : gql_field_select(r->q->schema, p->type, first->name);
		if (!g->field->nargs)
			continue;
		size_t before = r->q->errors.n;
		g->args = gql_arguments(&r->q->variables, g->field->args, g->field->nargs, first, &r->q->errors);
		g->bad_args = r->q->errors.n > before;
	}
}

/* What the selections of all fields of the group come to for objects of this type. `lists` of the root: the
 * operation's own. */
static struct plan *plan_for(
    struct run *r, struct gql_group *g, const struct gql_node *root, const struct gql_type *type)
{
	for (struct plan *p = g ? g->plans : NULL; p; p = p->next)
		if (p->type == type)
			return p;
	struct plan *p = arena_alloc(r->mem, sizeof *p);
	*p = (struct plan){.type = type};
	struct collection c = {.plan = p, .last = &p->groups};
	if (root)
		collect(r, &c, root);
	for (size_t i = 0; g && i < g->n; i++)
		collect(r, &c, g->node[i]->selections);
	map_free(&c.by_key);
	map_free(&c.spread);
	finish_plan(r, p);
	if (g) {
		p->next = g->plans;
		g->plans = p;
	}
	return p;
}

/* ---- errors and nulls ---- */

static void put_path(struct buf *out, const struct node *n)
{
	if (!n->parent) {
		buf_char(out, '[');
		return;
	}
	put_path(out, n->parent);
	if (out->p[out->n - 1] != '[')
		buf_char(out, ',');
	if (n->group)
		json_put_string(out, n->group->key);
	else
		buf_u64(out, n->index);
}

static const struct gql_group *group_around(const struct node *n)
{
	while (!n->group)
		n = n->parent;
	return n->group;
}

static void set_path(struct run *r, struct gql_error *e, const struct node *n)
{
	if (!e)
		return;
	buf_clear(&r->scratch);
	put_path(&r->scratch, n);
	buf_char(&r->scratch, ']');
	e->path = arena_str(r->mem, buf_view(&r->scratch));
}

/* The nearest that may be null becomes it: this one, or the first around it. */
static void make_null(struct node *n)
{
	while (n->parent && n->type->wrap == GQL_NON_NULL)
		n = n->parent;
	n->kind = NODE_NULL;
	n->n = 0;
}

/* A field is as many places of the document as were merged. */
static void fail(struct run *r, struct node *n, struct str message, const char *code)
{
	const struct gql_group *g = group_around(n);
	uint32_t *at = arena_alloc(r->mem, g->n * sizeof *at);
	for (size_t i = 0; i < g->n; i++)
		at[i] = g->node[i]->at;
	struct gql_error *e = gql_error_add(&r->q->errors, NULL, at, g->n, "%.*s", STR_FMT(message));
	if (e)
		e->code = code;
	set_path(r, e, n);
	make_null(n);
}

static bool is_dead(const struct node *n)
{
	for (; n; n = n->parent)
		if (n->kind == NODE_NULL)
			return true;
	return false;
}

/* ---- limits ---- */

static void stop(struct run *r, const char *code, const char *message)
{
	struct gql_error *e = gql_error_add(&r->q->errors, NULL, NULL, 0, "%s", message);
	if (e)
		e->code = code;
	r->stopped = true;
}

static bool may_go_on(struct run *r)
{
	const struct gql_limits *l = &r->q->limits;
	if (!r->stopped && l->answer_bytes && r->bytes > l->answer_bytes)
		stop(r, "ANSWER_LIMIT", "The answer is too large; ask for less at a time.");
	if (!r->stopped && l->deadline_ms && clock_mono_ms() > l->deadline_ms)
		stop(r, "TIMEOUT", "The operation takes too long.");
	/* The answer is written into a buffer that doubles. */
	if (!r->stopped && l->hold && !l->hold(l->hold_arg, arena_size(r->mem) + 2 * r->bytes))
		stop(r, "ANSWER_LIMIT", "The answer takes more memory than is free; ask for less at a time, or later.");
	return !r->stopped;
}

bool gql_may_go_on(const struct gql_call *call)
{
	return !call->run || may_go_on(call->run);
}

/* ---- completing values ---- */

static void complete(
    struct run *r, struct node *n, const struct gql_ref *type, const struct gql_out *out, struct gql_group *g);

static void complete_list(
    struct run *r, struct node *n, const struct gql_ref *type, const struct gql_out *out, struct gql_group *g)
{
	n->kind = NODE_LIST;
	n->n = out->n;
	n->child = arena_alloc(r->mem, out->n * sizeof *n->child);
	r->bytes += 2 * out->n;
	for (size_t i = 0; i < out->n; i++)
		n->child[i] = (struct node){.type = type->of, .parent = n, .index = i, .kind = NODE_LEAF};
	for (size_t i = 0; i < out->n && n->kind == NODE_LIST && !r->stopped && (i % LOOK_EVERY || !i || may_go_on(r));
	     i++)
		complete(r, &n->child[i], type->of, &out->item[i], g);
}

static void complete_object(
    struct run *r, struct node *n, const struct gql_ref *type, const struct gql_out *out, struct gql_group *g)
{
	const struct gql_type *t = out->type ? out->type : type->type;
	if (t->kind != GQL_OBJECT || !gql_is_possible(type->type, t)) {
		fail(r, n, STR("The type of the object is not known."), "INTERNAL_SERVER_ERROR");
		return;
	}
	n->kind = NODE_OBJECT;
	n->object = out->object;
	n->plan = plan_for(r, g, NULL, t);
	n->n = n->plan->ngroups;
	n->child = arena_alloc(r->mem, n->n * sizeof *n->child);
	size_t i = 0;
	for (struct gql_group *below = n->plan->groups; below; below = below->next) {
		n->child[i++] =
		    (struct node){.type = below->field->type, .group = below, .parent = n, .kind = NODE_LEAF};
		r->bytes += below->key.n + 4;
	}
	*r->last = n;
	r->last = &n->next;
}

/* The JSON of a leaf in the scratch buffer: false if its type does not have such values. */
static bool put_leaf(struct run *r, const struct gql_type *t, const struct gql_out *out)
{
	struct buf *b = &r->scratch;
	buf_clear(b);
	bool wants_int = t->builtin && str_eq(t->name, STR("Int")),
	     wants_float = t->builtin && str_eq(t->name, STR("Float"));
	switch (out->kind) {
	case GQL_OUT_TEXT:
		if (wants_int || wants_float || (t->kind == GQL_ENUM && !gql_enum_find(t, out->text)))
			return false;
		json_put_string(b, out->text);
		return true;
	case GQL_OUT_INT:
		if (wants_int && (out->integer < INT32_MIN || out->integer > INT32_MAX))
			return false;
		bool quoted = t->builtin && !wants_int && !wants_float;
		buf_printf(b, quoted ? "\"%lld\"" : "%lld", (long long)out->integer);
		return true;
	case GQL_OUT_FLOAT:
		if (!isfinite(out->number) || wants_int)
			return false;
		json_put_double(b, out->number);
		return true;
	case GQL_OUT_SPELLED:
		buf_str(b, out->text);
		return wants_float;
	case GQL_OUT_BOOL:
		buf_str(b, out->truth ? STR("true") : STR("false"));
		return true;
	default:
		return false;
	}
}

static void complete(
    struct run *r, struct node *n, const struct gql_ref *type, const struct gql_out *out, struct gql_group *g)
{
	const struct gql_ref *bare = type->wrap == GQL_NON_NULL ? type->of : type;
	if (out->kind == GQL_OUT_ERROR) {
		fail(r, n, out->text, out->code);
	} else if (out->kind == GQL_OUT_NULL) {
		if (type->wrap == GQL_NON_NULL)
			fail(r, n,
			    arena_printf(r->mem, "Cannot return null for non-nullable field %.*s.%.*s.",
				STR_FMT(g->field->owner->name), STR_FMT(g->field->name)),
			    NULL);
		else
			n->kind = NODE_NULL;
	} else if (bare->wrap == GQL_LIST) {
		if (out->kind == GQL_OUT_LIST)
			complete_list(r, n, bare, out, g);
		else
			fail(r, n, STR("The value is not a list."), "INTERNAL_SERVER_ERROR");
	} else if (!gql_is_leaf(bare->type)) {
		if (out->kind == GQL_OUT_OBJECT)
			complete_object(r, n, bare, out, g);
		else
			fail(r, n, STR("The value is not an object."), "INTERNAL_SERVER_ERROR");
	} else if (put_leaf(r, bare->type, out)) {
		n->kind = NODE_LEAF;
		n->text = arena_str(r->mem, buf_view(&r->scratch));
		r->bytes += n->text.n;
	} else {
		fail(r, n, arena_printf(r->mem, "%.*s cannot represent the value.", STR_FMT(bare->type->name)), NULL);
	}
}

/* ---- levels ---- */

static void add_slot(struct run *r, struct bucket **buckets, struct node *slot)
{
	struct bucket *b = *buckets, **end = buckets;
	for (; b && b->field != slot->group->field; b = b->next)
		end = &b->next;
	if (!b) {
		b = *end = arena_alloc(r->mem, sizeof *b);
		*b = (struct bucket){.field = slot->group->field};
	}
	if (b->n == b->cap) {
		struct node **bigger = arena_alloc(r->mem, (b->cap ? b->cap * 2 : 8) * sizeof *bigger);
		if (b->n)
			memcpy(bigger, b->slot, b->n * sizeof *bigger);
		b->slot = bigger;
		b->cap = b->cap ? b->cap * 2 : 8;
	}
	b->slot[b->n++] = slot;
}

static void resolve(struct run *r, const struct bucket *b)
{
	struct gql_call *call = arena_alloc(r->mem, b->n * sizeof *call);
	struct node **slot = arena_alloc(r->mem, b->n * sizeof *slot);
	size_t n = 0;
	for (size_t i = 0; i < b->n; i++) {
		struct node *s = b->slot[i];
		if (is_dead(s->parent))
			continue;
		if (s->group->bad_args) { /* the error stands already */
			make_null(s);
			continue;
		}
		slot[n] = s;
		call[n++] = (struct gql_call){.field = b->field,
		    .parent = s->parent->object,
		    .args = s->group->args,
		    .mem = r->mem,
		    .run = r,
		    .node = s->group->node[0]};
	}
	if (b->field == r->q->schema->type_name)
		for (size_t i = 0; i < n; i++)
			call[i].out = gql_text(slot[i]->parent->plan->type->name);
	else if (n)
		b->field->resolve(call, n, b->field->bound ? b->field->bound : r->app);
	for (size_t i = 0; i < n && !r->stopped && (i % LOOK_EVERY || !i || may_go_on(r)); i++)
		if (!is_dead(slot[i]->parent))
			complete(r, slot[i], b->field->type, &call[i].out, (struct gql_group *)slot[i]->group);
}

/* All levels from these objects on. `only`: of the first, this field alone. */
static void run_levels(struct run *r, struct node *level, struct node *only)
{
	while (level && may_go_on(r)) {
		struct bucket *buckets = NULL;
		r->level = NULL;
		r->last = &r->level;
		for (struct node *o = level; o; o = o->next)
			for (size_t i = 0; i < o->n && !is_dead(o); i++)
				if (!only || &o->child[i] == only)
					add_slot(r, &buckets, &o->child[i]);
		only = NULL;
		for (struct bucket *b = buckets; b && may_go_on(r); b = b->next)
			resolve(r, b);
		level = r->level;
	}
}

/* ---- the answer ---- */

static void put_node(struct buf *out, const struct node *n)
{
	switch (n->kind) {
	case NODE_NULL:
		buf_str(out, STR("null"));
		break;
	case NODE_LEAF:
		buf_str(out, n->text);
		break;
	case NODE_LIST:
		buf_char(out, '[');
		for (size_t i = 0; i < n->n; i++) {
			if (i)
				buf_char(out, ',');
			put_node(out, &n->child[i]);
		}
		buf_char(out, ']');
		break;
	case NODE_OBJECT:
		buf_char(out, '{');
		for (size_t i = 0; i < n->n; i++) {
			json_put_name(out, n->child[i].group->key);
			put_node(out, &n->child[i]);
		}
		buf_char(out, '}');
	}
}

static void put_errors(struct buf *out, const struct gql_errors *l)
{
	buf_str(out, STR("\"errors\":["));
	for (const struct gql_error *e = l->first; e; e = e->next) {
		if (e != l->first)
			buf_char(out, ',');
		gql_error_put(out, l, e);
	}
	buf_char(out, ']');
}

bool gql_request_run(struct gql_request *q, const void *root, void *app, struct buf *out)
{
	static const struct gql_ref nullable = {.wrap = GQL_NAMED};
	struct run r = {.q = q, .app = app, .mem = &q->run};
	arena_reset(&q->run);
	gql_errors_init(&q->errors, &q->run, q->text, q->errors.most);
	struct node *top = arena_alloc(r.mem, sizeof *top);
	const struct gql_type *type = q->schema->root[q->operation->operation];
	*top = (struct node){.kind = NODE_OBJECT, .type = &nullable, .object = root};
	r.last = &r.level;
	top->plan = plan_for(&r, NULL, q->operation->selections, type);
	top->n = top->plan->ngroups;
	top->child = arena_alloc(r.mem, top->n * sizeof *top->child);
	size_t i = 0;
	for (struct gql_group *g = top->plan->groups; g; g = g->next)
		top->child[i++] = (struct node){.type = g->field->type, .group = g, .parent = top, .kind = NODE_LEAF};
	if (q->operation->operation == GQL_MUTATION)
		for (i = 0; i < top->n && top->kind == NODE_OBJECT && may_go_on(&r); i++)
			run_levels(&r, top, &top->child[i]);
	else
		run_levels(&r, top, NULL);
	if (r.stopped)
		top->kind = NODE_NULL;
	buf_char(out, '{');
	if (q->errors.n) {
		put_errors(out, &q->errors);
		buf_char(out, ',');
	}
	buf_str(out, STR("\"data\":"));
	put_node(out, top);
	buf_str(out, STR("}\n"));
	buf_free(&r.scratch);
	return top->kind != NODE_NULL;
}

struct gql_out gql_list(struct gql_call *call, size_t n)
{
	struct gql_out list = {.kind = GQL_OUT_LIST};
	list.item = arena_alloc(call->mem, n * sizeof *list.item);
	list.n = n;
	for (size_t i = 0; i < n; i++)
		list.item[i] = (struct gql_out){.kind = GQL_OUT_NULL};
	return list;
}

/* ---- requests ---- */

void gql_request_init(
    struct gql_request *q, const struct gql_schema *s, struct str text, const struct gql_limits *limits)
{
	*q = (struct gql_request){.schema = s, .limits = *limits, .text = text};
}

static bool choose(struct gql_request *q, struct str name)
{
	const struct gql_node *found = NULL;
	size_t n = 0;
	for (const struct gql_node *d = q->document->doc.definitions; d; d = d->next) {
		if (d->kind != GQL_OPERATION)
			continue;
		n++;
		if (!name.p || str_eq(d->name, name))
			found = d;
	}
	if (!name.p && n > 1)
		gql_error_add(
		    &q->errors, NULL, NULL, 0, "Must provide operation name if query contains multiple operations.");
	else if (!found && name.p)
		gql_error_add(&q->errors, NULL, NULL, 0, "Unknown operation named \"%.*s\".", STR_FMT(name));
	else if (!found)
		gql_error_add(&q->errors, NULL, NULL, 0, "Must provide an operation.");
	else if (!q->schema->root[found->operation])
		gql_error_add(&q->errors, NULL, GQL_AT(found->at), "The schema does not have such operations.");
	q->operation = found;
	return q->errors.n == 0;
}

static void set_codes(struct gql_errors *l, const char *code)
{
	for (struct gql_error *e = l->first; e; e = e->next)
		if (!e->code)
			e->code = code;
}

/* Reads the document, which is new: false with errors. */
static bool read_document(struct gql_request *q, struct gql_document *d, struct arena *mem)
{
	if (gql_parse(d, d->text, &(struct gql_parse_limits){.tokens = q->limits.tokens}, mem) < 0) {
		struct gql_error *e = gql_error_add(&q->errors, NULL, GQL_AT(d->error_at), "%.*s", STR_FMT(d->error));
		e->code = "GRAPHQL_PARSE_FAILED";
		return false;
	}
	if (gql_validate(q->schema, d, &q->errors))
		return true;
	set_codes(&q->errors, "GRAPHQL_VALIDATION_FAILED");
	return false;
}

/* Finds the document in the cache, or reads it: false with errors. */
static bool get_document(struct gql_request *q)
{
	struct gql_valid *v = q->cache ? gql_cache_find(q->cache, q->text) : NULL;
	if (!v) {
		v = gql_valid_new(q->text, q->cache != NULL);
		if (!read_document(q, &v->doc, &v->mem)) {
			gql_valid_release(v);
			return false;
		}
		if (q->cache)
			gql_cache_add(q->cache, v);
	}
	q->document = v;
	q->text = q->errors.text = v->doc.text;
	return true;
}

bool gql_request_prepare(struct gql_request *q, struct str operation, struct str variables)
{
	const struct gql_limits *l = &q->limits;
	gql_errors_init(&q->errors, &q->run, q->text, l->errors ? l->errors : 100);
	if (!get_document(q))
		return false;
	bool good = choose(q, operation);
	q->errors.mem = &q->mem; /* where variables stay */
	good = good && gql_variables_read(&q->variables, q->schema, q->operation, variables, &q->errors);
	q->errors.mem = &q->run;
	good = good && gql_limits_check(l, q->schema, &q->document->doc, q->operation, &q->variables, &q->errors);
	set_codes(&q->errors, "BAD_USER_INPUT");
	return good;
}

bool gql_request_root(struct gql_request *q, struct gql_call *call)
{
	struct run r = {.q = q, .mem = &q->mem};
	q->errors.mem = &q->mem; /* where the arguments stay */
	struct plan *p = plan_for(&r, NULL, q->operation->selections, q->schema->root[q->operation->operation]);
	const struct gql_group *g = p->groups;
	q->errors.mem = &q->run;
	if (!g || g->bad_args)
		return false;
	*call = (struct gql_call){.field = g->field, .args = g->args, .mem = &q->mem, .node = g->node[0]};
	return true;
}

void gql_request_refuse(const struct gql_request *q, struct buf *out)
{
	buf_char(out, '{');
	put_errors(out, &q->errors);
	buf_str(out, STR("}\n"));
}

void gql_request_free(struct gql_request *q)
{
	gql_valid_release(q->document);
	q->document = NULL;
	arena_free(&q->mem);
	arena_free(&q->run);
}

void gql_request_move(struct gql_request *to, struct gql_request *from)
{
	arena_free(&from->run);
	*to = *from;
	gql_errors_init(&to->errors, &to->run, to->text, from->errors.most);
	from->document = NULL;
	from->mem = (struct arena){0};
}
