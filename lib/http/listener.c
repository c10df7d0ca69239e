/* listener.c - the socket on which a server listens. */
#include "lib/http/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/http/connections.h"

enum { BACKLOG = 1024 };

/* Removes a socket that a crash has left. 0, or -1 if something else is in the way. */
static int clear_path(const char *path, const struct sockaddr_un *a, int fd, struct err *e)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return 0; /* bind reports what is wrong, if anything is */
	if (!S_ISSOCK(st.st_mode))
		return err_set(e, ERR_USAGE,
		    "cannot listen on 'unix:%s': there is a file that is not a socket; remove it or name another path",
		    path);
	if (connect(fd, (const struct sockaddr *)a, sizeof *a) < 0 && errno == ECONNREFUSED)
		unlink(path);
	return 0;
}

static bool is_own(const struct listener *l)
{
	struct stat st;
	return lstat(l->path, &st) == 0 && st.st_dev == l->device && st.st_ino == l->inode;
}

static int listen_unix(struct listener *l, const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct stat st;
	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ERR_USAGE, "the socket's path is too long: '%s'", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && clear_path(path, &a, fd, e) < 0) {
		close(fd);
		return -1;
	}
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, BACKLOG) < 0 ||
	    lstat(path, &st) < 0) {
		err_sys(e, "cannot listen on 'unix:%s'", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	l->path = path;
	l->device = st.st_dev;
	l->inode = st.st_ino;
	return fd;
}

static int refuse_public(const char *address, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "anybody could send requests to '%s': name who may with --tokens FILE, or allow all with --insecure",
	    address);
}

static int listen_on(const struct addrinfo *a)
{
	int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (a->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	int why = errno;
	close(fd);
	errno = why;
	return -1;
}

/* Listens on the first of the host's addresses that this machine has. */
static int listen_host(const char *host, const char *port, const char *whole, bool local_only, struct err *e)
{
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	int rc = getaddrinfo(host, port, &hints, &found), fd = -1;
	if (rc)
		return err_set(e, ERR_ENV, "cannot listen on '%s': %s", whole, gai_strerror(rc));
	for (const struct addrinfo *a = found; a && fd < 0; a = a->ai_next) {
		if (local_only && !address_is_local(a->ai_addr)) {
			freeaddrinfo(found);
			return refuse_public(whole, e);
		}
		fd = listen_on(a);
	}
	if (fd < 0)
		err_sys(e, "cannot listen on '%s'", whole);
	freeaddrinfo(found);
	return fd;
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int listen_tcp(const char *address, bool local_only, struct err *e)
{
	const char *whole = address;
	const char *colon = strrchr(address, ':');
	const char *port = colon ? colon + 1 : address;
	char host[256];
	size_t n = colon ? (size_t)(colon - address) : 0;
	if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
		address++;
		n -= 2;
	}
	if (n >= sizeof host || !*port || strspn(port, "0123456789") != strlen(port) || strtoul(port, NULL, 10) > 65535)
		return err_set(e, ERR_USAGE, "'%s' is not an address to listen on, such as 127.0.0.1:8080", whole);
	memcpy(host, address, n);
	host[n] = 0;
	const char *all = has_ipv6() ? "::" : "0.0.0.0";
	return listen_host(colon && n == 0 ? all : n ? host : "127.0.0.1", port, whole, local_only, e);
}

static char *address_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;
	char host[128], port[16], text[160];
	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return xstrdup("?");
	if (a.ss_family == AF_UNIX) {
		snprintf(text, sizeof text, "unix:%s", ((struct sockaddr_un *)&a)->sun_path);
		return xstrdup(text);
	}
	if (getnameinfo(
		(struct sockaddr *)&a, n, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return xstrdup("?");
	snprintf(text, sizeof text, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
	return xstrdup(text);
}

static int check_inherited(int fd, bool local_only, struct err *e)
{
	struct sockaddr_storage a = {0};
	socklen_t n = sizeof a;
	if (getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		return err_sys(e, "cannot use the inherited socket");
	if (local_only && !address_is_local((struct sockaddr *)&a))
		return refuse_public("the inherited socket", e);
	return fd;
}

int listener_open(struct listener *l, const char *to, int inherited, bool local_only, struct err *e)
{
	*l = (struct listener){.fd = -1};
	l->fd = inherited >= 0		       ? check_inherited(inherited, local_only, e)
		: strncmp(to, "unix:", 5) == 0 ? listen_unix(l, to + 5, e)
					       : listen_tcp(to, local_only, e);
	if (l->fd < 0)
		return -1;
	l->address = address_of(l->fd);
	return 0;
}

void listener_close(struct listener *l, bool closed)
{
	if (l->path && is_own(l))
		unlink(l->path);
	if (!closed)
		close(l->fd);
	free(l->address);
}
