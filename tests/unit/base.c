/* base.c - arena, buf, map, url, clock and numbers. */
#include "lib/base/arena.h"
#include "lib/base/backoff.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/event.h"
#include "lib/base/io.h"
#include "lib/base/map.h"
#include "lib/base/timedwait.h"
#include "lib/base/redact.h"
#include "lib/base/url.h"
#include "tests/unit/tap.h"

static void test_numbers(void)
{
	uint64_t v = 7;
	ok(str_u64(STR("18446744073709551615"), &v) == 0 && v == UINT64_MAX, "the largest number");
	ok(str_u64(STR("0007"), &v) == 0 && v == 7, "zeros before it");
	static const char *const bad[] = {
	    "", "18446744073709551616", "99999999999999999999", "-1", "+1", " 1", "1 ", "1x", "x"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(str_u64(str_of(bad[i]), &v) < 0 && v == 7, "'%s' is not a number, and changes nothing", bad[i]);
	ok(str_cmp(STR("a"), STR("b")) < 0 && str_cmp(STR("ab"), STR("a")) > 0 && str_cmp(STR(""), STR_NONE) == 0 &&
		str_cmp(STR("\xff"), STR("a")) > 0,
	    "slices are ordered by bytes, then length");
	ok(str_eq(STR_NONE, STR("")) && !str_eq(STR("a"), STR("b")) && !str_eq(STR("a"), STR("ab")),
	    "slices are compared");
	char *copy = str_dup((struct str){"abc", 2});
	ok(strcmp(copy, "ab") == 0, "a copy ends in NUL");
	free(copy);
}

static void test_buf(void)
{
	struct buf b = {0};
	for (int i = 0; i < 1000; i++)
		buf_str(&b, STR("abc"));
	ok(b.n == 3000 && memcmp(b.p + 2997, "abc", 3) == 0, "grows");
	buf_shift(&b, 2999);
	is_str(buf_view(&b), STR("c"), "moves down");
	buf_shift(&b, 1);
	ok(b.n == 0, "to nothing");
	buf_u64(&b, 0);
	buf_char(&b, ' ');
	buf_u64(&b, UINT64_MAX);
	buf_printf(&b, " %s=%d", "x", -5);
	is_str(buf_view(&b), STR("0 18446744073709551615 x=-5"), "numbers and formats");
	buf_add(&b, NULL, 0);
	buf_clear(&b);
	size_t cap = b.cap;
	buf_reserve(&b, 10);
	ok(b.n == 0 && b.cap == cap, "an empty buffer keeps its memory");
	buf_free(&b);
	ok(!b.p && !b.cap, "until it is freed");
}

static size_t arena_bytes(struct arena *a, void **at, size_t n, size_t size)
{
	size_t wrong = 0;
	for (size_t i = 0; i < n; i++) {
		at[i] = arena_alloc(a, size);
		memset(at[i], (int)i, size);
		wrong += (uintptr_t)at[i] % 16 != 0;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < size; k++)
			wrong += ((unsigned char *)at[i])[k] != (unsigned char)i;
	return wrong;
}

static void test_arena(void)
{
	struct arena a = {0};
	void *first[200], *again[200];
	is_u64(arena_bytes(&a, first, 200, 1001), 0, "pieces are aligned and do not overlap");
	arena_reset(&a);
	is_u64(arena_bytes(&a, again, 200, 1001), 0, "nor after a reset");
	ok(memcmp(first, again, sizeof first) == 0, "which gives the same memory again");
	arena_reset(&a);
	char *large = arena_alloc(&a, 2 * ARENA_KEEP);
	large[0] = large[2 * ARENA_KEEP - 1] = 1;
	ok(arena_alloc(&a, 0) != NULL, "nothing has an address too");
	arena_reset(&a);
	is_u64(arena_bytes(&a, again, 200, 1001), 0, "a large piece is given back, the others stay");
	arena_reset(&a);
	char *p = arena_alloc(&a, 1000);
	arena_trim(&a, p, 20);
	ok((char *)arena_alloc(&a, 1) == p + 32, "a trimmed piece leaves its tail to the next");
	is_str(arena_str(&a, STR("copy")), STR("copy"), "copies");
	is_str(arena_printf(&a, "%d-%s", 7, "x"), STR("7-x"), "formats");
	arena_free(&a);
	arena_reset(&a);
	arena_free(&a);
	ok(!a.first, "may be freed and reset when empty");
}

static void test_map(void)
{
	enum { KEYS = 5000 };
	static char name[KEYS][16];
	struct map m = {0};
	bool made;
	ok(!map_get(&m, STR("x")), "an empty map has nothing");
	size_t wrong = 0;
	for (int i = 0; i < KEYS; i++) {
		snprintf(name[i], sizeof name[i], "k%d", i);
		map_put(&m, str_of(name[i]), &made)->v.num = (uint64_t)i;
		wrong += !made;
	}
	for (int i = 0; i < KEYS; i++) {
		struct map_slot *s = map_get(&m, str_of(name[i]));
		wrong += !s || s->v.num != (uint64_t)i || map_put(&m, str_of(name[i]), &made) != s || made;
	}
	is_u64(wrong, 0, "each of many keys is made once and found");
	is_u64(m.n, KEYS, "and counted once");
	ok(!map_get(&m, STR("k5000")) && !map_get(&m, STR("")) && !map_get(&m, STR("K1")), "others are not found");
	map_put(&m, STR(""), &made)->v.ptr = &m;
	ok(made && map_get(&m, STR("")) && map_get(&m, STR(""))->v.ptr == &m, "the empty key is a key");
	map_put(&m, STR("a\0b"), NULL);
	ok(map_get(&m, STR("a\0b")) && !map_get(&m, STR("a")) && !map_get(&m, STR("a\0c")),
	    "NUL is a byte like others");
	wrong = 0;
	for (int i = 0; i < KEYS; i += 2)
		wrong += !map_remove(&m, str_of(name[i])) || map_remove(&m, str_of(name[i]));
	for (int i = 0; i < KEYS; i++) {
		struct map_slot *s = map_get(&m, str_of(name[i]));
		wrong += i % 2 ? !s || s->v.num != (uint64_t)i : s != NULL;
	}
	is_u64(wrong, 0, "of many keys those that are removed are gone, and no others");
	is_u64(m.n, KEYS / 2 + 2, "nor counted any more");
	map_clear(&m);
	ok(!m.n && !map_get(&m, STR("k1")) && !map_remove(&m, STR("k1")), "a cleared map is empty");
	map_put(&m, STR("k1"), &made);
	ok(made, "and can be filled again");
	map_free(&m);
	ok(!map_get(&m, STR("k1")), "a freed map is empty");
}

static bool same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static void test_url(void)
{
	struct err e;
	struct url u;
	ok(url_parse(&u, "amqp://us%40er:p%2fw:x@host:5672/v%2Fhost?queue=a%20b&x&y=", &e) == 0,
	    "an address with all parts");
	ok(same(u.scheme, "amqp") && same(u.user, "us@er") && same(u.password, "p/w:x") && same(u.host, "host") &&
		u.port == 5672 && same(u.path, "v/host"),
	    "its parts are decoded");
	ok(same(url_arg(&u, "queue"), "a b") && same(url_arg(&u, "x"), "") && same(url_arg(&u, "y"), "") &&
		!url_arg(&u, "z"),
	    "and its arguments");
	url_free(&u);
	ok(url_parse(&u, "redis://[::1]:6379", &e) == 0 && same(u.host, "::1") && u.port == 6379 && !u.path && !u.user,
	    "IPv6");
	url_free(&u);
	ok(url_parse(&u, "sqlite:/var/x.db?mode=ro", &e) == 0 && same(u.path, "/var/x.db") && !u.host &&
		same(url_arg(&u, "mode"), "ro"),
	    "a path");
	url_free(&u);
	ok(url_parse(&u, "amqp:texts", &e) == 0 && same(u.path, "texts"), "a name");
	url_free(&u);
	static const char *const bad[] = {"", "host", "/path", "C:\\x", "a:b", "redis://h:0", "redis://h:65536",
	    "redis://h:x", "redis://h:", "redis://[::1", "redis://[::1]x", "redis://u%4:p@h", "redis://h/%zz",
	    "redis://h/%00", "redis://h?a=%", "redis://u:%00@h"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		bool refused = url_parse(&u, bad[i], &e) < 0;
		ok(refused && e.kind == ERR_USAGE && e.msg[0] && !u.scheme && !u.arg, "'%s' is refused with a message",
		    bad[i]);
	}
	ok(url_parse(&u, "redis://u:secret%zz@h", &e) < 0 && !strstr(e.msg, "secret"),
	    "a message never shows a password");
	static const char *const shown[][2] = {{"redis://u:secret@h:1/0", "redis://u:***@h:1/0"},
	    {"redis:u:secret@h:1", "redis:u:***@h:1"}, {"redis://:se@cret@h", "redis://:***@h"},
	    {"redis://u@h", "redis://u@h"}, {"redis://h:6379/", "redis://h:6379/"}, {"sqlite:x.db", "sqlite:x.db"},
	    {"http://h/a:b@c", "http://h/a:b@c"}, {"amqp://u:a/b@h", "amqp://u:***@h"},
	    {"amqp://u:a?b#c@h", "amqp://u:***@h"},
	    {"postgresql://h/d?user=u&password=x&sslmode=require",
		"postgresql://h/d?user=u&password=***&sslmode=require"},
	    {"host=h password=x user=u", "host=h password=*** user=u"},
	    {"host=h PassWord='x y\\'z' user=u", "host=h PassWord=*** user=u"},
	    {"redis://h?auth=", "redis://h?auth=***"}, {"unix:/s?sslpassword='", "unix:/s?sslpassword=***"},
	    {"a?b&c", "a?b&c"}, {"user:secret@h/db", "user:***@h/db"}, {"AMQP://u:secret@h", "AMQP://u:***@h"},
	    {"mysql:u:secret@h", "mysql:u:***@h"}, {"amqp:q@x", "amqp:q@x"}, {"sqlite:me@home.db", "sqlite:me@home.db"},
	    {"mysql:Server=h;Uid=u;Pwd=secret;x=y", "mysql:Server=h;Uid=u;Pwd=***;x=y"},
	    {"amqp:redis://u:secret@h", "amqp:redis://u:***@h"}, {"https://h/?api_key=x", "https://h/?api_key=***"},
	    {"amqp://h/?queue=q&key=x", "amqp://h/?queue=q&key=x"}, {"amqp://u@h:5672/", "amqp://u@h:5672/"}};
	for (size_t i = 0; i < COUNT_OF(shown); i++) {
		char *r = redact(shown[i][0]);
		is_str(str_of(r), str_of(shown[i][1]), "%s is shown without its password", shown[i][0]);
		free(r);
	}
	static const char *const told[][2] = {
	    {"cannot open 'redis://u:secret@h': No such file", "cannot open 'redis://u:***@h': No such file"},
	    {"'u:it's secret@h' is not one, ('x:y@z'), 'a:b@", "'u:***@h' is not one, ('x:***@z'), 'a:b@"},
	    {"Redis' port is a:b@c, isn't it", "Redis' port is a:b@c, isn't it"}};
	for (size_t i = 0; i < COUNT_OF(told); i++) {
		char *r = redact_quoted(told[i][0]);
		is_str(str_of(r), str_of(told[i][1]), "in a message: %s", told[i][0]);
		free(r);
	}
	char longest[900];
	snprintf(longest, sizeof longest, "redis://u:%0800d@h", 7);
	ok(err_set(&e, ERR_USAGE, "'%s' is cut", longest) < 0 && strcmp(e.msg, "'redis://u:***@h' is cut") == 0,
	    "a secret that is longer than a message is not shown in part");
	ok(url_parse(&u, "redis://u:1/secret@h", &e) < 0 && !strstr(e.msg, "secret"),
	    "a password with a slash is not taken for a path");
	ok(url_parse(&u, "amqp://h:5672/v%40x?queue=a@b", &e) == 0 && same(u.path, "v@x"),
	    "an '@' elsewhere is no secret");
	url_free(&u);
	ok(url_has_scheme("amqp:x") && url_has_scheme("unix:/x") && !url_has_scheme("C:\\x") && !url_has_scheme("x") &&
		!url_has_scheme("./a:b") && !url_has_scheme("9p:x"),
	    "what begins with a scheme");
}

static void test_time(void)
{
	static const struct {
		const char *in, *out;
	} good[] = {
	    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"},
	    {"2024-05-01T12:00:00.5+02:00", "2024-05-01T10:00:00.500Z"},
	    {"2024-02-29t23:59:59.9999z", "2024-02-29T23:59:59.999Z"},
	    {"2000-02-29 00:00:00-00:00", "2000-02-29T00:00:00.000Z"},
	    {"1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"},
	    {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.999Z"},
	    {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"},
	    {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
	    {"1600-03-01T00:00:00+00:01", "1600-02-29T23:59:00.000Z"},
	};
	for (size_t i = 0; i < COUNT_OF(good); i++) {
		int64_t ms = -1;
		char out[TIME_LEN] = "";
		int rc = time_parse(str_of(good[i].in), &ms);
		if (rc == 0)
			time_format(ms, out);
		is_str(((struct str){out, rc == 0 ? TIME_LEN : 0}), str_of(good[i].out), "%s", good[i].in);
	}
	static const char *const bad[] = {"", "2024-05-01", "2024-05-01T12:00:00", "2024-05-01T12:00Z",
	    "2023-02-29T00:00:00Z", "1900-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z",
	    "2024-01-00T00:00:00Z", "2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z", "2024-01-01T00:00:61Z",
	    "2024-01-01T00:00:00.Z", "2024-01-01T00:00:00+2:00", "2024-01-01T00:00:00+24:00", "2024-01-01T00:00:00Zx",
	    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "24-01-01T00:00:00Z",
	    "2024-1-1T00:00:00Z", " 2024-01-01T00:00:00Z"};
	int64_t ms = 5;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(time_parse(str_of(bad[i]), &ms) < 0 && ms == 5, "'%s' is not a time", bad[i]);
	size_t wrong = 0;
	for (int64_t day = -719162; day < 2932897; day += 13) {
		int64_t in = day * 86400000 + (day * 7919 % 86400000 + 86400000) % 86400000, out;
		char text[TIME_LEN];
		time_format(in, text);
		wrong += time_parse((struct str){text, TIME_LEN}, &out) < 0 || out != in;
	}
	is_u64(wrong, 0, "days of all years are written and read back");
	ok(time_parse(STR("2024-01-01T00:00:00Z"), &ms) == 0 && ms == 1704067200000, "a known instant");
	int64_t a = clock_mono_ms(), wall = clock_wall_ms();
	ok(clock_mono_ms() >= a && wall > 1704067200000, "clocks go on");
}

static void test_waiting(void)
{
	ok(backoff_ms(0, 20, 30000) == 20 && backoff_ms(3, 20, 30000) == 160 && backoff_ms(11, 20, 30000) == 30000 &&
		backoff_ms(4000000000, 20, 30000) == 30000,
	    "pauses double up to their limit");
	bool within = true;
	for (int i = 0; i < 1000; i++) {
		int64_t ms = backoff_spread(100);
		within = within && ms >= 50 && ms <= 100;
	}
	ok(within && backoff_spread(0) == 0, "and are spread over their upper half");
	int fd = event_open();
	ok(io_wait_readable(fd, -1, 0, NULL) == IO_TIMEOUT, "a new event is not signalled");
	event_signal(fd);
	event_signal(fd);
	ok(io_wait_readable(fd, -1, -1, NULL) == IO_READY, "a signal makes it readable");
	event_clear(fd);
	ok(io_wait_readable(fd, -1, 0, NULL) == IO_TIMEOUT, "clearing it once forgets all signals");
	struct err e;
	ok(io_close(fd, "an event", &e) == 0, "it is closed");
	pthread_cond_t cond;
	pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	cond_init(&cond);
	pthread_mutex_lock(&lock);
	int64_t deadline = clock_mono_ms() + 5;
	while (cond_wait_until(&cond, &lock, deadline))
		;
	pthread_mutex_unlock(&lock);
	ok(clock_mono_ms() >= deadline, "a timed wait ends at its deadline, not before");
	pthread_cond_destroy(&cond);
}

int main(void)
{
	test_numbers();
	test_buf();
	test_arena();
	test_map();
	test_url();
	test_time();
	test_waiting();
	return tap_done();
}
