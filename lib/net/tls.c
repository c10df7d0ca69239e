/* tls.c - OpenSSL above a BIO of our own, which has deadlines and raises no SIGPIPE. */
#include "lib/net/tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/optional_lib.h"

/* OpenSSL's interface, as far as it is used here: so little that building needs no header. Its macros are calls of
 * ctrl; the numbers are those of version 3. */
typedef struct bio BIO;
typedef struct bio_method BIO_METHOD;
typedef struct ssl SSL;
typedef struct ssl_ctx SSL_CTX;
enum {
	CTRL_SET_TLSEXT_HOSTNAME = 55,
	CTRL_SET_MIN_PROTO_VERSION = 123,
	VERSION_TLS_1_2 = 0x0303,
	VERIFY_PEER = 1,
	FILETYPE_PEM = 1,
	INIT_NO_ATEXIT = 0x80000,
	BIO_TYPE_SOURCE_SINK = 0x400,
	BIO_READ = 1,
	BIO_WRITE = 2,
	BIO_RETRY = 8,
	BIO_FLAGS = 15,
	BIO_CTRL_FLUSH = 11,
};
/* SSL_get_error */
enum { FAILED_PROTOCOL = 1, FAILED_READ = 2, FAILED_WRITE = 3, FAILED_CLOSED = 6 };
/* Reasons of the library's errors, and of certificates that are not valid. */
enum {
	REASON_MASK = 0x7FFFFF,
	REASON_WRONG_VERSION = 267,
	ALERT_HANDSHAKE = 1040,
	ALERT_CERTIFICATE_REQUIRED = 1116,
	NO_ISSUER = 2,
	SELF_SIGNED = 18,
	NOT_VERIFIED = 21,
};

static struct {
	int (*init_crypto)(uint64_t, const void *);
	const void *(*client_method)(void);
	SSL_CTX *(*ctx_new)(const void *);
	void (*ctx_free)(SSL_CTX *);
	long (*ctx_ctrl)(SSL_CTX *, int, long, void *);
	void (*ctx_set_verify)(SSL_CTX *, int, void *);
	int (*ctx_default_cas)(SSL_CTX *);
	int (*ctx_cas)(SSL_CTX *, const char *, const char *);
	void (*ctx_password)(SSL_CTX *, int (*)(char *, int, int, void *));
	int (*ctx_cert)(SSL_CTX *, const char *);
	int (*ctx_key)(SSL_CTX *, const char *, int);
	SSL *(*ssl_new)(SSL_CTX *);
	void (*ssl_free)(SSL *);
	long (*ssl_ctrl)(SSL *, int, long, void *);
	int (*set_host)(SSL *, const char *);
	void (*set_bio)(SSL *, BIO *, BIO *);
	int (*connect)(SSL *);
	int (*read)(SSL *, void *, int);
	int (*peek)(SSL *, void *, int);
	int (*write)(SSL *, const void *, int);
	int (*shutdown)(SSL *);
	int (*get_error)(const SSL *, int);
	long (*verify_result)(const SSL *);
	const char *(*verify_string)(long);
	unsigned long (*peek_error)(void);
	void (*clear_error)(void);
	const char *(*reason)(unsigned long);
	int (*bio_index)(void);
	BIO_METHOD *(*meth_new)(int, const char *);
	int (*meth_write)(BIO_METHOD *, int (*)(BIO *, const char *, int));
	int (*meth_read)(BIO_METHOD *, int (*)(BIO *, char *, int));
	int (*meth_ctrl)(BIO_METHOD *, long (*)(BIO *, int, long, void *));
	BIO *(*bio_new)(const BIO_METHOD *);
	void (*bio_set_data)(BIO *, void *);
	void *(*bio_data)(BIO *);
	void (*bio_set_flags)(BIO *, int);
	void (*bio_clear_flags)(BIO *, int);
} ssl;

static const char *const names[] = {"OPENSSL_init_crypto", "TLS_client_method", "SSL_CTX_new", "SSL_CTX_free",
    "SSL_CTX_ctrl", "SSL_CTX_set_verify", "SSL_CTX_set_default_verify_paths", "SSL_CTX_load_verify_locations",
    "SSL_CTX_set_default_passwd_cb", "SSL_CTX_use_certificate_chain_file", "SSL_CTX_use_PrivateKey_file", "SSL_new",
    "SSL_free", "SSL_ctrl", "SSL_set1_host", "SSL_set_bio", "SSL_connect", "SSL_read", "SSL_peek", "SSL_write",
    "SSL_shutdown", "SSL_get_error", "SSL_get_verify_result", "X509_verify_cert_error_string", "ERR_peek_error",
    "ERR_clear_error", "ERR_reason_error_string", "BIO_get_new_index", "BIO_meth_new", "BIO_meth_set_write",
    "BIO_meth_set_read", "BIO_meth_set_ctrl", "BIO_new", "BIO_set_data", "BIO_get_data", "BIO_set_flags",
    "BIO_clear_flags"};
