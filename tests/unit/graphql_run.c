/* Execution: batches, nulls that spread, paths of errors, serial mutations, variables, limits, introspection. */
#include "lib/graphql/introspect.h"

#include "tests/unit/tap.h"

static const char sdl[] =
    "type Query { item(id: ID!): Item items(first: Int = 2): [Item!]! fails: Int sum(in: In, list: [Int!]): Int\n"
    "  echo(s: String = \"d\", e: E, f: Float, b: Boolean): String }\n"
    "type Item { id: ID! next: Item must: String! twin: Item! }\n"
    "type Mutation { add(n: Int!): Int }\n"
    "enum E { A B }\n"
    "input In { a: Int! b: Int = 5 }\n";

struct item {
	char id[8];
};

static struct {
	size_t item, next; /* calls of the resolvers */
	int64_t sum;
	char order[16];
} seen;

static const struct item items[] = {{"0"}, {"1"}, {"2"}, {"bad"}};

static void get_item(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	seen.item++;
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < COUNT_OF(items); k++)
			if (str_eq(call[i].args[0].text, str_of(items[k].id)))
				call[i].out = gql_object(&items[k]);
}

static void get_items(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		call[i].out = gql_list(&call[i], (size_t)call[i].args[0].integer);
		for (size_t k = 0; k < call[i].out.n; k++)
			call[i].out.item[k] = gql_object(&items[k % COUNT_OF(items)]);
	}
}

static void get_id(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_text(str_of(((const struct item *)call[i].parent)->id));
}

static void get_next(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	seen.next++;
	for (size_t i = 0; i < n; i++) {
		const struct item *next = (const struct item *)call[i].parent + 1;
		call[i].out = gql_object(next < items + COUNT_OF(items) ? next : NULL);
	}
}

static void get_must(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		if (str_eq(str_of(((const struct item *)call[i].parent)->id), STR("bad")))
			call[i].out = gql_failure(STR("no luck"), "UNLUCKY");
		else
			call[i].out = gql_text(STR("m"));
}

static void fail(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_failure(STR("it fails"), "NOT_FOUND");
}

static void get_sum(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct gql_value *in = &call[i].args[0], *list = &call[i].args[1];
		int64_t sum = in->kind == GQL_MEMBERS ? in->item[0].integer + in->item[1].integer : 0;
		for (size_t k = 0; list->kind == GQL_ITEMS && k < list->n; k++)
			sum += list->item[k].integer;
		call[i].out = gql_integer(sum);
	}
}

static void echo(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		const struct gql_value *a = call[i].args;
		struct str s = a[0].kind == GQL_TEXT ? a[0].text : STR("null"),
			   e = a[1].kind == GQL_TEXT ? a[1].text : STR("-");
		call[i].out = gql_text(arena_printf(call[i].mem, "%.*s %.*s %g %d", STR_FMT(s), STR_FMT(e),
		    a[2].kind == GQL_NUMBER ? a[2].number : -1, a[3].kind == GQL_TRUTH ? a[3].truth : -1));
	}
}

static void add(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++) {
		seen.sum = seen.sum * 10 + call[i].args[0].integer;
		call[i].out =
		    call[i].args[0].integer == 7 ? gql_failure(STR("not seven"), NULL) : gql_integer(seen.sum);
	}
}

static const struct {
	const char *type, *field;
	gql_resolve *resolve;
} bindings[] = {
    {"Query", "item", get_item},
    {"Query", "items", get_items},
    {"Query", "fails", fail},
    {"Query", "sum", get_sum},
    {"Query", "echo", echo},
    {"Item", "id", get_id},
    {"Item", "next", get_next},
    {"Item", "must", get_must},
    {"Item", "twin", fail},
    {"Mutation", "add", add},
};

static struct str answer(struct gql_schema *s, const struct gql_limits *l, const char *text, const char *operation,
    const char *variables, struct buf *out)
{
	struct gql_request q;
	buf_clear(out);
	memset(&seen, 0, sizeof seen);
	gql_request_init(&q, s, str_of(text), l);
	struct str name = operation ? str_of(operation) : STR_NONE, v = variables ? str_of(variables) : STR_NONE;
	if (gql_request_prepare(&q, name, v))
		gql_request_run(&q, NULL, NULL, out);
	else
		gql_request_refuse(&q, out);
	gql_request_free(&q);
	out->n--; /* the line end */
	return buf_view(out);
}

