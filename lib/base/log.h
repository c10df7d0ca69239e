/* log.h - a tool's own messages on stderr: one line per event, key=value or JSON.
 *
 *     log_warn("cache is gone", "url", "redis://...", "retry_s", "2", NULL);
 *
 * Texts of records appear only at debug. In the plain format a line reads `senti-score: warning: ...`. Thread-safe:
 * each event is one write(2).
 */
#ifndef SENTI_LOG_H
#define SENTI_LOG_H

#include "lib/base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_PLAIN, LOG_LOGFMT, LOG_JSON };

/* Call once, before starting any thread. The tool's name is lent for the life of the process. */
void log_init(const char *tool, enum log_level level, enum log_format format);

/* msg, then pairs of key and value (both char *), then NULL. */
void log_event(enum log_level level, const char *msg, ...) __attribute__((sentinel));
/* Logs at info whatever the level: for what the user requested by an option. */
void log_asked(const char *msg, ...) __attribute__((sentinel));
#define log_error(...) log_event(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_event(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_event(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_event(LOG_DEBUG, __VA_ARGS__)

#endif
