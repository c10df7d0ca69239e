/* err.c - filling the caller's error. */
#include "lib/base/err.h"

#include <errno.h>
#include <stdarg.h>

static void format(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
	e->kind = kind;
	if (vsnprintf(e->msg, sizeof e->msg, fmt, ap) < 0)
		e->msg[0] = 0;
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	format(e, kind, fmt, ap);
	va_end(ap);
	return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
	int number = errno;
	va_list ap;
	va_start(ap, fmt);
	format(e, number == EPIPE ? ERR_PIPE : ERR_ENV, fmt, ap);
	va_end(ap);
	size_t n = strlen(e->msg);
	snprintf(e->msg + n, sizeof e->msg - n, ": %s", strerror(number));
	errno = number;
	return -1;
}
