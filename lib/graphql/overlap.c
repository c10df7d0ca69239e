/* overlap.c - OverlappingFieldsCanBeMerged (October 2021, section 5.3.2): fields that an answer would put under one
 * name must be one field.
 *
 * Each list of selections is collected once: its fields by the name in the answer, and the fragments that it spreads.
 * Fields of one name are then compared pair by pair, within a list, between a list and the fragments it spreads, and
 * between fragments; what was compared is remembered, so that fragments that spread one another are not compared
 * again on every way that leads to them. All comparisons are paid from the budget.
 */
#include "lib/graphql/validate_internal.h"

enum { MOST_NODES = 20 };

struct field_entry {
	const struct gql_type *parent;
	const struct gql_node *node;
	const struct gql_field *field; /* NULL: not known, or __typename */
	struct field_entry *next;
};

struct group {
	struct str key; /* the name in the answer */
	struct field_entry *first, **last;
	size_t n;
	struct group *next;
};

struct spread_name {
	struct str name;
	struct spread_name *next;
};

/* What a list of selections comes to under a parent type. */
struct collected {
	struct group *groups, **last_group;
	struct spread_name *spreads, **last_spread;
	struct map by_key;   /* groups */
	struct map compared; /* names of fragments: 1 + whether as exclusive only */
	struct collected *next;
};

struct key {
	const void *type, *list;
};

struct conflict {
	struct str key;
	const uint32_t *at1, *at2;
	size_t n1, n2;
	struct conflict *next;
};

struct conflicts {
	struct conflict *first, **last;
};

struct comparison {
	struct gql_validation *v;
	struct map cache; /* struct key: struct collected */
	struct collected *all;
	struct map pairs; /* names of two fragments: 1 + whether as exclusive only */
};

static bool spend(struct comparison *c, size_t steps)
{
	return gql_spend(c->v, steps);
}

/* ---- collecting ---- */

static void add_field(
    struct comparison *c, struct collected *to, const struct gql_node *n, const struct gql_type *parent)
{
	struct str key = n->alias.p ? n->alias : n->name;
	bool made;
	struct map_slot *slot = map_put(&to->by_key, key, &made);
	struct group *g = slot->v.ptr;
	if (made) {
		slot->v.ptr = g = arena_alloc(c->v->mem, sizeof *g);
		*g = (struct group){.key = key};
		g->last = &g->first;
		*to->last_group = g;
		to->last_group = &g->next;
	}
	struct field_entry *e = arena_alloc(c->v->mem, sizeof *e);
	*e = (struct field_entry){parent, n, parent ? gql_field_find(parent, n->name) : NULL, NULL};
	*g->last = e;
	g->last = &e->next;
	g->n++;
}

static void add_spread(struct comparison *c, struct collected *to, struct str name)
{
	for (struct spread_name *s = to->spreads; s && spend(c, 1); s = s->next)
		if (str_eq(s->name, name))
			return;
	struct spread_name *s = arena_alloc(c->v->mem, sizeof *s);
	*s = (struct spread_name){name, NULL};
	*to->last_spread = s;
	to->last_spread = &s->next;
}

static void collect_list(
    struct comparison *c, struct collected *to, const struct gql_node *list, const struct gql_type *parent)
{
	for (const struct gql_node *n = list; n && spend(c, 1); n = n->next) {
		if (n->kind == GQL_FIELD)
			add_field(c, to, n, parent);
		else if (n->kind == GQL_FRAGMENT_SPREAD)
			add_spread(c, to, n->name);
		else
			collect_list(c, to, n->selections, n->type ? gql_type_find(c->v->s, n->type->name) : parent);
	}
}

static struct collected *collect(struct comparison *c, const struct gql_node *list, const struct gql_type *parent)
{
	struct key *key = arena_alloc(c->v->mem, sizeof *key);
	bool made;
	*key = (struct key){parent, list};
	struct map_slot *slot = map_put(&c->cache, (struct str){(const char *)key, sizeof *key}, &made);
	if (!made)
		return slot->v.ptr;
	struct collected *to = arena_alloc(c->v->mem, sizeof *to);
	*to = (struct collected){.next = c->all};
	to->last_group = &to->groups;
	to->last_spread = &to->spreads;
	slot->v.ptr = c->all = to;
	collect_list(c, to, list, parent);
	return to;
}

