/* Percent-encoding and queries: what decodes, what does not, and that decoding undoes encoding. */
#include "lib/http/query.h"

#include "tests/unit/tap.h"

static struct arena mem;

static const struct {
	const char *in;
	bool plus;
	const char *out; /* NULL: it does not decode */
} decoded[] = {
    {"", false, ""},
    {"abc", false, "abc"},
    {"a%2Fb%2fc", false, "a/b/c"},
    {"%e4%b8%AD", false, "中"},
    {"a+b%2B", true, "a b+"},
    {"a+b", false, "a+b"},
    {"%", false, NULL},
    {"%4", false, NULL},
    {"a%4", false, NULL},
    {"%4g", false, NULL},
    {"%g4", false, NULL},
    {"%%41", false, NULL},
    {"%\x14\x11", false, NULL},
    {"%00", false, NULL},
    {"a%00b", false, NULL},
    {"%01", false, "\x01"},
    {"%C0%AF", false, NULL},
    {"%E4%B8", false, NULL},
    {"%ED%A0%80", false, NULL},
    {"\xff", false, NULL},
};

static void test_decoding(void)
{
	for (size_t i = 0; i < COUNT_OF(decoded); i++) {
		struct str out = STR_NONE;
		bool good = percent_decode(str_of(decoded[i].in), decoded[i].plus, &mem, &out);
		ok(good == (decoded[i].out != NULL), "'%s' %s", decoded[i].in,
		    decoded[i].out ? "decodes" : "does not decode");
		if (good && decoded[i].out)
			is_str(out, str_of(decoded[i].out), "to what it says");
	}
}

static void test_encoding(void)
{
	struct buf all = {0}, coded = {0};
	struct str back;
	for (int c = 1; c < 128; c++)
		buf_char(&all, (char)c);
	buf_str(&all, STR("é中😀"));
	percent_encode(&coded, buf_view(&all));
	ok(strspn(coded.p, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") >= coded.n,
	    "only unreserved characters are left as they are");
	ok(percent_decode(buf_view(&coded), false, &mem, &back), "what is encoded decodes");
	is_str(back, buf_view(&all), "to itself");
	ok(percent_decode(buf_view(&coded), true, &mem, &back) && str_eq(back, buf_view(&all)), "in queries, too");
	buf_free(&all);
	buf_free(&coded);
}

static void test_queries(void)
{
	struct param *list;
	ok(query_parse("a=1&b=x%20y&c&d=&a=2&e=f=g&&=h", &mem, &list), "a query is parsed");
	is_str(query_get(list, "a"), STR("2"), "of several, the last counts");
	is_str(query_get(list, "b"), STR("x y"), "values are decoded");
	is_str(query_get(list, "c"), STR(""), "a name alone has an empty value");
	is_str(query_get(list, "d"), STR(""), "so has one with nothing after the sign");
	is_str(query_get(list, "e"), STR("f=g"), "only the first sign separates");
	is_str(query_get(list, ""), STR("h"), "a name may be empty");
	is_str(query_get(list, "z"), STR_NONE, "an absent parameter is told from an empty one");
	ok(!query_parse("a=1&b=%&c=3", &mem, &list), "a broken escape is reported");
	is_str(query_get(list, "b"), STR_NONE, "the parameter is left out");
	is_str(query_get(list, "c"), STR("3"), "the others are there");
	ok(query_parse("", &mem, &list) && !list, "an empty query has no parameters");
}

int main(void)
{
	test_decoding();
	test_encoding();
	test_queries();
	arena_free(&mem);
	return tap_done();
}
