/* senti-worker - any filter pipeline as a worker on a queue or a growing file. */
#include "cmd/run.h"

#include "lib/base/url.h"
#include "lib/ingest/follow.h"
#include "lib/stage/exec.h"

enum { OPT_TIMEOUT = OPT_OWN, OPT_MAX_FAILURES, OPT_FOLLOW, OPT_STATE };

static const struct opt_def own[] = {
    {'q', "queue", "QUEUE", "work on this queue: the same as -i amqp:QUEUE"},
    {'o', "to", "SINK",
	"answers go to SINK before their records are acknowledged\n(default: nowhere with -q, else stdout)"},
    {'j', "jobs", "N", "run N commands side by side; the order is kept (default 1)"},
    {OPT_TIMEOUT, "timeout", "SECONDS",
	"a command that gives no answer for so long is ended and started again (default 30)"},
    {OPT_MAX_FAILURES, "max-failures", "N",
	"give up when the command fails N times in a row without an answer (default 10)"},
    {OPT_FOLLOW, "follow", NULL, "read the file of -i as it grows, through rotation and truncation, until stopped"},
    {OPT_STATE, "state", "FILE", "with --follow: keep there how far records came out, and start from there"},
    {0},
};

struct config {
	struct tool *tool;
	const char *queue, *to, *state;
	char *end; /* what queue names, as an end */
	uint64_t timeout_s, max_failures;
	bool follow;
};

static int on_option(void *arg, int letter, const char *value, struct err *e)
{
	struct config *c = arg;
	uint64_t n;
	switch (letter) {
	case 'q':
		c->queue = value;
		break;
	case 'o':
		c->to = value;
		break;
	case 'j':
		if (opt_number(value, "jobs", 1, 256, &n, e) < 0)
			return -1;
		c->tool->jobs = (unsigned)n;
		break;
	case OPT_TIMEOUT:
		return opt_number(value, "timeout", 1, 86400, &c->timeout_s, e);
	case OPT_MAX_FAILURES:
		return opt_number(value, "max-failures", 1, 1000000, &c->max_failures, e);
	case OPT_FOLLOW:
		c->follow = true;
		break;
	case OPT_STATE:
		c->state = value;
		break;
	}
	return 0;
}

static int check(const struct config *c, struct err *e)
{
	const struct tool *t = c->tool;
	if (!t->noperands)
		return err_set(
		    e, ERR_USAGE, "no command: put it behind --, as in -- sh -c 'senti-score | senti-store put'");
	if (c->queue && t->from)
		return err_set(e, ERR_USAGE, "-q %s and -i %s exclude each other", c->queue, t->from);
	if (!c->queue && !t->from)
		return err_set(e, ERR_USAGE, "no source: -q QUEUE, or -i FILE (- is stdin)");
	if (c->follow && (!t->from || strcmp(t->from, "-") == 0 || url_has_scheme(t->from)))
		return err_set(e, ERR_USAGE, "--follow needs a file (-i FILE)");
	if (c->state && !c->follow)
		return err_set(e, ERR_USAGE, "--state goes with --follow");
	return 0;
}

static char *prefixed(const char *prefix, const char *name)
{
	struct buf b = {0};
	buf_printf(&b, "%s%s%c", prefix, name, 0);
	return b.p;
}

static int open_source(struct config *c, struct err *e)
{
	struct tool *t = c->tool;
	if (check(c, e) < 0)
		return -1;
	if (c->queue && end_has_scheme(c->queue))
		t->from = c->queue;
	else if (c->queue)
		t->from = c->end = prefixed("amqp:", c->queue);
	t->to = c->to ? c->to : c->queue ? "/dev/null" : "-";
	if (c->follow)
		t->source = source_follow_records(&t->from, 1, c->state, e);
	return c->follow && !t->source ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct err e;
	struct config c = {.timeout_s = 30, .max_failures = 10};
	struct tool t = {
	    .name = "senti-worker",
	    .usage = "-q QUEUE [-j N] [-b N] [-w MS] [--timeout SECONDS] [--to SINK] -- COMMAND [ARG...]\n"
		     "-i SOURCE [--follow [--state FILE]] -- COMMAND [ARG...]",
	    .summary = "Runs a command that filters records as a worker on a queue: a record is acknowledged when its "
		       "answer has come out.",
	    .examples =
		"  senti-worker -q texts -- sh -c 'senti-cache get | senti-score | senti-store put | senti-cache put'\n"
		"  senti-worker -q texts -j 2 --to amqp:scored -- senti-score\n"
		"  senti-worker -i app.jsonl --follow --state app.place -- sh -c 'senti-score | senti-store put'\n",
	    .own = own,
	    .shared = OPT_FILTER | OPT_OUT | OPT_JOBS | OPT_IDS,
	    .show = 1u << COUNTER_RESTARTS,
	    .on_option = on_option,
	    .arg = &c,
	};
	c.tool = &t;
	tool_options(&t, argc, argv);
	if (open_source(&c, &e) < 0)
		return tool_fail(&t, &e);
	char *const *command = argv + (argc - (int)t.noperands);
	struct exec_conf conf = {
	    .argv = command,
	    .timeout_ms = (int64_t)c.timeout_s * 1000,
	    .drain_ms = (int64_t)t.drain_s * 1000,
	    .give_up = (unsigned)c.max_failures,
	    .max_record = t.limits.max_record,
	};
	if (exec_conf_open(&conf, &e) < 0)
		return tool_fail(&t, &e);
	const struct step step = {.stage = &stage_exec, .conf = &conf};
	int status = tool_run(&t, &step, 1);
	exec_conf_close(&conf);
	free(c.end);
	return status;
}