static struct collected *collect_fragment(struct comparison *c, struct str name)
{
	const struct gql_node *f = gql_fragment_find(c->v->doc, name);
	return f ? collect(c, f->selections, gql_type_find(c->v->s, f->type->name)) : NULL;
}

/* ---- two fields ---- */

enum { BELOW = 12 }; /* steps that it takes to find lists in tables, or to note a conflict */

static bool same_value(struct comparison *c, const struct gql_node *a, const struct gql_node *b);

static bool same_items(struct comparison *c, const struct gql_node *a, const struct gql_node *b)
{
	for (; a && b && spend(c, 1); a = a->next, b = b->next)
		if (!same_value(c, a, b))
			return false;
	return !a && !b;
}

static const struct gql_node *named(struct comparison *c, const struct gql_node *list, struct str name)
{
	for (; list && spend(c, 1); list = list->next)
		if (str_eq(list->name, name))
			return list;
	return NULL;
}

/* The same names with the same values, in any order. */
static bool same_members(struct comparison *c, const struct gql_node *a, const struct gql_node *b)
{
	const struct gql_node *n = a, *m = b;
	while (n && m && spend(c, 1))
		n = n->next, m = m->next;
	if (n || m)
		return false;
	for (n = a; n; n = n->next) {
		m = named(c, b, n->name);
		if (!m || !same_value(c, n->value, m->value))
			return false;
	}
	return true;
}

static bool same_value(struct comparison *c, const struct gql_node *a, const struct gql_node *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == GQL_VALUE_LIST)
		return same_items(c, a->items, b->items);
	if (a->kind == GQL_VALUE_OBJECT)
		return same_members(c, a->items, b->items);
	return str_eq(a->name, b->name) && a->block == b->block;
}

static bool types_conflict(const struct gql_ref *a, const struct gql_ref *b)
{
	if (a->wrap != b->wrap)
		return true;
	if (a->wrap != GQL_NAMED)
		return types_conflict(a->of, b->of);
	return (gql_is_leaf(a->type) || gql_is_leaf(b->type)) && a->type != b->type;
}

static bool is_plain(const struct field_entry *e)
{
	return !e->node->arguments && !e->node->has_selections;
}

static struct conflict *conflict(struct comparison *c, struct conflicts *out, struct str key)
{
	struct conflict *x = arena_alloc(c->v->mem, sizeof *x);
	*x = (struct conflict){.key = key};
	*out->last = x;
	out->last = &x->next;
	return x;
}

/* The places of a field and of what is in conflict below it, bounded. */
static const uint32_t *places(
    struct comparison *c, const struct gql_node *n, const struct conflicts *below, bool second, size_t *count)
{
	uint32_t *at = arena_alloc(c->v->mem, MOST_NODES * sizeof *at);
	at[0] = n->at;
	*count = 1;
	for (const struct conflict *x = below ? below->first : NULL; x; x = x->next) {
		const uint32_t *from = second ? x->at2 : x->at1;
		size_t m = second ? x->n2 : x->n1;
		size_t room = MOST_NODES - *count;
		for (size_t i = m > room ? m - room : 0; i < m; i++)
			at[(*count)++] = from[i];
	}
	arena_trim(c->v->mem, at, *count * sizeof *at);
	return at;
}

static void add_conflict(struct comparison *c, struct conflicts *out, struct str key, const struct field_entry *a,
    const struct field_entry *b, const struct conflicts *below)
{
	if (!spend(c, BELOW))
		return;
	struct conflict *x = conflict(c, out, key);
	x->at1 = places(c, a->node, below, false, &x->n1);
	x->at2 = places(c, b->node, below, true, &x->n2);
}

static void compare_below(struct comparison *c, struct conflicts *out, bool exclusive, const struct field_entry *a,
    const struct field_entry *b);

