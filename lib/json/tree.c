/* tree.c - from valid JSON to a tree; nothing is checked a second time. */
#include "lib/json/tree.h"

#include "lib/json/items.h"

struct tree_builder {
	const char *p, *end;
	struct arena *mem;
};

static void skip(struct tree_builder *b)
{
	b->p = json_skip_blanks(b->p, b->end);
}

/* p is at the opening quote. */
static struct str string(struct tree_builder *b)
{
	struct json_member m = {.type = JSON_STRING, .value.p = b->p++};
	const char *quote = memchr(b->p, '"', (size_t)(b->end - b->p));
	m.escaped = memchr(b->p, '\\', (size_t)(quote - b->p));
	if (!m.escaped)
		b->p = quote;
	while (*b->p != '"')
		b->p += *b->p == '\\' ? 2 : 1;
	b->p++;
	m.value.n = (size_t)(b->p - m.value.p);
	return json_decode(&m, b->mem);
}

static struct str word(struct tree_builder *b)
{
	const char *from = b->p;
	while (b->p < b->end && !json_is_blank(*b->p) && !memchr(",]}", *b->p, 3))
		b->p++;
	return (struct str){from, (size_t)(b->p - from)};
}

static void value(struct tree_builder *b, struct json_node *n);

static void items(struct tree_builder *b, struct json_node *n)
{
	struct json_node **last = &n->first;
	char close = *b->p++ == '{' ? '}' : ']';
	n->type = close == '}' ? JSON_OBJECT : JSON_ARRAY;
	for (skip(b); *b->p != close; skip(b)) {
		if (*b->p == ',') {
			b->p++;
			skip(b);
		}
		struct json_node *item = *last = arena_alloc(b->mem, sizeof *item);
		*item = (struct json_node){0};
		last = &item->next;
		n->n++;
		if (close == '}') {
			item->name = string(b);
			skip(b);
			b->p++; /* the colon */
			skip(b);
		}
		value(b, item);
	}
	b->p++;
}

/* Nested as deeply as the scanner allows. */
static void value(struct tree_builder *b, struct json_node *n)
{
	switch (*b->p) {
	case '{':
	case '[':
		items(b, n);
		break;
	case '"':
		n->type = JSON_STRING;
		n->text = string(b);
		break;
	case 't':
	case 'f':
	case 'n':
		n->type = *b->p == 't' ? JSON_TRUE : *b->p == 'f' ? JSON_FALSE : JSON_NULL;
		word(b);
		break;
	default:
		n->type = JSON_NUMBER;
		n->text = word(b);
	}
}

struct json_node *json_tree(struct str text, struct arena *mem)
{
	struct tree_builder b = {.p = text.p, .end = text.p + text.n, .mem = mem};
	struct json_node *n = arena_alloc(mem, sizeof *n);
	*n = (struct json_node){0};
	skip(&b);
	value(&b, n);
	return n;
}

const struct json_node *json_tree_member(const struct json_node *object, struct str name)
{
	const struct json_node *found = NULL;
	for (const struct json_node *m = object->first; m; m = m->next)
		if (str_eq(m->name, name))
			found = m;
	return found;
}
