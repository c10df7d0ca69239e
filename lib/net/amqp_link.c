/* amqp_link.c - connecting, reading frames, and connecting again.
 *
 * rabbitmq-c sends heartbeats only inside its own calls, so one thread for all links sends them while a link's owner is
 * busy. It reads nothing: input waits in the socket, and the owner notices a silent broker.
 */
#include "lib/net/amqp_link.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/timedwait.h"

enum {
	CALL_S = 10, /* for one call to the broker */
	TICK_MS = 5000,
	FRAME_MAX = 131072,
	FIRST_PAUSE_MS = 100,
	LAST_PAUSE_MS = 5000,
};

/* ---- the keeper ---- */

static pthread_mutex_t links_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t links_changed;
static pthread_once_t links_once = PTHREAD_ONCE_INIT;
static struct amqp_link *links;
static pthread_t keeper;
static bool keeper_runs;

static void init_links(void)
{
	cond_init(&links_changed);
}

static bool ready(int fd, short events, int wait_ms)
{
	struct pollfd f = {.fd = fd, .events = events};
	return poll(&f, 1, wait_ms) > 0 && (f.revents & events);
}

static void beat(struct amqp_link *l)
{
	if (pthread_mutex_trylock(&l->lock) != 0)
		return; /* its owner is using it */
	const amqp_frame_t frame = {.frame_type = AMQP_FRAME_HEARTBEAT, .channel = 0};
	/* The owner will find a failure. */
	if (l->state && ready(link_fd(l), POLLOUT, 0))
		amqp_send_frame(l->state, &frame);
	pthread_mutex_unlock(&l->lock);
}

/* links_lock is held. */
static int shortest_tick_ms(void)
{
	int ms = TICK_MS;
	for (struct amqp_link *l = links; l; l = l->next)
		if (l->tick_ms < ms)
			ms = l->tick_ms;
	return ms;
}

static void *keeper_main(void *arg)
{
	(void)arg;
	pthread_mutex_lock(&links_lock);
	while (links) {
		if (cond_wait_until(&links_changed, &links_lock, clock_mono_ms() + shortest_tick_ms()))
			continue;
		for (struct amqp_link *l = links; l; l = l->next)
			beat(l);
	}
	pthread_mutex_unlock(&links_lock);
	return NULL;
}

static int keeper_add(struct amqp_link *l, struct err *e)
{
	int rc = 0;
	pthread_once(&links_once, init_links);
	pthread_mutex_lock(&links_lock);
	l->next = links;
	links = l;
	if (!keeper_runs) {
		/* Signals belong to the thread that pumps. */
		sigset_t all, old;
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		rc = pthread_create(&keeper, NULL, keeper_main, NULL);
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		keeper_runs = rc == 0;
		if (rc)
			links = l->next;
	}
	pthread_mutex_unlock(&links_lock);
	return rc ? err_set(e, ERR_ENV, "cannot start a thread for heartbeats: %s", strerror(rc)) : 0;
}

static void keeper_remove(struct amqp_link *l)
{
	pthread_mutex_lock(&links_lock);
	struct amqp_link **at = &links;
	while (*at && *at != l)
		at = &(*at)->next;
	if (*at)
		*at = l->next;
	bool last = !links && keeper_runs;
	if (last) {
		keeper_runs = false;
		pthread_cond_signal(&links_changed);
	}
	pthread_mutex_unlock(&links_lock);
	if (last)
		pthread_join(keeper, NULL);
}

void link_enter(struct amqp_link *l)
{
	pthread_mutex_lock(&l->lock);
}

void link_leave(struct amqp_link *l)
{
	pthread_mutex_unlock(&l->lock);
}

int link_fd(const struct amqp_link *l)
{
	return l->state ? amqp_get_sockfd(l->state) : -1;
}

/* ---- connecting ---- */

int link_hopeless(struct amqp_link *l)
{
	l->hopeless = true;
	return -1;
}

/* Errors that last: refused credentials, missing permissions, an unknown virtual host, other arguments. */
static bool is_hopeless(int code)
{
	return code == 403 || code == 406 || code == 530;
}

static int close_code(const amqp_rpc_reply_t *r, amqp_bytes_t *text)
{
	if (r->reply_type != AMQP_RESPONSE_SERVER_EXCEPTION)
		return 0;
	if (r->reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
		const amqp_channel_close_t *c = r->reply.decoded;
		*text = c->reply_text;
		return c->reply_code;
	}
	if (r->reply.id == AMQP_CONNECTION_CLOSE_METHOD) {
		const amqp_connection_close_t *c = r->reply.decoded;
		*text = c->reply_text;
		return c->reply_code;
	}
	return 0;
}

