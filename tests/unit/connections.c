/* Connections and their deadlines: who is cut, who is not, and how many one address may have. Socket pairs stand for
 * clients, made-up addresses for theirs. */
#include "tests/unit/tap.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/http/connections.h"

enum { MOST = 32, LONG_MS = 30000 };

static struct err e;

struct client {
	int ours, theirs;
	struct connection *peer;
};

static struct client join(struct connections *all, const char *address)
{
	struct client c;
	int pair[2];
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	struct sockaddr_un local = {.sun_family = AF_UNIX};
	const struct sockaddr *a = (struct sockaddr *)&local;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	if (address && inet_pton(AF_INET, address, &v4.sin_addr) == 1)
		a = (struct sockaddr *)&v4;
	else if (address && inet_pton(AF_INET6, address, &v6.sin6_addr) == 1)
		a = (struct sockaddr *)&v6;
	c.ours = pair[0];
	c.theirs = pair[1];
	c.peer = connections_join(all, c.ours, a);
	return c;
}

static void leave(struct client c)
{
	connections_leave(c.peer);
	close(c.ours);
	close(c.theirs);
}

/* True if the client sees its end within so many milliseconds. */
static bool is_cut(struct client c, int ms)
{
	char byte;
	return poll(&(struct pollfd){.fd = c.theirs, .events = POLLIN}, 1, ms) == 1 && read(c.theirs, &byte, 1) == 0;
}

static void test_deadlines(void)
{
	struct connection_limits limits = {.header_s = 1, .body_s = 1, .idle_s = 1};
	struct connections *all = connections_new(&limits, &e);
	struct client fresh = join(all, NULL), head = join(all, NULL), body = join(all, NULL), idle = join(all, NULL),
		      answer = join(all, NULL), taking = join(all, NULL), taking_long = join(all, NULL);
	connection_enter(head.peer, PHASE_HEADERS);
	connection_enter(body.peer, PHASE_BODY);
	connection_enter(idle.peer, PHASE_IDLE);
	connection_enter(answer.peer, PHASE_ANSWER);
	connection_send(taking.peer, 5000);
	connection_send(taking_long.peer, (uint64_t)1 << 40);
	ok(is_cut(fresh, LONG_MS), "one that never says anything is cut");
	ok(is_cut(head, LONG_MS), "one whose headers do not end is cut");
	ok(is_cut(body, LONG_MS), "one whose body does not end is cut");
	ok(is_cut(idle, LONG_MS), "one that asks no more is cut");
	ok(is_cut(taking, LONG_MS), "one that does not take its answer is cut");
	ok(!is_cut(answer, 0), "one that waits for us is not");
	ok(!is_cut(taking_long, 0), "a long answer has longer");
	leave(fresh), leave(head), leave(body), leave(idle), leave(answer), leave(taking), leave(taking_long);
	connections_free(all);
}

static struct client hang_up(struct connections *all, enum phase phase, const char *unread)
{
	struct client c = join(all, NULL);
	connection_enter(c.peer, phase);
	if (write(c.theirs, unread, strlen(unread)) < 0 || shutdown(c.theirs, SHUT_WR) < 0)
		abort();
	return c;
}

static void test_hung_up(void)
{
	struct connection_limits none = {0};
	struct connections *all = connections_new(&none, &e);
	struct client waits = hang_up(all, PHASE_ANSWER, ""), unread = hang_up(all, PHASE_BODY, "x"),
		      head = hang_up(all, PHASE_HEADERS, ""), body = hang_up(all, PHASE_BODY, "");
	ok(is_cut(head, LONG_MS), "one that hangs up within its headers is cut");
	ok(is_cut(body, LONG_MS), "one that hangs up within its body is cut");
	ok(!is_cut(waits, 0), "one that sends no more and waits for its answer is not");
	ok(!is_cut(unread, 0), "nor one whose last bytes are not read yet");
	leave(waits), leave(unread), leave(head), leave(body);
	connections_free(all);
}

