/* tool.c - the one place that parses shared options and prints help, version and usage errors. */
#include "cmd/tool.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <unistd.h>

#include "lib/base/log.h"
#include "lib/base/sig.h"
#include "lib/metrics/endpoint.h"

enum {
	SHARED_REJECT = 2000,
	SHARED_MAX_RECORD,
	SHARED_MAX_REJECTS,
	SHARED_PROGRESS,
	SHARED_NO_PROGRESS,
	SHARED_SUMMARY,
	SHARED_EXIT_IF_EMPTY,
	SHARED_DRAIN,
	SHARED_LOG_FORMAT,
	SHARED_STORE,
	SHARED_IDLE,
	SHARED_RETRY,
	SHARED_PACK,
	SHARED_METRICS,
	SHARED_CACHE,
	SHARED_TTL,
};

struct shared_def {
	unsigned group; /* 0: every tool */
	struct opt_def def;
};

static const struct shared_def shared[] = {
    {OPT_FILTER, {'i', "from", "SOURCE", "read from SOURCE: a path, - for stdin (default), or amqp:QUEUE"}},
    {OPT_OUT, {'o', "to", "SINK", "write to SINK: a path, - for stdout (default), or amqp:QUEUE"}},
    {OPT_JOBS, {'j', "jobs", "N", "work in N threads; the order is kept (default 1)"}},
    {OPT_STORE, {SHARED_STORE, "store", "STORE",
		    "sqlite:PATH or postgresql://USER@HOST/DATABASE\n(default $SENTI_STORE, else sqlite:senti.db)"}},
    {OPT_CACHE, {SHARED_CACHE, "cache", "CACHE", "redis://HOST:PORT, unix:PATH or memory:SIZE (default $SENTI_REDIS)"}},
    {OPT_CACHE, {SHARED_TTL, "ttl", "DURATION", "how long entries live: 90s, 30m, 12h, 1d (default)"}},
    {OPT_FILTER | OPT_SERVE, {'b', "batch", "N", "close a batch at N records (default 1000)"}},
    {OPT_FILTER | OPT_SERVE,
	{'w', "wait", "MS", "or MS milliseconds after its first; 0: when nothing more is ready (default)"}},
    {OPT_FILTER, {SHARED_REJECT, "reject", "DEST",
		     "rejected records go to DEST (default $SENTI_REJECT, else\nQUEUE.dead for a queue, else stderr)"}},
    {OPT_FILTER | OPT_SERVE,
	{SHARED_MAX_RECORD, "max-record", "BYTES", "reject longer records; K, M, G are understood (default 1M)"}},
    {OPT_FILTER, {SHARED_MAX_REJECTS, "max-rejects", "N|P%", "exit 0 with up to N rejects, or P percent (default 0)"}},
    {OPT_FILTER,
	{SHARED_METRICS, "metrics", "ADDRESS", "serve figures for Prometheus at [HOST:]PORT (default HOST 127.0.0.1)"}},
    {OPT_FILTER, {SHARED_IDLE, "idle", "MS", "a queue as the source ends after MS milliseconds without a delivery"}},
    {OPT_OUT, {SHARED_PACK, "pack", "N", "put up to N records in one message of a queue (default 1)"}},
    {OPT_OUT, {SHARED_RETRY, "retry", "SECONDS",
		  "how long to try to reach a broker or database again (default 60; at the start 0)"}},
    {OPT_OUT, {SHARED_PROGRESS, "progress", NULL, "show progress on stderr (default: at a terminal)"}},
    {OPT_OUT, {SHARED_NO_PROGRESS, "no-progress", NULL, "show none"}},
    {OPT_OUT, {SHARED_SUMMARY, "summary", NULL, "end with one JSON line of counts on stderr"}},
    {OPT_OUT, {SHARED_EXIT_IF_EMPTY, "exit-if-empty", NULL, "exit 99 when there was no input"}},
    {OPT_OUT | OPT_SERVE, {SHARED_DRAIN, "drain", "SECONDS", "time to finish after SIGTERM or SIGINT (default 30)"}},
    {0, {SHARED_LOG_FORMAT, "log-format", "FORMAT", "logfmt or json instead of plain messages"}},
    {0, {'v', "verbose", NULL, "say more (twice: everything)"}},
    {0, {'q', "quiet", NULL, "say only errors"}},
    {0, {'h', "help", NULL, "show this and exit"}},
    {0, {'V', "version", NULL, "show the version and exit"}},
};