static const struct {
	const char *what, *text, *variables, *want;
} runs[] = {
    {"an object", "{ item(id: 1) { id n: next { id } __typename } }", NULL,
	"{\"data\":{\"item\":{\"id\":\"1\",\"n\":{\"id\":\"2\"},\"__typename\":\"Item\"}}}"},
    {"one that is absent", "{ item(id: \"none\") { id } }", NULL, "{\"data\":{\"item\":null}}"},
    {"fields of one name are merged, in the order of the first",
	"{ item(id: 0) { id } x: fails @skip(if: true) item(id: 0) { next { id } } }", NULL,
	"{\"data\":{\"item\":{\"id\":\"0\",\"next\":{\"id\":\"1\"}}}}"},
    {"fragments and conditions", "{ item(id: 0) { ...F ... @include(if: false) { must } } } fragment F on Item { id }",
	NULL, "{\"data\":{\"item\":{\"id\":\"0\"}}}"},
    {"a failure where null may be", "{ a: fails b: sum }", NULL,
	"{\"errors\":[{\"message\":\"it fails\",\"locations\":[{\"line\":1,\"column\":3}],\"path\":[\"a\"],"
	"\"extensions\":{\"code\":\"NOT_FOUND\"}}],\"data\":{\"a\":null,\"b\":0}}"},
    {"a failure that makes the object around it null", "{ item(id: 0) { id twin { id } } }", NULL,
	"{\"errors\":[{\"message\":\"it "
	"fails\",\"locations\":[{\"line\":1,\"column\":20}],\"path\":[\"item\",\"twin\"],"
	"\"extensions\":{\"code\":\"NOT_FOUND\"}}],\"data\":{\"item\":null}}"},
    {"a failure in a list of non-null objects makes all null", "{ items(first: 4) { must } }", NULL,
	"{\"errors\":[{\"message\":\"no "
	"luck\",\"locations\":[{\"line\":1,\"column\":21}],\"path\":[\"items\",3,\"must\"],"
	"\"extensions\":{\"code\":\"UNLUCKY\"}}],\"data\":null}"},
    {"default of an argument", "{ items { id } }", NULL, "{\"data\":{\"items\":[{\"id\":\"0\"},{\"id\":\"1\"}]}}"},
    {"defaults of input objects; one value for a list", "{ sum(in: {a: 1}, list: 3) }", NULL, "{\"data\":{\"sum\":9}}"},
    {"values of each kind", "{ echo(s: null, e: B, f: 2, b: true) }", NULL, "{\"data\":{\"echo\":\"null B 2 1\"}}"},
    {"a variable that is not given leaves the default", "query ($s: String) { echo(s: $s) }", NULL,
	"{\"data\":{\"echo\":\"d - -1 -1\"}}"},
    {"one that is null does not", "query ($s: String) { echo(s: $s) }", "{\"s\":null}",
	"{\"data\":{\"echo\":\"null - -1 -1\"}}"},
    {"variables of each kind", "query ($i: In!, $l: [Int!], $e: E) { sum(in: $i, list: $l) echo(e: $e) }",
	"{\"i\":{\"a\":1,\"b\":2},\"l\":[3,4],\"e\":\"A\"}", "{\"data\":{\"sum\":10,\"echo\":\"d A -1 -1\"}}"},
    {"a variable of the wrong type", "query ($n: Int!) { items(first: $n) { id } }", "{\"n\":\"1\"}",
	"{\"errors\":[{\"message\":\"Variable \\\"$n\\\" got invalid value at \\\"n\\\"; expected a value of type "
	"Int.\",\"locations\":[{\"line\":1,\"column\":8}],\"extensions\":{\"code\":\"BAD_USER_INPUT\"}}]}"},
    {"one that is missing", "query ($n: Int!) { items(first: $n) { id } }", "{}",
	"{\"errors\":[{\"message\":\"Variable \\\"$n\\\" got invalid value at \\\"n\\\"; a value is required of type "
	"Int.\","
	"\"locations\":[{\"line\":1,\"column\":8}],\"extensions\":{\"code\":\"BAD_USER_INPUT\"}}]}"},
    {"mutations run in order, and go on after a failure", "mutation { a: add(n: 1) b: add(n: 7) c: add(n: 3) }", NULL,
	"{\"errors\":[{\"message\":\"not seven\",\"locations\":[{\"line\":1,\"column\":25}],\"path\":[\"b\"]}],"
	"\"data\":{\"a\":1,\"b\":null,\"c\":173}}"},
    {"an operation that the schema does not have", "subscription { a }", NULL,
	"{\"errors\":[{\"message\":\"The schema does not have such "
	"operations.\",\"locations\":[{\"line\":1,\"column\":1}],"
	"\"extensions\":{\"code\":\"BAD_USER_INPUT\"}}]}"},
};

static bool says(struct str answer_text, const char *what)
{
	return memmem(answer_text.p, answer_text.n, what, strlen(what)) != NULL;
}

static void run_table(struct gql_schema *s, struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(runs); i++)
		is_str(answer(s, &(struct gql_limits){0}, runs[i].text, NULL, runs[i].variables, out),
		    str_of(runs[i].want), "%s", runs[i].what);
}

static void batches(struct gql_schema *s, struct buf *out)
{
	struct buf text = {0};
	buf_char(&text, '{');
	for (int i = 0; i < 30; i++)
		buf_printf(&text, " a%d: item(id: %d) { next { id } }", i, i % 3);
	buf_str(&text, STR(" items(first: 3) { next { id } } }"));
	buf_char(&text, 0);
	answer(s, &(struct gql_limits){0}, text.p, NULL, NULL, out);
	is_u64(seen.item, 1, "thirty look-ups are one call");
	is_u64(seen.next, 1, "and so are the 33 fields below them");
	buf_free(&text);
}