_Static_assert(sizeof ssl == COUNT_OF(names) * sizeof(void (*)(void)), "a name for each function");

static struct optional_lib library = {
    .file = "libssl.so.3",
    .needed = "TLS needs OpenSSL 3 (Debian: libssl3)",
    .old = "version 3 is needed",
    .name = names,
    .n = COUNT_OF(names),
    .call = &ssl,
};
static BIO_METHOD *method;

struct tls {
	SSL *ssl;
	int fd;
	int64_t until_ms;
	int error;	/* errno of the socket; 0: none */
	bool closed;	/* by the server */
	bool broken;	/* no more can be sent */
	bool with_cert; /* of our own */
	char host[256];
	char why[256];
};

/* ---- the socket ---- */

/* False if nothing can be read (POLLIN) or written (POLLOUT) until the limit. */
static bool wait_for(const struct tls *t, short events)
{
	for (;;) {
		int64_t left = t->until_ms - clock_mono_ms();
		if (left <= 0)
			return false;
		struct pollfd p = {.fd = t->fd, .events = events};
		int n = poll(&p, 1, left < INT_MAX ? (int)left : INT_MAX);
		if (n > 0)
			return true;
		if (n < 0 && errno != EINTR)
			return false;
	}
}

/* Handles `n`, which recv or send has returned, and returns what the BIO's function must: how many bytes; 0 if the
 * server has closed the connection; or -1. If nothing could be transferred yet it waits, and sets *again: the caller
 * repeats the call. At the limit it marks the BIO as one to be retried, by which we know that it was too late. */
static int transferred(BIO *b, ssize_t n, bool reads, bool *again)
{
	struct tls *t = ssl.bio_data(b);
	*again = false;
	if (n > 0)
		return (int)n;
	if (n == 0)
		t->closed = true;
	else if (errno == EINTR)
		*again = true;
	else if (errno != EAGAIN && errno != EWOULDBLOCK)
		t->error = errno;
	else if (wait_for(t, reads ? POLLIN : POLLOUT))
		*again = true;
	else
		ssl.bio_set_flags(b, (reads ? BIO_READ : BIO_WRITE) | BIO_RETRY);
	return n == 0 ? 0 : -1;
}

static int bio_read(BIO *b, char *p, int n)
{
	struct tls *t = ssl.bio_data(b);
	bool again;
	int got;
	ssl.bio_clear_flags(b, BIO_FLAGS);
	do
		got = transferred(b, recv(t->fd, p, (size_t)n, MSG_DONTWAIT), true, &again);
	while (again);
	return got;
}

static int bio_write(BIO *b, const char *p, int n)
{
	struct tls *t = ssl.bio_data(b);
	bool again;
	int sent;
	ssl.bio_clear_flags(b, BIO_FLAGS);
	do
		sent = transferred(b, send(t->fd, p, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL), false, &again);
	while (again);
	return sent;
}

static long bio_ctrl(BIO *b, int command, long n, void *p)
{
	(void)b, (void)n, (void)p;
	return command == BIO_CTRL_FLUSH;
}

/* ---- the library ---- */

static int load_once(struct err *e)
{
	if (method)
		return 0;
	if (optional_lib_open(&library, e) < 0)
		return -1;
	/* Threads may still be running when the process exits. */
	ssl.init_crypto(INIT_NO_ATEXIT, NULL);
	BIO_METHOD *m = ssl.meth_new(ssl.bio_index() | BIO_TYPE_SOURCE_SINK, "senti");
	if (!m || !ssl.meth_write(m, bio_write) || !ssl.meth_read(m, bio_read) || !ssl.meth_ctrl(m, bio_ctrl))
		return err_set(e, ERR_ENV, "OpenSSL does not start");
	method = m;
	return 0;
}

static int load(struct err *e)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&lock);
	int rc = load_once(e);
	pthread_mutex_unlock(&lock);
	return rc;
}

