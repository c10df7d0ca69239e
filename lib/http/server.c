/* server.c - the server around libmicrohttpd: its threads, and the order of a request's steps. */
#include <netdb.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "lib/base/log.h"
#include "lib/http/http_internal.h"

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

static void on_connection(void *arg, struct MHD_Connection *c, void **context, enum MHD_ConnectionNotificationCode code)
{
	struct http_server *s = arg;
	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		int fd = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
		*context = connections_join(
		    s->connections, fd, MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
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

/* We read the query ourselves, so it is hidden from the library here: that would keep a record for each of its
 * parameters in the connection's memory, and a request of more than fit got no answer at all. The target stands in that
 * memory too, and may be written to. */
static void hide_query(const char *uri)
{
	char *query = strchr((char *)(uintptr_t)uri, '?');
	if (query)
		query[1] = 0;
}

static void *on_request_line(void *arg, const char *uri, struct MHD_Connection *c)
{
	enter(c, PHASE_HEADERS);
	struct request *r = request_new(arg, uri);
	hide_query(uri);
	return r;
}

/* No deadline runs while we keep the client waiting. */
static int take_piece(struct request *r, struct str *piece)
{
	struct request_private *o = r->own;
	if (o->paused)
		enter(o->connection, PHASE_BODY);
	o->paused = false;
	int rc = request_take(r, piece);
	if (o->paused)
		enter(o->connection, PHASE_ANSWER);
	return rc;
}

/* A stream has no deadline. */
static enum MHD_Result send_answer(struct request *r)
{
	struct connection *p = connection_of(r->own->connection);
	enum MHD_Result queued = request_queue(r);
	if (p && queued != MHD_YES)
		connection_linger(p);
	if (p && !r->own->stream)
		connection_send(p, r->sent);
	return queued;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *c, const char *url, const char *method,
    const char *version, const char *piece, size_t *n, void **context)
{
	struct request *r = *context;
	(void)arg;
	(void)url;
	if (!r) /* the library always calls on_request_line first */
		return MHD_NO;
	if (!r->own->begun) {
		enter(c, PHASE_BODY);
		bool refused = request_begin(r, c, method, version) < 0;
		if (!refused || !(r->own->has_body || r->own->crowded))
			return MHD_YES;
		/* An answer at this point ends the connection, since a body may follow that is not read. */
		if (connection_of(c))
			connection_linger(connection_of(c));
		if (!r->own->crowded)
			return send_answer(r);
		request_write(r);
		return MHD_NO;
	}
	if (r->own->queued)
		return MHD_YES;
	if (*n) {
		struct str rest = {piece, *n};
		int rc = take_piece(r, &rest);
		*n = rest.n;
		return rc < 0 ? MHD_NO : MHD_YES;
	}
	/* The connection of a deferred request sleeps until request_resume, so being here again means that it is
	 * answered. In between it belongs to another thread. */
	enter(c, PHASE_ANSWER);
	if (!r->own->deferred) {
		request_end(r);
		if (r->own->deferred)
			return MHD_YES;
	}
	return send_answer(r);
}

/* Logs nothing that may be secret: no query, and only the two headers that correlate. */
static void log_access(const struct request *r, struct MHD_Connection *c, bool well)
{
	char status[16], bytes[24], ms[32], peer[64];
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	snprintf(status, sizeof status, "%u", r->status);
	snprintf(bytes, sizeof bytes, "%llu", (unsigned long long)r->sent);
	snprintf(ms, sizeof ms, "%.3f", (double)r->took_us / 1000);
	host_of(i ? i->client_addr : NULL, peer, sizeof peer);
	log_asked("request", "method", r->method, "path", r->path, "status", status, "bytes", bytes, "ms", ms, "peer",
	    peer, "token", r->caller[0] ? r->caller : "-", "request_id", r->request_id, "ended",
	    well ? "well" : "early", r->traceparent[0] ? "traceparent" : NULL, r->traceparent, NULL);
}

static void on_completed(void *arg, struct MHD_Connection *c, void **context, enum MHD_RequestTerminationCode why)
{
	struct request *r = *context;
	struct http_server *s = arg;
	if (!r)
		return;
	enter(c, PHASE_IDLE);
	r->took_us = request_clock_us() - r->began_us;
	if (s->conf.access_log && r->own->begun)
		log_access(r, c, why == MHD_REQUEST_TERMINATED_COMPLETED_OK || r->own->written);
	request_free(r);
	*context = NULL;
}

/* Paths and queries stay as sent: %2F and %00 must survive until a segment has been cut out. */
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

unsigned http_descriptors(void)
{
	enum { MOST = 200000 };
	struct rlimit r;
	if (getrlimit(RLIMIT_NOFILE, &r) < 0)
		return 1024;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur < MOST ? (unsigned)r.rlim_cur : MOST;
}

/* As many connections as descriptors, less those for temporary files and for the rest of the program. */
static unsigned connection_limit(unsigned wanted)
{
	enum { OTHERS = 64, MOST = 100000 };
	unsigned all = http_descriptors(), left = all - all / 4, most = left > 2 * OTHERS ? left - OTHERS : OTHERS;
	if (most > MOST)
		most = MOST;
	return wanted && wanted < most ? wanted : most;
}

/* ---- its life ---- */

/* No web page reaches a Unix socket. */
static void learn_names(struct http_server *s)
{
	const struct http_conf *conf = &s->conf;
	s->checks_host = !conf->any_host && strncmp(s->listener.address, "unix:", 5) != 0;
	s->names = (struct guard_names){
	    .listen = conf->socket < 0 ? conf->listen : NULL, .bound = s->listener.address, .more = conf->hosts};
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
	const struct http_conf *conf = &s->conf;
	struct MHD_OptionItem options[] = {
	    {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_message, NULL},
	    {MHD_OPTION_LISTEN_SOCKET, s->listener.fd, NULL},
	    {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)connection_limit(conf->connections), NULL},
	    {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)conf->limits.idle_s, NULL},
	    {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)conf->max_header + HEADER_SPARE, NULL},
	    {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, NULL},
	    {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, s},
	    {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
	    {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
	    {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
	    {conf->threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, (intptr_t)conf->threads, NULL},
	    {MHD_OPTION_END, 0, NULL},
	};
	return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, NULL,
	    NULL, on_request, s, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
}

struct http_server *http_server_start(const struct http_conf *conf, struct err *e)
{
	struct http_server *s = xcalloc(1, sizeof *s);
	s->conf = *conf;
	uuid_new(s->id);
	if (listener_open(&s->listener, conf->listen, conf->socket, conf->local_only, e) < 0)
		goto failed;
	learn_names(s);
	s->connections = connections_new(&conf->limits, e);
	if (!s->connections)
		goto failed_listening;
	s->daemon = start_daemon(s);
	if (s->daemon)
		return s;
	err_set(e, ERR_ENV, "cannot start the HTTP server on '%s'", s->listener.address);
	connections_free(s->connections);
failed_listening:
	listener_close(&s->listener, false);
failed:
	free(s);
	return NULL;
}

const char *http_server_address(const struct http_server *s)
{
	return s->listener.address;
}

void http_server_quiesce(struct http_server *s)
{
	s->quiesced = MHD_quiesce_daemon(s->daemon) >= 0;
}

size_t http_server_busy(const struct http_server *s)
{
	return atomic_load(&s->busy);
}

void http_server_stop(struct http_server *s)
{
	MHD_stop_daemon(s->daemon); /* closes the socket, unless it was quiesced */
	connections_free(s->connections);
	listener_close(&s->listener, !s->quiesced);
	free(s);
}
