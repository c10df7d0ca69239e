/* err.h - the error that a library function leaves with its caller.
 *
 * Functions that can fail take a `struct err *` last, return 0 (or a count) on success and -1 on failure,
 * and then have filled it. They never print and never exit; only cmd/ does. The kind decides the exit
 * status, the message is one line in lower case without a full stop: "cannot open 'x': No such file".
 */
#ifndef SENTI_ERR_H
#define SENTI_ERR_H

#include "lib/base/base.h"

enum err_kind {
	ERR_NONE,
	ERR_USAGE, /* the caller asked for what cannot be: status 2 */
	ERR_ENV,   /* a server, disk or file failed; safe to retry: status 3 */
	ERR_PIPE,  /* the reader of our output has gone: ends quietly, as SIGPIPE does */
};

struct err {
	enum err_kind kind;
	char msg[512];
};

/* Fills *e and returns -1, so that `return err_set(e, ...)` reads well. A message too long is cut. */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same with ": " and strerror(errno) at the end; kind is ERR_ENV, or ERR_PIPE for EPIPE. */
int err_sys(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
