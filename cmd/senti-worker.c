/* senti-worker - any filter pipeline as a worker on a queue or a growing file. */
#include "cmd/run.h"

#include "lib/base/redact.h"
#include "lib/base/url.h"
#include "lib/ingest/follow.h"
#include "lib/stage/exec.h"

struct worker_options {
	struct tool tool;
	const char *queue, *state;
	char *end; /* `queue` as an end */
	int64_t timeout_ms, rotate_wait_ms;
	unsigned max_failures;
	bool follow;
};

#define OPTIONS struct worker_options
static const struct option_def own[] = {
    {'q', "queue", "QUEUE", "work on this queue: the same as -i amqp:QUEUE", OPT_STRING(queue)},
    {'o', "to", "SINK",
	"write answers to SINK before their records are acknowledged\n(default: nowhere with -q, else stdout)",
	OPT_STRING(tool.to)},
    {'j', "jobs", "N", "run N commands in parallel; keeps the order (default 1)", OPT_NUMBER(tool.jobs, 1, 256)},
    {0, "timeout", "SECONDS", "restart a command that gives no answer for this long (default 30)",
	OPT_SECONDS(timeout_ms, 1, 86400)},
    {0, "max-failures", "N", "give up when the command fails N times in a row without an answer (default 10)",
	OPT_NUMBER(max_failures, 1, 1000000)},
    {0, "follow", NULL, "read the file of -i as it grows, through rotation and truncation, until stopped",
	OPT_FLAG(follow)},
    {0, "rotate-wait", "TIME",
	"with --follow: wait so long for more in a renamed file before its\nsuccessor is read (default: half a second; "
	"0s: don't wait)",
	OPT_DURATION(rotate_wait_ms, 0)},
    {0, "state", "FILE", "with --follow: save the position in FILE, and resume from it", OPT_STRING(state)},
    {0},
};

static int check(const struct worker_options *o, struct err *e)
{
	const struct tool *t = &o->tool;
	if (!t->noperands)
		return err_set(
		    e, ERR_USAGE, "no command: put it after --, as in -- sh -c 'senti-score | senti-store put'");
	if (o->queue && t->from)
		return err_set(
		    e, ERR_USAGE, "-q %s and -i %s exclude each other", REDACTED(o->queue), REDACTED(t->from));
	if (!o->queue && !t->from)
		return err_set(e, ERR_USAGE, "no source: -q QUEUE, or -i FILE (- is stdin)");
	if (o->follow && (!t->from || strcmp(t->from, "-") == 0 || url_has_scheme(t->from)))
		return err_set(e, ERR_USAGE, "--follow needs a file (-i FILE)");
	if (o->state && !o->follow)
		return err_set(e, ERR_USAGE, "--state goes with --follow");
	if (tool_given(t, "rotate-wait") && !o->follow)
		return err_set(e, ERR_USAGE, "--rotate-wait goes with --follow");
	return 0;
}

static char *prefixed(const char *prefix, const char *name)
{
	struct buf b = {0};
	buf_printf(&b, "%s%s%c", prefix, name, 0);
	return b.p;
}

static int open_source(struct worker_options *o, struct err *e)
{
	struct tool *t = &o->tool;
	if (check(o, e) < 0)
		return -1;
	if (o->queue && scheme_is_source(o->queue))
		t->from = o->queue;
	else if (o->queue)
		t->from = o->end = prefixed("amqp:", o->queue);
	if (o->queue && !tool_given(t, "to"))
		t->to = "/dev/null";
	const struct follow_conf follow = {
	    .path = &t->from, .npaths = 1, .rotate_wait_ms = o->rotate_wait_ms, .counts = &t->counts};
	if (o->follow)
		t->source = source_follow_records(&follow, o->state, e);
	return o->follow && !t->source ? -1 : 0;
}

int main(int argc, char **argv)
{
	struct err e;
	struct worker_options o = {.timeout_ms = 30000, .rotate_wait_ms = FOLLOW_ROTATE_WAIT_MS, .max_failures = 10};
	struct tool *t = &o.tool;
	*t = (struct tool){
	    .name = "senti-worker",
	    .usage = "-q QUEUE [-j N] [-b N] [-w MS] [--timeout SECONDS] [--to SINK] -- COMMAND [ARG...]\n"
		     "-i SOURCE [--follow [--state FILE]] -- COMMAND [ARG...]",
	    .summary = "Runs a filter command as a worker on a queue: a record is acknowledged once the command has "
		       "answered it.",
	    .examples =
		"  senti-worker -q texts -- sh -c 'senti-cache get | senti-score | senti-store put | senti-cache put'\n"
		"  senti-worker -q texts -j 2 --to amqp:scored -- senti-score\n"
		"  senti-worker -i app.jsonl --follow --state app.place -- sh -c 'senti-score | senti-store put'\n",
	    .own = own,
	    .options = &o,
	    .fills_closed = true,
	    .shared = SHARED_FILTER | SHARED_OUT | SHARED_JOBS,
	    .operands = OPERANDS_COMMAND,
	    .show = 1u << COUNTER_RESTARTS,
	};
	tool_options(t, argc, argv);
	if (open_source(&o, &e) < 0)
		return tool_fail(t, &e);
	struct exec_conf conf = {
	    .argv = (char *const *)t->operand,
	    .stop = t->limits.stop,
	    .timeout_ms = o.timeout_ms,
	    .drain_ms = (int64_t)t->drain_s * 1000,
	    .give_up = o.max_failures,
	    .max_record = t->limits.max_record,
	};
	if (exec_conf_open(&conf, &e) < 0)
		return tool_fail(t, &e);
	const struct step step = {.stage = &stage_exec, .conf = &conf};
	int status = tool_run(t, &step, 1);
	exec_conf_close(&conf);
	free(o.end);
	return status;
}
