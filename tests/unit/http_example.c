/* A server of one route, asked over a plain socket: lib/http needs nothing of the rest, and this is how it is used. */
#include "lib/http/server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/tap.h"

static void hello_get(struct request *r, void *greeting)
{
	buf_printf(&r->out, "%s, %.*s\n", (const char *)greeting, STR_FMT(r->segment));
	request_set(r, "Location", "/hello/%.*s", (int)r->segment.n, r->segment.p);
	request_answer(r, 200, "text/plain");
}

static void item_end(struct request *r, void *app)
{
	(void)app;
	request_answer(r, 204, NULL);
}

/* The whole answer to a request with these headers and what follows them; lent until the next. */
static struct str ask_with(
    struct http_server *s, const char *method, const char *path, const char *host, const char *more)
{
	static char answer[8192];
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	a.sin_port = htons((uint16_t)strtoul(strrchr(http_server_address(s), ':') + 1, NULL, 10));
	int fd = socket(AF_INET, SOCK_STREAM, 0),
	    n = snprintf(answer, sizeof answer, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", method,
		path, host, more);
	size_t got = 0;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 || write(fd, answer, (size_t)n) != n)
		abort();
	for (ssize_t n_read; (n_read = read(fd, answer + got, sizeof answer - got)) > 0;)
		got += (size_t)n_read;
	close(fd);
	return (struct str){answer, got};
}

static struct str ask(struct http_server *s, const char *method, const char *path)
{
	return ask_with(s, method, path, "localhost", "");
}

static bool has(struct str s, const char *part)
{
	return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

/* guard.h for all routes. */
static void test_guard(struct http_server *s)
{
	static const char foreign[] = "Origin: https://evil.example\r\n", site[] = "Sec-Fetch-Site: same-site\r\n";
	static const char friend[] = "Origin: https://friend.example\r\nSec-Fetch-Site: cross-site\r\n";
	static const char json[] = "Content-Type: application/json; charset=utf-8\r\nContent-Length: 0002\r\n\r\n{}",
			  text[] = "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
			  chunked[] = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n";
	static const struct {
		const char *method, *path, *host, *more;
		int status;
	} cases[] = {
	    {"GET", "/hello/x", "evil.example", "", 421},
	    {"GET", "/nowhere", "evil.example:80", "", 421},
	    {"OPTIONS", "/item", "evil.example", "", 421},
	    {"DELETE", "/item", "evil.example", "", 421},
	    {"GET", "http://evil.example/hello/x", "localhost", "", 421},
	    {"GET", "http://localhost/hello/x", "evil.example", "", 200},
	    {"GET", "/hello/x", "named.example:8", "", 200},
	    {"GET", "/hello/x", "127.0.0.1", foreign, 200},
	    {"GET", "/hello/x", "127.0.0.1", site, 200},
	    {"GET", "/guarded", "127.0.0.1", "", 204},
	    {"GET", "/guarded", "127.0.0.1", foreign, 403},
	    {"HEAD", "/guarded", "127.0.0.1", site, 403},
	    {"GET", "/guarded", "127.0.0.1", friend, 204},
	    {"DELETE", "/item", "127.0.0.1", "", 204},
	    {"DELETE", "/item", "127.0.0.1", foreign, 403},
	    {"DELETE", "/item", "127.0.0.1", site, 403},
	    {"DELETE", "/item", "127.0.0.1", friend, 204},
	    {"POST", "/item", "127.0.0.1", site, 403},
	    {"POST", "/item", "127.0.0.1", "", 204},
	    {"POST", "/item", "127.0.0.1", json, 204},
	    {"POST", "/item", "127.0.0.1", text, 415},
	    {"POST", "/item", "127.0.0.1", chunked, 415},
	    {"DELETE", "/item", "127.0.0.1", text, 415},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct str answer = ask_with(s, cases[i].method, cases[i].path, cases[i].host, cases[i].more);
		is_u64(answer.n > 12 ? strtoul(answer.p + 9, NULL, 10) : 0, (uint64_t)cases[i].status,
		    "guard %zu: %s %s", i, cases[i].method, cases[i].path);
	}
}

int main(void)
{
	static char greeting[] = "Good day";
	static const char *const origins[] = {"https://friend.example", NULL}, *const hosts[] = {"named.example", NULL};
	static const struct route routes[] = {{"GET", "/hello/{name}", 0, NULL, NULL, hello_get, greeting, false, NULL},
	    {"GET", "/guarded", 0, NULL, NULL, item_end, NULL, true, NULL},
	    {"POST", "/item", 0, NULL, NULL, item_end, NULL, false, NULL},
	    {"DELETE", "/item", 0, NULL, NULL, item_end, NULL, false, NULL}, {0}};
	struct http_conf conf = {
	    .listen = "127.0.0.1:0",
	    .socket = -1,
	    .vendor = "example",
	    .route = routes,
	    .cors = origins,
	    .hosts = hosts,
	    .threads = 1,
	    .max_body = 1 << 20,
	    .max_header = 16384,
	};
	struct err e;
	struct http_server *s = http_server_start(&conf, &e);
	if (!ok(s, "a server on any free port"))
		return tap_done();
	struct str answer = ask(s, "GET", "/hello/w%C3%B6rld");
	ok(has(answer, "HTTP/1.1 200 ") && has(answer, "\r\n\r\nGood day, w\303\266rld\n"), "answers");
	answer = ask(s, "HEAD", "/hello/x");
	ok(has(answer, "Content-Length: 12\r\n") && !has(answer, "Good day"), "HEAD has no body");
	answer = ask(s, "PUT", "/hello/x");
	ok(has(answer, " 405 ") && has(answer, "Allow: GET, HEAD, OPTIONS\r\n"), "405 lists what is allowed");
	ok(has(ask(s, "GET", "/"), "urn:example:problem:no_such_path"), "404 is a problem of this vendor");
	ok(has(ask(s, "GET", "/hello/%ff"), " 400 "), "broken text is refused");
	test_guard(s);
	is_u64(http_server_busy(s), 0, "nothing is open");
	http_server_stop(s);
	return tap_done();
}
