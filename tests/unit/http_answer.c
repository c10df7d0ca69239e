/* What an answer is made of: problems, headers of any length, CORS, media types, compression. */
#include "lib/http/compress.h"
#include "lib/http/cors.h"
#include "lib/http/headers.h"
#include "lib/http/media.h"
#include "lib/http/problem.h"
#include "tests/unit/tap.h"

static void test_problems(void)
{
	struct buf out = {0};
	struct problem p = {.vendor = "example",
	    .kind = "no_tea",
	    .title = "I'm a teapot",
	    .status = 418,
	    .detail = STR("\"tea\"\n\xff\x1b\xc2\x9b\xe2\x80\xae"),
	    .request_id = "r-1"};
	problem_put(&out, &p);
	is_str(buf_view(&out),
	    STR("{\"type\":\"urn:example:problem:no_tea\",\"title\":\"I'm a teapot\",\"status\":418,\"detail\":"
		"\"\\\"tea\\\"\\n\357\277\275\\u001b\\u009b\\u202e\",\"instance\":\"urn:example:request:r-1\"}\n"),
	    "a problem as RFC 9457 has it");
	buf_clear(&out);
	p.detail = STR("x");
	problem_put(&out, &p);
	problem_add_member(&out, "checks", STR("{\"a\":1}"));
	problem_add_member(&out, "more", STR("2"));
	is_str(buf_view(&out),
	    STR("{\"type\":\"urn:example:problem:no_tea\",\"title\":\"I'm a teapot\",\"status\":418,\"detail\":\"x\","
		"\"instance\":\"urn:example:request:r-1\",\"checks\":{\"a\":1},\"more\":2}\n"),
	    "with members of its own");
	buf_free(&out);
}

static void test_headers(void)
{
	enum { LONG = 100000 };
	struct arena mem = {0};
	struct headers h;
	char *big = xcalloc(LONG + 1, 1);
	memset(big, 'x', LONG);
	headers_init(&h, &mem);
	ok(!headers_find(&h, "A"), "there is none at first");
	for (size_t n = 0; n < 600; n++) /* all lengths about the end of the arena's block */
		headers_add(&h, "A", "<%.*s>", (int)n, big);
	size_t n = 0;
	bool whole = true;
	for (const struct header *at = h.first; at; at = at->next, n++)
		whole &= strlen(at->value) == n + 2 && at->value[n + 1] == '>';
	ok(n == 600 && whole, "headers of all lengths, in the order in which they were added");
	headers_add(&h, "Location", "/%s", big);
	const struct header *found = headers_find(&h, "LOCATION");
	ok(found && strlen(found->value) == LONG + 1, "a value of 100,000 bytes is not cut");
	arena_free(&mem);
	free(big);
}

static const char *value_of(const struct headers *h, const char *name)
{
	const struct header *found = headers_find(h, name);
	return found ? found->value : "-";
}

static void test_cors(void)
{
	static const char *const named[] = {"https://a.example", "http://b.example:3000", NULL};
	static const char *const any[] = {"*", NULL};
	static const struct {
		const char *const *origins;
		const char *origin;
		bool good;
		const char *allowed, *vary;
	} cases[] = {
	    {named, "https://a.example", true, "https://a.example", "Origin"},
	    {named, "http://b.example:3000", true, "http://b.example:3000", "Origin"},
	    {named, "http://b.example", false, "-", "Origin"},
	    {named, "https://a.example.evil.example", false, "-", "Origin"},
	    {named, "null", false, "-", "Origin"},
	    {named, NULL, false, "-", "Origin"},
	    {any, "https://c.example", true, "*", "-"},
	    {any, NULL, false, "-", "-"},
	};
	struct arena mem = {0};
	struct headers h;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		headers_init(&h, &mem);
		ok(cors_begin(cases[i].origins, cases[i].origin, &h) == cases[i].good, "origin %s",
		    cases[i].origin ? cases[i].origin : "absent");
		is_str(
		    str_of(value_of(&h, "Access-Control-Allow-Origin")), str_of(cases[i].allowed), "what is allowed");
		is_str(str_of(value_of(&h, "Vary")), str_of(cases[i].vary), "what caches are told");
	}
	headers_init(&h, &mem);
	cors_preflight("GET, OPTIONS", &h);
	is_str(str_of(value_of(&h, "Access-Control-Allow-Methods")), STR("GET, OPTIONS"), "a preflight's methods");
	ok(cors_is_origin("*") && cors_is_origin("https://a.example") && cors_is_origin("http://[::1]:8080"),
	    "origins");
	ok(!cors_is_origin("a.example") && !cors_is_origin("https://") && !cors_is_origin("https://a.example/") &&
		!cors_is_origin("https://A.example"),
	    "what is not one");
	arena_free(&mem);
}

static void test_media(void)
{
	char got[8];
	media_read("Text/A; charset=UTF-8", got, sizeof got);
	is_str(str_of(got), STR("text/a"), "in lower case, without parameters");
	media_read("text/abcdef", got, sizeof got);
	is_str(str_of(got), STR("text/ab"), "cut to its room");
	media_read(NULL, got, sizeof got);
	is_str(str_of(got), STR(""), "empty if absent");
}

static void test_compression(void)
{
	enum { SIZE = 5000 };
	struct buf body = {0};
	struct buf back = {0};
	char noise[64];
	for (int i = 0; i < SIZE; i++)
		buf_char(&body, "abc"[i % 3]);
	ok(gzip_worth(1024) && !gzip_worth(1023), "small bodies are not worth it");
	ok(gzip_compress(&body) && body.n < 200, "what repeats becomes smaller");
	buf_str(&back, STR("x"));
	ok(gzip_expand(buf_view(&body), SIZE, &back) && back.n == SIZE + 1 && memcmp(back.p, "xabcabc", 7) == 0,
	    "and comes back as it was");
	ok(!gzip_expand(buf_view(&body), SIZE - 1, &back) && !gzip_expand(buf_view(&body), SIZE + 1, &back) &&
		!gzip_expand((struct str){body.p, body.n - 1}, SIZE, &back) && !gzip_expand(STR("x"), 1, &back) &&
		back.n == SIZE + 1,
	    "but not with another size, nor if it is cut or not compressed");
	buf_free(&back);
	for (size_t i = 0; i < sizeof noise; i++)
		noise[i] = (char)(i * 37);
	buf_clear(&body);
	buf_add(&body, noise, sizeof noise);
	ok(!gzip_compress(&body) && body.n == sizeof noise && memcmp(body.p, noise, sizeof noise) == 0,
	    "what would grow stays as it is");
	buf_free(&body);
}

int main(void)
{
	test_problems();
	test_headers();
	test_cors();
	test_media();
	test_compression();
	return tap_done();
}
