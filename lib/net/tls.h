/* tls.h - TLS on a connected socket, by OpenSSL 3, which is loaded when it is first needed.
 *
 * TLS 1.2 or later. The server's certificate is always verified: it must be valid, name the host (or its IP address),
 * and come from a CA of `cacert`, or else of the system's.
 *
 *     struct tls *t = tls_connect(fd, host, &files, until_ms, e);
 *     tls_until(t, until_ms);
 *     if (tls_send(t, p, n) < 0 || tls_recv(t, p, n) <= 0) ...    // tls_why(t) says what is wrong
 *
 * Limits are moments of clock_mono_ms. No signal is raised when the server is gone. A connection belongs to one thread.
 */
#ifndef SENTI_TLS_H
#define SENTI_TLS_H

#include <sys/types.h>

#include "lib/base/err.h"

/* PEM files; NULL: the system's CAs, and no certificate of our own. Lent. They are read at each connecting. */
struct tls_files {
	const char *cacert, *cert, *key;
};

struct tls;

/* New: the handshake is done. NULL with *e, whose message says what is wrong with HOST without naming the address. The
 * socket stays the caller's. */
struct tls *tls_connect(int fd, const char *host, const struct tls_files *files, int64_t until_ms, struct err *e);
/* Sets the limit of what follows. */
void tls_until(struct tls *t, int64_t until_ms);
/* Sends all: n, or -1. */
ssize_t tls_send(struct tls *t, const void *p, size_t n);
/* As recv: how many bytes, at least one; 0 if the server has closed the connection; or -1. */
ssize_t tls_recv(struct tls *t, void *p, size_t n);
/* True if the connection is open and the server has sent nothing to read. Does not wait; what belongs to the protocol
 * itself, such as tickets, is taken in. */
bool tls_is_idle(struct tls *t);
/* Why the last call failed. Lent until the next one. */
const char *tls_why(const struct tls *t);
/* Tells the server if that is possible at once. NULL is allowed. */
void tls_free(struct tls *t);

#endif
