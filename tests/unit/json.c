/* json.c - the scanner and the writer. tests/unit/json_portable.c runs it again without SIMD. */
#include <math.h>
#include <stdarg.h>

#include "lib/json/items.h"
#include "lib/json/scan.h"
#include "lib/json/write.h"
#include "lib/base/utf8.h"
#include "tests/unit/tap.h"

static struct json_scan scan;
static struct arena mem;
static char padding[] = "\"}]\xbf\\";

/* A copy with hostile bytes behind it, in an allocation of exactly that size, so that a sanitizer sees reads beyond. */
static struct str padded(struct str s)
{
	static char *last;
	static size_t turn;
	free(last);
	last = xmalloc(s.n + JSON_PAD);
	memcpy(last, s.p, s.n);
	for (size_t i = 0; i < JSON_PAD; i++)
		last[s.n + i] = padding[(i + turn) % (sizeof padding - 1)];
	turn++;
	return (struct str){last, s.n};
}

static int scan_line(struct str s)
{
	return json_scan(&scan, padded(s));
}

static void test_members(void)
{
	struct str line =
	    STR(" {\"id\":\"7\" , \"n\": -1.50e+3,\"t\\u0065xt\":\"a\\nb\","
		"\"a\":[1,{\"b\":[]},\"]\"],\"o\":{\"text\":\"inner\"},\"y\":true,\"z\":false,\"x\":null}\t\r\n");
	ok(scan_line(line) == 0, "scans an object of all types");
	is_u64(scan.n, 8, "finds its eight members");
	static const struct {
		const char *name, *value;
		enum json_type type;
	} want[] = {{"id", "\"7\"", JSON_STRING}, {"n", "-1.50e+3", JSON_NUMBER}, {"text", "\"a\\nb\"", JSON_STRING},
	    {"a", "[1,{\"b\":[]},\"]\"]", JSON_ARRAY}, {"o", "{\"text\":\"inner\"}", JSON_OBJECT},
	    {"y", "true", JSON_TRUE}, {"z", "false", JSON_FALSE}, {"x", "null", JSON_NULL}};
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		const struct json_member *m = json_find(&scan, str_of(want[i].name));
		ok(m == &scan.member[i] && m->type == want[i].type, "member %s and its type", want[i].name);
		is_str(m ? m->value : STR_NONE, str_of(want[i].value), "value of %s as spelled", want[i].name);
	}
	ok(scan.member[2].name_escaped && scan.member[2].escaped, "escapes are noted");
	ok(!scan.member[0].name_escaped && !scan.member[0].escaped, "and only where they are");
	ok(!json_find(&scan, STR("b")) && !json_find(&scan, STR("tex")) && !json_find(&scan, STR("texts")),
	    "neither inner nor partial names match");
	is_str(json_decode(&scan.member[2], &mem), STR("a\nb"), "decodes");

	ok(scan_line(STR("{\"a\":\"1\",\"\\u0061\":\"2\",\"b\":3}")) == 0, "duplicates pass");
	is_str(json_find(&scan, STR("a"))->value, STR("\"2\""), "the last of them wins, however it is spelled");
	ok(scan_line(STR("{}")) == 0 && scan.n == 0, "an empty object has no members");
	ok(scan_line(STR("{\"\":\"\"}")) == 0 && json_find(&scan, STR("")), "an empty name is a name");
	is_str(json_decode(&scan.member[0], &mem), STR(""), "an empty string is a string");
}

static void test_many(void)
{
	struct buf b = {0};
	buf_char(&b, '{');
	for (int i = 0; i < 1000; i++)
		buf_printf(&b, "%s\"m%d\":%d", i ? "," : "", i, i);
	buf_char(&b, '}');
	ok(scan_line(buf_view(&b)) == 0 && scan.n == 1000, "a thousand members");
	is_str(json_find(&scan, STR("m999"))->value, STR("999"), "the last is found");
	ok(scan_line(STR("{\"a\":1}")) == 0 && scan.n == 1, "the next scan begins anew");
	ok(scan_line(STR("{\"a\":1")) < 0 && scan.n == 0 && !json_find(&scan, STR("a")),
	    "a refused line has no members");
	ok(scan_line(STR("{}")) == 0 && scan.error == JSON_OK && scan.column == 0, "no error remains");
	buf_free(&b);
}

