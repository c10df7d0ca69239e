/* Documents as trees: what is one, and where one that is not goes wrong. The messages are graphql-js' own. */
#include "lib/graphql/parse.h"

#include "tests/unit/tap.h"

static const struct {
	const char *text, *value;
} strings[] = {
    {"\"\"", ""},
    {"\"plain\"", "plain"},
    {"\"\\n\\u00e9\\\"\"", "\n\xc3\xa9\""},
    {"\"\\u{1F600}\"", "\xf0\x9f\x98\x80"},
    {"\"\\uD83D\\uDE00\"", "\xf0\x9f\x98\x80"},
    {"\"\"\"block\"\"\"", "block"},
    {"\"\"\"\n    a\n      b\n    c\n  \"\"\"", "a\n  b\nc"},
    {"\"\"\"with \\\"\"\" in it\"\"\"", "with \"\"\" in it"},
};

static const struct {
	const char *text;
	uint32_t line, column; /* 0: it is a document */
	const char *error;
} documents[] = {
    {"{ a }", 0, 0, NULL},
    {"query Q($a: [Int!]! = [1] @d) @d { x: a(b: $a, c: {d: null}) @d { ...F ... on T { b } ... @d { c } } }", 0, 0,
	NULL},
    {"fragment F on T { a }", 0, 0, NULL},
    {"{ query mutation subscription fragment on true null }", 0, 0, NULL},
    {"\"d\" type T implements A & B @d { \"e\" f(a: Int = 1): [T!]! } extend union U = A | B", 0, 0, NULL},
    {"\xef\xbb\xbf{ a, b,,, } # the end", 0, 0, NULL},
    {"", 1, 1, "Syntax Error: Unexpected <EOF>."},
    {"{", 1, 2, "Syntax Error: Expected Name, found <EOF>."},
    {"{ }", 1, 3, "Syntax Error: Expected Name, found \"}\"."},
    {"{\n  a(b: 1\n}", 3, 1, "Syntax Error: Expected Name, found \"}\"."},
    {"{ ...on }", 1, 9, "Syntax Error: Expected Name, found \"}\"."},
    {"fragment on on T { a }", 1, 10, "Syntax Error: Unexpected Name \"on\"."},
    {"notAnOperation Foo { a }", 1, 1, "Syntax Error: Unexpected Name \"notAnOperation\"."},
    {"{ a(b: \"x) }", 1, 13, "Syntax Error: Unterminated string."},
    {"{ a(b: 01) }", 1, 9, "Syntax Error: Invalid number, unexpected digit after 0: \"1\"."},
    {"{ a(b: $) }", 1, 9, "Syntax Error: Expected Name, found \")\"."},
    {"query ($a: Int = $b) { a }", 1, 18, "Syntax Error: Unexpected variable \"$b\" in constant value."},
};

static void lex_strings(struct arena *mem)
{
	for (size_t i = 0; i < COUNT_OF(strings); i++) {
		struct gql_lexer l;
		gql_lex_start(&l, str_of(strings[i].text), mem);
		int rc = gql_lex(&l);
		ok(rc == 0 && str_eq(l.token.value, str_of(strings[i].value)), "%s", strings[i].value);
	}
}

static void parse_documents(struct arena *mem)
{
	for (size_t i = 0; i < COUNT_OF(documents); i++) {
		struct gql_document d;
		struct str text = str_of(documents[i].text);
		int rc = gql_parse(&d, text, &(struct gql_parse_limits){0}, mem);
		if (!documents[i].line) {
			ok(rc == 0, "parsed: document %zu", i);
		} else {
			struct gql_place p = gql_place_of(text, d.error_at);
			ok(rc == -1 && p.line == documents[i].line && p.column == documents[i].column,
			    "refused at %u:%u", p.line, p.column);
			is_str(d.error, str_of(documents[i].error), "for its reason");
		}
		gql_document_free(&d);
	}
}

static void shape(struct arena *mem)
{
	struct gql_document d;
	struct str text = STR("query Q($a: Int) { x: b(c: $a) { d } } fragment F on T { e }");
	ok(gql_parse(&d, text, &(struct gql_parse_limits){0}, mem) == 0, "an operation and a fragment");
	const struct gql_node *q = d.definitions, *f = q->next, *b = q->selections;
	ok(q->kind == GQL_OPERATION && q->operation == GQL_QUERY && str_eq(q->name, STR("Q")), "the operation");
	ok(str_eq(q->variables->name, STR("a")) && str_eq(q->variables->type->name, STR("Int")), "its variable");
	ok(str_eq(b->alias, STR("x")) && str_eq(b->name, STR("b")) && b->at == 19, "its field");
	ok(b->arguments->value->kind == GQL_VALUE_VARIABLE, "the field's argument");
	ok(f->kind == GQL_FRAGMENT && str_eq(f->type->name, STR("T")) && !f->next, "the fragment");
	gql_document_free(&d);
}

static void limits(struct arena *mem)
{
	struct gql_document d;
	struct gql_place p = gql_place_of(STR("a\r\nb\n\xf0\x9f\x98\x80"
					      "c"),
	    9);
	ok(p.line == 3 && p.column == 3, "columns are UTF-16 units");
	ok(gql_parse(&d, STR("{ a b c }"), &(struct gql_parse_limits){.tokens = 5}, mem) == 0, "five tokens");
	gql_document_free(&d);
	ok(gql_parse(&d, STR("{ a b c d }"), &(struct gql_parse_limits){.tokens = 5}, mem) < 0, "six are too many");
	gql_document_free(&d);
	enum { DEEP = 100000 };
	char *deep = xmalloc(DEEP);
	memset(deep, '{', DEEP);
	for (size_t i = 1; i < DEEP; i += 2)
		deep[i] = 'a';
	ok(gql_parse(&d, (struct str){deep, DEEP}, &(struct gql_parse_limits){0}, mem) < 0,
	    "50,000 levels are refused");
	gql_document_free(&d);
	free(deep);
}

int main(void)
{
	struct arena mem = {0};
	lex_strings(&mem);
	parse_documents(&mem);
	shape(&mem);
	limits(&mem);
	arena_free(&mem);
	return tap_done();
}
