/* senti-serve - the same stages over HTTP. */
#include "cmd/schemes.h"
#include "cmd/serve_run.h"
#include "lib/http/cors.h"

static const char examples[] =
    "  senti-serve &\n"
    "  curl -s localhost:8080/v1/sentiment -H 'Content-Type: application/json' -d '{\"text\":\"I love it\"}'\n"
    "  curl -s localhost:8080/v1/sentiment -H 'Content-Type: application/x-ndjson' --data-binary @texts.jsonl\n";

static int read_origin(void *to, const char *value, struct err *e)
{
	if (!cors_is_origin(value))
		return option_bad("cors", value, "an origin such as https://example.org, or *", e);
	return add_name(to, "cors", value, e);
}

/* A name without a scheme is a queue on $SENTI_AMQP's broker. A file is refused: the next start would truncate it, and
 * lose what was answered 202. */
static int read_queue(void *to, const char *value, struct err *e)
{
	char **queue = to;
	static struct buf end; /* for the program's life */
	bool scheme = scheme_is_source(value);
	if (!*value || strcmp(value, "-") == 0 || (!scheme && strpbrk(value, ":/")))
		return option_bad("queue", value, "the name of a queue or its address, amqp:QUEUE", e);
	buf_clear(&end);
	buf_printf(&end, "%s%s", scheme ? "" : "amqp:", value);
	buf_char(&end, 0);
	*queue = end.p;
	return 0;
}

#define OPTIONS struct serve_options
static const struct option_def own[] = {
    {'l', "listen", "ADDRESS", "HOST:PORT, :PORT for all addresses, or unix:PATH (default 127.0.0.1:8080)",
	OPT_STRING(server.http.listen)},
    {'m', "model", "MODEL", "the model for requests that name none (default $SENTI_MODEL, else vader)",
	OPT_STRING(server.model.spec)},
    {0, "lexicon", "+FILE", "layer FILE (lines of WORD TAB VALUE) over the model's lexicon",
	OPT_CALL(server.model.lexicon, read_lexicon)},
    {0, "queue", "QUEUE", "send messages to this queue (NAME or amqp:...), for workers (default: score here)",
	OPT_CALL(queue, read_queue)},
    {0, "pending-ttl", "DURATION", "how long to show a message that no worker has stored yet (default 15m)",
	OPT_DURATION(pending_ms, 1)},
    {0, "reader", "NAME", "its position in the outbox, for Redis (default: the cache's address and the host name)",
	OPT_NAME(server.cache_reader)},
    {0, "read-only", NULL, "refuse to store, correct and delete messages; the store may be a replica",
	OPT_FLAG(server.read_only)},
    {'j', "jobs", "N", "score large bodies in N threads (default: one per processor)", OPT_NUMBER(server.jobs, 1, 256)},
    {0, "io-threads", "N", "threads that read and answer requests (default 2; 1 on one processor)",
	OPT_NUMBER(server.http.threads, 1, 256)},
    {0, "memory", "BYTES", "memory limit of all requests together, including the cache (default 256M)",
	OPT_SIZE(server.memory, (uint64_t)16 << 20, (uint64_t)1 << 50)},
    {0, "spool", "BYTES", "limit of temporary files for large answers (default 2G)",
	OPT_SIZE(server.spool, (uint64_t)1 << 20, (uint64_t)1 << 50)},
    {0, "max-waiting", "N", "refuse messages while N are in flight (default 100000)",
	OPT_NUMBER(server.max_waiting, 1, 10000000)},
    {0, "max-body", "BYTES", "refuse longer bodies; suffixes K, M, G (default 64M)",
	OPT_SIZE(server.http.max_body, 1, (uint64_t)1 << 40)},
    {0, "max-items", "N", "refuse longer arrays (default 10000)", OPT_NUMBER(server.max_items, 1, 1000000)},
    {0, "tokens", "FILE", "admit only clients with a token in FILE; reread on SIGHUP", OPT_STRING(server.tokens)},
    {0, "new-token", "NAME:SCOPES", "make a token: prints its line for FILE on stdout, the token on stderr",
	OPT_STRING(new_token)},
    {0, "insecure", NULL, "listen beyond this machine without tokens", OPT_FLAG(server.insecure)},
    {0, "host", "NAME", "also answer requests for the host NAME; may be repeated", OPT_CALL(hosts, read_host)},
    {0, "cors", "ORIGIN", "let pages of ORIGIN (or *) send requests and read answers; may be repeated",
	OPT_CALL(cors, read_origin)},
    {0, "graphql-tokens", "N", "refuse longer GraphQL documents; here and below 0 means no limit (default 1500)",
	OPT_NUMBER(server.graphql.tokens, 0, 100000000)},
    {0, "graphql-depth", "N", "refuse operations nested deeper (default 15)",
	OPT_NUMBER(server.graphql.depth, 0, 1000)},
    {0, "graphql-aliases", "N", "refuse operations with more aliases (default 30)",
	OPT_NUMBER(server.graphql.aliases, 0, 100000000)},
    {0, "graphql-root-fields", "N", "refuse operations with more root fields (default 30)",
	OPT_NUMBER(server.graphql.root_fields, 0, 100000000)},
    {0, "graphql-directives", "N", "refuse operations with more directives (default 20)",
	OPT_NUMBER(server.graphql.directives, 0, 100000000)},
    {0, "graphql-cost", "N", "refuse operations whose answers may have more fields (default 100000)",
	OPT_NUMBER(server.graphql.cost, 0, UINT32_MAX)},
    {0, "graphql-answer", "BYTES", "end operations whose data is larger (default 16M)",
	OPT_SIZE(server.graphql.answer_bytes, 0, (uint64_t)1 << 40)},
    {0, "graphql-timeout", "SECONDS", "end operations that take longer (default 30)",
	OPT_SECONDS(server.graphql_ms, 0, 3600)},
    {0, "graphql-documents", "DIR", "run only the GraphQL documents in DIR, by their SHA-256; reread on SIGHUP",
	OPT_STRING(server.documents)},
    {0, "no-introspection", NULL, "refuse GraphQL operations that ask for the schema",
	OPT_FLAG(server.graphql.no_introspection)},
    {0, "max-connections", "N", "allow N connections (default: as many as descriptors permit)",
	OPT_NUMBER(server.http.connections, 1, 100000)},
    {0, "max-per-address", "N", "allow N from one address, except this machine (default: no limit)",
	OPT_NUMBER(server.http.limits.per_address, 1, 100000)},
    {0, "header-timeout", "SECONDS", "time limit for a request's headers (default 10)",
	OPT_NUMBER(server.http.limits.header_s, 1, 100000)},
    {0, "body-timeout", "SECONDS", "time limit for its body, and for reading the answer (default 60)",
	OPT_NUMBER(server.http.limits.body_s, 1, 100000)},
    {0, "idle-timeout", "SECONDS", "close connections that are idle for this long (default 75)",
	OPT_NUMBER(server.http.limits.idle_s, 1, 100000)},
    {0, "scan-timeout", "SECONDS", "time limit for a page of messages, or statistics (default 10)",
	OPT_NUMBER(server.scan_timeout_s, 1, 100000)},
    {0, "drain-delay", "SECONDS", "after SIGTERM, keep serving this long while /readyz fails (default 0)",
	OPT_NUMBER(tool.drain_delay_s, 0, 3600)},
    {0, "access-log", NULL, "log each request", OPT_FLAG(server.http.access_log)},
    {0},
};

