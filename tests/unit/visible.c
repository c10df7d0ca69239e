/* visible.c - what foreign bytes look like in a table, in a message and in a JSON log. */
#include "lib/base/visible.h"

#include "lib/json/scan.h"
#include "tests/unit/tap.h"

static void shown(struct str s, const char *blank, const char *hex, const char *json)
{
	const char *const want[] = {blank, hex, json};
	for (size_t how = 0; how < COUNT_OF(want); how++) {
		struct buf b = {0};
		visible_put(&b, s, (enum visible)how);
		is_str(buf_view(&b), str_of(want[how]), want[how]);
		buf_free(&b);
	}
	ok(visible_plain(s) == (strlen(hex) == s.n && memcmp(hex, s.p, s.n) == 0), "visible_plain agrees with %s", hex);
}

/* Whatever the bytes are, the line stays JSON, and nothing of it controls a terminal. */
static void test_any_bytes(void)
{
	struct json_scan scan = {0};
	unsigned seed = 1;
	size_t bad = 0;
	for (int i = 0; i < 20000; i++) {
		char bytes[24];
		struct buf b = {0};
		for (size_t k = 0; k < sizeof bytes; k++)
			bytes[k] =
			    (char)(1 + ((seed = seed * 1103515245 + 12345) >> 16) % 255); /* the scanner refuses NUL */
		buf_str(&b, STR("{\"v\":\""));
		visible_put(&b, (struct str){bytes, sizeof bytes}, VISIBLE_JSON);
		buf_str(&b, STR("\"}"));
		size_t n = b.n;
		memset(buf_reserve(&b, JSON_PAD), 0, JSON_PAD);
		bad += json_check(&scan, (struct str){b.p, n}) < 0;
		buf_clear(&b);
		visible_put(&b, (struct str){bytes, sizeof bytes}, VISIBLE_HEX);
		bad += !visible_plain(buf_view(&b));
		buf_free(&b);
	}
	json_scan_free(&scan);
	ok(bad == 0, "20,000 strings of any bytes");
}

int main(void)
{
	shown(STR("na\xc3\xafve \xf0\x9f\x98\x80"), "na\xc3\xafve \xf0\x9f\x98\x80", "na\xc3\xafve \xf0\x9f\x98\x80",
	    "na\xc3\xafve \xf0\x9f\x98\x80");
	shown(STR("a\033[2Jb"), "a [2Jb", "a\\x1b[2Jb", "a\\u001b[2Jb");
	shown(STR("a\nb\x7f"), "a b ", "a\\nb\\x7f", "a\\nb\\u007f");
	shown(STR("\xc2\x9b"), " ", "\\u009b", "\\u009b");
	shown(STR("x\xe2\x80\xaey"), "x y", "x\\u202ey", "x\\u202ey");
	shown(STR("\xe2\x80\xa8"), " ", "\\u2028", "\\u2028");
	shown(STR("a\xff\xc3"), "a\xef\xbf\xbd\xef\xbf\xbd", "a\\xff\\xc3", "a\xef\xbf\xbd\xef\xbf\xbd");
	shown(STR("say \"\\\""), "say \"\\\"", "say \"\\\"", "say \\\"\\\\\\\"");
	test_any_bytes();
	return tap_done();
}