static bool both_objects(const struct gql_type *a, const struct gql_type *b)
{
	return a && b && a->kind == GQL_OBJECT && b->kind == GQL_OBJECT;
}

static void compare_fields(struct comparison *c, struct conflicts *out, bool exclusive, struct str key,
    const struct field_entry *a, const struct field_entry *b)
{
	const struct gql_ref *ta = a->field ? a->field->type : NULL, *tb = b->field ? b->field->type : NULL;
	if (!spend(c, 2))
		return;
	if (is_plain(a) && is_plain(b) && ta == tb && str_eq(a->node->name, b->node->name))
		return;
	/* Objects of two types never are one, so what is asked of them may differ, if only its shape is the same. */
	exclusive = exclusive || (a->parent != b->parent && both_objects(a->parent, b->parent));
	bool differ = !exclusive && (!str_eq(a->node->name, b->node->name) ||
					!same_members(c, a->node->arguments, b->node->arguments));
	if (differ || (ta && tb && types_conflict(ta, tb))) {
		add_conflict(c, out, key, a, b, NULL);
		return;
	}
	if (!a->node->has_selections || !b->node->has_selections)
		return;
	struct conflicts below = {0};
	below.last = &below.first;
	compare_below(c, &below, exclusive, a, b);
	if (below.first)
		add_conflict(c, out, key, a, b, &below);
}

/* ---- lists and fragments ---- */

static void compare_lists(
    struct comparison *c, struct conflicts *out, bool exclusive, const struct collected *a, const struct collected *b)
{
	for (const struct group *g = a->groups; g && spend(c, 1); g = g->next) {
		struct map_slot *slot = map_get(&b->by_key, g->key);
		const struct group *h = slot ? slot->v.ptr : NULL;
		for (const struct field_entry *x = g->first; x && h; x = x->next)
			for (const struct field_entry *y = h->first; y && !c->v->aborted; y = y->next)
				compare_fields(c, out, exclusive, g->key, x, y);
	}
}

/* True if this has not been done yet, or only for parents that exclude one another where now they need not. */
static bool first_time(struct map_slot *slot, bool made, bool exclusive)
{
	if (!made && (slot->v.num == 1 || exclusive))
		return false;
	slot->v.num = 1 + exclusive;
	return true;
}

static void compare_with_fragment(
    struct comparison *c, struct conflicts *out, bool exclusive, struct collected *a, struct str name)
{
	bool made;
	if (!spend(c, 1) || !a->groups)
		return;
	struct map_slot *slot = map_put(&a->compared, name, &made);
	if (!first_time(slot, made, exclusive))
		return;
	struct collected *b = collect_fragment(c, name);
	if (!b || a == b)
		return;
	compare_lists(c, out, exclusive, a, b);
	for (const struct spread_name *s = b->spreads; s; s = s->next)
		compare_with_fragment(c, out, exclusive, a, s->name);
}

/* The slot that says what is known of two fragments, whichever comes first. */
static struct map_slot *pair_slot(struct comparison *c, struct str a, struct str b, bool *made)
{
	bool swap = str_cmp(a, b) > 0;
	struct str key = arena_printf(c->v->mem, "%.*s %.*s", STR_FMT(swap ? b : a), STR_FMT(swap ? a : b));
	return map_put(&c->pairs, key, made);
}

static void compare_fragments(struct comparison *c, struct conflicts *out, bool exclusive, struct str a, struct str b)
{
	bool made;
	if (!spend(c, 2) || str_eq(a, b))
		return;
	struct map_slot *slot = pair_slot(c, a, b, &made);
	if (!first_time(slot, made, exclusive))
		return;
	struct collected *fa = collect_fragment(c, a), *fb = collect_fragment(c, b);
	if (!fa || !fb)
		return;
	compare_lists(c, out, exclusive, fa, fb);
	for (const struct spread_name *s = fb->spreads; s; s = s->next)
		compare_fragments(c, out, exclusive, a, s->name);
	for (const struct spread_name *s = fa->spreads; s; s = s->next)
		compare_fragments(c, out, exclusive, s->name, b);
}

