/* The cache of valid documents: hits skip the reading, the longest unused go first, the budget, threads. */
#include "lib/graphql/execute.h"

#include <pthread.h>

#include "tests/unit/tap.h"

static const char sdl[] = "type Query { echo(n: Int = 1): Int next: Query }";

static void echo(struct gql_call *call, size_t n, void *app)
{
	(void)app;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_integer(call[i].args[0].integer);
}

static struct gql_schema *schema_new(void)
{
	struct err e;
	struct gql_schema *s = gql_schema_new(str_of(sdl), &e);
	if (!s || gql_schema_bind(s, STR("Query"), STR("echo"), echo, NULL, &e) < 0)
		abort();
	return s;
}

/* What a text that is gone after the preparation is answered; *document, if not NULL: the reference that was used. */
static struct str answer(const struct gql_schema *s, struct gql_cache *c, const char *text, const char *variables,
    struct buf *out, const struct gql_valid **document)
{
	struct gql_request q;
	char *lent = xstrdup(text);
	buf_clear(out);
	gql_request_init(&q, s, str_of(lent), &(struct gql_limits){.tokens = 100});
	q.cache = c;
	bool good = gql_request_prepare(&q, STR_NONE, variables ? str_of(variables) : STR_NONE);
	if (!good)
		gql_request_refuse(&q, out);
	memset(lent, 'x', strlen(lent));
	free(lent);
	if (good)
		gql_request_run(&q, NULL, NULL, out);
	if (document)
		*document = q.document;
	gql_request_free(&q);
	out->n--; /* the line end */
	return buf_view(out);
}

static void hits(const struct gql_schema *s)
{
	static const char text[] = "query ($n: Int) { ...F } fragment F on Query { a: echo(n: $n) }";
	struct gql_cache *c = gql_cache_new(1 << 20, NULL);
	struct buf out = {0};
	const struct gql_valid *first, *second, *other;
	is_str(answer(s, c, text, "{\"n\":5}", &out, &first), STR("{\"data\":{\"a\":5}}"), "a new document");
	is_str(
	    answer(s, c, text, "{\"n\":6}", &out, &second), STR("{\"data\":{\"a\":6}}"), "again with other variables");
	ok(first && first == second, "it was read once");
	is_str(answer(s, c, "{ echo }", NULL, &out, &other), STR("{\"data\":{\"echo\":1}}"), "another one");
	ok(other != first, "is another one");
	answer(s, c, "{ none }", NULL, &out, &other);
	ok(memmem(out.p, out.n, "GRAPHQL_VALIDATION_FAILED", 25) && !gql_cache_find(c, STR("{ none }")),
	    "a document that is not valid is not kept");
	gql_cache_free(c);
	buf_free(&out);
}

/* A document of its own for each number. */
static const char *numbered(int n)
{
	static char text[32];
	snprintf(text, sizeof text, "{ echo(n: %d) }", n);
	return text;
}

static bool has(struct gql_cache *c, int n)
{
	struct gql_valid *v = gql_cache_find(c, str_of(numbered(n)));
	gql_valid_release(v);
	return v != NULL;
}

static void bounds(const struct gql_schema *s)
{
	enum { MOST = 64 << 10, MANY = 1000 };
	struct budget memory = {.limit = 1 << 20};
	struct gql_cache *c = gql_cache_new(MOST, &memory);
	struct buf out = {0};
	int wrong = 0, kept = 0;
	for (int i = 0; i < MANY; i++) {
		answer(s, c, numbered(i), NULL, &out, NULL);
		wrong += !has(c, 0) || budget_used(&memory) > MOST;
	}
	for (int i = 0; i < MANY; i++)
		kept += has(c, i);
	ok(!wrong && kept > 10 && kept < MANY / 2, "%d of %d fit, and what is asked for all the time stays", kept,
	    MANY);
	ok(has(c, MANY - 1) && !has(c, 1), "the longest unused have gone");
	struct gql_valid *held = gql_cache_find(c, str_of(numbered(0)));
	gql_cache_free(c);
	is_u64(budget_used(&memory), 0, "all memory is given back");
	is_str(held->doc.text, str_of(numbered(0)), "and what somebody has lives on");
	gql_valid_release(held);
	struct share all = {.of = &memory};
	share_add(&all, memory.limit);
	c = gql_cache_new(MOST, &memory);
	is_str(answer(s, c, numbered(7), NULL, &out, NULL), STR("{\"data\":{\"echo\":7}}"), "without memory");
	ok(!has(c, 7), "a document runs, and is not kept");
	share_release(&all);
	gql_cache_free(c);
	buf_free(&out);
}

/* ---- threads ---- */

static struct {
	const struct gql_schema *s;
	struct gql_cache *c;
} shared;

static void *ask_many(void *arg)
{
	struct buf out = {0};
	char text[32], want[40];
	uintptr_t wrong = 0;
	for (unsigned i = 0; i < 2000; i++) {
		snprintf(text, sizeof text, "{ echo(n: %u) }", i * (unsigned)(uintptr_t)arg % 29);
		snprintf(want, sizeof want, "{\"data\":{\"echo\":%u}}", i * (unsigned)(uintptr_t)arg % 29);
		wrong += !str_eq(answer(shared.s, shared.c, text, NULL, &out, NULL), str_of(want));
	}
	buf_free(&out);
	return (void *)wrong;
}

static void threads(const struct gql_schema *s)
{
	pthread_t thread[4];
	void *wrong;
	uintptr_t sum = 0;
	shared.s = s;
	shared.c = gql_cache_new(32 << 10, NULL); /* too small for all 29 */
	for (uintptr_t i = 0; i < COUNT_OF(thread); i++)
		pthread_create(&thread[i], NULL, ask_many, (void *)(i + 1));
	for (size_t i = 0; i < COUNT_OF(thread); i++) {
		pthread_join(thread[i], &wrong);
		sum += (uintptr_t)wrong;
	}
	is_u64(sum, 0, "four threads at once");
	gql_cache_free(shared.c);
}

int main(void)
{
	struct gql_schema *s = schema_new();
	hits(s);
	bounds(s);
	threads(s);
	gql_schema_free(s);
	return tap_done();
}