static const struct {
	const char *line;
	enum json_error error;
	size_t column;
} bad[] = {
    {"", JSON_BAD, 1}, {"  ", JSON_BAD, 3}, {"x", JSON_BAD, 1}, {"[]", JSON_NOT_OBJECT, 1},
    {" \"text\"", JSON_NOT_OBJECT, 2}, {"12", JSON_NOT_OBJECT, 1}, {"null", JSON_NOT_OBJECT, 1}, {"[1,2", JSON_BAD, 5},
    {"[1 2]", JSON_BAD, 4}, {"{", JSON_BAD, 2}, {"{\"a\"", JSON_BAD, 5}, {"{\"a\":", JSON_BAD, 6},
    {"{\"a\":1", JSON_BAD, 7}, {"{\"a\":1,", JSON_BAD, 8}, {"{\"a\":1,}", JSON_BAD, 8}, {"{,\"a\":1}", JSON_BAD, 2},
    {"{a:1}", JSON_BAD, 2}, {"{\"a\" 1}", JSON_BAD, 6}, {"{\"a\":}", JSON_BAD, 6}, {"{\"a\":1 \"b\":2}", JSON_BAD, 8},
    {"{\"a\":1]", JSON_BAD, 7}, {"{\"a\":[1}", JSON_BAD, 8}, {"{\"a\":[1,]}", JSON_BAD, 9},
    {"{\"a\":[,1]}", JSON_BAD, 7}, {"{\"a\":{\"b\":1,}}", JSON_BAD, 13}, {"{\"a\":{1:2}}", JSON_BAD, 7},
    {"{\"a\":{\"b\" 2}}", JSON_BAD, 11}, {"{}x", JSON_BAD, 3}, {"{}{}", JSON_BAD, 3}, {"{\"a\":01}", JSON_BAD, 7},
    {"{\"a\":+1}", JSON_BAD, 6}, {"{\"a\":.5}", JSON_BAD, 6}, {"{\"a\":-}", JSON_BAD, 7}, {"{\"a\":1.}", JSON_BAD, 8},
    {"{\"a\":1.e5}", JSON_BAD, 8}, {"{\"a\":1e}", JSON_BAD, 8}, {"{\"a\":1e+}", JSON_BAD, 9},
    {"{\"a\":1e5", JSON_BAD, 9}, {"{\"a\":0x10}", JSON_BAD, 7}, {"{\"a\":NaN}", JSON_BAD, 6},
    {"{\"a\":tru}", JSON_BAD, 9}, {"{\"a\":True}", JSON_BAD, 6}, {"{\"a\":nulll}", JSON_BAD, 10},
    {"{\"a\":fals", JSON_BAD, 10}, {"{\"a\":'x'}", JSON_BAD, 6}, {"{\"a\":\"x", JSON_BAD, 8},
    {"{\"a\":\"x\\", JSON_BAD, 9}, {"{\"a\":\"x\\\"}", JSON_BAD, 11}, {"{\"a\":\"\\x41\"}", JSON_BAD, 8},
    {"{\"a\":\"\\U0041\"}", JSON_BAD, 8}, {"{\"a\":\"\\u00g0\"}", JSON_BAD, 11}, {"{\"a\":\"\\u00", JSON_BAD, 11},
    {"{\"a\":\"\\u004\"}", JSON_BAD, 12}, {"{\"a\":\"x\ty\"}", JSON_BAD, 8}, {"{\"a\":\"x\ny\"}", JSON_BAD, 8},
    {"{\"a\":\"x\x1fy\"}", JSON_BAD, 8}, {"{\"a\n\":1}", JSON_BAD, 4}, {"\xef\xbb\xbf{}", JSON_BAD, 1},
    {"{\"a\":\xc3\xa9}", JSON_BAD, 6}, {"{\"a\":\"\\ud83d\"}", JSON_LONE_SURROGATE, 7},
    {"{\"a\":\"\\ude00\"}", JSON_LONE_SURROGATE, 7}, {"{\"a\":\"\\ude00\\ud83d\"}", JSON_LONE_SURROGATE, 7},
    {"{\"a\":\"\\ud83d\\u0041\"}", JSON_LONE_SURROGATE, 7},
    {"{\"a\":\"\\ud83d\\ud83d\\ude00\"}", JSON_LONE_SURROGATE, 7}, {"{\"a\":\"\\ud83dx\"}", JSON_LONE_SURROGATE, 7},
    {"{\"a\":\"\\ud83d\\udbff\"}", JSON_LONE_SURROGATE, 7}, {"{\"a\":\"\\ud83d\\ue000\"}", JSON_LONE_SURROGATE, 7},
    {"{\"a\":\"x\xc3\xa9", JSON_BAD, 10}, {"{\"a\":\"\\ud83d\\ude0\"}", JSON_LONE_SURROGATE, 7},
    {"{\"\\udc00\":1}", JSON_LONE_SURROGATE, 3}, {"{\"a\":[\"\\ud800\"]}", JSON_LONE_SURROGATE, 8},
    {"[\"\\ud800\"]", JSON_LONE_SURROGATE, 3}, {"{\"a\":\"x\\u0000\"}", JSON_NUL, 8}, {"{\"\\u0000\":1}", JSON_NUL, 3},
    {"{\"a\":{\"b\":\"\\u0000\"}}", JSON_NUL, 12}, {"{\"a\":\"\xff\"}", JSON_UTF8, 7},
    {"{\"a\":\"\x80\"}", JSON_UTF8, 7}, {"{\"a\":\"\xc0\xaf\"}", JSON_UTF8, 7}, {"{\"a\":\"\xc1\xbf\"}", JSON_UTF8, 7},
    {"{\"a\":\"\xe0\x9f\xbf\"}", JSON_UTF8, 7}, {"{\"a\":\"\xed\xa0\x80\"}", JSON_UTF8, 7},
    {"{\"a\":\"\xed\xbf\xbf\"}", JSON_UTF8, 7}, {"{\"a\":\"\xf0\x8f\xbf\xbf\"}", JSON_UTF8, 7},
    {"{\"a\":\"\xf4\x90\x80\x80\"}", JSON_UTF8, 7}, {"{\"a\":\"\xf5\x80\x80\x80\"}", JSON_UTF8, 7},
    {"{\"a\":\"\xc3\"}", JSON_UTF8, 7}, {"{\"a\":\"\xc3\xa9\xe2\x82\"}", JSON_UTF8, 9},
    {"{\"a\":\"x\xe2\x82", JSON_UTF8, 8}, {"{\"a\":\"\\\xff\"}", JSON_UTF8, 8}, {"{\xff\"a\":1}", JSON_UTF8, 2},
    {"\xff\xfe", JSON_UTF8, 1}, {"{\"a\":1}\xff", JSON_UTF8, 8}, {"{\"a\xff\":1}", JSON_UTF8, 4},
    {"{\"a\":1x,\"b\":\"\xff\"}", JSON_BAD, 7}, /* the first fault decides */
};

