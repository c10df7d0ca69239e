/* tool.h - what all tools share: their options, help, version and exit statuses, defined once.
 *
 * A tool declares its options as a table (options.h), and its verbs if any (verbs.h); shared options are added. --help
 * is printed from the tables, so it cannot disagree with the reader.
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct options o = {...};
 *         struct tool t = {.name = "senti-score", .usage = ..., .own = own, .options = &o,
 *                          .shared = SHARED_FILTER | SHARED_OUT};
 *         tool_options(&t, argc, argv);         // --help, --version and errors end the program here
 *         ...
 *         return tool_run(&t, steps, n);        // opens the ends, pumps, reports, closes (run.h)
 *     }
 */
#ifndef SENTI_TOOL_H
#define SENTI_TOOL_H

#include "cmd/verbs.h"
#include "lib/base/log.h"
#include "lib/flow/counts.h"
#include "lib/flow/port.h"

/* Groups of shared options that a tool takes. */
enum {
	SHARED_FILTER =
	    1 << 0,	       /* reads records: -i -b -w --reject --max-record --max-rejects --metrics --host --idle */
	SHARED_OUT = 1 << 1,   /* writes records: -o --pack --retry --progress --summary --exit-if-empty --drain */
	SHARED_JOBS = 1 << 2,  /* -j */
	SHARED_STORE = 1 << 3, /* --store */
	SHARED_SERVE = 1 << 4, /* batches requests: -b -w --max-record --drain */
	SHARED_CACHE = 1 << 5, /* --cache --ttl */
};

/* --max-rejects: a number, or a share of the input. */
struct max_rejects {
	double most;
	bool percent;
};

enum { MOST_NAMES = 64 };

struct tool {
	/* Set by the tool. */
	const char *name;
	const char *usage;	  /* "[-t] [-m MODEL] [FILE...]", one a line */
	const struct verb *verbs; /* instead of usage; ended by {0} */
	bool verb_optional;	  /* the first verb is the default */
	const char *summary;	  /* what it does, for the head of --help */
	const char *examples;	  /* for the foot of --help */
	const struct option_def *own;
	void *options;	 /* the struct of the targets of `own` */
	unsigned shared; /* SHARED_... */
	enum operands operands;
	unsigned show;	   /* counters shown even at 0: 1u << COUNTER_... */
	const char *model; /* the scoring model's name, for --metrics (before tool_run) */
	bool fills_closed; /* takes /dev/null for a closed stdin, stdout or stderr; else that is an error */

	/* Filled by tool_options. */
	struct option_list list;
	const struct verb *verb;
	const char *from, *to;
	const char *reject;	   /* NULL: not given, so it depends on the source */
	char *dead_end;		   /* and is then this, if not NULL, if not NULL, if not NULL */
	int64_t idle_ms, retry_ms; /* -1: not given */
	size_t pack;
	const char *metrics;		   /* --metrics, or NULL */
	const char *hosts[MOST_NAMES + 1]; /* --host: under which names, ended by NULL */
	const char *store;		   /* $SENTI_STORE or --store; "sqlite:senti.db" */
	bool store_named;		   /* it is not the default */
	const char *cache;		   /* $SENTI_REDIS or --cache; NULL: neither */
	int64_t ttl_ms;			   /* --ttl; 0: not given */
	const char *const *operand;	   /* ended by NULL */
	size_t noperands;
	struct limits limits;
	unsigned jobs;
	unsigned drain_s, drain_delay_s;
	struct max_rejects max_rejects;
	bool progress, summary_line, exit_if_empty;
	int verbose; /* -v: up, -q: down */
	enum log_format log_format;
	struct counts counts;
	/* Set before tool_run, instead of -i and the operands; taken. */
	struct source *source;
	struct sink *out; /* likewise instead of -o */
};

/* Reads argv; ends the program for --help (0), --version (0) and usage errors (2). Sets up logging and signals. */
void tool_options(struct tool *t, int argc, char **argv);
/* True if the option was given. */
bool tool_given(const struct tool *t, const char *option);
/* For errors outside of tool_run: prints the error as all tools do, and returns its exit status; a closed pipe ends the
 * process by SIGPIPE. */
int tool_fail(const struct tool *t, const struct err *e);

/* The default model: $SENTI_MODEL, else vader. */
const char *default_model(void);
/* Adds the value to a list of at most MOST_NAMES, ended by NULL. */
int add_name(const char **list, const char *option, const char *value, struct err *e);
/* An option_call for --host NAME: the target is such a list. */
option_call read_host;
/* Reads --lexicon +FILE; the target is a const char *, the file's name. */
option_call read_lexicon;
/* True if this descriptor is a terminal that takes colour: NO_COLOR is unset, TERM is not dumb. */
bool wants_colour(int fd);

#endif
