/* json.c - holds the scanner to jansson's verdict, and to its decoded text of every string of the outermost object.
 *
 * Known differences, all meant: a number out of a double's or an integer's range is only spelled here; jansson counts
 * the innermost scalar as a level of nesting, and swallows a raw NUL byte behind a number or a word. U+0000 in strings
 * is refused by both (jansson is not told JSON_ALLOW_NUL).
 */
/* jansson's names of the types are the scanner's too: they get another prefix, and its macros that use them are not
 * used. */
#define JSON_OBJECT JANSSON_OBJECT
#define JSON_ARRAY JANSSON_ARRAY
#define JSON_STRING JANSSON_STRING
#define JSON_TRUE JANSSON_TRUE
#define JSON_FALSE JANSSON_FALSE
#define JSON_NULL JANSSON_NULL
#include <jansson.h>
#undef JSON_OBJECT
#undef JSON_ARRAY
#undef JSON_STRING
#undef JSON_TRUE
#undef JSON_FALSE
#undef JSON_NULL

#include "lib/json/scan.h"
#include "lib/json/write.h"
#include "lib/base/utf8.h"
#include "tests/fuzz/fuzz.h"

static void find(const char *what, const char *detail)
{
	fprintf(stderr, "find: %s (%s)\n", what, detail);
	abort();
}

#define CHECK(good, detail) ((good) ? (void)0 : find(#good, (detail)))

/* jansson's own limits, which are not JSON's. */
static bool is_limit(const json_error_t *error)
{
	enum json_error_code code = json_error_code(error);
	return code == json_error_numeric_overflow || code == json_error_stack_overflow;
}

static bool same_type(json_type theirs, enum json_type ours)
{
	switch (ours) {
	case JSON_NULL:
		return theirs == JANSSON_NULL;
	case JSON_FALSE:
		return theirs == JANSSON_FALSE;
	case JSON_TRUE:
		return theirs == JANSSON_TRUE;
	case JSON_NUMBER:
		return theirs == JSON_INTEGER || theirs == JSON_REAL;
	case JSON_STRING:
		return theirs == JANSSON_STRING;
	case JSON_ARRAY:
		return theirs == JANSSON_ARRAY;
	case JSON_OBJECT:
		return theirs == JANSSON_OBJECT;
	}
	return false;
}

/* Each name of the scan means the same to jansson, whose last duplicate wins too. */
static void compare_members(const struct json_scan *s, json_t *object)
{
	struct arena mem = {0};
	struct buf name = {0};
	size_t names = 0;
	for (size_t i = 0; i < s->n; i++) {
		buf_clear(&name);
		json_unescape(s->member[i].name, &name);
		struct str key = buf_view(&name);
		if (!key.p)
			key = STR("");
		CHECK(json_name_is(&s->member[i], key), "name");
		const struct json_member *m = json_find(s, key);
		CHECK(m >= &s->member[i], "the last wins");
		names += m == &s->member[i];
		json_t *value = json_object_getn(object, key.p, key.n);
		CHECK(value, "a name that jansson does not have");
		if (m->type != JSON_STRING) {
			CHECK(same_type(json_typeof(value), m->type), "type");
			continue;
		}
		CHECK(json_typeof(value) == JANSSON_STRING, "type");
		struct str text = json_decode(m, &mem);
		struct str want = {json_string_value(value), json_string_length(value)};
		CHECK(str_eq(text, want), "decoded text");
		CHECK(utf8_valid_prefix(text) == text.n, "decoded text is UTF-8");
	}
	CHECK(names == json_object_size(object), "number of names");
	buf_free(&name);
	arena_free(&mem);
}

/* What json_put_string writes reads back as the same text. */
static void round_trip(struct str text)
{
	struct buf out = {0};
	struct json_scan s = {0};
	struct arena mem = {0};
	bool lossless = utf8_valid_prefix(text) == text.n && (!text.n || !memchr(text.p, 0, text.n));
	buf_char(&out, '{');
	json_put_name(&out, STR("t"));
	json_put_lossy(&out, text);
	if (lossless) {
		json_put_name(&out, STR("t"));
		json_put_string(&out, text);
	}
	buf_char(&out, '}');
	size_t n = out.n;
	memset(buf_reserve(&out, JSON_PAD), 0xff, JSON_PAD);
	int verdict = json_scan(&s, (struct str){out.p, n});
	CHECK(verdict == 0 || s.error == JSON_NUL, "own output scans");
	for (size_t i = 0; i < s.n && lossless; i++)
		CHECK(str_eq(json_decode(&s.member[i], &mem), text), "own output means the same");
	arena_free(&mem);
	json_scan_free(&s);
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A buffer with exactly JSON_PAD bytes behind the input shows reads beyond it. They are zeros one time,
	 * brackets and quotes the other, since nothing behind the end may count. */
	char *copy = xmalloc(size + JSON_PAD);
	if (size)
		memcpy(copy, data, size);
	memset(copy + size, 0, JSON_PAD);
	struct str line = {copy, size};
	struct json_scan s = {0}, again = {0};
	json_error_t error;

	int verdict = json_scan(&s, line);
	CHECK(verdict == 0 ? s.error == JSON_OK
			   : s.error != JSON_OK && s.column >= 1 && s.column <= size + 1 && s.message,
	    "error, column and message");
	for (size_t i = 0; i < JSON_PAD; i++)
		copy[size + i] = "\"}]0\\\xbf,"[i % 7];
	CHECK(
	    json_scan(&again, line) == verdict && again.error == s.error && again.column == s.column && again.n == s.n,
	    "padding");
	int check = json_check(&again, line);
	CHECK((check == 0) == (verdict == 0 || s.error == JSON_NOT_OBJECT), "json_check agrees");

	json_t *theirs = json_loadb(copy, size, JSON_DECODE_ANY, &error);
	if (!theirs) {
		CHECK(check < 0 || is_limit(&error), error.text);
	} else if (check < 0) {
		CHECK(again.column <= size && !copy[again.column - 1], s.message);
	} else {
		CHECK((verdict == 0) == (json_typeof(theirs) == JANSSON_OBJECT), "an object");
		compare_members(&s, theirs);
	}
	json_decref(theirs);
	round_trip(line);
	json_scan_free(&again);
	json_scan_free(&s);
	free(copy);
	return 0;
}