static void test_errors(void)
{
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		int rc = -1;
		/* with each byte of the padding as the next */
		for (size_t k = 1; k < sizeof padding && rc < 0; k++) {
			rc = scan_line(str_of(bad[i].line));
			if (scan.error != bad[i].error || scan.column != bad[i].column)
				break;
		}
		ok(rc < 0 && scan.error == bad[i].error && scan.column == bad[i].column && scan.message,
		    "line %zu is refused: error %d (want %d), column %zu (want %zu)", i, scan.error, bad[i].error,
		    scan.column, bad[i].column);
	}
	ok(scan_line(STR("{\"a\":\"x\0y\"}")) < 0 && scan.error == JSON_BAD && scan.column == 8,
	    "a raw NUL in a string");
	ok(scan_line(STR("{\"a\":1\0}")) < 0 && scan.error == JSON_BAD && scan.column == 7,
	    "a raw NUL behind a number");
	ok(scan_line(STR("{}\0")) < 0 && scan.error == JSON_BAD && scan.column == 3, "a raw NUL behind the object");
	ok(json_scan(&scan, STR_NONE) < 0 && scan.error == JSON_BAD, "no line at all");
}

static const char *const good[] = {
    "{\"a\":-0}",
    "{\"a\":0.5}",
    "{\"a\":1E5}",
    "{\"a\":1e999}",
    "{\"a\":123456789012345678901234567890}",
    "{\"a\":\"\x7f\"}",
    "{\"a\":\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}",
    "{\"a\":\"\\ud800\\udc00\\udbff\\udfff\"}",
    "{\"a\":\"\\u0001\\uFFFF\\ufeFf\"}",
    "{\"a\":[[],{},[{}],[[1],[2,[3]]]]}",
    "{ \"a\" : [ 1 , { \"b\" : 2 , \"c\" : [ ] } ] }",
    "\n{\n\"a\"\n:\n1\n}\n",
};

