/* parse.c - recursive descent over one token of lookahead; two where a description precedes a keyword. */
#include "lib/graphql/parse.h"

struct parser {
	struct gql_document *doc;
	struct gql_lexer lexer;
	struct gql_parse_limits limits;
	struct arena *mem;
	size_t depth;
	uint32_t last_end; /* of the token before this one */
};

/* ---- tokens ---- */

static int fail(struct parser *p, uint32_t at, struct str what)
{
	p->doc->error_at = at;
	p->doc->error = arena_printf(p->mem, "Syntax Error: %.*s", STR_FMT(what));
	return -1;
}

static int unexpected(struct parser *p, const struct gql_token *t)
{
	return fail(p, t->at, arena_printf(p->mem, "Unexpected %.*s.", STR_FMT(gql_token_show(t, p->mem))));
}

static int advance(struct parser *p)
{
	p->last_end = p->lexer.token.end;
	if (gql_lex(&p->lexer) < 0)
		return fail(p, p->lexer.error_at, p->lexer.error);
	p->doc->tokens = p->lexer.count;
	if (p->limits.tokens && p->lexer.count > p->limits.tokens)
		return fail(p, p->lexer.token.at,
		    arena_printf(p->mem, "Document contains more than %zu tokens. Parsing aborted.", p->limits.tokens));
	return 0;
}

static bool peek(const struct parser *p, enum gql_token_kind kind)
{
	return p->lexer.token.kind == kind;
}

static bool peek_keyword(const struct parser *p, struct str word)
{
	return peek(p, GQL_NAME) && str_eq(p->lexer.token.value, word);
}

static bool peek_string(const struct parser *p)
{
	return peek(p, GQL_STRING) || peek(p, GQL_BLOCK_STRING);
}

static int expect(struct parser *p, enum gql_token_kind kind)
{
	if (peek(p, kind))
		return advance(p);
	return fail(p, p->lexer.token.at,
	    arena_printf(p->mem, "Expected %s, found %.*s.", gql_token_name(kind),
		STR_FMT(gql_token_show(&p->lexer.token, p->mem))));
}

static int expect_keyword(struct parser *p, struct str word)
{
	if (peek_keyword(p, word))
		return advance(p);
	return fail(p, p->lexer.token.at,
	    arena_printf(p->mem, "Expected \"%.*s\", found %.*s.", STR_FMT(word),
		STR_FMT(gql_token_show(&p->lexer.token, p->mem))));
}

/* 1 and past it, 0 if it is another, or -1. */
static int optional(struct parser *p, enum gql_token_kind kind)
{
	return !peek(p, kind) ? 0 : advance(p) < 0 ? -1 : 1;
}

static int optional_keyword(struct parser *p, struct str word)
{
	return !peek_keyword(p, word) ? 0 : advance(p) < 0 ? -1 : 1;
}

/* ---- nodes ---- */

static struct gql_node *node(struct parser *p, enum gql_kind kind)
{
	struct gql_node *n = arena_alloc(p->mem, sizeof *n);
	*n = (struct gql_node){.kind = kind, .at = p->lexer.token.at};
	return n;
}

/* A node is complete: it ends with the token before this one. */
static int done(struct parser *p, struct gql_node *n)
{
	n->end = p->last_end;
	return 0;
}

static int name(struct parser *p, struct gql_node *n)
{
	n->name = p->lexer.token.value;
	n->name_at = p->lexer.token.at;
	return expect(p, GQL_NAME);
}

static int enter(struct parser *p)
{
	if (p->depth++ < p->limits.depth)
		return 0;
	return fail(p, p->lexer.token.at,
	    arena_printf(p->mem, "Document is nested more than %zu levels deep.", p->limits.depth));
}

/* Appends to the list; `one` parses an element into *out, a new node. */
typedef int parse_one(struct parser *p, struct gql_node **out);

/* One or more up to the closing token; the opening one is this. */
static int many(
    struct parser *p, enum gql_token_kind open, parse_one *one, enum gql_token_kind close, struct gql_node **list)
{
	if (expect(p, open) < 0 || enter(p) < 0)
		return -1;
	for (;; list = &(*list)->next) {
		if (one(p, list) < 0)
			return -1;
		int closed = optional(p, close);
		if (closed) {
			p->depth--;
			return closed < 0 ? -1 : 0;
		}
	}
}

static int optional_many(
    struct parser *p, enum gql_token_kind open, parse_one *one, enum gql_token_kind close, struct gql_node **list)
{
	return peek(p, open) ? many(p, open, one, close, list) : 0;
}

