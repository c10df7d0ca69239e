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

/* The whole answer to a request without a body; lent until the next. */
static struct str ask(struct http_server *s, const char *method, const char *path)
{
	static char answer[8192];
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	a.sin_port = htons((uint16_t)strtoul(strrchr(http_server_address(s), ':') + 1, NULL, 10));
	int fd = socket(AF_INET, SOCK_STREAM, 0),
	    n = snprintf(answer, sizeof answer, "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", method, path);
	size_t got = 0;
	if (connect(fd, (struct sockaddr *)&a, sizeof a) < 0 || write(fd, answer, (size_t)n) != n)
		abort();
	for (ssize_t more; (more = read(fd, answer + got, sizeof answer - got)) > 0;)
		got += (size_t)more;
	close(fd);
	return (struct str){answer, got};
}

static bool has(struct str s, const char *part)
{
	return memmem(s.p, s.n, part, strlen(part)) != NULL;
}

int main(void)
{
	static char greeting[] = "Good day";
	static const struct route routes[] = {{"GET", "/hello/{name}", 0, NULL, NULL, hello_get, greeting}, {0}};
	struct http_conf conf = {.listen = "127.0.0.1:0",
	    .socket = -1,
	    .vendor = "example",
	    .route = routes,
	    .threads = 1,
	    .max_body = 1 << 20,
	    .max_header = 16384,
	    .max_held = 1 << 24};
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
	is_u64(http_server_busy(s), 0, "nothing is open");
	http_server_stop(s);
	return tap_done();
}
