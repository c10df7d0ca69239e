/* http.c - the server around libmicrohttpd: its socket, its threads, and what happens to a request in which order. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/http/http_internal.h"

enum { BACKLOG = 1024 };

/* ---- connections ---- */

static struct connection *connection_of(struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	return i ? i->socket_context : NULL;
}

static void enter(struct MHD_Connection *c, enum phase phase)
{
	struct connection *p = connection_of(c);
	if (p)
		connection_enter(p, phase);
}

void request_cut(struct request *x)
{
	const union MHD_ConnectionInfo *i =
	    MHD_get_connection_info(x->own->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	if (i)
		shutdown(i->connect_fd, SHUT_RDWR);
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = arg;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		*context = connections_join(
		    h->connections, fd, MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
	} else if (*context) {
		connections_leave(*context);
		*context = NULL;
	}
}

/* ---- requests ---- */

static void host_of(const struct sockaddr *a, char *out, size_t n)
{
	socklen_t size = a && a->sa_family == AF_INET	 ? sizeof(struct sockaddr_in)
			 : a && a->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							 : 0;
	if (size == 0 || getnameinfo(a, size, out, (socklen_t)n, NULL, 0, NI_NUMERICHOST))
		snprintf(out, n, "unix");
}

static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *c)
{
	enter(c, PHASE_HEADERS);
	return request_new(arg, uri);
}

/* While we ourselves keep the client waiting, no deadline runs. */
static int take_piece(struct request *x, const char *p, size_t n)
{
	struct request_private *o = x->own;
	if (o->paused)
		enter(o->connection, PHASE_BODY);
	o->paused = false;
	int rc = request_take(x, p, n);
	if (o->paused)
		enter(o->connection, PHASE_ANSWER);
	return rc;
}

/* A stream goes on for as long as its listener likes. */
static enum MHD_Result send_answer(struct request *x)
{
	enum MHD_Result queued = request_queue(x);
	struct connection *p = connection_of(x->own->connection);
	if (p && !x->own->stream)
		connection_send(p, x->sent);
	return queued;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *piece, size_t *n, void **context)
{
	struct request *x = *context;
	(void)arg;
	(void)url;
	if (!x) /* the library calls on_request_line first, always */
		return MHD_NO;
	if (!x->own->begun) {
		enter(c, PHASE_BODY);
		bool refused = request_begin(x, c, method, version) < 0;
		/* An answer at this point ends the connection, since a body that may follow is not read. */
		return refused && x->own->has_body ? send_answer(x) : MHD_YES;
	}
	if (x->own->queued)
		return MHD_YES;
	if (*n) {
		size_t taken = *n;
		*n = 0;
		return take_piece(x, piece, taken) < 0 ? MHD_NO : MHD_YES;
	}
	/* Its connection sleeps once it is deferred, until request_resume: to be here again then means that it is answered. In between
	 * it belongs to another thread, and what that has done is not looked at. */
	enter(c, PHASE_ANSWER);
	if (!x->own->deferred && !x->own->answered && !x->own->cut) {
		x->route->end(x, x->route->app);
		if (x->own->deferred)
			return MHD_YES;
	}
	return send_answer(x);
}

/* Nothing that may be secret: no query, no header but the two that correlate. */
static void log_access(const struct request *x, struct MHD_Connection *c, bool well)
{
	char status[16], bytes[24], ms[32], peer[64];
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	snprintf(status, sizeof status, "%u", x->status);
	snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)x->sent);
	snprintf(ms, sizeof ms, "%.3f", (double)x->took_us / 1000);
	host_of(i ? i->client_addr : NULL, peer, sizeof peer);
	log_asked("request", "method", x->method, "path", x->path, "status", status, "bytes", bytes, "ms", ms, "peer",
	    peer, "token", x->caller[0] ? x->caller : "-", "request_id", x->request_id, "ended",
	    well ? "well" : "early", x->traceparent[0] ? "traceparent" : NULL, x->traceparent, NULL);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode why)
{
	struct request *x = *context;
	struct http *h = arg;
	if (!x)
		return;
	enter(c, PHASE_IDLE);
	x->took_us = request_clock_us() - x->began_us;
	if (h->conf.access_log && x->own->begun)
		log_access(x, c, why == MHD_REQUEST_TERMINATED_COMPLETED_OK);
	request_free(x);
	*context = NULL;
}

/* Paths and queries stay as they were sent: %2F and %00 must not be lost before a segment has been cut out. */
static size_t keep_escapes(void *arg, struct MHD_Connection *c, char *s)
{
	(void)arg;
	(void)c;
	return strlen(s);
}