/* None or more. */
static int any(
    struct parser *p, enum gql_token_kind open, parse_one *one, enum gql_token_kind close, struct gql_node **list)
{
	if (expect(p, open) < 0 || enter(p) < 0)
		return -1;
	for (int closed;; list = &(*list)->next) {
		if ((closed = optional(p, close))) {
			p->depth--;
			return closed < 0 ? -1 : 0;
		}
		if (one(p, list) < 0)
			return -1;
	}
}

/* One or more with a token between them, which may also stand before the first. */
static int delimited(struct parser *p, enum gql_token_kind delimiter, parse_one *one, struct gql_node **list)
{
	if (optional(p, delimiter) < 0)
		return -1;
	for (int more;; list = &(*list)->next) {
		if (one(p, list) < 0)
			return -1;
		if ((more = optional(p, delimiter)) <= 0)
			return more;
	}
}

/* ---- values ---- */

static int value(struct parser *p, bool constant, struct gql_node **out);

static int any_value(struct parser *p, struct gql_node **out)
{
	return value(p, false, out);
}

static int constant_value(struct parser *p, struct gql_node **out)
{
	return value(p, true, out);
}

/* NAME: VALUE, as arguments and the fields of objects have it. */
static int named_value(struct parser *p, enum gql_kind kind, bool constant, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, kind);
	if (name(p, n) < 0 || expect(p, GQL_COLON) < 0 || value(p, constant, &n->value) < 0)
		return -1;
	return done(p, n);
}

static int object_field(struct parser *p, struct gql_node **out)
{
	return named_value(p, GQL_OBJECT_FIELD, false, out);
}

static int constant_object_field(struct parser *p, struct gql_node **out)
{
	return named_value(p, GQL_OBJECT_FIELD, true, out);
}

static int variable(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_VALUE_VARIABLE);
	if (expect(p, GQL_DOLLAR) < 0 || name(p, n) < 0)
		return -1;
	return done(p, n);
}

static int variable_in_constant(struct parser *p)
{
	struct gql_token dollar = p->lexer.token;
	if (advance(p) < 0)
		return -1;
	if (!peek(p, GQL_NAME))
		return unexpected(p, &dollar);
	return fail(p, dollar.at,
	    arena_printf(p->mem, "Unexpected variable \"$%.*s\" in constant value.", STR_FMT(p->lexer.token.value)));
}

/* A value that is one token. */
static int leaf(struct parser *p, enum gql_kind kind, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, kind);
	n->name = p->lexer.token.value;
	n->name_at = p->lexer.token.at;
	n->block = p->lexer.token.kind == GQL_BLOCK_STRING;
	return advance(p) < 0 ? -1 : done(p, n);
}

static enum gql_kind kind_of_word(struct str word)
{
	return str_eq(word, STR("true")) || str_eq(word, STR("false")) ? GQL_VALUE_BOOLEAN
	       : str_eq(word, STR("null"))			       ? GQL_VALUE_NULL
								       : GQL_VALUE_ENUM;
}

static int value(struct parser *p, bool constant, struct gql_node **out)
{
	switch (p->lexer.token.kind) {
	case GQL_BRACKET_OPEN:
		*out = node(p, GQL_VALUE_LIST);
		if (any(p, GQL_BRACKET_OPEN, constant ? constant_value : any_value, GQL_BRACKET_CLOSE, &(*out)->items) <
		    0)
			return -1;
		return done(p, *out);
	case GQL_BRACE_OPEN:
		*out = node(p, GQL_VALUE_OBJECT);
		if (any(p, GQL_BRACE_OPEN, constant ? constant_object_field : object_field, GQL_BRACE_CLOSE,
			&(*out)->items) < 0)
			return -1;
		return done(p, *out);
	case GQL_INT:
		return leaf(p, GQL_VALUE_INT, out);
	case GQL_FLOAT:
		return leaf(p, GQL_VALUE_FLOAT, out);
	case GQL_STRING:
	case GQL_BLOCK_STRING:
		return leaf(p, GQL_VALUE_STRING, out);
	case GQL_NAME:
		return leaf(p, kind_of_word(p->lexer.token.value), out);
	case GQL_DOLLAR:
		return constant ? variable_in_constant(p) : variable(p, out);
	default:
		return unexpected(p, &p->lexer.token);
	}
}

/* ---- types, arguments, directives ---- */

static int named_type(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_TYPE_NAME);
	return name(p, n) < 0 ? -1 : done(p, n);
}