static bool applies(const struct tool *t, const struct shared_def *s)
{
	return s->group == 0 || (t->shared & s->group) != 0;
}

/* Above all letters and options without one. */
enum { LONG_ONLY = 4000 };

/* A letter that a tool takes for itself is not that of the shared option. */
static bool is_own(const struct tool *t, int letter)
{
	for (const struct opt_def *d = t->own; d && d->name; d++)
		if (d->letter == letter)
			return true;
	return false;
}

static void help_option(const struct opt_def *d)
{
	char head[64];
	int n = d->letter < OPT_OWN ? snprintf(head, sizeof head, "  -%c, --%s", d->letter, d->name)
				    : snprintf(head, sizeof head, "      --%s", d->name);
	if (d->arg)
		n += snprintf(head + n, sizeof head - (size_t)n, " %s", d->arg);
	printf("%s%*s", head, n < 26 ? 26 - n : 1, "");
	for (const char *p = d->help; *p; p++) {
		putchar(*p);
		if (*p == '\n')
			printf("%26s", "");
	}
	putchar('\n');
}

/* Where a tool takes the letter of a shared option for itself nothing of that is left, but for those that every tool has: of them the long name
 * stays, and the letter is made LONG_ONLY greater. */
static bool left_of(const struct tool *t, const struct shared_def *s, struct opt_def *left)
{
	*left = s->def;
	if (!is_own(t, left->letter))
		return true;
	left->letter += LONG_ONLY;
	return s->group == 0;
}

static void help_shared(const struct tool *t, const struct shared_def *s)
{
	struct opt_def left;
	if (left_of(t, s, &left))
		help_option(&left);
}

static NORETURN void help(const struct tool *t)
{
	const char *p = t->usage;
	for (const char *lead = "usage: "; *p; lead = "       ") {
		size_t n = strcspn(p, "\n");
		printf("%s%s %.*s\n", lead, t->name, (int)n, p);
		p += n + (p[n] == '\n');
	}
	printf("\n%s\n", t->summary);
	if (t->own && t->own->name) {
		printf("\nOptions of %s:\n", t->name);
		for (const struct opt_def *d = t->own; d->name; d++)
			help_option(d);
	}
	printf("\nOptions of all tools:\n");
	for (size_t i = 0; i < COUNT_OF(shared); i++)
		if (applies(t, &shared[i]))
			help_shared(t, &shared[i]);
	printf("\nExit status: 0 done; 1 done, but records were rejected; 2 usage; 3 environment (safe to retry).\n");
	if (t->examples)
		printf("\nExamples:\n%s", t->examples);
	printf("\nThe manual: man %s, man senti\n", t->name);
	exit(fflush(stdout) == 0 ? STATUS_OK : STATUS_ENVIRONMENT);
}

