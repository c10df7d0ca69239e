/* crowd.c - many clients that do little: listeners of /v1/events (or PATH), and slow ones that send a byte a second,
 * half of them of a body and half of their headers.
 *
 *     crowd PORT LISTENERS SLOW [PATH]
 *
 * Prints `ready` once all listeners have the head of their answer, and with SIGTERM how many of each are there still
 * and how often a slow one was cut off by the server's deadline, in which case it comes again. Status 1 when a listener
 * is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

enum kind { LISTENER, BODY, HEADERS, SIGNAL, TICK };

struct client {
	enum kind kind;
	int fd;
	bool answered;
};

static struct sockaddr_in server;
static int events;
static size_t answered, lost, cut;
static char listen_head[1024];

static void fail(const char *what)
{
	perror(what);
	exit(3);
}

static void watch(struct client *c)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
	if (epoll_ctl(events, EPOLL_CTL_ADD, c->fd, &e) < 0)
		fail("epoll_ctl");
}

static void say(struct client *c, const char *text)
{
	size_t n = strlen(text);
	if (send(c->fd, text, n, MSG_NOSIGNAL) != (ssize_t)n && errno != EPIPE && errno != ECONNRESET)
		fail("send");
}

static void join(struct client *c)
{
	static const char *const first[] = {
	    [LISTENER] = listen_head,
	    [BODY] =
		"POST /v1/sentiment HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
		"1000\r\n\r\n{",
	    [HEADERS] = "POST /v1/sentiment HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
	};
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&server, sizeof server) < 0)
		fail("cannot connect");
	say(c, first[c->kind]);
	watch(c);
}

static void leave(struct client *c)
{
	close(c->fd);
	if (c->kind == LISTENER) {
		lost++;
		return;
	}
	cut++;
	join(c);
}

static void hear(struct client *c)
{
	char in[65536];
	ssize_t n = recv(c->fd, in, sizeof in, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN)) {
		leave(c);
	} else if (n > 0 && c->kind == LISTENER && !c->answered) {
		c->answered = true;
		answered += n > 12 && memcmp(in, "HTTP/1.1 200", 12) == 0;
	}
}

/* Descriptors of a signal and of a clock that are read like any other. */
static void watch_signal(struct client *c)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTERM);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	*c = (struct client){.kind = SIGNAL, .fd = signalfd(-1, &stop, 0)};
	watch(c);
}

static void watch_clock(struct client *c)
{
	*c = (struct client){.kind = TICK, .fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK)};
	struct itimerspec often = {.it_interval.tv_nsec = 10000000, .it_value.tv_nsec = 1};
	if (timerfd_settime(c->fd, 0, &often, NULL) < 0)
		fail("timerfd_settime");
	watch(c);
}

/* A hundredth of the slow ones at a time, so that each has its turn once a second. */
static void drip(const struct client *clock, struct client *slow, size_t n)
{
	static size_t turn;
	uint64_t ticks;
	if (read(clock->fd, &ticks, sizeof ticks) < 0)
		return;
	for (size_t i = turn++ % 100; i < n; i += 100)
		say(&slow[i], "x");
}

int main(int argc, char **argv)
{
	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: crowd PORT LISTENERS SLOW [PATH]\n");
		return 2;
	}
	struct rlimit r;
	snprintf(listen_head, sizeof listen_head,
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n",
	    argc > 4 ? argv[4] : "/v1/events");
	size_t listeners = strtoul(argv[2], NULL, 10), slow = strtoul(argv[3], NULL, 10);
	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	server = (struct sockaddr_in){.sin_family = AF_INET,
	    .sin_port = htons((uint16_t)atoi(argv[1])),
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct client *all = calloc(listeners + slow, sizeof *all), stop, clock;
	if (!all || (events = epoll_create1(0)) < 0)
		fail("epoll_create1");
	watch_signal(&stop);
	for (size_t i = 0; i < listeners + slow; i++) {
		all[i].kind = i < listeners ? LISTENER : i % 2 ? BODY : HEADERS;
		join(&all[i]);
	}
	watch_clock(&clock);
	for (bool said = false;;) {
		struct epoll_event ready[256];
		int n = epoll_wait(events, ready, 256, -1);
		for (int i = 0; i < n; i++) {
			struct client *c = ready[i].data.ptr;
			if (c->kind == TICK) {
				drip(c, all + listeners, slow);
			} else if (c->kind == SIGNAL) {
				printf("%zu listeners, %zu slow clients, %zu times one was cut off\n", listeners - lost,
				    slow, cut);
				return lost > 0;
			} else {
				hear(c);
			}
		}
		if (!said && answered == listeners) {
			printf("ready\n");
			fflush(stdout);
			said = true;
		}
	}
}
