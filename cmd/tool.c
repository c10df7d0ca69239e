/* tool.c - the shared options, help, version and usage errors. */
#include "cmd/tool.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/sig.h"
#include "lib/http/guard.h"
#include "lib/metrics/endpoint.h"

int tool_fail(const struct tool *t, const struct err *e)
{
	if (e->kind == ERR_PIPE) {
		/* The reader has gone: die silently, as any filter does. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	log_error(e->msg, NULL);
	if (e->kind != ERR_USAGE)
		return STATUS_ENVIRONMENT;
	fprintf(stderr, "try '%s --help'\n", t->name);
	return STATUS_USAGE;
}

/* ---- options read by hand; `to` is the target ---- */

static int read_max_rejects(void *to, const char *value, struct err *e)
{
	struct max_rejects *m = to;
	char *end;
	errno = 0;
	m->most = strtod(value, &end);
	m->percent = *end == '%' && end[1] == 0;
	bool number = end != value && errno == 0 && isfinite(m->most) && m->most >= 0;
	bool whole = *end == 0 && m->most == floor(m->most);
	if (!number || !(whole || (m->percent && m->most <= 100)))
		return option_bad("max-rejects", value, "a count such as 10, or a share such as 0.5%", e);
	return 0;
}

static int read_metrics(void *to, const char *value, struct err *e)
{
	*(const char **)to = value;
	return endpoint_check(value, e);
}

int add_name(const char **list, const char *option, const char *value, struct err *e)
{
	size_t n = 0;
	while (list[n])
		n++;
	if (n == MOST_NAMES)
		return err_set(e, ERR_USAGE, "--%s may be given %d times", option, MOST_NAMES);
	list[n] = value;
	return 0;
}

int read_host(void *to, const char *value, struct err *e)
{
	if (!guard_is_name(value))
		return option_bad("host", value, "a host name such as example.org, without a port", e);
	return add_name(to, "host", value, e);
}

int read_lexicon(void *to, const char *value, struct err *e)
{
	*(const char **)to = value + 1;
	return value[0] == '+' && value[1] ? 0
					   : option_bad("lexicon", value, "+FILE (layered over the model's own)", e);
}

static option_call show_help, show_version; /* they end the program; their target is the tool's first member */

/* Engines count a text's bytes in 32 bits, and VADER's names of emoji lengthen a text up to 14 times. */
#define MOST_RECORD ((uint64_t)128 << 20)

#define OPTIONS struct tool
static const struct option_def shared[] = {
    {'i', "from", "SOURCE", "read from SOURCE: a path, - for stdin (default), or amqp:QUEUE", OPT_STRING(from),
	.only = SHARED_FILTER},
    {'o', "to", "SINK", "write to SINK: a path, - for stdout (default), or amqp:QUEUE", OPT_STRING(to),
	.only = SHARED_OUT},
    {'j', "jobs", "N", "work in N threads; keeps the order (default 1)", OPT_NUMBER(jobs, 1, 256), .only = SHARED_JOBS},
    {0, "store", "STORE",
	"sqlite:PATH or postgresql://USER@HOST/DATABASE\n(default $SENTI_STORE, else sqlite:senti.db)",
	OPT_STRING(store), .only = SHARED_STORE},
    {0, "cache", "CACHE",
	"redis://HOST:PORT, redis+sentinel://HOST,HOST/NAME, unix:PATH or memory:SIZE (default $SENTI_REDIS)",
	OPT_STRING(cache), .only = SHARED_CACHE},
    {0, "ttl", "DURATION", "how long entries live: 90s, 30m, 12h, 1d (default)", OPT_DURATION(ttl_ms, 1),
	.only = SHARED_CACHE},
    {'b', "batch", "N", "close a batch at N records (default 1000)", OPT_NUMBER(limits.records, 1, 1000000),
	.only = SHARED_FILTER | SHARED_SERVE},
    {'w', "wait", "MS", "or MS milliseconds after its first; 0 (default): when no more is ready",
	OPT_NUMBER(limits.wait_ms, 0, 3600000), .only = SHARED_FILTER | SHARED_SERVE},
    {0, "reject", "DEST",
	"write rejected records to DEST (default $SENTI_REJECT, else\nQUEUE.dead for a queue, else stderr)",
	OPT_STRING(reject), .only = SHARED_FILTER},
    {0, "max-record", "BYTES", "reject longer records; suffixes K, M, G (default 1M)",
	OPT_SIZE(limits.max_record, 64, MOST_RECORD), .only = SHARED_FILTER | SHARED_SERVE},
    {0, "max-rejects", "N|P%", "exit 0 with up to N rejects, or P percent (default 0)",
	OPT_CALL(max_rejects, read_max_rejects), .only = SHARED_FILTER},
    {0, "metrics", "ADDRESS", "serve metrics for Prometheus at [HOST:]PORT (default HOST 127.0.0.1)",
	OPT_CALL(metrics, read_metrics), .only = SHARED_FILTER},
    {0, "host", "NAME", "also answer --metrics requests for the host NAME; may be repeated", OPT_CALL(hosts, read_host),
	.only = SHARED_FILTER},
    {0, "idle", "MS", "stop reading a queue that is empty, after MS milliseconds without a delivery",
	OPT_NUMBER(idle_ms, 0, INT32_MAX), .only = SHARED_FILTER},
    {0, "pack", "N", "put up to N records in one queue message (default 1)", OPT_NUMBER(pack, 1, 100000),
	.only = SHARED_OUT},
    {0, "retry", "SECONDS", "how long to try to reconnect to a broker or database (default 60; 0 at startup)",
	OPT_SECONDS(retry_ms, 0, 86400), .only = SHARED_OUT},
    {0, "progress", NULL, "show progress on stderr (default: if it is a terminal)", OPT_FLAG(progress),
	.only = SHARED_OUT},
    {0, "no-progress", NULL, "do not show progress", OPT_UNFLAG(progress), .only = SHARED_OUT},
    {0, "summary", NULL, "end with one JSON line of counts on stderr", OPT_FLAG(summary_line), .only = SHARED_OUT},
    {0, "exit-if-empty", NULL, "exit 99 if there was no input", OPT_FLAG(exit_if_empty), .only = SHARED_OUT},
    {0, "drain", "SECONDS", "time limit to finish after SIGTERM or SIGINT (default 30)", OPT_NUMBER(drain_s, 1, 86400),
	.only = SHARED_OUT | SHARED_SERVE},
    {0, "log-format", "FORMAT", "logfmt or json instead of plain messages", OPT_CHOICE(log_format, "logfmt", "json"),
	.min = LOG_LOGFMT},
    {'v', "verbose", NULL, "log more (twice: everything)", OPT_COUNT(verbose)},
    {'q', "quiet", NULL, "log only errors", OPT_SET(verbose, -1)},
    {'h', "help", NULL, "show this and exit", OPT_CALL(name, show_help)},
    {'V', "version", NULL, "show the version and exit", OPT_CALL(name, show_version)},
    {0},
};

static size_t count(const struct option_def *table)
{
	size_t n = 0;
	while (table && table[n].name)
		n++;
	return n;
}

static void print_usage(const struct tool *t)
{
	const char *p = t->usage;
	if (t->verbs)
		verbs_usage(t->verbs, t->verb_optional, t->name);
	for (const char *lead = "usage: "; p && *p; lead = "       ") {
		size_t n = strcspn(p, "\n");
		printf("%s%s %.*s\n", lead, t->name, (int)n, p);
		p += n + (p[n] == '\n');
	}
}

static int show_help(void *to, const char *value, struct err *e)
{
	const struct tool *t = to;
	size_t own = count(t->own);
	(void)value;
	(void)e;
	print_usage(t);
	printf("\n%s\n", t->summary);
	printf("\nOptions of %s:\n", t->name);
	options_help(&t->list, 0, own);
	printf("\nOptions of all tools:\n");
	options_help(&t->list, own, t->list.n);
	printf("\nExit status: 0 done; 1 done, but records were rejected; 2 usage; 3 environment (safe to retry).\n");
	printf("\nExamples:\n%s", t->examples);
	printf("\nThe manual: man %s, man senti\n", t->name);
	exit(fflush(stdout) == 0 ? STATUS_OK : STATUS_ENVIRONMENT);
}

static int show_version(void *to, const char *value, struct err *e)
{
	const struct tool *t = to;
	(void)value;
	(void)e;
	printf("%s %s\n", t->name, SENTI_VERSION);
	exit(fflush(stdout) == 0 ? STATUS_OK : STATUS_ENVIRONMENT);
}

static void set_defaults(struct tool *t)
{
	t->limits = (struct limits){.records = 1000, .bytes = 1 << 20, .wait_ms = 0, .max_record = 1 << 20};
	t->jobs = 1;
	t->drain_s = 30;
	t->store = env_get("SENTI_STORE");
	t->cache = env_get("SENTI_REDIS");
	t->reject = env_get("SENTI_REJECT");
	t->idle_ms = t->retry_ms = -1;
	t->pack = 1;
	t->to = "-";
	counts_start(&t->counts);
}

static int read_options(struct tool *t, int argc, char **argv, struct err *e)
{
	options_add(&t->list, t->own, t->options, ALL_OPTIONS);
	options_add(&t->list, shared, t, t->shared);
	if (argc < 1)
		return err_set(e, ERR_USAGE, "called without a name");
	if (options_read(&t->list, argv, &t->noperands, e) < 0)
		return -1;
	t->operand = (const char *const *)argv + 1;
	if (t->verbs) {
		if (!(t->verb = verbs_take(t->verbs, t->verb_optional, &t->operand, &t->noperands, e)) ||
		    verbs_check(t->verbs, t->verb, &t->list, t->options, e) < 0)
			return -1;
		t->operands = t->verb->operands;
	}
	return operands_check(t->verb ? t->verb->name : t->name, t->operands, t->from, t->operand, t->noperands, e);
}

void tool_options(struct tool *t, int argc, char **argv)
{
	static const enum log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG};
	struct err e;
	log_init(t->name, LOG_WARN, LOG_PLAIN);
	set_defaults(t);
	if (read_options(t, argc, argv, &e) < 0)
		exit(tool_fail(t, &e));
	log_init(t->name, levels[t->verbose > 2 ? 3 : t->verbose + 1], t->log_format);
	if (io_check_standard(t->fills_closed, &e) < 0)
		exit(tool_fail(t, &e));
	t->limits.stop = sig_init(t->drain_s + t->drain_delay_s);
	t->store_named = t->store != NULL;
	if (!t->store)
		t->store = "sqlite:senti.db";
	if (!tool_given(t, "progress") && !tool_given(t, "no-progress"))
		t->progress = t->verbose >= 0 && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
}

bool tool_given(const struct tool *t, const char *option)
{
	return options_given(&t->list, option);
}

const char *default_model(void)
{
	const char *named = env_get("SENTI_MODEL");
	return named ? named : "vader";
}

bool wants_colour(int fd)
{
	const char *term = env_get("TERM");
	return isatty(fd) && !env_get("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}
