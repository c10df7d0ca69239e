/* ends.c - from the name of an end to its port. */
#include "cmd/ends.h"

#include "lib/base/url.h"
#include "lib/flow/stdio.h"
#include "lib/net/amqp.h"

enum { RETRY_MS = 60000, MOST_PREFETCH = 65535 };

bool end_has_scheme(const char *end)
{
	return amqp_is_end(end);
}

int end_check(const char *end, struct err *e)
{
	if (!url_has_scheme(end) || end_has_scheme(end))
		return 0;
	char *shown = url_redact(end);
	err_set(
	    e, ERR_USAGE, "'%s' names a kind of end that this build does not have; it takes paths, - and amqp:", shown);
	free(shown);
	return -1;
}

static struct amqp_conf queue_conf(const char *end, const struct end_conf *c)
{
	/* Each job has a batch in hand and one to come; what is being delivered is one more. */
	size_t prefetch = (2 * (size_t)c->jobs + 1) * c->limits->records;
	return (struct amqp_conf){
	    .end = end,
	    .tool = c->tool,
	    .retry_ms = c->retry_ms < 0 ? RETRY_MS : c->retry_ms,
	    .retry_first = c->retry_ms >= 0,
	    .idle_ms = c->idle_ms,
	    .prefetch = prefetch < MOST_PREFETCH ? prefetch : MOST_PREFETCH,
	    .counts = c->counts,
	    .rejects = c->rejects,
	    .pack = c->pack,
	};
}

struct source *end_source(const char *const *end, size_t n, const struct end_conf *conf, struct err *e)
{
	for (size_t i = 0; i < n; i++) {
		if (amqp_is_end(end[i]) && n > 1) {
			err_set(e, ERR_USAGE, "a queue is read alone, not beside other inputs");
			return NULL;
		}
		if (end_check(end[i], e) < 0)
			return NULL;
	}
	if (n == 1 && amqp_is_end(end[0])) {
		const struct amqp_conf queue = queue_conf(end[0], conf);
		return amqp_source(&queue, e);
	}
	if (conf->idle_ms >= 0) {
		err_set(e, ERR_USAGE, "--idle is for queues: other inputs end by themselves");
		return NULL;
	}
	return source_lines(&(struct lines_conf){.path = end, .npaths = n, .keep_end = conf->keep_end});
}

struct sink *end_sink(const char *end, enum lane lane, const struct end_conf *conf, struct err *e)
{
	if (amqp_is_end(end)) {
		const struct amqp_conf queue = queue_conf(end, conf);
		return amqp_sink(&queue, lane, e);
	}
	return end_check(end, e) < 0 ? NULL : sink_path(end, lane, conf->tool, e);
}

char *end_of_rejects(const char *source)
{
	char *dead = source && amqp_is_end(source) ? amqp_dead_end(source) : NULL;
	return dead ? dead : xstrdup("-");
}