static void test_good(void)
{
	for (size_t i = 0; i < COUNT_OF(good); i++)
		ok(scan_line(str_of(good[i])) == 0, "passes: %s", i == 11 ? "line ends between tokens" : good[i]);
	ok(json_check(&scan, padded(STR("[1,{\"a\":[\"x\"]},null]"))) == 0 && scan.n == 0, "json_check takes an array");
	ok(json_check(&scan, padded(STR("\"x\""))) == 0 && json_check(&scan, padded(STR(" 5 "))) == 0, "and scalars");
	ok(json_check(&scan, padded(STR("1 2"))) < 0 && scan.column == 3, "but one value only");
	ok(json_check(&scan, padded(STR("{\"a\":{\"b\":1}}"))) == 0, "and an object");
}

/* {"a": and then `open` n times, `inner`, `close` n times. */
static int scan_deep(size_t n, const char *open, const char *inner, const char *close)
{
	struct buf b = {0};
	buf_str(&b, STR("{\"a\":"));
	for (size_t i = 0; i < n; i++)
		buf_str(&b, str_of(open));
	buf_str(&b, str_of(inner));
	for (size_t i = 0; i < n; i++)
		buf_str(&b, str_of(close));
	buf_char(&b, '}');
	int rc = scan_line(buf_view(&b));
	buf_free(&b);
	return rc;
}

static void test_depth(void)
{
	ok(scan_deep(JSON_MAX_DEPTH - 1, "[", "1", "]") == 0, "2048 levels pass");
	ok(scan_deep(JSON_MAX_DEPTH - 1, "{\"b\":", "{}", "}") < 0, "2049 do not");
	is_u64(scan.column, 6 + 5 * (JSON_MAX_DEPTH - 1), "the column is the bracket's that is too much");
	is_u64(scan.error, JSON_BAD, "as bad JSON");
	ok(scan_deep(1000000, "[", "", "]") < 0 && scan.error == JSON_BAD, "a million brackets do no harm");
	ok(scan_deep(1000, "[{\"b\":", "[0,{}]", "}]") == 0, "arrays and objects by turns");
	ok(scan_deep(1000, "[{\"b\":", "[0,{}]", "]}") < 0, "closed in the wrong order");
	ok(json_check(&scan, padded(STR("[[[]]"))) < 0 && scan.column == 6, "one left open");
}

/* Each special byte at each distance from the string's start: all ways into and out of a 16-byte step. */
static void test_offsets(void)
{
	static const struct {
		const char *bytes;
		enum json_error error;
	} special[] = {{"\"", JSON_BAD}, {"\x01", JSON_BAD}, {"\xff", JSON_UTF8}, {"\\n", JSON_OK}, {"\\q", JSON_BAD},
	    {"\xe2\x82\xac", JSON_OK}, {"\xe2\x82", JSON_UTF8}, {"\\ud83d\\ude00", JSON_OK}, {"\\u0000", JSON_NUL},
	    {"!", JSON_OK}};
	size_t wrong = 0;
	for (size_t k = 0; k < COUNT_OF(special); k++) {
		for (size_t before = 0; before < 70; before++) {
			for (size_t after = 1; after < 36; after++) {
				struct buf b = {0};
				buf_str(&b, STR("{\"a\":\""));
				for (size_t i = 0; i < before; i++)
					buf_char(&b, "a~ [{,"[i % 6]);
				size_t at = b.n;
				buf_str(&b, str_of(special[k].bytes));
				for (size_t i = 0; i < after; i++)
					buf_char(&b, 'z');
				buf_str(&b, STR("\"}"));
				int rc = scan_line(buf_view(&b));
				size_t column = at + 1 + (special[k].bytes[0] == '"') + (special[k].bytes[1] == 'q');
				wrong += rc == 0 ? special[k].error != JSON_OK
						 : scan.error != special[k].error || scan.column != column;
				buf_free(&b);
			}
		}
	}
	is_u64(wrong, 0, "special bytes at every offset of a string");
}

static uint64_t random_state = 42;