static int type_reference(struct parser *p, struct gql_node **out)
{
	uint32_t at = p->lexer.token.at;
	if (peek(p, GQL_BRACKET_OPEN)) {
		struct gql_node *list = *out = node(p, GQL_TYPE_LIST);
		if (advance(p) < 0 || enter(p) < 0 || type_reference(p, &list->type) < 0 ||
		    expect(p, GQL_BRACKET_CLOSE) < 0)
			return -1;
		p->depth--;
		done(p, list);
	} else if (named_type(p, out) < 0) {
		return -1;
	}
	int bang = optional(p, GQL_BANG);
	if (bang <= 0)
		return bang;
	struct gql_node *n = node(p, GQL_TYPE_NON_NULL);
	n->at = at;
	n->type = *out;
	*out = n;
	return done(p, n);
}

static int argument(struct parser *p, struct gql_node **out)
{
	return named_value(p, GQL_ARGUMENT, false, out);
}

static int constant_argument(struct parser *p, struct gql_node **out)
{
	return named_value(p, GQL_ARGUMENT, true, out);
}

static int directives(struct parser *p, bool constant, struct gql_node **list)
{
	for (; peek(p, GQL_AT); list = &(*list)->next) {
		struct gql_node *n = *list = node(p, GQL_DIRECTIVE);
		if (advance(p) < 0 || name(p, n) < 0 ||
		    optional_many(
			p, GQL_PAREN_OPEN, constant ? constant_argument : argument, GQL_PAREN_CLOSE, &n->arguments) < 0)
			return -1;
		done(p, n);
	}
	return 0;
}

static int description(struct parser *p, struct gql_node **out)
{
	return peek_string(p) ? leaf(p, GQL_VALUE_STRING, out) : 0;
}

/* ---- executable definitions ---- */

static int selection_set(struct parser *p, struct gql_node *n);

static int field(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_FIELD);
	int colon;
	if (name(p, n) < 0 || (colon = optional(p, GQL_COLON)) < 0)
		return -1;
	if (colon) {
		n->alias = n->name;
		if (name(p, n) < 0)
			return -1;
	}
	if (optional_many(p, GQL_PAREN_OPEN, argument, GQL_PAREN_CLOSE, &n->arguments) < 0 ||
	    directives(p, false, &n->directives) < 0 || (peek(p, GQL_BRACE_OPEN) && selection_set(p, n) < 0))
		return -1;
	return done(p, n);
}

static int fragment_name(struct parser *p, struct gql_node *n)
{
	return peek_keyword(p, STR("on")) ? unexpected(p, &p->lexer.token) : name(p, n);
}

/* "..." and then a name, a type condition or neither. */
static int spread(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_INLINE_FRAGMENT);
	int on;
	if (advance(p) < 0 || (on = optional_keyword(p, STR("on"))) < 0)
		return -1;
	if (!on && peek(p, GQL_NAME)) {
		n->kind = GQL_FRAGMENT_SPREAD;
		if (name(p, n) < 0 || directives(p, false, &n->directives) < 0)
			return -1;
		return done(p, n);
	}
	if ((on && named_type(p, &n->type) < 0) || directives(p, false, &n->directives) < 0 || selection_set(p, n) < 0)
		return -1;
	return done(p, n);
}

static int selection(struct parser *p, struct gql_node **out)
{
	return peek(p, GQL_SPREAD) ? spread(p, out) : field(p, out);
}

static int selection_set(struct parser *p, struct gql_node *n)
{
	n->has_selections = true;
	n->selections_at = p->lexer.token.at;
	return many(p, GQL_BRACE_OPEN, selection, GQL_BRACE_CLOSE, &n->selections);
}

static int variable_definition(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_VARIABLE_DEFINITION);
	if (description(p, &n->description) < 0 || expect(p, GQL_DOLLAR) < 0 || name(p, n) < 0 ||
	    expect(p, GQL_COLON) < 0 || type_reference(p, &n->type) < 0)
		return -1;
	int has_default = optional(p, GQL_EQUALS);
	if (has_default < 0 || (has_default && value(p, true, &n->value) < 0) ||
	    directives(p, true, &n->directives) < 0)
		return -1;
	return done(p, n);
}

static int operation_type(struct parser *p, struct gql_node *n)
{
	static const char *const word[] = {"query", "mutation", "subscription"};
	for (uint8_t i = 0; i < COUNT_OF(word); i++)
		if (peek_keyword(p, str_of(word[i]))) {
			n->operation = i;
			return advance(p);
		}
	struct gql_token t = p->lexer.token;
	return expect(p, GQL_NAME) < 0 ? -1 : unexpected(p, &t);
}

