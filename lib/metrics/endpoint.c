/* endpoint.c - an endpoint for scrapers, by libmicrohttpd: one thread that polls few connections and answers from
 * memory.
 *
 * It makes the socket itself, so that errors of an address are reported in full and no child inherits it.
 */
#include "lib/metrics/endpoint.h"

#include <netdb.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/metrics/mhd_lib.h"

enum { CONNECTIONS = 32, IDLE_S = 10, BACKLOG = 32 };

struct endpoint {
	struct MHD_Daemon *daemon;
	struct endpoint_conf conf;
	char bound[NI_MAXHOST + NI_MAXSERV + 4]; /* ADDRESS:PORT */
};

/* ---- the address ---- */

struct listen_address {
	char host[256];
	char port[6];
};

static int bad_address(const char *where, struct err *e)
{
	return err_set(e, ERR_USAGE,
	    "--metrics takes PORT, HOST:PORT or [ADDRESS]:PORT with a port up to 65535, as in 9100, not '%s'", where);
}

static int parse(const char *where, struct listen_address *a, struct err *e)
{
	const char *colon = strrchr(where, ':');
	struct str host = STR("127.0.0.1"), port = str_of(colon ? colon + 1 : where);
	uint64_t number;
	if (colon) {
		host = (struct str){where, (size_t)(colon - where)};
		bool bracketed = host.n > 2 && host.p[0] == '[' && host.p[host.n - 1] == ']';
		if (bracketed)
			host = (struct str){host.p + 1, host.n - 2};
		if (bracketed != (host.n && memchr(host.p, ':', host.n) != NULL))
			return bad_address(where, e);
	}
	for (size_t i = 0; i < host.n; i++)
		if (strchr("[]/ ", host.p[i]))
			return bad_address(where, e);
	if (!host.n || host.n >= sizeof a->host || str_u64(port, &number) < 0 || number > 65535)
		return bad_address(where, e);
	snprintf(a->host, sizeof a->host, "%.*s", (int)host.n, host.p);
	snprintf(a->port, sizeof a->port, "%u", (unsigned)number);
	return 0;
}

int endpoint_check(const char *where, struct err *e)
{
	struct listen_address a;
	return parse(where, &a, e);
}

static int listen_at(const struct addrinfo *at)
{
	int on = 1, fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* A port that an earlier run has left in TIME_WAIT is free. */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(fd, at->ai_addr, at->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	close(fd);
	return -1;
}

static int open_socket(const char *where, struct err *e)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
	struct addrinfo *found;
	struct listen_address a;
	if (parse(where, &a, e) < 0)
		return -1;
	int rc = getaddrinfo(a.host, a.port, &hints, &found);
	if (rc)
		return err_set(e, ERR_ENV, "cannot find the host '%s' of --metrics: %s", a.host, gai_strerror(rc));
	int fd = listen_at(found);
	if (fd < 0)
		err_sys(e, "cannot listen at '%s' (--metrics)", where);
	freeaddrinfo(found);
	return fd;
}

static void find_bound(struct endpoint *p, int fd)
{
	struct sockaddr_storage at;
	socklen_t n = sizeof at;
	char host[NI_MAXHOST], port[NI_MAXSERV];
	if (getsockname(fd, (struct sockaddr *)&at, &n) < 0 || getnameinfo((struct sockaddr *)&at, n, host, sizeof host,
								   port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV))
		return;
	snprintf(p->bound, sizeof p->bound, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

static void say_where(const struct endpoint *p)
{
	char url[sizeof p->bound + 32];
	snprintf(url, sizeof url, "http://%s/metrics", p->bound);
	log_info("serving metrics", "url", url, NULL);
}

/* ---- answers ---- */

/* Takes the buffer's bytes. */
static enum MHD_Result reply(struct MHD_Connection *c, unsigned status, const char *type, const char *header,
    const char *value, struct buf *body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(body->n, body->p, MHD_RESPMEM_MUST_FREE);
	if (!r) {
		buf_free(body);
		return MHD_NO;
	}
	MHD_add_response_header(r, "Content-Type", type);
	if (header)
		MHD_add_response_header(r, header, value);
	enum MHD_Result queued = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);
	return queued;
}

static enum MHD_Result say(
    struct MHD_Connection *c, unsigned status, const char *header, const char *value, const char *text)
{
	struct buf body = {0};
	buf_str(&body, str_of(text));
	return reply(c, status, "text/plain; charset=utf-8", header, value, &body);
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *path, const char *method,
    const char *version, const char *upload, size_t *upload_size, void **state)
{
	static char seen;
	const struct endpoint *p = arg;
	bool metrics = strcmp(path, "/metrics") == 0, known = metrics || strcmp(path, "/livez") == 0;
	bool reads = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
	(void)version;
	(void)upload;
	/* The first call has only the headers. A body is read and dropped, so that the connection can go on. */
	if (!*state) {
		*state = &seen;
		return MHD_YES;
	}
	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	const char *host = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Host");
	if (host && !p->conf.knows(p->conf.arg, p->bound, str_of(host)))
		return say(c, MHD_HTTP_MISDIRECTED_REQUEST, NULL, NULL, "not the name of this host; --host adds one\n");
	if (!known)
		return say(c, MHD_HTTP_NOT_FOUND, NULL, NULL, "not found; there are /metrics and /livez\n");
	if (!reads)
		return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "Allow", "GET, HEAD", "only GET and HEAD\n");
	if (!metrics)
		return say(c, MHD_HTTP_OK, NULL, NULL, "ok\n");
	struct buf body = {0};
	registry_write(p->conf.registry, &body);
	return reply(c, MHD_HTTP_OK, EXPOSITION_TYPE, NULL, NULL, &body);
}

/* ---- its life ---- */

/* Signals belong to the thread that pumps. */
static struct MHD_Daemon *start(struct endpoint *p, int fd)
{
	sigset_t all, old;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	struct MHD_Daemon *d = MHD_start_daemon(MHD_USE_POLL_INTERNAL_THREAD, 0, NULL, NULL, answer, p,
	    MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return d;
}

struct endpoint *endpoint_open(const struct endpoint_conf *conf, struct err *e)
{
	int fd = open_socket(conf->where, e);
	if (fd < 0)
		return NULL;
	if (mhd_lib_open(e) < 0) {
		close(fd);
		return NULL;
	}
	struct endpoint *p = xcalloc(1, sizeof *p);
	p->conf = *conf;
	find_bound(p, fd);
	p->daemon = start(p, fd);
	if (!p->daemon) {
		err_set(e, ERR_ENV, "cannot serve --metrics at '%s': no thread or descriptor left", conf->where);
		close(fd);
		free(p);
		return NULL;
	}
	say_where(p);
	return p;
}

void endpoint_close(struct endpoint *p)
{
	MHD_stop_daemon(p->daemon); /* closes the socket */
	free(p);
}