/* How many of these are not cut at once. */
static unsigned let_in(struct connections *all, const char *const *address, size_t n)
{
	struct client c[MOST];
	unsigned in = 0;
	for (size_t i = 0; i < n; i++) {
		c[i] = join(all, address[i]);
		in += !is_cut(c[i], 0);
	}
	for (size_t i = 0; i < n; i++)
		leave(c[i]);
	return in;
}

static void test_addresses(void)
{
	struct connection_limits limits = {.per_address = 2, .header_s = 3600};
	struct connections *all = connections_new(&limits, &e);
	static const char *const one[] = {"192.0.2.1", "192.0.2.1", "192.0.2.1"};
	static const char *const three[] = {"192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.2"};
	static const char *const mapped[] = {"192.0.2.1", "::ffff:192.0.2.1", "::ffff:192.0.2.1"};
	static const char *const network[] = {"2001:db8::1", "2001:db8::2", "2001:db8::ffff:0:3", "2001:db8:0:1::1"};
	static const char *const here[] = {"127.0.0.1", "127.0.0.1", "127.0.0.1", "127.9.9.9", "::1", "::1", "::1",
	    "::ffff:127.0.0.1", "::ffff:127.0.0.1", "::ffff:127.0.0.1", NULL, NULL, NULL};
	is_u64(let_in(all, one, COUNT_OF(one)), 2, "a third of one address is cut");
	is_u64(let_in(all, one, COUNT_OF(one)), 2, "who has left is not counted any more");
	is_u64(let_in(all, three, COUNT_OF(three)), 4, "each address has its own number");
	is_u64(let_in(all, mapped, COUNT_OF(mapped)), 2, "IPv4 in its mapped form is the same address");
	is_u64(let_in(all, network, COUNT_OF(network)), 3, "a /64 of IPv6 counts as one");
	is_u64(let_in(all, here, COUNT_OF(here)), COUNT_OF(here), "this machine may have as many as it likes");
	struct client a = join(all, one[0]), b = join(all, one[0]), c = join(all, one[0]);
	ok(is_cut(c, 0), "the third is cut");
	leave(a);
	leave(c);
	struct client d = join(all, one[0]);
	ok(!is_cut(d, 0) && !is_cut(b, 0), "its place is free when another has gone");
	leave(b);
	leave(d);
	connections_free(all);
	limits.per_address = 0;
	all = connections_new(&limits, &e);
	is_u64(let_in(all, one, COUNT_OF(one)), 3, "0: no limit");
	connections_free(all);
}

/* Many addresses at a time share buckets. */
static void test_many(void)
{
	enum { MANY = 4000 };
	struct connection_limits limits = {.per_address = 1};
	struct connections *all = connections_new(&limits, &e);
	static struct client c[MANY];
	int fd = dup(0);
	bool good = true;
	for (unsigned i = 0; i < MANY; i++) {
		struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x0a000000 + i)};
		c[i].peer = connections_join(all, fd, (struct sockaddr *)&a);
	}
	for (unsigned i = 0; i < MANY; i += 2)
		connections_leave(c[i].peer);
	for (unsigned i = 0; i < MANY; i += 2) {
		char text[INET_ADDRSTRLEN];
		struct in_addr a = {.s_addr = htonl(0x0a000000 + i)};
		struct client again = join(all, inet_ntop(AF_INET, &a, text, sizeof text));
		good = good && !is_cut(again, 0);
		leave(again);
		a.s_addr = htonl(0x0a000000 + i + 1);
		again = join(all, inet_ntop(AF_INET, &a, text, sizeof text));
		good = good && is_cut(again, 0);
		leave(again);
	}
	ok(good, "of 4,000 addresses each that is there, and only these, is full");
	for (unsigned i = 1; i < MANY; i += 2)
		connections_leave(c[i].peer);
	close(fd);
	connections_free(all);
}

int main(void)
{
	test_deadlines();
	test_hung_up();
	test_addresses();
	test_many();
	return tap_done();
}