int tool_fail(const struct tool *t, const struct err *e)
{
	if (e->kind == ERR_PIPE) {
		/* The reader has gone: die as any filter does, without a word. */
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	log_error(e->msg, NULL);
	if (e->kind != ERR_USAGE)
		return STATUS_ENVIRONMENT;
	fprintf(stderr, "try '%s --help'\n", t->name);
	return STATUS_USAGE;
}

static NORETURN void usage(const struct tool *t, const struct err *e)
{
	exit(tool_fail(t, e));
}

static int max_rejects(struct tool *t, const char *value, struct err *e)
{
	char *end;
	errno = 0;
	t->max_rejects = strtod(value, &end);
	t->max_rejects_share = *end == '%' && end[1] == 0;
	bool number = end != value && errno == 0 && isfinite(t->max_rejects) && t->max_rejects >= 0;
	bool whole = *end == 0 && t->max_rejects == floor(t->max_rejects);
	if (!number || !(whole || (t->max_rejects_share && t->max_rejects <= 100)))
		return opt_bad_value("max-rejects", value, "a count such as 10, or a share such as 0.5%", e);
	return 0;
}

/* Engines count bytes of a text in 32 bits, and VADER's names of emoji make a text up to 14 times as long. */
#define MOST_RECORD ((uint64_t)128 << 20)

static enum log_format format = LOG_PLAIN;

static int shared_option(struct tool *t, int letter, const char *value, struct err *e)
{
	uint64_t n;
	switch (letter) {
	case 'i':
		t->from = value;
		return 0;
	case 'o':
		t->to = value;
		return 0;
	case 'j':
		if (opt_number(value, "jobs", 1, 256, &n, e) < 0)
			return -1;
		t->jobs = (unsigned)n;
		return 0;
	case 'b':
		if (opt_number(value, "batch", 1, 1000000, &n, e) < 0)
			return -1;
		t->limits.records = n;
		return 0;
	case 'w':
		if (opt_number(value, "wait", 0, 3600000, &n, e) < 0)
			return -1;
		t->limits.wait_ms = (int)n;
		return 0;
	case SHARED_STORE:
		t->store = value;
		t->store_named = true;
		return 0;
	case SHARED_CACHE:
		t->cache = value;
		return 0;
	case SHARED_TTL:
		return opt_duration(value, "ttl", 1, &t->ttl_ms, e);
	case SHARED_REJECT:
		t->reject = value;
		return 0;
	case SHARED_METRICS:
		t->metrics = value;
		return endpoint_check(value, e);
	case SHARED_IDLE:
		if (opt_number(value, "idle", 0, INT32_MAX, &n, e) < 0)
			return -1;
		t->idle_ms = (int64_t)n;
		return 0;
	case SHARED_RETRY:
		if (opt_number(value, "retry", 0, 86400, &n, e) < 0)
			return -1;
		t->retry_ms = (int64_t)n * 1000;
		return 0;
	case SHARED_PACK:
		if (opt_number(value, "pack", 1, 100000, &n, e) < 0)
			return -1;
		t->pack = n;
		return 0;
	case SHARED_MAX_RECORD:
		if (opt_size(value, "max-record", 64, MOST_RECORD, &n, e) < 0)
			return -1;
		t->limits.max_record = n;
		return 0;
	case SHARED_MAX_REJECTS:
		return max_rejects(t, value, e);
	case SHARED_PROGRESS:
	case SHARED_NO_PROGRESS:
		t->progress = letter == SHARED_PROGRESS;
		t->progress_set = true;
		return 0;
	case SHARED_SUMMARY:
		t->summary_line = true;
		return 0;
	case SHARED_EXIT_IF_EMPTY:
		t->exit_if_empty = true;
		return 0;
	case SHARED_DRAIN:
		if (opt_number(value, "drain", 1, 86400, &n, e) < 0)
			return -1;
		t->drain_s = (unsigned)n;
		return 0;
	case SHARED_LOG_FORMAT:
		if (strcmp(value, "logfmt") != 0 && strcmp(value, "json") != 0)
			return opt_bad_value("log-format", value, "logfmt or json", e);
		format = value[0] == 'j' ? LOG_JSON : LOG_LOGFMT;
		return 0;
	case 'v':
		t->verbose++;
		return 0;
	case 'q':
		t->verbose = -1;
		return 0;
	case 'h':
		help(t);
	case 'V':
		printf("%s %s\n", t->name, SENTI_VERSION);
		exit(fflush(stdout) == 0 ? STATUS_OK : STATUS_ENVIRONMENT);
	}
	return err_set(e, ERR_USAGE, "option %d is nobody's", letter);
}

struct table {
	struct option longs[96];
	char shorts[128];
	size_t n, m;
};

static void table_add(struct table *tab, const struct opt_def *d)
{
	if (tab->n + 1 >= COUNT_OF(tab->longs) || tab->m + 4 >= sizeof tab->shorts)
		abort(); /* the tables are constant: a tool with so many options is a mistake of its author */
	tab->longs[tab->n++] = (struct option){d->name, d->arg ? required_argument : no_argument, NULL, d->letter};
	if (d->letter < OPT_OWN) {
		tab->shorts[tab->m++] = (char)d->letter;
		if (d->arg)
			tab->shorts[tab->m++] = ':';
	}
}

static void add_shared(const struct tool *t, struct table *tab, const struct shared_def *s)
{
	struct opt_def left;
	if (left_of(t, s, &left))
		table_add(tab, &left);
}

static void parse(struct tool *t, int argc, char **argv)
{
	struct table tab = {0};
	struct err e;
	/* ':' makes getopt tell a missing argument from an unknown option, and leaves the message to us. */
	tab.shorts[tab.m++] = ':';
	for (const struct opt_def *d = t->own; d && d->name; d++)
		table_add(&tab, d);
	for (size_t i = 0; i < COUNT_OF(shared); i++)
		if (applies(t, &shared[i]))
			add_shared(t, &tab, &shared[i]);
	for (int c; (c = getopt_long(argc, argv, tab.shorts, tab.longs, NULL)) != -1;) {
		if (c == '?' || c == ':') {
			const char *word = argv[optind - 1];
			bool lone = optopt && optopt < OPT_OWN && strncmp(word, "--", 2) != 0;
			if (c == ':')
				err_set(&e, ERR_USAGE, "option '%s' takes an argument", word);
			else if (lone)
				err_set(&e, ERR_USAGE, "unknown option '-%c'", optopt);
			else if (optopt)
				err_set(&e, ERR_USAGE, "option '%s' takes no argument", word);
			else
				err_set(&e, ERR_USAGE, "unknown or ambiguous option '%s'", word);
			usage(t, &e);
		}
		bool own = is_own(t, c);
		c -= c >= LONG_ONLY ? LONG_ONLY : 0;
		if ((own ? t->on_option(t->arg, c, optarg, &e) : shared_option(t, c, optarg, &e)) < 0)
			usage(t, &e);
	}
	t->operand = (const char *const *)argv + optind;
	t->noperands = (size_t)(argc - optind);
}

static const char *env(const char *name)
{
	const char *v = getenv(name);
	return v && *v ? v : NULL;
}

void tool_options(struct tool *t, int argc, char **argv)
{
	opterr = 0;
	log_init(t->name, LOG_WARN, LOG_PLAIN);
	t->limits = (struct limits){.records = 1000, .bytes = 1 << 20, .wait_ms = 0, .max_record = 1 << 20};
	t->jobs = 1;
	t->drain_s = 30;
	t->store = env("SENTI_STORE") ? env("SENTI_STORE") : "sqlite:senti.db";
	t->store_named = env("SENTI_STORE") != NULL;
	t->cache = env("SENTI_REDIS");
	t->reject = env("SENTI_REJECT");
	t->idle_ms = t->retry_ms = -1;
	t->pack = 1;
	t->to = "-";
	counts_start(&t->counts);
	parse(t, argc, argv);
	log_init(t->name,
	    t->verbose < 0    ? LOG_ERROR
	    : t->verbose == 0 ? LOG_WARN
	    : t->verbose == 1 ? LOG_INFO
			      : LOG_DEBUG,
	    format);
	sig_init(t->drain_s + t->drain_more_s);
	if (!t->progress_set)
		t->progress = t->verbose >= 0 && isatty(STDERR_FILENO) && !isatty(STDOUT_FILENO);
	if (t->from && (t->shared & OPT_FILTER) && !(t->shared & OPT_IDS) && t->noperands) {
		struct err e;
		err_set(&e, ERR_USAGE, "-i %s and files as operands exclude each other", t->from);
		usage(t, &e);
	}
}

const char *opt_model(void)
{
	return env("SENTI_MODEL") ? env("SENTI_MODEL") : "vader";
}

int opt_lexicon(const char *value, const char **file, struct err *e)
{
	if (value[0] != '+' || !value[1])
		return err_set(e, ERR_USAGE, "--lexicon takes +FILE (layered over the model's own), not '%s'", value);
	*file = value + 1;
	return 0;
}

bool opt_colour(int fd)
{
	const char *term = getenv("TERM");
	return isatty(fd) && !env("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}