static int reply_error(struct amqp_link *l, const amqp_rpc_reply_t *r, const char *what, struct err *e)
{
	amqp_bytes_t text = {0};
	int code = close_code(r, &text);
	if (code) {
		l->hopeless = l->hopeless || is_hopeless(code);
		return err_set(e, ERR_ENV, "%s: the broker %s says %d %.*s", what, l->address.at.shown, code,
		    (int)text.len, (const char *)text.bytes);
	}
	bool library = r->reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION;
	return err_set(e, ERR_ENV, "%s: the broker %s: %s", what, l->address.at.shown,
	    library ? amqp_error_string2(r->library_error) : "unexpected answer");
}

static int open_channel(struct amqp_link *l, struct err *e)
{
	amqp_channel_open(l->state, AMQP_CHANNEL);
	amqp_rpc_reply_t r = amqp_get_rpc_reply(l->state);
	return r.reply_type == AMQP_RESPONSE_NORMAL ? 0 : reply_error(l, &r, "cannot open a channel", e);
}

int link_result(struct amqp_link *l, const char *what, struct err *e)
{
	amqp_rpc_reply_t r = amqp_get_rpc_reply(l->state);
	if (r.reply_type == AMQP_RESPONSE_NORMAL)
		return 0;
	bool hopeless = l->hopeless;
	reply_error(l, &r, what, e);
	if (r.reply_type != AMQP_RESPONSE_SERVER_EXCEPTION || r.reply.id != AMQP_CHANNEL_CLOSE_METHOD)
		return -1;
	amqp_bytes_t text;
	int code = close_code(&r, &text);
	amqp_channel_close_ok_t ok = {0};
	struct err other;
	if (amqp_send_method(l->state, AMQP_CHANNEL, AMQP_CHANNEL_CLOSE_OK_METHOD, &ok) < 0 ||
	    open_channel(l, &other) < 0)
		return -1;
	l->hopeless = hopeless; /* the caller decides */
	return code;
}

static const char *default_cacert(void)
{
	static const char debian[] = "/etc/ssl/certs/ca-certificates.crt";
	const char *file = env_get("SSL_CERT_FILE");
	return file ? file : debian;
}

static amqp_socket_t *tls_socket(struct amqp_link *l, struct err *e)
{
	const struct amqp_address *a = &l->address;
	amqp_socket_t *s = amqp_ssl_socket_new(l->state);
	const char *ca = a->cacert ? a->cacert : default_cacert();
	l->hopeless = true; /* waiting does not change files */
	if (!s) {
		err_set(e, ERR_ENV, "cannot set up TLS");
		return NULL;
	}
	amqp_ssl_socket_set_verify_peer(s, 1);
	amqp_ssl_socket_set_verify_hostname(s, 1);
	amqp_ssl_socket_set_ssl_versions(s, AMQP_TLSv1_2, AMQP_TLSvLATEST);
	if (amqp_ssl_socket_set_cacert(s, ca) < 0) {
		err_set(e, ERR_ENV, "cannot use the certificates of '%s' (cacertfile, SENTI_AMQP_CACERT)", ca);
		return NULL;
	}
	if (a->cert && amqp_ssl_socket_set_key(s, a->cert, a->certkey) < 0) {
		err_set(e, ERR_ENV, "cannot use the client certificate '%s' with the key '%s'", a->cert, a->certkey);
		return NULL;
	}
	l->hopeless = false;
	return s;
}

static int open_socket(struct amqp_link *l, struct err *e)
{
	const struct amqp_address *a = &l->address;
	amqp_socket_t *s = a->tls ? tls_socket(l, e) : amqp_tcp_socket_new(l->state);
	if (!s)
		return a->tls ? -1 : err_set(e, ERR_ENV, "cannot make a socket");
	struct timeval limit = {.tv_sec = CALL_S};
	errno = 0;
	int rc = amqp_socket_open_noblock(s, a->at.host, a->at.port, &limit);
	if (rc < 0) {
		/* The library waits for the outcome but does not report it. */
		const char *why = rc != AMQP_STATUS_SOCKET_ERROR       ? amqp_error_string2(rc)
				  : errno == EINPROGRESS || errno == 0 ? "connection refused, or no route to it"
								       : strerror(errno);
		l->hopeless = rc == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED || rc == AMQP_STATUS_SSL_PEER_VERIFY_FAILED;
		return err_set(e, ERR_ENV, "cannot connect to the broker %s: %s", a->at.shown, why);
	}
	return 0;
}