static int operation(struct parser *p, struct gql_node *n)
{
	n->kind = GQL_OPERATION;
	if (!peek(p, GQL_BRACE_OPEN)) {
		if (operation_type(p, n) < 0 || (peek(p, GQL_NAME) && name(p, n) < 0) ||
		    optional_many(p, GQL_PAREN_OPEN, variable_definition, GQL_PAREN_CLOSE, &n->variables) < 0 ||
		    directives(p, false, &n->directives) < 0)
			return -1;
	}
	return selection_set(p, n);
}

static int fragment(struct parser *p, struct gql_node *n)
{
	n->kind = GQL_FRAGMENT;
	if (expect_keyword(p, STR("fragment")) < 0 || fragment_name(p, n) < 0 || expect_keyword(p, STR("on")) < 0 ||
	    named_type(p, &n->type) < 0 || directives(p, false, &n->directives) < 0)
		return -1;
	return selection_set(p, n);
}

/* ---- the type system ---- */

static int operation_type_definition(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_OPERATION_TYPE);
	if (operation_type(p, n) < 0 || expect(p, GQL_COLON) < 0 || named_type(p, &n->type) < 0)
		return -1;
	return done(p, n);
}

static int input_value(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_INPUT_VALUE_DEFINITION);
	if (description(p, &n->description) < 0 || name(p, n) < 0 || expect(p, GQL_COLON) < 0 ||
	    type_reference(p, &n->type) < 0)
		return -1;
	int has_default = optional(p, GQL_EQUALS);
	if (has_default < 0 || (has_default && value(p, true, &n->value) < 0) ||
	    directives(p, true, &n->directives) < 0)
		return -1;
	return done(p, n);
}

static int field_definition(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_FIELD_DEFINITION);
	if (description(p, &n->description) < 0 || name(p, n) < 0 ||
	    optional_many(p, GQL_PAREN_OPEN, input_value, GQL_PAREN_CLOSE, &n->variables) < 0 ||
	    expect(p, GQL_COLON) < 0 || type_reference(p, &n->type) < 0 || directives(p, true, &n->directives) < 0)
		return -1;
	return done(p, n);
}

static int enum_value(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_ENUM_VALUE_DEFINITION);
	if (description(p, &n->description) < 0)
		return -1;
	if (peek(p, GQL_NAME) && kind_of_word(p->lexer.token.value) != GQL_VALUE_ENUM)
		return fail(p, p->lexer.token.at,
		    arena_printf(p->mem, "%.*s is reserved and cannot be used for an enum value.",
			STR_FMT(gql_token_show(&p->lexer.token, p->mem))));
	if (name(p, n) < 0 || directives(p, true, &n->directives) < 0)
		return -1;
	return done(p, n);
}

static int directive_location(struct parser *p, struct gql_node **out)
{
	static const char *const known[] = {"QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION",
	    "FRAGMENT_SPREAD", "INLINE_FRAGMENT", "VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT",
	    "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE", "UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT",
	    "INPUT_FIELD_DEFINITION"};
	struct gql_token t = p->lexer.token;
	if (named_type(p, out) < 0)
		return -1;
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (str_eq(t.value, str_of(known[i])))
			return 0;
	return unexpected(p, &t);
}

static int interfaces(struct parser *p, struct gql_node *n)
{
	int has = optional_keyword(p, STR("implements"));
	return has <= 0 ? has : delimited(p, GQL_AMP, named_type, &n->types);
}

/* After its keyword and name, what each kind of definition has. */
static int body(struct parser *p, struct gql_node *n)
{
	int equals;
	if ((n->kind == GQL_OBJECT_DEFINITION || n->kind == GQL_INTERFACE_DEFINITION) && interfaces(p, n) < 0)
		return -1;
	if (directives(p, true, &n->directives) < 0)
		return -1;
	switch (n->kind) {
	case GQL_SCHEMA_DEFINITION:
		return (n->extends ? optional_many : many)(
		    p, GQL_BRACE_OPEN, operation_type_definition, GQL_BRACE_CLOSE, &n->fields);
	case GQL_OBJECT_DEFINITION:
	case GQL_INTERFACE_DEFINITION:
		return optional_many(p, GQL_BRACE_OPEN, field_definition, GQL_BRACE_CLOSE, &n->fields);
	case GQL_UNION_DEFINITION:
		equals = optional(p, GQL_EQUALS);
		return equals <= 0 ? equals : delimited(p, GQL_PIPE, named_type, &n->types);
	case GQL_ENUM_DEFINITION:
		return optional_many(p, GQL_BRACE_OPEN, enum_value, GQL_BRACE_CLOSE, &n->fields);
	case GQL_INPUT_DEFINITION:
		return optional_many(p, GQL_BRACE_OPEN, input_value, GQL_BRACE_CLOSE, &n->fields);
	default:
		return 0;
	}
}