static uint64_t next_random(void)
{
	uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* Texts of all scripts with, in half of them, one byte made wrong; lib/base/utf8.h is the judge. */
static void test_utf8(void)
{
	static const char *const piece[] = {"a", " ", "plain ", "\u00e9", "\u0416", "\u07ff", "\u0800", "\u0939",
	    "\u0fff", "\u4e2d", "\ucfff", "\ud000", "\ud7ff", "\ue000", "\uffff", "\U0001f600", "\U0010ffff",
	    "\u0416\u0416\u0416", "\u4e2d\u4e2d\u4e2d\u4e2d"};
	size_t wrong = 0, refused = 0, rounds = 50000;
	for (size_t i = 0; i < rounds; i++) {
		struct buf b = {0};
		buf_str(&b, STR("{\"a\":\""));
		size_t start = b.n;
		for (uint64_t left = next_random() % 40; left; left--)
			buf_str(&b, str_of(piece[next_random() % COUNT_OF(piece)]));
		size_t n = b.n - start;
		if (n && i % 2)
			b.p[start + next_random() % n] = (char)(0x80 | next_random() % 128);
		size_t valid = utf8_valid_prefix((struct str){b.p + start, n});
		buf_str(&b, STR("\"}"));
		int rc = scan_line(buf_view(&b));
		wrong += valid == n ? rc != 0 : rc == 0 || scan.error != JSON_UTF8 || scan.column != start + valid + 1;
		refused += rc < 0;
		buf_free(&b);
	}
	ok(wrong == 0 && refused > rounds / 4 && refused < rounds / 2,
	    "%zu texts with bytes that are not UTF-8 (%zu wrong)", refused, wrong);
}

/* Every byte cut off the end of a record is missed, whatever stands behind. */
static void test_truncation(void)
{
	struct str line = STR("{\"id\":\"b0\",\"text\":\"caf\xc3\xa9 \\u00e9 \\ud83d\\ude00 and a tail of plain "
			      "text\",\"n\":[1.5e3,{\"x\":true}]}");
	size_t passed = 0, outside = 0;
	for (size_t n = 0; n < line.n; n++) {
		passed += scan_line((struct str){line.p, n}) == 0;
		outside += scan.column > n + 1;
	}
	is_u64(passed, 0, "no truncated record passes");
	is_u64(outside, 0, "columns lie in the line or right behind it");
	ok(scan_line(line) == 0, "the whole one passes");
}

static struct str decoded(const char *raw)
{
	struct buf b = {0};
	buf_printf(&b, "{\"a\":\"%s\"}", raw);
	static char *kept;
	free(kept);
	kept = xmalloc(b.n + JSON_PAD);
	memset(kept, 0, b.n + JSON_PAD);
	memcpy(kept, b.p, b.n);
	struct str s = STR_NONE;
	if (json_scan(&scan, (struct str){kept, b.n}) == 0)
		s = json_decode(&scan.member[0], &mem);
	buf_free(&b);
	return s;
}

static void test_decode(void)
{
	is_str(decoded("plain"), STR("plain"), "no escapes");
	is_str(decoded("\\\"\\\\\\/\\b\\f\\n\\r\\t"), STR("\"\\/\b\f\n\r\t"), "short escapes");
	is_str(decoded("\\u0041\\u00e9\\u20AC\\ud83d\\ude00\\uffff"),
	    STR("A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbf"), "\\u escapes of all lengths");
	is_str(decoded("\\ud800\\udc00\\udbff\\udfff"), STR("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"), "first and last pair");
	is_str(decoded("a\\nb\\\\nc"), STR("a\nb\\nc"), "an escaped backslash escapes nothing");
	struct str s = decoded("x\\ty");
	unsigned sum = 0;
	for (size_t i = 0; i < JSON_PAD; i++)
		sum += (unsigned char)s.p[s.n + i];
	is_u64(sum, 0, "JSON_PAD readable bytes behind a decoded text");
	struct buf b = {0};
	json_unescape(STR("a\\u00e9"), &b);
	json_unescape(STR(""), &b);
	json_unescape(STR("b"), &b);
	is_str(buf_view(&b),
	    STR("a\xc3\xa9"
		"b"),
	    "json_unescape appends");
	buf_free(&b);
}

static struct str written(struct buf *b)
{
	static char text[1024];
	size_t n = b->n < sizeof text ? b->n : sizeof text;
	if (n)
		memcpy(text, b->p, n);
	buf_free(b);
	return (struct str){text, n};
}

static void test_strings_out(void)
{
	struct buf b = {0};
	json_put_string(&b, STR("\"\\/\b\f\n\r\t\x01\x1f\x7f\xc3\xa9\xe2\x80\xa8"));
	is_str(written(&b), STR("\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\xc3\xa9\xe2\x80\xa8\""),
	    "escapes what must be");
	json_put_string(&b, STR_NONE);
	is_str(written(&b), STR("\"\""), "nothing is an empty string");
	json_put_lossy(&b, STR("a\xff\x62\xe2\x82z\xf0\x9f\x98\x80\xc3"));
	is_str(written(&b),
	    STR("\"a\xef\xbf\xbd"
		"b\xef\xbf\xbdz\xf0\x9f\x98\x80\xef\xbf\xbd\""),
	    "each broken sequence becomes U+FFFD");
	buf_char(&b, '{');
	json_put_name(&b, STR("a"));
	buf_char(&b, '[');
	json_put_string(&b, STR("x"));
	buf_char(&b, ']');
	json_put_name(&b, STR("b\""));
	buf_char(&b, '1');
	buf_char(&b, '}');
	is_str(written(&b), STR("{\"a\":[\"x\"],\"b\\\"\":1}"), "names bring their commas");

	size_t wrong = 0;
	for (size_t before = 0; before < 40; before++) {
		for (int c = 1; c < 128; c++) {
			char text[64];
			memset(text, 'a', sizeof text);
			text[before] = (char)c;
			struct str in = {text, before + 20};
			buf_char(&b, '{');
			json_put_name(&b, STR("t"));
			json_put_string(&b, in);
			buf_char(&b, '}');
			wrong += scan_line(buf_view(&b)) < 0 || !str_eq(json_decode(&scan.member[0], &mem), in);
			buf_free(&b);
		}
	}
	is_u64(wrong, 0, "every byte at every offset reads back");
}

static struct str as_double(double v)
{
	struct buf b = {0};
	json_put_double(&b, v);
	return written(&b);
}

/* The fewest of 15, 16 and 17 digits that read back, as the C library spells them. */
static bool double_agrees(double v)
{
	char want[32];
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(want, sizeof want, "%.*g", digits, v);
		if (strtod(want, NULL) == v)
			break;
	}
	struct str got = as_double(v);
	bool same = str_eq(got, str_of(v == 0 ? "0" : want));
	if (!same)
		printf("# %.17g: got %.*s, want %s\n", v, STR_FMT(got), want);
	return same;
}

