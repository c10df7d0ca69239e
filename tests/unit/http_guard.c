/* Which names a server answers for, and which requests a web page of another origin has caused. */
#include "lib/http/guard.h"

#include "tests/unit/tap.h"

static void test_hosts(void)
{
	static const char *const more[] = {"senti.example", "[2001:db8::1]", NULL};
	static const struct guard_names local = {"localhost:8080", "127.0.0.1:8080", NULL},
					named = {"box.lan:80", "192.0.2.7:80", more},
					all = {":8080", "[::]:8080", NULL}, all_v4 = {NULL, "0.0.0.0:8080", NULL},
					none = {0};
	static const struct {
		const struct guard_names *names;
		const char *host;
		bool known;
	} cases[] = {
	    {&local, "localhost", true},
	    {&local, "LocalHost:8080", true},
	    {&local, "localhost:3000", true},
	    {&local, "127.0.0.1", true},
	    {&local, "127.0.0.1:1", true},
	    {&local, "127.255.0.9:8080", true},
	    {&local, "[::1]", true},
	    {&local, "[::1]:8080", true},
	    {&local, "[0:0::1]:8080", true},
	    {&none, "localhost:8080", true},
	    {&local, "", false},
	    {&local, ":8080", false},
	    {&local, "evil.example", false},
	    {&local, "evil.example:8080", false},
	    {&local, "localhost.evil.example", false},
	    {&local, "evil.localhost", false},
	    {&local, "127.0.0.1.evil.example", false},
	    {&local, "127.0.0.1@evil.example", false},
	    {&local, "localhost:8080@evil.example", false},
	    {&local, "localhost:80x", false},
	    {&local, "127.1", false},
	    {&local, "0.0.0.0:8080", false},
	    {&local, "128.0.0.1", false},
	    {&local, "192.0.2.7", false},
	    {&local, "[::2]", false},
	    {&local, "[::1", false},
	    {&local, "::1", false},
	    {&local, "[::1].evil.example", false},
	    {&local, "a, localhost", false},
	    {&local, "senti.example", false},
	    {&named, "box.lan", true},
	    {&named, "BOX.lan:99", true},
	    {&named, "192.0.2.7:80", true},
	    {&named, "senti.example:443", true},
	    {&named, "[2001:DB8::1]:80", true},
	    {&named, "localhost", true},
	    {&named, "box.lan.", false},
	    {&named, "192.0.2.8", false},
	    {&named, "www.senti.example", false},
	    {&all, "192.0.2.8:8080", true},
	    {&all, "[2001:db8::2]", true},
	    {&all, "127.0.0.1", true},
	    {&all, "evil.example:8080", false},
	    {&all, "", false},
	    {&all_v4, "192.0.2.8", true},
	    {&all_v4, "evil.example", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++)
		ok(guard_knows_host(cases[i].names, str_of(cases[i].host)) == cases[i].known,
		    "host %zu: '%s' is %sserved", i, cases[i].host, cases[i].known ? "" : "not ");
	ok(!guard_knows_host(&all, (struct str){"localhost", 5}), "no byte after its end is looked at");
}

static void test_names(void)
{
	static const char *const good[] = {"example.org", "a", "LOCAL_1-x", "192.0.2.1", "[2001:db8::1]"},
				 *const bad[] = {"", "a:80", "http://a", "a/b", "[::1", "::1", "a b", "*", "a\n"};
	for (size_t i = 0; i < COUNT_OF(good); i++)
		ok(guard_is_name(good[i]), "'%s' is a host", good[i]);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		ok(!guard_is_name(bad[i]), "%zu: '%.3s' is not", i, bad[i]);
}

static void test_sources(void)
{
	static const struct {
		const char *site, *origin, *proto, *host;
		bool ours;
	} cases[] = {
	    {NULL, NULL, NULL, "localhost:8080", true},
	    {"same-origin", NULL, NULL, "localhost:8080", true},
	    {"none", NULL, NULL, "localhost:8080", true},
	    {"same-origin", "http://localhost:8080", NULL, "localhost:8080", true},
	    {NULL, "http://localhost:8080", NULL, "LOCALHOST:8080", true},
	    {NULL, "http://[::1]:8080", NULL, "[::1]:8080", true},
	    {"same-site", NULL, NULL, "localhost:8080", false},
	    {"same-site", "http://localhost:3000", NULL, "localhost:8080", false},
	    {"cross-site", NULL, NULL, "localhost:8080", false},
	    {"cross-site", "http://localhost:8080", NULL, "localhost:8080", false},
	    {"", NULL, NULL, "localhost:8080", false},
	    {"Same-Origin", NULL, NULL, "localhost:8080", false},
	    {"same-origin, cross-site", NULL, NULL, "localhost:8080", false},
	    {NULL, "http://localhost:3000", NULL, "localhost:8080", false},
	    {NULL, "http://localhost", NULL, "localhost:8080", false},
	    {NULL, "https://evil.example", NULL, "localhost:8080", false},
	    {NULL, "http://localhost:8080.evil.example", NULL, "localhost:8080", false},
	    {NULL, "null", NULL, "localhost:8080", false},
	    {NULL, "null", NULL, "null", false},
	    {NULL, "", NULL, "", false},
	    {"none", "https://evil.example", NULL, "localhost:8080", false},
	    {"same-origin", "https://evil.example", NULL, "localhost:8080", false},
	    {NULL, "file://localhost:8080", NULL, "localhost:8080", false},
	    {NULL, "https://senti.example", NULL, "senti.example", false},
	    {"same-origin", "https://senti.example", NULL, "senti.example", true},
	    {NULL, "https://senti.example", "https", "senti.example", true},
	    {NULL, "https://senti.example", "http", "senti.example", false},
	    {"same-site", "https://senti.example", "https", "senti.example", false},
	    {NULL, "https://evil.example", "https", "senti.example", false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct guard_source source = {
		    .origin = cases[i].origin, .fetch_site = cases[i].site, .forwarded_proto = cases[i].proto};
		ok(guard_is_ours(&source, str_of(cases[i].host)) == cases[i].ours, "source %zu: %s, %s", i,
		    cases[i].site ? cases[i].site : "-", cases[i].origin ? cases[i].origin : "-");
	}
	ok(!guard_is_ours(&(struct guard_source){.origin = "http://a"}, STR_NONE),
	    "an origin without a Host is foreign");
}

int main(void)
{
	test_hosts();
	test_names();
	test_sources();
	return tap_done();
}
