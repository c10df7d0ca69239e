/* log.c - one event, one line, one write. */
#include "lib/base/log.h"

#include <stdarg.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/redact.h"
#include "lib/base/visible.h"

static const char *tool = "senti";
static enum log_level threshold = LOG_WARN;
static enum log_format style = LOG_PLAIN;

static const char *const level_name[] = {"error", "warning", "info", "debug"};

void log_init(const char *name, enum log_level level, enum log_format format)
{
	tool = name;
	threshold = level;
	style = format;
}

/* Quotes for both formats: logfmt readers accept JSON's quoting. */
static void put_quoted(struct buf *b, const char *s)
{
	buf_char(b, '"');
	visible_put(b, str_of(s), VISIBLE_JSON);
	buf_char(b, '"');
}

static void put_value(struct buf *b, const char *s)
{
	bool bare = *s && visible_plain(str_of(s));
	for (const char *p = s; *p; p++)
		bare = bare && *p != ' ' && *p != '"' && *p != '=' && *p != '\\';
	if (style != LOG_JSON && bare)
		buf_str(b, str_of(s));
	else
		put_quoted(b, s);
}

static void put_pair(struct buf *b, const char *key, const char *value)
{
	if (style == LOG_JSON) {
		buf_char(b, b->n ? ',' : '{');
		put_quoted(b, key);
		buf_char(b, ':');
	} else {
		if (b->n)
			buf_char(b, ' ');
		buf_str(b, str_of(key));
		buf_char(b, '=');
	}
	put_value(b, value);
}

/* A value may be an address that somebody has set. Messages have their addresses redacted already (err.h), and may hold
 * an '@' that belongs to no address. */
static void put_shown(struct buf *b, const char *key, const char *value)
{
	bool message = strcmp(key, "error") == 0 || strcmp(key, "reason") == 0;
	char *shown = !message && strstr(value, "://") ? redact(value) : NULL;
	put_pair(b, key, shown ? shown : value);
	free(shown);
}

static void put_event(enum log_level level, const char *msg, va_list ap)
{
	struct buf b = {0};
	if (style == LOG_PLAIN) {
		buf_printf(&b, "%s: ", tool);
		if (level != LOG_ERROR)
			buf_printf(&b, "%s: ", level_name[level]);
		visible_put(&b, str_of(msg), VISIBLE_HEX);
	} else {
		char time[TIME_LEN + 1] = {0};
		time_format(clock_wall_ms(), time);
		put_pair(&b, "time", time);
		put_pair(&b, "level", level_name[level]);
		put_pair(&b, "tool", tool);
		put_pair(&b, "msg", msg);
	}
	for (const char *key; (key = va_arg(ap, const char *));)
		put_shown(&b, key, va_arg(ap, const char *));
	if (style == LOG_JSON)
		buf_char(&b, '}');
	buf_char(&b, '\n');
	ssize_t ignored = write(STDERR_FILENO, b.p, b.n);
	(void)ignored; /* if stderr is gone, there is nowhere to report it */
	buf_free(&b);
}

void log_event(enum log_level level, const char *msg, ...)
{
	va_list ap;
	if (level > threshold)
		return;
	va_start(ap, msg);
	put_event(level, msg, ap);
	va_end(ap);
}

void log_asked(const char *msg, ...)
{
	va_list ap;
	va_start(ap, msg);
	put_event(LOG_INFO, msg, ap);
	va_end(ap);
}