static void operations(struct gql_schema *s, struct buf *out)
{
	static const char two[] = "query A { a: sum } query B { b: sum }";
	const struct gql_limits none = {0};
	is_str(answer(s, &none, two, "B", NULL, out), STR("{\"data\":{\"b\":0}}"), "an operation by its name");
	ok(says(answer(s, &none, two, NULL, NULL, out), "Must provide operation name"), "two need a name");
	ok(says(answer(s, &none, two, "C", NULL, out), "Unknown operation named \\\"C\\\""), "which must be right");
}

static const struct {
	const char *code, *text;
	struct gql_limits limits;
} limited[] = {
    {"GRAPHQL_PARSE_FAILED", "{ a: sum b: sum }", {.tokens = 7}},
    {"DEPTH_LIMIT", "{ item(id: 0) { next { next { id } } } }", {.depth = 3}},
    {"DEPTH_LIMIT", "{ item(id: 0) { ...F } } fragment F on Item { next { next { id } } }", {.depth = 3}},
    {"ALIAS_LIMIT", "{ a: sum b: sum c: sum }", {.aliases = 2}},
    {"ROOT_FIELD_LIMIT", "{ a: sum b: sum c: sum }", {.root_fields = 2}},
    {"DIRECTIVE_LIMIT", "{ sum @skip(if: true) echo @skip(if: true) fails @skip(if: true) }", {.directives = 2}},
    {"COST_LIMIT", "{ items(first: 100) { id } }", {.cost = 100}},
    {"INTROSPECTION_DISABLED", "{ __schema { types { name } } }", {.no_introspection = true}},
    {"ANSWER_LIMIT", "{ items(first: 1000) { id next { id } } }", {.answer_bytes = 1000}},
    {"TIMEOUT", "{ sum }", {.deadline_ms = 1}},
};

static void limits(struct gql_schema *s, struct buf *out)
{
	char code[64];
	for (size_t i = 0; i < COUNT_OF(limited); i++) {
		struct str got = answer(s, &limited[i].limits, limited[i].text, NULL, NULL, out);
		snprintf(code, sizeof code, "\"code\":\"%s\"", limited[i].code);
		ok(says(got, code), "%s", limited[i].code);
		got = answer(s, &(struct gql_limits){0}, limited[i].text, NULL, NULL, out);
		ok(!says(got, code), "not without the limit");
	}
}

static bool has_memory(void *most, size_t bytes)
{
	return bytes <= *(const size_t *)most;
}

static void memory(struct gql_schema *s, struct buf *out)
{
	size_t most = SIZE_MAX;
	struct gql_limits l = {.hold = has_memory, .hold_arg = &most};
	const char *text = "{ items(first: 3000) { id } }";
	ok(says(answer(s, &l, text, NULL, NULL, out), "{\"data\":{\"items\":[{\"id\":"), "with memory it is answered");
	most = 400000; /* the list has room, its nodes do not */
	struct str got = answer(s, &l, text, NULL, NULL, out);
	ok(says(got, "\"code\":\"ANSWER_LIMIT\"") && says(got, "\"data\":null"), "without it, it ends");
	ok(says(answer(s, &l, "{ items(first: 3) { id } }", NULL, NULL, out), "{\"data\":{\"items\":"),
	    "a small one fits");
}

static void introspection(struct gql_schema *s, struct buf *out)
{
	is_str(
	    answer(s, &(struct gql_limits){0},
		"{ __type(name: \"Item\") { kind fields { name type { kind ofType { name } } } } }", NULL, NULL, out),
	    STR("{\"data\":{\"__type\":{\"kind\":\"OBJECT\",\"fields\":["
		"{\"name\":\"id\",\"type\":{\"kind\":\"NON_NULL\",\"ofType\":{\"name\":\"ID\"}}},"
		"{\"name\":\"next\",\"type\":{\"kind\":\"OBJECT\",\"ofType\":null}},"
		"{\"name\":\"must\",\"type\":{\"kind\":\"NON_NULL\",\"ofType\":{\"name\":\"String\"}}},"
		"{\"name\":\"twin\",\"type\":{\"kind\":\"NON_NULL\",\"ofType\":{\"name\":\"Item\"}}}]}}}"),
	    "a type by its name");
}

int main(void)
{
	struct err e;
	struct buf out = {0};
	struct gql_schema *s = gql_schema_new(str_of(sdl), &e);
	gql_introspection_bind(s);
	for (size_t i = 0; i < COUNT_OF(bindings); i++)
		if (gql_schema_bind(
			s, str_of(bindings[i].type), str_of(bindings[i].field), bindings[i].resolve, NULL, &e) < 0)
			ok(false, "%s", e.msg);
	ok(gql_schema_bind(s, STR("Query"), STR("nope"), echo, NULL, &e) < 0, "a field that is not: %s", e.msg);
	run_table(s, &out);
	batches(s, &out);
	operations(s, &out);
	limits(s, &out);
	memory(s, &out);
	introspection(s, &out);
	buf_free(&out);
	gql_schema_free(s);
	return tap_done();
}
