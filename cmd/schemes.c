/* schemes.c - the table of schemes, and opening of ends. */
#include "cmd/schemes.h"

#include "lib/base/guess.h"
#include "lib/base/redact.h"
#include "lib/base/url.h"
#include "lib/flow/stdio.h"
#include "lib/net/amqp.h"

enum { RETRY_MS = 60000, MOST_PREFETCH = 65535 };

#pragma weak open_sqlite
#pragma weak open_postgres
#pragma weak open_redis
#pragma weak open_memory

#if WITH_AMQP
static struct amqp_conf queue_conf(const char *end, const struct end_conf *c)
{
	/* Each job has a batch in hand and one to come; one more is being delivered. */
	size_t prefetch = (2 * (size_t)c->jobs + 1) * c->limits->records;
	return (struct amqp_conf){
	    .end = end,
	    .tool = c->tool,
	    .retry_ms = c->retry_ms < 0 ? RETRY_MS : c->retry_ms,
	    .retry_first = c->retry_ms >= 0,
	    .idle_ms = c->idle_ms,
	    .stop = c->limits->stop,
	    .prefetch = prefetch < MOST_PREFETCH ? prefetch : MOST_PREFETCH,
	    .counts = c->counts,
	    .rejects = c->rejects,
	    .pack = c->pack,
	    .impatient = c->impatient,
	};
}

static struct source *queue_source(const char *end, const struct end_conf *conf, struct err *e)
{
	const struct amqp_conf queue = queue_conf(end, conf);
	return amqp_source(&queue, e);
}

static struct sink *queue_sink(const char *end, enum lane lane, const struct end_conf *conf, struct err *e)
{
	const struct amqp_conf queue = queue_conf(end, conf);
	return amqp_sink(&queue, lane, e);
}
#endif

static const struct scheme schemes[] = {
#if WITH_AMQP
    {{"amqp", "amqps"}, "amqp:QUEUE", .source = queue_source, .sink = queue_sink, .rejects = amqp_dead_end,
	.queue = amqp_queue},
#endif
    {{"sqlite"}, "sqlite:PATH", .store = open_sqlite},
    {{"postgresql", "postgres"}, "postgresql://USER@HOST/DATABASE", .store = open_postgres},
    {{"redis", "rediss"}, "redis://HOST:PORT", .cache = open_redis},
    {{"redis+sentinel", "rediss+sentinel"}, "redis+sentinel://HOST,HOST/NAME", .cache = open_redis},
    {{"unix"}, "unix:PATH", .cache = open_redis},
    {{"memory"}, "memory:SIZE", .cache = open_memory},
};

static bool can_be(const struct scheme *s, enum role role)
{
	const bool can[ROLES] = {
	    [ROLE_SOURCE] = s->source, [ROLE_SINK] = s->sink, [ROLE_STORE] = s->store, [ROLE_CACHE] = s->cache};
	return can[role];
}

static int unknown(const char *address, enum role role, struct err *e)
{
	static const char *const kind[] = {"source", "sink", "store", "cache"};
	char *shown = redact(address), *word = str_dup((struct str){address, strcspn(address, ":")});
	struct guess g = {.word = word};
	struct buf known = {0};
	buf_printf(&known, "%s",
	    role == ROLE_SOURCE || role == ROLE_SINK ? "-, PATH"
	    : role == ROLE_STORE		     ? "PATH"
						     : "");
	for (const struct scheme *s = schemes; s < schemes + COUNT_OF(schemes); s++) {
		if (!can_be(s, role))
			continue;
		buf_printf(&known, "%s%s", known.n ? ", " : "", s->form);
		for (const char *const *name = s->name; *name; name++)
			guess_try(&g, *name);
	}
	buf_char(&known, 0);
	err_set(e, ERR_USAGE, "'%s' is not a %s that this build knows; it takes %s%s", shown, kind[role], known.p,
	    guess_hint(&g, ""));
	buf_free(&known);
	free(shown);
	free(word);
	return -1;
}

static const struct scheme *lookup(const char *address, enum role role)
{
	size_t n = strcspn(address, ":");
	for (const struct scheme *s = schemes; address[n] && s < schemes + COUNT_OF(schemes); s++)
		for (const char *const *name = s->name; can_be(s, role) && *name; name++)
			if (strlen(*name) == n && memcmp(*name, address, n) == 0)
				return s;
	return NULL;
}

const struct scheme *scheme_find(const char *address, enum role role, struct err *e)
{
	const struct scheme *s = lookup(address, role);
	if (!s)
		unknown(address, role, e);
	return s;
}

bool scheme_is_source(const char *end)
{
	return lookup(end, ROLE_SOURCE);
}

/* Only one end with a scheme can be read. */
static int check_sources(const char *const *end, size_t n, struct err *e)
{
	for (size_t i = 0; i < n; i++)
		if (url_has_scheme(end[i]) && !scheme_find(end[i], ROLE_SOURCE, e))
			return -1;
		else if (scheme_is_source(end[i]) && n > 1)
			return err_set(e, ERR_USAGE, "a queue is read alone, not beside other inputs");
	return 0;
}

struct source *end_source(const char *const *end, size_t n, const struct end_conf *conf, struct err *e)
{
	if (check_sources(end, n, e) < 0)
		return NULL;
	const struct scheme *s = n == 1 ? lookup(end[0], ROLE_SOURCE) : NULL;
	if (s)
		return s->source(end[0], conf, e);
	if (conf->idle_ms >= 0) {
		err_set(e, ERR_USAGE, "--idle is for queues: other inputs end by themselves");
		return NULL;
	}
	return source_lines(&(struct lines_conf){
	    .path = end, .npaths = n, .keep_end = conf->keep_end, .open = conf->open, .open_arg = conf->open_arg});
}

struct sink *end_sink(const char *end, enum lane lane, const struct end_conf *conf, struct err *e)
{
	if (!url_has_scheme(end))
		return sink_path(end, lane, conf->tool, e);
	const struct scheme *s = scheme_find(end, ROLE_SINK, e);
	return s ? s->sink(end, lane, conf, e) : NULL;
}

char *end_queue(const char *source, char **shown, struct err *e)
{
	const struct scheme *s = scheme_find(source, ROLE_SOURCE, e);
	return s ? s->queue(source, shown, e) : NULL;
}

char *end_of_rejects(const char *source)
{
	const struct scheme *s = source ? lookup(source, ROLE_SOURCE) : NULL;
	char *dead = s && s->rejects ? s->rejects(source) : NULL;
	return dead ? dead : xstrdup("-");
}