static void on_message(void *arg, const char *fmt, va_list ap)
{
	char text[256];
	(void)arg;
	vsnprintf(text, sizeof text, fmt, ap);
	text[strcspn(text, "\n")] = 0;
	log_debug("libmicrohttpd", "says", text, NULL);
}

/* ---- the socket ---- */

static int listen_unix(struct http *h, const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ERR_USAGE, "the socket's path is too long: '%s'", path);
	memcpy(a.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* A socket that nobody listens on any more is left from a crash. */
	if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof a) < 0 && errno == ECONNREFUSED)
		unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) < 0 || listen(fd, BACKLOG) < 0) {
		if (fd >= 0)
			close(fd);
		return err_sys(e, "cannot listen on 'unix:%s'", path);
	}
	h->unix_socket = true;
	return fd;
}

/* Whoever can reach it would be let in. */
static int refuse_public(const char *address, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "on '%s' anybody could ask: name who may by --tokens FILE, or let it be so by --insecure", address);
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
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	int rc = getaddrinfo(colon && n == 0 ? "::" : n ? host : "127.0.0.1", port, &hints, &found);
	if (rc)
		return err_set(e, ERR_ENV, "cannot listen on '%s': %s", whole, gai_strerror(rc));
	if (local_only && !address_is_local(found->ai_addr)) {
		freeaddrinfo(found);
		return refuse_public(whole, e);
	}
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (found->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	}
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		err_sys(e, "cannot listen on '%s'", whole);
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(found);
	return fd;
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

/* As many connections as the system allows us descriptors, less those that the rest of the program needs. */
static unsigned connection_limit(unsigned wanted)
{
	struct rlimit r;
	enum { OTHERS = 64 };
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return wanted ? wanted : 1000;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	rlim_t most = r.rlim_cur > 2 * OTHERS ? r.rlim_cur - OTHERS : OTHERS;
	if (most > 100000)
		most = 100000;
	return wanted && wanted < most ? wanted : (unsigned)most;
}

static int take_inherited(struct http *h, struct err *e)
{
	struct sockaddr_storage a = {0};
	socklen_t n = sizeof a;
	if (getsockname(h->conf.socket, (struct sockaddr *)&a, &n) < 0)
		return err_sys(e, "cannot use the inherited socket");
	if (h->conf.local_only && !address_is_local((struct sockaddr *)&a))
		return refuse_public("the inherited socket", e);
	return h->conf.socket;
}

static int open_socket(struct http *h, struct err *e)
{
	const char *to = h->conf.listen;
	if (h->conf.socket >= 0)
		return take_inherited(h, e);
	return strncmp(to, "unix:", 5) == 0 ? listen_unix(h, to + 5, e) : listen_tcp(to, h->conf.local_only, e);
}

struct http *http_start(const struct http_conf *conf, struct err *e)
{
	struct http *h = xcalloc(1, sizeof *h);
	h->conf = *conf;
	uuid_new(h->id);
	h->socket = open_socket(h, e);
	h->connections = h->socket >= 0 ? connections_new(&h->conf, e) : NULL;
	if (!h->connections) {
		if (h->socket >= 0 && conf->socket < 0)
			close(h->socket);
		free(h);
		return NULL;
	}
	h->address = address_of(h->socket);
	struct MHD_OptionItem options[] = {
	    {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_message, NULL},
	    {MHD_OPTION_LISTEN_SOCKET, h->socket, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)connection_limit(conf->connections), NULL},
	    {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)conf->idle_s, NULL},
	    {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)conf->max_header, NULL},
	    {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
	    {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, h},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, h},
	    {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, h},
	    {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
	    {conf->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)conf->threads, NULL},
	    {MHD_OPTION_END, 0, NULL},
	};
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
	    NULL, NULL, on_request, h, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
	if (!h->daemon) {
		err_set(e, ERR_ENV, "cannot start the HTTP server on '%s'", h->address);
		connections_free(h->connections);
		free(h->address);
		free(h);
		return NULL;
	}
	return h;
}

const char *http_address(const struct http *h)
{
	return h->address;
}

void http_quiesce(struct http *h)
{
	h->quiesced = MHD_quiesce_daemon(h->daemon) >= 0;
}

size_t http_busy(const struct http *h)
{
	return atomic_load(&((struct http *)h)->busy);
}

void http_stop(struct http *h)
{
	MHD_stop_daemon(h->daemon);
	connections_free(h->connections);
	if (h->unix_socket)
		unlink(h->conf.listen + 5);
	if (h->quiesced) /* else the library has closed it */
		close(h->socket);
	free(h->address);
	free(h);
}