static struct str as_fixed(double v, int digits)
{
	struct buf b = {0};
	json_put_fixed(&b, v, digits);
	return written(&b);
}

/* What the contract says: the C library's rounding, zeros cut, no -0. */
static bool fixed_agrees(double v, int digits)
{
	char want[352];
	int n = snprintf(want, sizeof want, "%.*f", digits, v);
	while (want[n - 1] == '0')
		n--;
	n -= want[n - 1] == '.';
	struct str w = {want, (size_t)n};
	if (str_eq(w, STR("-0")))
		w = STR("0");
	struct str got = as_fixed(v, digits);
	if (str_eq(got, w) && json_round(v, digits) == strtod(want, NULL))
		return true;
	printf("# %.17g to %d digits: got %.*s, want %.*s\n", v, digits, STR_FMT(got), STR_FMT(w));
	return false;
}

static void test_numbers_out(void)
{
	is_str(as_double(0.1), STR("0.1"), "0.1");
	is_str(as_double(-0.0), STR("0"), "-0 is 0");
	is_str(as_double(3), STR("3"), "an integer has no fraction");
	is_str(as_double(1.0 / 3), STR("0.3333333333333333"), "a third");
	is_str(as_double(0.1 + 0.2), STR("0.30000000000000004"), "17 digits where they are needed");
	is_str(as_double(1e300), STR("1e+300"), "1e+300");
	is_str(as_double(5e-324), STR("4.94065645841247e-324"), "the smallest");
	is_str(as_double(-2.5), STR("-2.5"), "-2.5");
	size_t wrong = 0;
	for (int i = 0; i < 20000; i++) {
		double share = (i * 7919 % 20001) / 20001.0, binary = (i * 7919 % 20001) / 262144.0;
		wrong += !double_agrees(share) + !double_agrees(-share / 100) + !double_agrees(binary) +
			 !double_agrees(nextafter(i / 1000.0, i % 2 ? 100 : -100));
	}
	is_u64(wrong, 0, "doubles are spelled as by the C library");
	wrong = 0;
	for (int i = 0; i < 20000; i++) {
		union {
			uint64_t bits;
			double v;
		} u = {next_random()};
		if (!isfinite(u.v))
			continue;
		struct str s = as_double(u.v);
		((char *)s.p)[s.n] = 0;
		wrong += strtod(s.p, NULL) != u.v;
		struct buf b = {0};
		buf_printf(&b, "{\"a\":%s}", s.p);
		wrong += scan_line(buf_view(&b)) < 0;
		buf_free(&b);
	}
	is_u64(wrong, 0, "random doubles read back the same, and are JSON");

	is_str(as_fixed(0.5, 4), STR("0.5"), "zeros at the end are cut");
	is_str(as_fixed(-0.25, 3), STR("-0.25"), "-0.25");
	is_str(as_fixed(-0.00001, 4), STR("0"), "what rounds to zero is 0");
	is_str(as_fixed(2.675, 2), STR("2.67"), "2.675 lies below its tie");
	is_str(as_fixed(0.00005, 4), STR("0.0001"), "0.00005 lies above its tie");
	is_str(as_fixed(0.125, 2), STR("0.12"), "a true tie goes to the even digit");
	is_str(as_fixed(0.375, 2), STR("0.38"), "and this one up");
	is_str(as_fixed(0.99999, 4), STR("1"), "carries");
	is_str(as_fixed(-999999.5, 1), STR("-999999.5"), "large");
	wrong = 0;
	for (int digits = 1; digits <= 9; digits++) {
		double scale = pow(10, digits);
		for (int i = 0; i < 10000; i++) {
			double unit = (double)(next_random() >> 11) / 9007199254740992.0 * 2 - 1;
			double tie = ((double)(int64_t)(next_random() % 20001) - 10000.5) / scale;
			wrong += !fixed_agrees(unit, digits) + !fixed_agrees(unit * 1e6, digits);
			wrong += !fixed_agrees(tie, digits) + !fixed_agrees(nextafter(tie, 2), digits) +
				 !fixed_agrees(nextafter(tie, -2), digits);
			wrong += !fixed_agrees((double)((int64_t)(next_random() % 2048) - 1024) / 64, digits);
		}
	}
	is_u64(wrong, 0, "json_put_fixed and json_round agree with the C library, at and beside ties too");
}

