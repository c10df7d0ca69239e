/* Each rule of validation: a document that keeps it, and one that breaks it and no other. */
#include "lib/graphql/validate.h"

#include "tests/unit/tap.h"

static const char sdl[] =
    "interface Node { id: ID! }\n"
    "type Query { me(a: Int, b: [Int!], in: In, e: E): User node(id: ID!): Node pet: Pet n: Int }\n"
    "type User implements Node { id: ID! name(upper: Boolean): String age: Int friends: [User!] }\n"
    "type Dog implements Node { id: ID! bark: Boolean! age: String }\n"
    "type Cat { meow: Int }\n"
    "union Pet = Dog | Cat\n"
    "enum E { A B }\n"
    "input In { a: Int! b: String = \"x\" }\n"
    "type Mutation { set(in: In!): User }\n"
    "type Subscription { tick: Int tock: Int }\n"
    "directive @once on FIELD\n";

static const struct {
	const char *rule, *good, *bad;
} cases[] = {
    {"ExecutableDefinitions", "{ n }", "{ n } type T { a: Int }"},
    {"UniqueOperationNames", "query A { n } query B { n }", "query A { n } query A { n }"},
    {"LoneAnonymousOperation", "{ n }", "{ n } query B { n }"},
    {"SingleFieldSubscriptions", "subscription { tick }", "subscription { tick tock }"},
    {"KnownTypeNames", "query ($a: Int) { me(a: $a) { id } }", "{ me { ... on Nope { id } } }"},
    {"FragmentsOnCompositeTypes", "{ me { ... on Node { id } } }", "{ me { ... on E { id } } }"},
    {"VariablesAreInputTypes", "query ($a: In) { me(in: $a) { id } }", "query ($a: User) { me(b: [$a]) { id } }"},
    {"ScalarLeafs", "{ me { id } }", "{ me }"},
    {"FieldsOnCorrectType", "{ me { name } }", "{ me { bark } }"},
    {"UniqueFragmentNames", "{ me { ...F } } fragment F on User { id }",
	"{ me { ...F } } fragment F on User { id } fragment F on User { id }"},
    {"KnownFragmentNames", "{ me { ...F } } fragment F on User { id }", "{ me { ...G } }"},
    {"NoUnusedFragments", "{ me { ...F } } fragment F on User { id }", "{ n } fragment F on User { id }"},
    {"PossibleFragmentSpreads", "{ pet { ... on Dog { id } } }", "{ pet { ... on User { id } } }"},
    {"NoFragmentCycles", "{ me { ...F } } fragment F on User { id }",
	"{ me { ...F } } fragment F on User { friends { ...F } }"},
    {"UniqueVariableNames", "query ($a: Int, $b: Int) { me(a: $a) { id } x: me(a: $b) { id } }",
	"query ($a: Int, $a: Int) { me(a: $a) { id } }"},
    {"NoUndefinedVariables", "query ($a: Int) { me(a: $a) { id } }", "{ me(a: $a) { id } }"},
    {"NoUnusedVariables", "query ($a: Int) { me(a: $a) { id } }", "query ($a: Int) { n }"},
    {"KnownDirectives", "{ n @once }", "{ n @nope }"},
    {"UniqueDirectivesPerLocation", "{ n @once }", "{ n @once @once }"},
    {"KnownArgumentNames", "{ me(a: 1) { id } }", "{ me(z: 1) { id } }"},
    {"UniqueArgumentNames", "{ me(a: 1, b: 2) { id } }", "{ me(a: 1, a: 1) { id } }"},
    {"ValuesOfCorrectType", "{ me(a: 1, b: [1], in: {a: 1}, e: A) { id } }", "{ me(a: \"1\") { id } }"},
    {"ProvidedRequiredArguments", "{ node(id: 1) { id } }", "{ node { id } }"},
    {"VariablesInAllowedPosition", "query ($a: ID!) { node(id: $a) { id } }", "query ($a: ID) { node(id: $a) { id } }"},
    {"OverlappingFieldsCanBeMerged", "{ me { x: name x: name } }", "{ me { x: name x: age } }"},
    {"UniqueInputFieldNames", "{ me(in: {a: 1, b: \"\"}) { id } }", "{ me(in: {a: 1, a: 1}) { id } }"},
    /* more of the ways to break those that have several */
    {"SingleFieldSubscriptions", "subscription { tick tick }", "subscription { __typename }"},
    {"ScalarLeafs", "{ n }", "{ n { a } }"},
    {"KnownDirectives", "{ n @skip(if: true) }", "query @once { n }"},
    {"NoFragmentCycles", "{ me { ...F } } fragment F on User { ...G } fragment G on User { id }",
	"{ me { ...F } } fragment F on User { ...G } fragment G on User { ...F }"},
    {"ValuesOfCorrectType", "{ me(b: 1) { id } }", "{ me(b: [null]) { id } }"},
    {"ValuesOfCorrectType", "{ me(in: {a: 1}) { id } }", "{ me(in: {b: \"x\"}) { id } }"},
    {"ValuesOfCorrectType", "{ me(e: B) { id } }", "{ me(e: C) { id } }"},
    {"VariablesInAllowedPosition", "query ($a: ID = 1) { node(id: $a) { id } }",
	"query ($a: [Int]) { me(b: $a) { id } }"},
    {"OverlappingFieldsCanBeMerged", "{ pet { ... on Dog { x: id } ... on Cat { y: meow } } }",
	"{ pet { ... on Dog { x: id } ... on Cat { x: meow } } }"},
    {"OverlappingFieldsCanBeMerged", "{ me(a: 1) { id } me(a: 1) { age } }", "{ me(a: 1) { id } me(a: 2) { age } }"},
    {"OverlappingFieldsCanBeMerged", "{ me { ...F ...F } } fragment F on User { id }",
	"{ me { ...F ...G } } fragment F on User { x: id } fragment G on User { x: age }"},
};

