/* err.c - filling the caller's error. */
#include "lib/base/err.h"

#include <errno.h>
#include <stdarg.h>

#include "lib/base/redact.h"

static void format(struct err *e, enum err_kind kind, const char *fmt, va_list ap)
{
	char *whole = NULL, *shown = NULL;
	e->kind = kind;
	e->msg[0] = 0;
	/* Before it is cut: half a password is not seen to be one. */
	if (vasprintf(&whole, fmt, ap) >= 0)
		snprintf(e->msg, sizeof e->msg, "%s", shown = redact_quoted(whole));
	free(whole);
	free(shown);
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