static amqp_table_entry_t text_entry(const char *key, const char *value)
{
	return (amqp_table_entry_t){.key = amqp_cstring_bytes(key),
	    .value = {.kind = AMQP_FIELD_KIND_UTF8, .value.bytes = amqp_cstring_bytes(value)}};
}

static int login(struct amqp_link *l, struct err *e)
{
	const struct amqp_address *a = &l->address;
	amqp_table_entry_t able[] = {
	    {.key = amqp_cstring_bytes("connection.blocked"),
		.value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
	    {.key = amqp_cstring_bytes("consumer_cancel_notify"),
		.value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
	    {.key = amqp_cstring_bytes("authentication_failure_close"),
		.value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
	    {.key = amqp_cstring_bytes("basic.nack"), .value = {.kind = AMQP_FIELD_KIND_BOOLEAN, .value.boolean = 1}},
	};
	amqp_table_entry_t said[] = {
	    text_entry("product", "senti"),
	    text_entry("version", SENTI_VERSION),
	    text_entry("connection_name", l->conf->tool),
	    {.key = amqp_cstring_bytes("capabilities"),
		.value = {.kind = AMQP_FIELD_KIND_TABLE, .value.table = {COUNT_OF(able), able}}},
	};
	const amqp_table_t properties = {COUNT_OF(said), said};
	amqp_rpc_reply_t r = amqp_login_with_properties(l->state, a->vhost, 0, FRAME_MAX, (int)a->heartbeat_s,
	    &properties, AMQP_SASL_METHOD_PLAIN, a->user, a->password);
	return r.reply_type == AMQP_RESPONSE_NORMAL ? 0 : reply_error(l, &r, "cannot log in", e);
}

/* Sets timeouts by the heartbeat that the broker has agreed to. */
static void set_pace(struct amqp_link *l)
{
	int heartbeat_s = amqp_get_heartbeat(l->state), third_ms = heartbeat_s * 1000 / 3;
	l->tick_ms = third_ms > 0 && third_ms < TICK_MS ? third_ms : TICK_MS;
	/* TCP_USER_TIMEOUT ends a connection whose peer acknowledges nothing; the library would wait for ever. */
	unsigned patience_ms = 2000 * (heartbeat_s > 0 ? (unsigned)heartbeat_s : l->address.heartbeat_s);
	setsockopt(link_fd(l), IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms);
}

static int connect_to_host(struct amqp_link *l, struct err *e)
{
	struct timeval limit = {.tv_sec = CALL_S};
	l->hopeless = l->in.blocked = false;
	frames_reset(&l->in);
	if (amqp_lib_open(e) < 0) {
		l->hopeless = true;
		return -1;
	}
	l->state = amqp_new_connection();
	if (!l->state)
		return err_set(e, ERR_ENV, "out of memory");
	amqp_set_handshake_timeout(l->state, &limit);
	amqp_set_rpc_timeout(l->state, &limit);
	if (open_socket(l, e) < 0 || login(l, e) < 0)
		goto fail;
	set_pace(l);
	if (open_channel(l, e) == 0 && l->setup(l, e) == 0) {
		l->epoch++;
		return 0;
	}
fail:
	link_drop(l);
	return -1;
}

/* Tries each host once, without back-off. */
static int connect_once(struct amqp_link *l, struct err *e)
{
	for (size_t i = 0;; i++) {
		if (connect_to_host(l, e) == 0)
			return 0;
		if (l->hopeless || i == l->address.nothers)
			return -1;
		if (stop_raised(l->stop))
			return -1;
		log_info("trying the next host", "error", e->msg, NULL);
		amqp_address_turn(&l->address);
	}
}

void link_drop(struct amqp_link *l)
{
	if (l->state)
		amqp_destroy_connection(l->state);
	l->state = NULL;
}

void link_works(struct amqp_link *l)
{
	l->trouble_ms = -1;
	l->tries = 0;
}

static int64_t pause_ms(struct amqp_link *l)
{
	return backoff_spread(backoff_ms(l->tries++, FIRST_PAUSE_MS, LAST_PAUSE_MS));
}

/* False on a stop. */
static bool sleep_ms(const struct amqp_link *l, int64_t ms)
{
	return io_wait_readable(-1, -1, clock_mono_ms() + ms, l->stop) != IO_STOP;
}

/* Tries until it works. *e is the last error, and on entry why the link broke. */
static int try_on(struct amqp_link *l, struct err *e)
{
	const int64_t allowed = l->conf->retry_ms;
	if (l->trouble_ms < 0)
		l->trouble_ms = clock_mono_ms();
	for (;;) {
		int64_t left = l->trouble_ms + allowed - clock_mono_ms(), pause = pause_ms(l);
		if (left <= 0)
			return -1;
		if (!sleep_ms(l, pause < left ? pause : left))
			return 1;
		if (connect_once(l, e) == 0)
			return 0;
		if (l->hopeless)
			return -1;
		log_info("still no broker", "error", e->msg, NULL);
	}
}

int link_mend(struct amqp_link *l, const struct err *why, struct err *e)
{
	link_drop(l);
	*e = *why;
	if (l->trouble_ms < 0)
		log_warn("lost the broker, reconnecting", "error", why->msg, NULL);
	int rc = try_on(l, e);
	if (rc == 0) {
		counts_reconnected(l->conf->counts);
		log_warn("connected again", "broker", l->address.at.shown, NULL);
	}
	return rc;
}

int link_open(
    struct amqp_link *l, const struct amqp_conf *conf, int (*setup)(struct amqp_link *, struct err *), struct err *e)
{
	l->conf = conf;
	l->setup = setup;
	l->trouble_ms = -1;
	l->tick_ms = TICK_MS;
	l->in.keep = l->in.keep ? l->in.keep : AMQP_KEEP;
	pthread_mutex_init(&l->lock, NULL);
	if (connect_once(l, e) < 0) {
		if (l->hopeless || !conf->retry_first)
			goto fail;
		log_warn("no broker yet, still trying", "error", e->msg, NULL);
		int rc = try_on(l, e);
		if (rc > 0)
			err_set(e, ERR_ENV, "stopped before there was a broker");
		if (rc)
			goto fail;
	}
	if (keeper_add(l, e) == 0)
		return 0;
fail:
	link_drop(l);
	pthread_mutex_destroy(&l->lock);
	return -1;
}

void link_close(struct amqp_link *l)
{
	keeper_remove(l);
	if (l->state && !l->in.blocked) /* a blocked broker does not read the farewell either */
		amqp_connection_close(l->state, AMQP_REPLY_SUCCESS);
	link_drop(l);
	frames_free(&l->in);
	amqp_address_free(&l->address);
	pthread_mutex_destroy(&l->lock);
}

/* ---- reading ---- */

bool link_writable(struct amqp_link *l, int wait_ms)
{
	struct pollfd f = {.fd = link_fd(l), .events = POLLIN | POLLOUT};
	poll(&f, 1, 0);
	if (!(f.revents & POLLOUT))
		poll(&f, 1, wait_ms);
	return f.revents & POLLOUT;
}

/* Closes that a publishing channel would meet again: no such exchange, or a message that the broker never takes. On a
 * consuming channel, 406 is an acknowledgement that came too late (consumer_timeout). */
static bool is_hopeless_close(const struct amqp_link *l)
{
	const int code = l->in.closed;
	return !l->consumes && (code == 403 || code == 404 || code == 406);
}

enum amqp_got link_get(struct amqp_link *l, struct err *e)
{
	if (!l->state) {
		err_set(e, ERR_ENV, "no connection to the broker %s", l->address.at.shown);
		return AMQP_BROKEN;
	}
	for (;;) {
		amqp_frame_t frame;
		struct timeval now = {0};
		int rc = amqp_simple_wait_frame_noblock(l->state, &frame, &now);
		if (rc == AMQP_STATUS_TIMEOUT)
			return AMQP_NOTHING;
		enum amqp_got got = AMQP_BROKEN;
		if (rc < 0)
			err_set(e, ERR_ENV, "the connection to the broker %s: %s", l->address.at.shown,
			    amqp_error_string2(rc));
		else
			got = frames_take(&l->in, &frame, l->address.at.shown, e);
		if (got == AMQP_BROKEN) {
			l->hopeless = is_hopeless_close(l);
			link_drop(l);
			return got;
		}
		amqp_maybe_release_buffers_on_channel(l->state, frame.channel);
		if (got != AMQP_NOTHING)
			return got;
	}
}
