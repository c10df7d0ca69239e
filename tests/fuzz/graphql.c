/* graphql.c - whatever a document, the operation's name and the variables are: they are answered by JSON in bounded
 * memory, twice alike, also from the cache of documents, and limits change the answer only by refusing. Of documents
 * that the lexer reads to their end the tokens lie in order.
 *
 * The input is a line of limits, a line of variables, and the document. In the first line each letter sets a limit
 * (t tokens, d depth, a aliases, r root fields, @ directives, c cost, e errors, i no introspection); after "=" comes
 * the operation's name.
 */
#include <math.h>

#include "lib/base/utf8.h"
#include "lib/graphql/introspect.h"
#include "lib/json/scan.h"
#include "tests/fuzz/lib/check.h"

/* All kinds of types; with whatever resolvers may answer, rightly or wrongly. */
static const char sdl[] =
    "interface Node { id: ID! peer(first: Int = 2): [Node] }\n"
    "type Query { me(a: Int, b: [Int!], in: In, e: E, any: Any): User node(id: ID!): Node pets(first: Int = 3, tags: "
    "[[E!]]): [Pet!]! n: Int! f: Float\n"
    "  grid: [[Int!]]! any(of: Any = {x: [1]}): Any }\n"
    "type User implements Node { id: ID! peer(first: Int = 2): [Node] name(upper: Boolean = false): String! e: E pet: "
    "Pet! best: User }\n"
    "type Dog implements Node { id: ID! peer(first: Int = 2): [Node] bark: Boolean! }\n"
    "type Cat { meow: Int name: String }\n"
    "union Pet = Dog | Cat\n"
    "enum E { A B }\n"
    "scalar Any @specifiedBy(url: \"about:blank\")\n"
    "input In { a: Int! b: String = \"x\" in: In list: [In!] = [] e: E = A }\n"
    "type Mutation { set(in: In!, f: Float): User add(n: Int!): Int }\n"
    "type Subscription { tick(e: [E]): User tock: Int }\n"
    "directive @once(of: In) on FIELD | QUERY\n"
    "directive @often repeatable on FIELD | FRAGMENT_SPREAD | INLINE_FRAGMENT | VARIABLE_DEFINITION\n";

enum { MOST_BYTES = 1 << 18, MOST_ITEMS = 3, OBJECTS = 64 };

static struct gql_schema *schema;
static struct gql_cache *cache;
static const char objects[OBJECTS]; /* their addresses tell them apart */

/* ---- resolvers: what they answer depends on the object, the field and its arguments alone ---- */

static uint32_t mix(uint32_t h, uint64_t v)
{
	return (h ^ (uint32_t)(v ^ v >> 32)) * 0x9e3779b1 + (h >> 15);
}

static uint32_t sum_of(const struct gql_value *v)
{
	uint32_t h = mix((uint32_t)v->kind, v->name.n);
	switch (v->kind) {
	case GQL_INTEGER:
		return mix(h, (uint64_t)v->integer);
	case GQL_NUMBER:
		return mix(h, v->number > 0);
	case GQL_TRUTH:
		return mix(h, v->truth);
	case GQL_TEXT:
		for (size_t i = 0; i < v->text.n; i++)
			h = mix(h, (uint8_t)v->text.p[i]);
		return h;
	case GQL_ITEMS:
	case GQL_MEMBERS:
		for (size_t i = 0; i < v->n; i++)
			h = mix(h, sum_of(&v->item[i]));
		return h;
	default:
		return h;
	}
}

static struct gql_out out_of(struct gql_call *call, const struct gql_ref *type, uint32_t seed);

static struct gql_out leaf_of(const struct gql_type *t, uint32_t seed)
{
	if (t->kind == GQL_ENUM)
		return gql_text(seed % 3 ? t->values[seed % t->nvalues].name : STR("NONE"));
	switch (seed % 6) {
	case 0:
		return gql_text(STR("\"\\ \x01 \xc3\xa9 \xf0\x9f\x98\x80"));
	case 1:
		return gql_number(seed % 4 ? 0.5 : (double)INFINITY);
	case 2:
		return gql_truth(seed & 64);
	default:
		return gql_integer(seed % 4 ? (int64_t)seed : INT64_MIN);
	}
}

static struct gql_out object_of(const struct gql_type *t, uint32_t seed)
{
	struct gql_out out = gql_object(&objects[seed % OBJECTS]);
	if (t->kind != GQL_OBJECT && seed % 8)
		out.type = t->possible[seed % t->npossible];
	return out;
}

static struct gql_out list_of(struct gql_call *call, const struct gql_ref *type, uint32_t seed)
{
	struct gql_out out = gql_list(call, seed % (MOST_ITEMS + 1));
	for (size_t i = 0; i < out.n; i++)
		out.item[i] = out_of(call, type->of, mix(seed, i));
	return out;
}

static struct gql_out out_of(struct gql_call *call, const struct gql_ref *type, uint32_t seed)
{
	while (type->wrap == GQL_NON_NULL)
		type = type->of;
	if (seed % 31 == 0)
		return gql_failure(STR("fails \"\xff\""), seed % 2 ? "CODE" : NULL);
	if (seed % 17 == 0)
		return gql_text(STR_NONE);
	if (seed % 29 == 0)
		return type->wrap == GQL_LIST ? gql_integer(1)
					      : list_of(call, &(struct gql_ref){GQL_LIST, type, type->type}, seed);
	if (type->wrap == GQL_LIST)
		return list_of(call, type, seed);
	return gql_is_leaf(type->type) ? leaf_of(type->type, seed) : object_of(type->type, seed);
}