static bool validate(const struct gql_schema *s, const char *text, struct gql_errors *errors, struct arena *mem)
{
	struct gql_document d;
	gql_errors_init(errors, mem, str_of(text), 100);
	bool good = gql_parse(&d, str_of(text), &(struct gql_parse_limits){0}, mem) == 0 && gql_validate(s, &d, errors);
	gql_document_free(&d);
	return good;
}

/* A variable of a wrong type is also in the wrong place. */
static bool may_follow(const char *rule)
{
	return strcmp(rule, "VariablesInAllowedPosition") == 0;
}

static void rules(const struct gql_schema *s, struct arena *mem)
{
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct gql_errors e;
		ok(validate(s, cases[i].good, &e, mem), "%s: kept", cases[i].rule);
		if (e.n)
			printf("# %s: %.*s\n", e.first->rule, STR_FMT(e.first->message));
		bool good = validate(s, cases[i].bad, &e, mem),
		     only = e.n > 0 && strcmp(e.first->rule, cases[i].rule) == 0;
		for (const struct gql_error *x = e.first; x; x = x->next) {
			only &= x->rule && (strcmp(x->rule, cases[i].rule) == 0 || may_follow(x->rule));
			printf("# %s: %.*s\n", x->rule ? x->rule : "-", STR_FMT(x->message));
		}
		ok(!good && only, "%s: broken", cases[i].rule);
	}
}

/* What grows with the square, or doubles with each line, in a validator that follows the specification word by word. */
static void hostile(const struct gql_schema *s, struct arena *mem)
{
	enum { MANY = 20000, LINES = 2000 };
	struct gql_errors e;
	struct buf b = {0};
	buf_str(&b, STR("{ me {"));
	for (int i = 0; i < MANY; i++)
		buf_str(&b, STR(" name"));
	buf_str(&b, STR(" } }"));
	buf_char(&b, 0);
	bool good = validate(s, b.p, &e, mem);
	ok(good || e.n == 1, "%d fields of one name end at once: %s", MANY, good ? "valid" : "refused");
	buf_clear(&b);
	buf_str(&b, STR("{ me { ...F0 } }"));
	for (int i = 0; i < LINES; i++)
		buf_printf(&b, " fragment F%d on User { friends { ...F%d ...F%d } }", i, i + 1, i + 1);
	buf_printf(&b, " fragment F%d on User { id }", LINES);
	buf_char(&b, 0);
	good = validate(s, b.p, &e, mem);
	ok(good || e.n == 1, "fragments that double %d times end at once: %s", LINES, good ? "valid" : "refused");
	buf_free(&b);
}

int main(void)
{
	struct arena mem = {0};
	struct err e;
	struct gql_schema *s = gql_schema_new(str_of(sdl), &e);
	ok(s != NULL, "the schema");
	rules(s, &mem);
	hostile(s, &mem);
	ok(!gql_schema_new(STR("type Query { a: Nope }"), &e), "a schema that names what is not: %s", e.msg);
	ok(!gql_schema_new(STR("type T { a: Int }"), &e), "a schema without a query type: %s", e.msg);
	gql_schema_free(s);
	arena_free(&mem);
	return tap_done();
}