int main(int argc, char **argv)
{
	struct serve_options o = {
	    .server = {.http = {.listen = "127.0.0.1:8080",
			   .max_body = (size_t)64 << 20,
			   .max_header = (size_t)16 << 10,
			   .limits = {.header_s = 10, .body_s = 60, .idle_s = 75}},
		.model.spec = default_model(),
		.graphql = {.tokens = 1500,
		    .depth = 15,
		    .aliases = 30,
		    .root_fields = 30,
		    .directives = 20,
		    .cost = 100000,
		    .answer_bytes = (size_t)16 << 20},
		.graphql_ms = 30000,
		.max_items = 10000,
		.max_waiting = 100000,
		.memory = (uint64_t)256 << 20,
		.spool = (uint64_t)2 << 30,
		.scan_timeout_s = 10},
	};
	struct tool *t = &o.tool;
	*t = (struct tool){
	    .name = "senti-serve",
	    .usage = "[-l ADDRESS] [--store STORE] [--cache CACHE] [--queue QUEUE] [OPTION...]",
	    .summary = "Serves the toolkit over HTTP: scores texts, accepts messages, and returns stored ones.",
	    .examples = examples,
	    .own = own,
	    .options = &o,
	    .fills_closed = true,
	    .shared = SHARED_SERVE | SHARED_STORE | SHARED_CACHE,
	    .operands = OPERANDS_NONE,
	};
	tool_options(t, argc, argv);
	return serve_run(&o);
}