static void resolve(struct gql_call *call, size_t n, void *app)
{
	CHECK(app == schema);
	for (size_t i = 0; i < n; i++) {
		uint32_t seed = mix((uint32_t)((const char *)call[i].parent - objects),
		    call[i].field->name.n + call[i].field->owner->index);
		for (size_t k = 0; k < call[i].field->nargs; k++)
			seed = mix(seed, sum_of(&call[i].args[k]));
		call[i].out = out_of(&call[i], call[i].field->type, seed);
	}
}

static bool is_short(const struct gql_value *v)
{
	return v->kind != GQL_TEXT || v->text.n < 8;
}

static void start(void)
{
	struct err e;
	schema = gql_schema_new(str_of(sdl), &e);
	CHECK(schema);
	cache = gql_cache_new(64 << 10, NULL);
	for (size_t i = 0; i < schema->ntypes; i++) {
		struct gql_type *t = schema->types[i];
		for (size_t k = 0; !t->introspection && k < t->nfields; k++)
			t->fields[k].resolve = resolve;
		if (str_eq(t->name, STR("Any")))
			t->check = is_short;
	}
	gql_introspection_bind(schema);
}

/* ---- inputs ---- */

static void read_limits(struct gql_limits *l, struct str letters)
{
	for (size_t i = 0; i < letters.n; i++)
		switch (letters.p[i]) {
		case 't':
			l->tokens = 64;
			break;
		case 'd':
			l->depth = 4;
			break;
		case 'a':
			l->aliases = 3;
			break;
		case 'r':
			l->root_fields = 2;
			break;
		case '@':
			l->directives = 2;
			break;
		case 'c':
			l->cost = 50;
			break;
		case 'e':
			l->errors = 1;
			break;
		case 'i':
			l->no_introspection = true;
			break;
		}
}

static void lex(struct str text)
{
	struct arena mem = {0};
	struct gql_lexer l;
	uint32_t last = 0;
	int got;
	gql_lex_start(&l, text, &mem);
	while ((got = gql_lex(&l)) == 0 && l.token.kind != GQL_END) {
		CHECK(l.token.at >= last && l.token.end > l.token.at && l.token.end <= text.n);
		CHECK(gql_token_show(&l.token, &mem).n > 0);
		last = l.token.end;
	}
	CHECK(got == 0 || (l.error_at <= text.n && l.error.n));
	struct gql_place p = gql_place_of(text, got == 0 ? l.token.at : l.error_at);
	CHECK(p.line > 0 && p.column > 0 && p.line <= text.n + 1 && p.column <= text.n + 1);
	arena_free(&mem);
}

/* True if the operation ran; the answer or the refusal is appended. */
static bool ask(const struct gql_limits *l, struct gql_cache *from, struct str text, struct str operation,
    struct str variables, struct buf *out)
{
	struct gql_request q;
	struct buf again = {0};
	gql_request_init(&q, schema, text, l);
	q.cache = from;
	bool good = gql_request_prepare(&q, operation, variables);
	if (!good) {
		CHECK(q.errors.n);
		gql_request_refuse(&q, out);
	} else if (q.operation->operation == GQL_SUBSCRIPTION) {
		struct gql_call root;
		if (gql_request_root(&q, &root))
			CHECK(root.field->owner == schema->root[GQL_SUBSCRIPTION]);
	}
	if (good) {
		bool whole = gql_request_run(&q, objects, schema, out);
		CHECK(gql_request_run(&q, objects, schema, &again) == whole);
		CHECK(str_eq(buf_view(out), buf_view(&again)));
	}
	fuzz_check_json((struct str){out->p, out->n - 1});
	gql_request_free(&q);
	buf_free(&again);
	return good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str in = fuzz_input(data, size), letters = fuzz_line(&in), variables = fuzz_line(&in),
		   operation = STR_NONE;
	struct gql_limits none = {.answer_bytes = MOST_BYTES}, some = none;
	struct buf with = {0}, without = {0};
	const char *equals = letters.n ? memchr(letters.p, '=', letters.n) : NULL;
	if (!schema)
		start();
	if (utf8_valid_prefix(in) < in.n) /* callers have read JSON, or checked */
		return 0;
	if (equals) {
		operation = (struct str){equals + 1, (size_t)(letters.p + letters.n - equals) - 1};
		letters.n = (size_t)(equals - letters.p);
	}
	read_limits(&some, letters);
	/* Blocks of their own, so that each byte read beyond an end is seen. */
	char *document = fuzz_copy(in), *json = fuzz_copy(variables);
	in = (struct str){document, in.n};
	variables = variables.n ? (struct str){json, variables.n} : STR_NONE;
	lex(in);
	bool ran = ask(&some, NULL, in, operation, variables, &with),
	     could = ask(&none, NULL, in, operation, variables, &without);
	CHECK(!ran || could);
	CHECK(!ran || some.errors || str_eq(buf_view(&with), buf_view(&without)));
	for (int i = 0; i < 2; i++) {
		buf_clear(&with);
		CHECK(ask(&none, cache, in, operation, variables, &with) == could);
		CHECK(str_eq(buf_view(&with), buf_view(&without)));
	}
	free(document);
	free(json);
	buf_free(&with);
	buf_free(&without);
	return 0;
}
