/* news.h - one thread that follows the store's log, for all who wait for news: listeners of /v1/events, callers who wait for their results,
 * and the cache of this process, whose entries it buries.
 *
 *     store -> log -> the rows that the entries tell of -> ring of events -> listeners, each with its own place in it
 *                                                       -> who expects this id
 *
 * Events go into one ring for all, so a listener costs a place in it and its connection. Who is so slow that the ring has gone past its
 * place is dropped. A listener that names an earlier place is given what came since page by page from the log, until it has
 * caught up with the ring; so it misses nothing, and nobody waits for it.
 */
#ifndef SENTI_NEWS_H
#define SENTI_NEWS_H

#include "lib/serve/service.h"

struct news;
struct listener;

/* New, running; from now on. NULL and *e on failure. */
struct news *news_start(struct service *s, struct err *e);
/* Ends all listeners' streams at once. */
void news_end_streams(struct news *n);
/* From now on expectations are answered as if their time were over. */
void news_end_waits(struct news *n);
/* Once nothing listens or expects any more: ends and frees it. */
void news_stop(struct news *n);
/* True if the log has been read in the last few seconds. */
bool news_alive(struct news *n);
/* True if also all that was committed until then is known; else the cache of this process may be behind. */
bool news_current(struct news *n);
/* How long ago that was certain. */
int64_t news_lag_ms(struct news *n);

/* Which messages; absent strings do not restrict. */
struct news_filter {
	struct str label, source;
};

/* New: a listener whose request is answered by news_read. after: behind this entry of the log, or LOG_END: from now on. The filter is copied. */
struct listener *news_listen(struct news *n, struct request *x, const struct news_filter *f, uint64_t after);
/* For request_stream. */
ssize_t news_read(struct request *x, void *listener, char *out, size_t max);
void news_leave(void *listener);
size_t news_listeners(struct news *n);

/* Called once, in the news' thread: the stored record of the message that was expected, without a line end, once it is scored; or p NULL when the
 * time is over, or the server ends. */
typedef void news_result(void *caller, size_t item, struct str record);
/* Waits for the message with this id and text; it may be stored already. Thread-safe. deadline is on clock_mono_ms. */
void news_expect(
    struct news *n, struct str id, struct str text, int64_t deadline, news_result *done, void *caller, size_t item);

#endif
