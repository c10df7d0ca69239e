/* http.c - the server around libmicrohttpd: its socket, its threads, and the deadlines that the library does not keep. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/serve/http_own.h"

enum { BACKLOG = 1024, WATCH_MS = 500 };

/* ---- deadlines: the library's timeout starts anew with each byte, so a client that drips its headers or its body would stay for ever ---- */

enum phase { PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER };

struct peer {
	struct peer *next, *prev;
	struct watch *watch;
	int fd;
	/* Written by the connection's thread, read by the watcher; each for itself. */
	_Atomic int phase; /* enum phase */
	_Atomic int64_t since;
	atomic_bool fresh; /* has sent no request yet */
};

struct watch {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	struct peer list; /* the ring's fixed end */
	const struct http_conf *conf;
	bool stop;
};

static bool overdue(const struct watch *w, const struct peer *p, int64_t now)
{
	const struct http_conf *c = w->conf;
	enum phase phase = (enum phase)atomic_load_explicit(&p->phase, memory_order_relaxed);
	unsigned first =
	    phase == PHASE_HEADERS || atomic_load_explicit(&p->fresh, memory_order_relaxed) ? c->header_s : c->idle_s;
	unsigned limit = phase == PHASE_BODY ? c->body_s : phase == PHASE_ANSWER ? 0 : first;
	return limit && now - atomic_load_explicit(&p->since, memory_order_relaxed) > (int64_t)limit * 1000;
}

static void *watch_run(void *arg)
{
	struct watch *w = arg;
	pthread_mutex_lock(&w->lock);
	while (!w->stop) {
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_nsec += WATCH_MS * 1000000L;
		t.tv_sec += t.tv_nsec / 1000000000;
		t.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&w->ended, &w->lock, &t);
		int64_t now = clock_mono_ms();
		for (struct peer *p = w->list.next; p != &w->list; p = p->next)
			if (overdue(w, p, now))
				shutdown(p->fd, SHUT_RDWR); /* the library then sees its end, and closes it */
	}
	pthread_mutex_unlock(&w->lock);
	return NULL;
}

static struct watch *watch_new(const struct http_conf *conf, struct err *e)
{
	struct watch *w = xcalloc(1, sizeof *w);
	w->conf = conf;
	w->list.next = w->list.prev = &w->list;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->ended, NULL);
	errno = pthread_create(&w->thread, NULL, watch_run, w);
	if (errno) {
		err_sys(e, "cannot start a thread");
		free(w);
		return NULL;
	}
	return w;
}

static void watch_free(struct watch *w)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->ended);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->ended);
	free(w);
}

/* Without the watcher's lock, which would be taken for each request. */
static void enter(struct MHD_Connection *c, enum phase phase)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct peer *p = i ? i->socket_context : NULL;
	if (!p)
		return;
	atomic_store_explicit(&p->since, clock_mono_ms(), memory_order_relaxed);
	atomic_store_explicit(&p->fresh, false, memory_order_relaxed);
	atomic_store_explicit(&p->phase, phase, memory_order_relaxed);
}

static void on_connection(void *arg, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http *h = arg;
	struct watch *w = h->watch;
	struct peer *p = *context;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		p = xcalloc(1, sizeof *p);
		p->fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		atomic_init(&p->since, clock_mono_ms());
		atomic_init(&p->fresh, true);
		*context = p;
	}
	if (!p)
		return;
	pthread_mutex_lock(&w->lock);
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		p->next = w->list.next;
		p->prev = &w->list;
		p->next->prev = p->prev->next = p;
	} else {
		p->next->prev = p->prev;
		p->prev->next = p->next;
	}
	pthread_mutex_unlock(&w->lock);
	if (code != MHD_CONNECTION_NOTIFY_STARTED) {
		free(p);
		*context = NULL;
	}
}

/* ---- requests ---- */

static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *c)
{
	enter(c, PHASE_HEADERS);
	return exchange_new(arg, uri);
}