static const char *first_reason(void)
{
	const char *s = ssl.reason(ssl.peek_error());
	return s ? s : "no reason given";
}

/* Nobody is asked for the password of a key. */
static int no_password(char *p, int n, int writing, void *arg)
{
	(void)p, (void)n, (void)writing, (void)arg;
	return 0;
}

/* The library's own messages do not name the file. */
static int check_file(const char *path, const char *what, struct err *e)
{
	return access(path, R_OK) == 0 ? 0 : err_sys(e, "cannot read the %s '%s'", what, path);
}

static int take_files(SSL_CTX *ctx, const struct tls_files *f, struct err *e)
{
	if (f->cacert && check_file(f->cacert, "CA certificates", e) < 0)
		return -1;
	if (f->cacert && ssl.ctx_cas(ctx, f->cacert, NULL) != 1)
		return err_set(e, ERR_ENV, "'%s' holds no CA certificates in PEM: %s", f->cacert, first_reason());
	if (!f->cacert && ssl.ctx_default_cas(ctx) != 1)
		return err_set(e, ERR_ENV, "cannot read the system's CA certificates: %s", first_reason());
	if (!f->cert || !f->key)
		return 0;
	if (check_file(f->cert, "certificate", e) < 0 || check_file(f->key, "key", e) < 0)
		return -1;
	if (ssl.ctx_cert(ctx, f->cert) != 1)
		return err_set(e, ERR_ENV, "'%s' holds no certificate in PEM: %s", f->cert, first_reason());
	if (ssl.ctx_key(ctx, f->key, FILETYPE_PEM) != 1)
		return err_set(e, ERR_ENV, "'%s' is not the key of '%s', in PEM and without a password: %s", f->key,
		    f->cert, first_reason());
	return 0;
}

static SSL_CTX *make_context(const struct tls_files *f, struct err *e)
{
	ssl.clear_error();
	SSL_CTX *ctx = ssl.ctx_new(ssl.client_method());
	if (!ctx || ssl.ctx_ctrl(ctx, CTRL_SET_MIN_PROTO_VERSION, VERSION_TLS_1_2, NULL) != 1) {
		err_set(e, ERR_ENV, "OpenSSL does not start: %s", first_reason());
	} else {
		ssl.ctx_set_verify(ctx, VERIFY_PEER, NULL);
		ssl.ctx_password(ctx, no_password);
		if (take_files(ctx, f, e) == 0)
			return ctx;
	}
	if (ctx)
		ssl.ctx_free(ctx);
	return NULL;
}

/* ---- the connection ---- */

