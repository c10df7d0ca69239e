/* senti-serve - the same stages over HTTP. */
#include "cmd/caches.h"
#include "cmd/run.h"
#include "cmd/stores.h"
#include "lib/http/cors.h"
#include "lib/serve/server.h"
#include "lib/serve/tokens.h"
#include "lib/stage/follow.h"

enum {
	OPT_MAX_BODY = OPT_OWN,
	OPT_MAX_ITEMS,
	OPT_ACCESS_LOG,
	OPT_LEXICON,
	OPT_QUEUE,
	OPT_MAX_WAITING,
	OPT_TOKENS,
	OPT_NEW_TOKEN,
	OPT_INSECURE,
	OPT_CORS,
	OPT_MAX_CONNECTIONS,
	OPT_MAX_PER_ADDRESS,
	OPT_HEADER_TIMEOUT,
	OPT_BODY_TIMEOUT,
	OPT_IDLE_TIMEOUT,
	OPT_DRAIN_DELAY
};

enum { RETRY_MS = 2000, MOST_ORIGINS = 64 };

static const struct opt_def own[] = {
    {'l', "listen", "ADDRESS", "HOST:PORT, :PORT for all addresses, or unix:PATH (default 127.0.0.1:8080)"},
    {'m', "model", "MODEL", "score with MODEL where a request names none (default $SENTI_MODEL, else vader)"},
    {OPT_LEXICON, "lexicon", "+FILE", "layer FILE (word TAB value a line) over the model's lexicon"},
    {OPT_QUEUE, "queue", "QUEUE", "messages go to amqp:QUEUE, for workers to score (default: scored here)"},
    {OPT_MAX_WAITING, "max-waiting", "N", "refuse messages while N are under way (default 100000)"},
    {OPT_MAX_BODY, "max-body", "BYTES", "refuse longer bodies; K, M, G are understood (default 64M)"},
    {OPT_MAX_ITEMS, "max-items", "N", "refuse longer arrays (default 10000)"},
    {OPT_TOKENS, "tokens", "FILE", "let in only who has a token of FILE; read again on SIGHUP"},
    {OPT_NEW_TOKEN, "new-token", "NAME:SCOPES", "make a token: its line for FILE on stdout, itself on stderr"},
    {OPT_INSECURE, "insecure", NULL, "listen beyond this machine without tokens"},
    {OPT_CORS, "cors", "ORIGIN", "let pages of ORIGIN (or *) read answers; may be repeated"},
    {OPT_MAX_CONNECTIONS, "max-connections", "N", "at most N connections (default: as descriptors allow)"},
    {OPT_MAX_PER_ADDRESS, "max-per-address", "N", "at most N of one address, but for this machine's (default: any)"},
    {OPT_HEADER_TIMEOUT, "header-timeout", "SECONDS", "headers must be complete by then (default 10)"},
    {OPT_BODY_TIMEOUT, "body-timeout", "SECONDS", "so must bodies (default 60)"},
    {OPT_IDLE_TIMEOUT, "idle-timeout", "SECONDS", "close connections without a request (default 60)"},
    {OPT_DRAIN_DELAY, "drain-delay", "SECONDS", "after SIGTERM serve on so long while /readyz says no (default 0)"},
    {OPT_ACCESS_LOG, "access-log", NULL, "log each request"},
    {0},
};

static const char examples[] =
    "  senti-serve &\n"
    "  curl -s localhost:8080/v1/sentiment -H 'Content-Type: application/json' -d '{\"text\":\"I love it\"}'\n"
    "  curl -s localhost:8080/v1/sentiment -H 'Content-Type: application/x-ndjson' --data-binary @texts.jsonl\n";

struct options {
	struct server_conf server;
	const char *queue, *new_token;
	const char *cors[MOST_ORIGINS + 1];
	size_t origins;
	uint64_t max_items, max_waiting;
	struct tool *tool;
};

/* The limits of connections. */
static int on_limit(struct http_conf *http, int letter, const char *value, struct err *e)
{
	uint64_t n;
	const char *name = letter == OPT_MAX_CONNECTIONS   ? "max-connections"
			   : letter == OPT_MAX_PER_ADDRESS ? "max-per-address"
			   : letter == OPT_HEADER_TIMEOUT  ? "header-timeout"
			   : letter == OPT_BODY_TIMEOUT	   ? "body-timeout"
							   : "idle-timeout";
	unsigned *to = letter == OPT_MAX_CONNECTIONS   ? &http->connections
		       : letter == OPT_MAX_PER_ADDRESS ? &http->per_address
		       : letter == OPT_HEADER_TIMEOUT  ? &http->header_s
		       : letter == OPT_BODY_TIMEOUT    ? &http->body_s
						       : &http->idle_s;
	if (opt_number(value, name, 1, 100000, &n, e) < 0)
		return -1;
	*to = (unsigned)n;
	return 0;
}