static int directive_definition(struct parser *p, struct gql_node *n)
{
	int repeatable;
	if (expect(p, GQL_AT) < 0 || name(p, n) < 0 ||
	    optional_many(p, GQL_PAREN_OPEN, input_value, GQL_PAREN_CLOSE, &n->fields) < 0 ||
	    (repeatable = optional_keyword(p, STR("repeatable"))) < 0 || expect_keyword(p, STR("on")) < 0)
		return -1;
	n->repeatable = repeatable;
	return delimited(p, GQL_PIPE, directive_location, &n->types);
}

static const struct {
	const char *word;
	enum gql_kind kind;
} keywords[] = {
    {"schema", GQL_SCHEMA_DEFINITION},
    {"scalar", GQL_SCALAR_DEFINITION},
    {"type", GQL_OBJECT_DEFINITION},
    {"interface", GQL_INTERFACE_DEFINITION},
    {"union", GQL_UNION_DEFINITION},
    {"enum", GQL_ENUM_DEFINITION},
    {"input", GQL_INPUT_DEFINITION},
    {"directive", GQL_DIRECTIVE_DEFINITION},
};

/* 1 and parsed if this is the keyword of a type system definition, 0 if it is none, or -1. */
static int type_system(struct parser *p, struct gql_node *n)
{
	for (size_t i = 0; i < COUNT_OF(keywords); i++) {
		if (!peek_keyword(p, str_of(keywords[i].word)))
			continue;
		n->kind = keywords[i].kind;
		if (n->extends && n->kind == GQL_DIRECTIVE_DEFINITION)
			return 0;
		if (advance(p) < 0)
			return -1;
		if (n->kind == GQL_DIRECTIVE_DEFINITION)
			return directive_definition(p, n) < 0 ? -1 : 1;
		if ((n->kind != GQL_SCHEMA_DEFINITION && name(p, n) < 0) || body(p, n) < 0)
			return -1;
		/* An extension must extend something. */
		if (n->extends && !n->directives && !n->types && !n->fields)
			return unexpected(p, &p->lexer.token);
		return 1;
	}
	return 0;
}

static int described(struct parser *p, struct gql_node *n)
{
	uint32_t at = p->lexer.token.at;
	if (description(p, &n->description) < 0)
		return -1;
	if (peek(p, GQL_BRACE_OPEN))
		return fail(p, at, STR("Unexpected description, descriptions are not supported on shorthand queries."));
	if (!peek(p, GQL_NAME))
		return unexpected(p, &p->lexer.token);
	int found = type_system(p, n);
	if (found)
		return found < 0 ? -1 : 0;
	if (peek_keyword(p, STR("query")) || peek_keyword(p, STR("mutation")) || peek_keyword(p, STR("subscription")))
		return operation(p, n);
	if (peek_keyword(p, STR("fragment")))
		return fragment(p, n);
	return fail(p, at, STR("Unexpected description, only GraphQL definitions support descriptions."));
}

static int definition(struct parser *p, struct gql_node **out)
{
	struct gql_node *n = *out = node(p, GQL_OPERATION);
	int found;
	if (peek_string(p)) {
		if (described(p, n) < 0)
			return -1;
	} else if (peek(p, GQL_BRACE_OPEN) || peek_keyword(p, STR("query")) || peek_keyword(p, STR("mutation")) ||
		   peek_keyword(p, STR("subscription"))) {
		if (operation(p, n) < 0)
			return -1;
	} else if (peek_keyword(p, STR("fragment"))) {
		if (fragment(p, n) < 0)
			return -1;
	} else {
		if ((found = optional_keyword(p, STR("extend"))) < 0)
			return -1;
		n->extends = found;
		if ((found = type_system(p, n)) <= 0)
			return found < 0 ? -1 : unexpected(p, &p->lexer.token);
	}
	return done(p, n);
}

int gql_parse(struct gql_document *doc, struct str text, const struct gql_parse_limits *limits, struct arena *mem)
{
	*doc = (struct gql_document){.text = text};
	struct parser p = {.doc = doc, .limits = *limits, .mem = mem};
	if (!p.limits.depth || p.limits.depth > GQL_MAX_DEPTH)
		p.limits.depth = GQL_MAX_DEPTH;
	p.limits.depth++; /* the document itself is entered as a level */
	gql_lex_start(&p.lexer, text, mem);
	return many(&p, GQL_START, definition, GQL_END, &doc->definitions);
}

void gql_document_free(struct gql_document *doc)
{
	map_free(&doc->fragments);
}