static void test_base64(void)
{
	static const char *const vector[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"},
	    {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}, {"\xff\xfe\xfb", "//77"}};
	for (size_t i = 0; i < COUNT_OF(vector); i++) {
		struct buf b = {0};
		json_put_base64(&b, str_of(vector[i][0]));
		is_str(written(&b), str_of(vector[i][1]), "base64 of %zu bytes", strlen(vector[i][0]));
	}
}

static void test_items(void)
{
	static const struct {
		const char *text, *items;
		int rc;
		size_t at; /* where it ended or broke */
	} row[] = {{"[]", "", 0, 2}, {"[ ] x", "", 0, 3}, {"[1]", "1|", 0, 3}, {"[1", "1|", -1, 2}, {"[", "", -1, 1},
	    {"[ 1 ,\t\"a,]\\\"\" , {\"k\":[2,3]}]x", "1|\"a,]\\\"\"|{\"k\":[2,3]}|", 0, 28}, {"[1,]", "1||", 0, 4},
	    {"[1}", "1|", -1, 2}, {"[\"a]", "\"a]|", -1, 4}, {"[[1,[2]],3]", "[1,[2]]|3|", 0, 11}};
	for (size_t i = 0; i < COUNT_OF(row); i++) {
		struct json_items it = json_items(str_of(row[i].text));
		struct str item;
		struct buf all = {0};
		int rc;
		while ((rc = json_items_next(&it, &item)) > 0) {
			buf_str(&all, item);
			buf_char(&all, '|');
		}
		is_str(all.n ? buf_view(&all) : STR(""), str_of(row[i].items), "the items of %s", row[i].text);
		ok(rc == row[i].rc && (size_t)(it.p - row[i].text) == row[i].at, "and its end");
		buf_free(&all);
	}
}

int main(void)
{
	test_members();
	test_many();
	test_errors();
	test_good();
	test_depth();
	test_offsets();
	test_utf8();
	test_truncation();
	test_decode();
	test_strings_out();
	test_numbers_out();
	test_base64();
	test_items();
	json_scan_free(&scan);
	arena_free(&mem);
	return tap_done();
}
