/* reject_socket.c - reads lines from the connections of a Unix socket. */
#include "lib/stage/reject_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/json/scan.h"

enum { BLOCK = 64 << 10 };

int reject_socket_open(struct reject_socket *in, const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = strlen(path) + 1;
	*in = (struct reject_socket){.fd = -1};
	if (n > sizeof a.sun_path)
		return err_set(
		    e, ERR_ENV, "the path of a socket is too long: '%s' (set TMPDIR to a shorter one)", path);
	memcpy(a.sun_path, path, n);
	memcpy(in->path, path, n);
	in->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (in->fd >= 0 && bind(in->fd, (struct sockaddr *)&a, sizeof a) == 0 && listen(in->fd, REJECT_SENDERS) == 0)
		return 0;
	err_sys(e, "cannot listen on '%s'", path);
	if (in->fd >= 0)
		close(in->fd);
	in->fd = -1;
	return -1;
}

size_t reject_socket_watch(const struct reject_socket *in, struct pollfd *f)
{
	size_t n = 0;
	if (in->n < REJECT_SENDERS)
		f[n++] = (struct pollfd){.fd = in->fd, .events = POLLIN};
	for (size_t i = 0; i < in->n; i++)
		f[n++] = (struct pollfd){.fd = in->tool[i].fd, .events = POLLIN};
	return n;
}

static void accept_all(struct reject_socket *in)
{
	while (in->n < REJECT_SENDERS) {
		int fd = accept4(in->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		in->tool[in->n++] = (struct reject_sender){.fd = fd};
	}
}

static void take_lines(struct reject_sender *t, void (*take)(void *, struct str), void *arg)
{
	size_t at = 0;
	buf_reserve(&t->text, JSON_PAD);
	for (const char *nl; (nl = memchr(t->text.p + at, '\n', t->text.n - at)); at = (size_t)(nl - t->text.p) + 1) {
		struct str line = {t->text.p + at, (size_t)(nl - t->text.p) - at};
		if (line.n && !t->skipping)
			take(arg, line);
		t->skipping = false;
	}
	buf_shift(&t->text, at);
	if (t->text.n > REJECT_LINE && !t->skipping) {
		log_warn("a reject is too long to read", NULL);
		t->skipping = true;
	}
	if (t->skipping)
		buf_clear(&t->text);
}

/* False if the connection has ended. */
static bool read_all(struct reject_sender *t, void (*take)(void *, struct str), void *arg)
{
	for (;;) {
		buf_reserve(&t->text, BLOCK);
		ssize_t r = read(t->fd, t->text.p + t->text.n, BLOCK);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
		t->text.n += (size_t)r;
		take_lines(t, take, arg);
	}
}

static void close_tool(struct reject_sender *t)
{
	close(t->fd);
	buf_free(&t->text);
}

void reject_socket_drain(struct reject_socket *in, void (*take)(void *arg, struct str line), void *arg)
{
	accept_all(in);
	for (size_t i = 0; i < in->n;) {
		if (read_all(&in->tool[i], take, arg)) {
			i++;
			continue;
		}
		close_tool(&in->tool[i]);
		in->tool[i] = in->tool[--in->n];
	}
}

void reject_socket_cut(struct reject_socket *in)
{
	accept_all(in);
	for (size_t i = 0; i < in->n; i++)
		close_tool(&in->tool[i]);
	in->n = 0;
}

void reject_socket_close(struct reject_socket *in)
{
	reject_socket_cut(in);
	close(in->fd);
	unlink(in->path);
}
