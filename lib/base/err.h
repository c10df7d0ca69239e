/* err.h - the error that a library function reports to its caller.
 *
 * Functions that can fail take a `struct err *` last. They return 0 (or a count) on success, and -1 on failure with the
 * struct filled. They never print and never exit; only cmd/ does. The kind decides the exit status. The message is one
 * line in lower case without a full stop: "cannot open 'x': No such file".
 */
#ifndef SENTI_ERR_H
#define SENTI_ERR_H

#include "lib/base/base.h"

enum err_kind {
	ERR_NONE,
	ERR_USAGE, /* the request is invalid: status 2 */
	ERR_ENV,   /* a server, disk or file failed; safe to retry: status 3 */
	ERR_BUSY,  /* the same, but the handle stays good: what it stands for takes nothing now, and will later */
	ERR_PIPE,  /* the reader of our output is gone: end quietly, as with SIGPIPE */
};

struct err {
	enum err_kind kind;
	char msg[512];
};

/* Fills *e and returns -1, for `return err_set(e, ...)`. A message that is too long is cut, and an address in single
 * quotes loses its password (redact.h). */
int err_set(struct err *e, enum err_kind kind, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same, with ": " and strerror(errno) appended; kind is ERR_ENV, or ERR_PIPE for EPIPE. */
int err_sys(struct err *e, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