static int add_origin(struct options *o, const char *value, struct err *e)
{
	if (!cors_is_origin(value))
		return err_set(
		    e, ERR_USAGE, "--cors takes an origin such as https://example.org, or *, not '%s'", value);
	if (o->origins == MOST_ORIGINS)
		return err_set(e, ERR_USAGE, "--cors may be given %d times", MOST_ORIGINS);
	o->cors[o->origins++] = value;
	o->server.http.cors = o->cors;
	return 0;
}

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct options *o = arg;
	uint64_t n;
	switch (letter) {
	case 'l':
		o->server.http.listen = value;
		return 0;
	case 'm':
		o->server.model.spec = value;
		return 0;
	case OPT_LEXICON:
		return opt_lexicon(value, &o->server.model.lexicon, e);
	case OPT_MAX_BODY:
		if (opt_size(value, "max-body", 1, (uint64_t)1 << 40, &n, e) < 0)
			return -1;
		o->server.http.max_body = n;
		return 0;
	case OPT_MAX_ITEMS:
		return opt_number(value, "max-items", 1, 1000000, &o->max_items, e);
	case OPT_MAX_WAITING:
		return opt_number(value, "max-waiting", 1, 10000000, &o->max_waiting, e);
	case OPT_QUEUE:
		o->queue = value;
		return 0;
	case OPT_ACCESS_LOG:
		o->server.http.access_log = true;
		return 0;
	case OPT_TOKENS:
		o->server.tokens = value;
		return 0;
	case OPT_NEW_TOKEN:
		o->new_token = value;
		return 0;
	case OPT_INSECURE:
		o->server.insecure = true;
		return 0;
	case OPT_DRAIN_DELAY:
		if (opt_number(value, "drain-delay", 0, 3600, &n, e) < 0)
			return -1;
		o->server.drain_delay_s = o->tool->drain_more_s = (unsigned)n;
		return 0;
	case OPT_CORS:
		return add_origin(o, value, e);
	}
	return on_limit(&o->server.http, letter, value, e);
}

/* ---- what each thread opens for itself ---- */

static struct store *open_store(void *arg, struct err *e)
{
	const struct options *o = arg;
	struct tool impatient = *o->tool; /* clients are waiting: they are told, and send again */
	impatient.retry_ms = RETRY_MS;
	return store_open(&impatient, STORE_CREATE, e);
}

static struct cache *open_cache(void *arg, struct err *e)
{
	const struct options *o = arg;
	return caches_open(o->tool->cache, o->tool->ttl_ms, e);
}

static struct sink *open_queue(void *arg, struct counts *c, struct err *e)
{
	struct options *o = arg;
	struct end_conf conf = tool_ends(o->tool);
	conf.retry_ms = RETRY_MS;
	conf.counts = c;
	return end_sink(o->queue, LANE_OUT, &conf, e);
}

/* The line can be appended to the file by the shell, and the token shown to whom it is for: it is nowhere else. */
static int make_token(const struct tool *t, const char *wanted)
{
	struct buf token = {0}, line = {0};
	struct err e;
	if (tokens_make(wanted, &token, &line, &e) < 0)
		return tool_fail(t, &e);
	bool good = fwrite(line.p, 1, line.n, stdout) == line.n && fflush(stdout) == 0;
	if (good) {
		fprintf(stderr, "%.*s\n", (int)token.n, token.p);
	} else {
		err_sys(&e, "cannot write to stdout");
	}
	buf_free(&token);
	buf_free(&line);
	return good ? STATUS_OK : tool_fail(t, &e);
}

static int run(struct options *o)
{
	const struct tool *t = o->tool;
	struct err e;
	char *reader = follow_reader(t->cache);
	struct server_conf *c = &o->server;
	c->ends =
	    (struct ends){.arg = o, .store = open_store, .cache = open_cache, .queue = o->queue ? open_queue : NULL};
	c->cache_reader = reader;
	c->http.threads = t->jobs;
	c->limits = t->limits;
	c->max_items = o->max_items;
	c->max_waiting = o->max_waiting;
	int rc = server_run(c, &e);
	free(reader);
	return rc < 0 ? tool_fail(t, &e) : STATUS_OK;
}

int main(int argc, char **argv)
{
	struct tool t = {
	    .name = "senti-serve",
	    .usage = "[-l ADDRESS] [--store STORE] [--cache CACHE] [--queue QUEUE] [OPTION...]",
	    .summary = "Serves the toolkit over HTTP: scores texts, takes messages, and answers with what is stored.",
	    .examples = examples,
	    .own = own,
	    .shared = OPT_SERVE | OPT_JOBS | OPT_STORE | OPT_CACHE,
	    .on_option = on_option,
	};
	struct options o = {
	    .server = {.http = {.listen = "127.0.0.1:8080",
			   .max_body = (size_t)64 << 20,
			   .max_header = (size_t)16 << 10,
			   .max_held = (uint64_t)512 << 20,
			   .header_s = 10,
			   .body_s = 60,
			   .idle_s = 60},
		.model.spec = opt_model()},
	    .max_items = 10000,
	    .max_waiting = 100000,
	    .tool = &t,
	};
	struct err e;
	t.arg = &o;
	tool_options(&t, argc, argv);
	if (t.noperands) {
		err_set(&e, ERR_USAGE, "senti-serve takes options only, not '%s'", t.operand[0]);
		return tool_fail(&t, &e);
	}
	if (!t.cache)
		t.cache = "memory:64M";
	return o.new_token ? make_token(&t, o.new_token) : run(&o);
}
