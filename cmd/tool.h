/* tool.h - what all tools share: their options, help, version and exit statuses, defined once.
 *
 * A tool declares its own options as a table, the shared ones come with it; --help is printed from both, so it cannot
 * disagree with what is parsed.
 *
 *     static const struct opt_def own[] = {
 *         {'m', "model", "MODEL", "score with MODEL (default vader)"},
 *         {OPT_FORCE, "force", NULL, "score again what has a result of this model"},
 *         {0},
 *     };
 *     int main(int argc, char **argv)
 *     {
 *         struct tool t = {.name = "senti-score", .usage = ..., .own = own, .on_option = option, .shared = OPT_FILTER | OPT_OUT};
 *         tool_options(&t, argc, argv);        // --help, --version and mistakes end the program here
 *         ...
 *         return tool_run(&t, steps, n);        // opens the ends, pumps, reports, closes
 *     }
 */
#ifndef SENTI_TOOL_H
#define SENTI_TOOL_H

#include "cmd/options.h"
#include "lib/flow/counts.h"
#include "lib/flow/port.h"

/* Groups of shared options that a tool takes. */
enum {
	OPT_FILTER =
	    1 << 0,	  /* reads records: -i -b -w --reject --max-record --max-rejects --metrics, files as operands */
	OPT_OUT = 1 << 1, /* writes records: -o --progress --summary --exit-if-empty --drain */
	OPT_JOBS = 1 << 2,  /* -j */
	OPT_STORE = 1 << 3, /* --store */
	OPT_IDS = 1 << 4,   /* operands are not files */
	OPT_SERVE = 1 << 5, /* batches requests: -b -w --max-record --drain */
	OPT_CACHE = 1 << 6, /* --cache --ttl */
};

struct tool {
	/* Set by the tool. */
	const char *name;
	const char *usage;    /* "[-t] [-m MODEL] [FILE...]", one synopsis a line */
	const char *summary;  /* what it does, for the head of --help */
	const char *examples; /* for the foot of --help */
	const struct opt_def *own;
	unsigned shared;   /* OPT_... */
	unsigned show;	   /* counters always in the summary: 1u << COUNTER_... */
	const char *model; /* what it scores with, for --metrics (before tool_run) */
	/* One of its own options: 0, or -1 with *e (a usage error). */
	int (*on_option)(void *arg, int letter, const char *value, struct err *e);
	void *arg;
	unsigned drain_more_s; /* what its own options add to --drain */

	/* Filled by tool_options. */
	const char *from, *to;
	const char *reject;	   /* NULL: not said, so it depends on the source */
	char *dead_end;		   /* and is then this */
	int64_t idle_ms, retry_ms; /* -1: not given */
	size_t pack;
	const char *metrics; /* --metrics, or NULL */
	const char *store;   /* $SENTI_STORE or --store; "sqlite:senti.db" */
	bool store_named;    /* it is not the default */
	const char *cache;   /* $SENTI_REDIS or --cache; NULL: none is named */
	int64_t ttl_ms;	     /* --ttl; 0: not given */
	const char *const *operand;
	size_t noperands;
	struct limits limits;
	unsigned jobs;
	unsigned drain_s;
	double max_rejects;
	bool max_rejects_share; /* it is a percentage */
	bool progress, progress_set, summary_line, exit_if_empty;
	int verbose; /* -v: up, -q: down */
	struct counts counts;
	/* Set by a tool whose records do not come from lines (before tool_run): used instead of -i and the operands. Taken. */
	struct source *source;
	struct sink *out; /* likewise, instead of -o */
};

/* Parses; ends the program for --help (0), --version (0) and usage errors (2). Sets up logging and signals. */
void tool_options(struct tool *t, int argc, char **argv);
/* For tools that do not pump (senti-store stats), and for mistakes found before: prints the error as all tools do, and returns its exit
 * status; a closed pipe ends the process by SIGPIPE. */
int tool_fail(const struct tool *t, const struct err *e);

/* The model that is used where none is named: $SENTI_MODEL, else vader. */
const char *opt_model(void);
/* --lexicon +FILE: 0 with the file's name in *file (lent by value), or -1 with *e. */
MUST_USE int opt_lexicon(const char *value, const char **file, struct err *e);
/* True if colour is wanted on this descriptor: a terminal, and no NO_COLOR, and TERM is not dumb. */
bool opt_colour(int fd);

#endif