/* While we ourselves keep the client waiting, no deadline runs. */
static int take_piece(struct exchange *x, const char *p, size_t n)
{
	struct exchange_private *o = x->own;
	if (o->paused)
		enter(o->connection, PHASE_BODY);
	o->paused = false;
	int rc = exchange_take(x, p, n);
	if (o->paused)
		enter(o->connection, PHASE_ANSWER);
	return rc;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *piece, size_t *n, void **context)
{
	struct exchange *x = *context;
	(void)url;
	(void)version;
	if (!x) /* the library calls on_request_line first, always */
		return MHD_NO;
	if (!x->own->begun) {
		enter(c, PHASE_BODY);
		return exchange_begin(x, c, method) < 0 ? exchange_queue(x) : MHD_YES;
	}
	if (x->own->queued)
		return MHD_YES;
	if (*n) {
		size_t taken = *n;
		*n = 0;
		return take_piece(x, piece, taken) < 0 ? MHD_NO : MHD_YES;
	}
	/* Its connection sleeps once it is deferred, until exchange_resume: to be here again then means that it is answered. In between
	 * it belongs to another thread, and what that has done is not looked at. */
	enter(c, PHASE_ANSWER);
	if (!x->own->deferred && !x->own->answered && !x->own->cut) {
		x->route->end(x, ((struct http *)arg)->conf.app);
		if (x->own->deferred)
			return MHD_YES;
	}
	return exchange_queue(x);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode why)
{
	struct exchange *x = *context;
	struct http *h = arg;
	if (!x)
		return;
	enter(c, PHASE_IDLE);
	x->took_us = exchange_clock_us() - x->began_us;
	if (h->conf.access_log && x->own->begun) {
		char status[16], bytes[24], ms[32];
		snprintf(status, sizeof status, "%u", x->status);
		snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)x->sent);
		snprintf(ms, sizeof ms, "%.3f", (double)x->took_us / 1000);
		log_info("request", "method", x->method, "path", x->path, "status", status, "bytes", bytes, "ms", ms,
		    "request_id", x->request_id, "ended", why == MHD_REQUEST_TERMINATED_COMPLETED_OK ? "well" : "early",
		    x->traceparent[0] ? "traceparent" : NULL, x->traceparent, NULL);
	}
	exchange_free(x);
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

static int listen_tcp(const char *address, struct err *e)
{
	const char *colon = strrchr(address, ':');
	const char *port = colon ? colon + 1 : address;
	char host[256];
	size_t n = colon ? (size_t)(colon - address) : 0;
	if (n >= 2 && address[0] == '[' && address[n - 1] == ']') {
		address++;
		n -= 2;
	}
	if (n >= sizeof host || !*port || strspn(port, "0123456789") != strlen(port) || strtoul(port, NULL, 10) > 65535)
		return err_set(e, ERR_USAGE, "'%s' is no address to listen on, such as 127.0.0.1:8080", address);
	memcpy(host, address, n);
	host[n] = 0;
	struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	int rc = getaddrinfo(colon && n == 0 ? "::" : n ? host : "127.0.0.1", port, &hints, &found);
	if (rc)
		return err_set(e, ERR_ENV, "cannot listen on '%s': %s", address, gai_strerror(rc));
	int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
		if (found->ai_family == AF_INET6)
			setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	}
	if (fd < 0 || bind(fd, found->ai_addr, found->ai_addrlen) < 0 || listen(fd, BACKLOG) < 0) {
		err_sys(e, "cannot listen on '%s'", address);
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
static unsigned connections(unsigned wanted)
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

static int open_socket(struct http *h, struct err *e)
{
	if (h->conf.socket >= 0)
		return h->conf.socket;
	const char *to = h->conf.listen;
	return strncmp(to, "unix:", 5) == 0 ? listen_unix(h, to + 5, e) : listen_tcp(to, e);
}

struct http *http_start(const struct http_conf *conf, struct err *e)
{
	struct http *h = xcalloc(1, sizeof *h);
	h->conf = *conf;
	uuid_new(h->id);
	h->socket = open_socket(h, e);
	h->watch = h->socket >= 0 ? watch_new(&h->conf, e) : NULL;
	if (!h->watch) {
		if (h->socket >= 0 && conf->socket < 0)
			close(h->socket);
		free(h);
		return NULL;
	}
	h->address = address_of(h->socket);
	struct MHD_OptionItem options[] = {
	    {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_message, NULL},
	    {MHD_OPTION_LISTEN_SOCKET, h->socket, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)connections(conf->connections), NULL},
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
		watch_free(h->watch);
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
	watch_free(h->watch);
	if (h->unix_socket)
		unlink(h->conf.listen + 5);
	if (h->quiesced) /* else the library has closed it */
		close(h->socket);
	free(h->address);
	free(h);
}