static void say(struct tls *t, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void say(struct tls *t, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(t->why, sizeof t->why, fmt, ap);
	va_end(ap);
}

/* An error of the protocol: an alert of the server's, or something else than TLS. */
static void say_protocol(struct tls *t)
{
	const char *text = first_reason();
	switch (ssl.peek_error() & REASON_MASK) {
	case REASON_WRONG_VERSION:
		say(t, "it does not speak TLS on this port (%s)", text);
		break;
	case ALERT_CERTIFICATE_REQUIRED:
		say(t, "it demands a client certificate: certfile=FILE and keyfile=FILE (%s)", text);
		break;
	case ALERT_HANDSHAKE:
		say(t, "it refuses the handshake%s (%s)",
		    t->with_cert ? "" : "; it may demand a client certificate: certfile=FILE and keyfile=FILE", text);
		break;
	default:
		say(t, "%s (%s)", t->with_cert ? "TLS failed, perhaps for our client certificate" : "TLS failed", text);
	}
}

/* Says why a call of the library has failed; 0 if the server has closed the connection, else -1. */
static int failed(struct tls *t, int rc)
{
	int kind = ssl.get_error(t->ssl, rc);
	t->broken = kind != FAILED_READ && kind != FAILED_WRITE;
	if (!t->broken)
		say(t, "no answer in time");
	else if (kind == FAILED_PROTOCOL)
		say_protocol(t);
	else if (t->error)
		say(t, "%s", strerror(t->error));
	else
		say(t, "the server closed the connection");
	return kind == FAILED_CLOSED || (t->closed && !t->error && kind != FAILED_PROTOCOL) ? 0 : -1;
}

static bool is_ip(const char *host)
{
	struct in6_addr room;
	return inet_pton(AF_INET, host, &room) == 1 || inet_pton(AF_INET6, host, &room) == 1;
}

static int prepare(struct tls *t, const char *host, const struct tls_files *f, struct err *e)
{
	SSL_CTX *ctx = make_context(f, e);
	if (!ctx)
		return -1;
	t->ssl = ssl.ssl_new(ctx); /* which keeps the context */
	ssl.ctx_free(ctx);
	BIO *b = t->ssl ? ssl.bio_new(method) : NULL;
	if (!b)
		return err_set(e, ERR_ENV, "out of memory");
	ssl.bio_set_data(b, t);
	ssl.set_bio(t->ssl, b, b);
	if (ssl.set_host(t->ssl, host) != 1 ||
	    (!is_ip(host) && ssl.ssl_ctrl(t->ssl, CTRL_SET_TLSEXT_HOSTNAME, 0, (char *)(uintptr_t)host) != 1))
		return err_set(e, ERR_ENV, "'%s' cannot be the name of a host", host);
	return 0;
}

/* What is wrong with the server's certificate, and what the user can do. */
static int invalid(long result, const char *host, const struct tls_files *f, struct err *e)
{
	bool issuer = result == NO_ISSUER || (result >= SELF_SIGNED && result <= NOT_VERIFIED);
	const char *text = ssl.verify_string(result);
	if (!issuer)
		return err_set(e, ERR_ENV, "the certificate of %s is not valid: %s", host, text);
	if (!f->cacert)
		return err_set(
		    e, ERR_ENV, "the certificate of %s is not valid: %s; name its CA by cacertfile=FILE", host, text);
	return err_set(
	    e, ERR_ENV, "the certificate of %s is not valid: %s; '%s' does not hold its CA", host, text, f->cacert);
}

struct tls *tls_connect(int fd, const char *host, const struct tls_files *files, int64_t until_ms, struct err *e)
{
	if (load(e) < 0)
		return NULL;
	struct tls *t = xcalloc(1, sizeof *t);
	*t = (struct tls){.fd = fd, .until_ms = until_ms, .with_cert = files->cert};
	if (prepare(t, host, files, e) < 0)
		goto fail;
	ssl.clear_error();
	int rc = ssl.connect(t->ssl);
	if (rc == 1)
		return t;
	failed(t, rc);
	long result = ssl.verify_result(t->ssl);
	if (result && t->broken)
		invalid(result, host, files, e);
	else
		err_set(e, ERR_ENV, t->broken ? "%s" : "%s to the TLS handshake", t->why);
fail:
	t->broken = true;
	tls_free(t);
	return NULL;
}

void tls_until(struct tls *t, int64_t until_ms)
{
	t->until_ms = until_ms;
}

/* A server that refuses our certificate, which it sees after the handshake, says so and resets the connection, perhaps
 * before we have sent anything: what it said is still there to be read. */
static void look_for_alert(struct tls *t)
{
	char c;
	t->until_ms = 0;
	ssl.clear_error();
	int got = ssl.peek(t->ssl, &c, 1);
	if (got <= 0 && ssl.get_error(t->ssl, got) == FAILED_PROTOCOL)
		say_protocol(t);
}

ssize_t tls_send(struct tls *t, const void *p, size_t n)
{
	const char *from = p;
	for (size_t done = 0; done < n;) {
		size_t left = n - done;
		ssl.clear_error();
		int sent = ssl.write(t->ssl, from + done, left < INT_MAX ? (int)left : INT_MAX);
		if (sent <= 0) {
			failed(t, sent);
			if (t->error)
				look_for_alert(t);
			t->broken = true;
			return -1;
		}
		done += (size_t)sent;
	}
	return (ssize_t)n;
}

ssize_t tls_recv(struct tls *t, void *p, size_t n)
{
	ssl.clear_error();
	int got = ssl.read(t->ssl, p, n < INT_MAX ? (int)n : INT_MAX);
	return got > 0 ? got : failed(t, got);
}

bool tls_is_idle(struct tls *t)
{
	char c;
	t->until_ms = 0;
	ssl.clear_error();
	int got = ssl.peek(t->ssl, &c, 1);
	if (got > 0)
		return false;
	failed(t, got);
	return !t->broken;
}

const char *tls_why(const struct tls *t)
{
	return t->why;
}

void tls_free(struct tls *t)
{
	if (!t)
		return;
	t->until_ms = 0;
	if (t->ssl && !t->broken) {
		ssl.clear_error();
		ssl.shutdown(t->ssl);
	}
	if (t->ssl)
		ssl.ssl_free(t->ssl);
	free(t);
}