static const struct gql_type *type_below(const struct field_entry *e)
{
	return e->field ? e->field->type->type : NULL;
}

static void compare_below(struct comparison *c, struct conflicts *out, bool exclusive, const struct field_entry *a,
    const struct field_entry *b)
{
	if (!spend(c, BELOW))
		return;
	struct collected *x = collect(c, a->node->selections, type_below(a));
	struct collected *y = collect(c, b->node->selections, type_below(b));
	compare_lists(c, out, exclusive, x, y);
	for (const struct spread_name *s = y->spreads; s; s = s->next)
		compare_with_fragment(c, out, exclusive, x, s->name);
	for (const struct spread_name *s = x->spreads; s; s = s->next)
		compare_with_fragment(c, out, exclusive, y, s->name);
	for (const struct spread_name *s = x->spreads; s; s = s->next)
		for (const struct spread_name *t = y->spreads; t; t = t->next)
			compare_fragments(c, out, exclusive, s->name, t->name);
}

static void compare_within(
    struct comparison *c, struct conflicts *out, const struct gql_node *list, const struct gql_type *parent)
{
	struct collected *a = collect(c, list, parent);
	for (const struct group *g = a->groups; g; g = g->next)
		for (const struct field_entry *x = g->first; x; x = x->next)
			for (const struct field_entry *y = x->next; y && !c->v->aborted; y = y->next)
				compare_fields(c, out, false, g->key, x, y);
	if (!a->spreads || (!a->groups && !a->spreads->next))
		return;
	for (const struct spread_name *s = a->spreads; s; s = s->next) {
		compare_with_fragment(c, out, false, a, s->name);
		for (const struct spread_name *t = s->next; t; t = t->next)
			compare_fragments(c, out, false, s->name, t->name);
	}
}

/* ---- the walk ---- */

static void report(struct comparison *c, const struct conflicts *found)
{
	for (const struct conflict *x = found->first; x; x = x->next) {
		uint32_t *at = arena_alloc(c->v->mem, (x->n1 + x->n2) * sizeof *at);
		memcpy(at, x->at1, x->n1 * sizeof *at);
		memcpy(at + x->n1, x->at2, x->n2 * sizeof *at);
		gql_error_add(c->v->errors, "OverlappingFieldsCanBeMerged", at, x->n1 + x->n2,
		    "Fields \"%.*s\" conflict: an answer has one of that name. Use different aliases to fetch both.",
		    STR_FMT(x->key));
	}
}

static void check_list(struct comparison *c, const struct gql_node *list, const struct gql_type *parent)
{
	struct conflicts found = {0};
	found.last = &found.first;
	if (list->next || list->kind == GQL_INLINE_FRAGMENT) {
		compare_within(c, &found, list, parent);
		report(c, &found);
	}
}

static void walk(struct comparison *c, const struct gql_node *list)
{
	for (const struct gql_node *n = list; n && !c->v->aborted && !c->v->errors->full; n = n->next) {
		if (!n->selections)
			continue;
		if (n->kind == GQL_FIELD) {
			const struct gql_field *f = n->mark;
			check_list(c, n->selections, f && gql_is_composite(f->type->type) ? f->type->type : NULL);
		}
		walk(c, n->selections);
	}
}

static void comparison_free(struct comparison *c)
{
	for (struct collected *x = c->all; x; x = x->next) {
		map_free(&x->by_key);
		map_free(&x->compared);
	}
	map_free(&c->cache);
	map_free(&c->pairs);
}

void gql_check_overlaps(struct gql_validation *v)
{
	struct comparison c = {.v = v};
	for (const struct gql_scope *s = v->scopes; s && !v->aborted; s = s->next) {
		const struct gql_node *d = s->definition;
		const struct gql_type *t =
		    d->kind == GQL_OPERATION ? v->s->root[d->operation] : gql_type_find(v->s, d->type->name);
		check_list(&c, d->selections, t && gql_is_composite(t) ? t : NULL);
		walk(&c, d->selections);
	}
	comparison_free(&c);
}
