/* run.c - opens the ends, pumps, reports, and decides the exit status. */
#include "cmd/run.h"

#include <sys/stat.h>
#include <unistd.h>

#include "cmd/progress.h"
#include "lib/base/log.h"
#include "lib/base/url.h"
#include "lib/flow/stdio.h"
#include "lib/http/guard.h"
#include "lib/metrics/counts.h"
#include "lib/metrics/endpoint.h"
#include "lib/metrics/process.h"

/* The inputs, unless the tool has its own source: n paths or addresses, lent; none means stdin. */
static const char *const *inputs(const struct tool *t, size_t *n)
{
	bool files = t->noperands && t->operands == OPERANDS_FILES;
	*n = files ? t->noperands : t->from != NULL;
	return files ? t->operand : &t->from;
}

static bool stat_end(const char *end, int standard, struct stat *st)
{
	return (strcmp(end, "-") == 0 ? fstat(standard, st) : stat(end, st)) == 0;
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return S_ISREG(a->st_mode) && S_ISREG(b->st_mode) && a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* `standard` is the descriptor that "-" means. */
static int check_output(const struct tool *t, const char *end, int standard, struct err *e)
{
	struct stat in, out;
	size_t n;
	const char *const *path = inputs(t, &n);
	if (url_has_scheme(end) || !stat_end(end, standard, &out))
		return 0;
	static const char *const standard_input = "-";
	if (!n && !t->source) {
		path = &standard_input;
		n = 1;
	}
	for (size_t i = 0; i < n; i++)
		if (!url_has_scheme(path[i]) && stat_end(path[i], STDIN_FILENO, &in) && same_file(&in, &out))
			return err_set(e, ERR_USAGE, "'%s' is both input and output",
			    strcmp(end, "-") != 0	? end
			    : strcmp(path[i], "-") != 0 ? path[i]
							: "stdin");
	return 0;
}

int tool_check_output(const struct tool *t, const char *out, struct err *e)
{
	return check_output(t, out, STDOUT_FILENO, e);
}

/* Rejects that go to the file of the output would overwrite it. */
static int check_rejects(const struct tool *t, struct err *e)
{
	struct stat out, rejects;
	const char *end = t->reject ? t->reject : "-";
	bool files = strcmp(end, "-") != 0 && !url_has_scheme(end) && !url_has_scheme(t->to);
	bool there = files && stat_end(end, STDERR_FILENO, &rejects) && stat_end(t->to, STDOUT_FILENO, &out);
	if (files && (there ? same_file(&out, &rejects) : strcmp(end, t->to) == 0))
		return err_set(e, ERR_USAGE, "'%s' is both output and rejects", end);
	return check_output(t, end, STDERR_FILENO, e);
}

struct end_conf tool_ends(struct tool *t)
{
	return (struct end_conf){.tool = t->name,
	    .limits = &t->limits,
	    .jobs = t->jobs,
	    .idle_ms = t->idle_ms,
	    .retry_ms = t->retry_ms,
	    .pack = t->pack,
	    .counts = &t->counts};
}

static int open_ends(struct tool *t, struct sink **rejects, struct err *e)
{
	size_t n;
	const char *const *path = inputs(t, &n);
	const struct end_conf conf = tool_ends(t);
	if (tool_check_output(t, t->to, e) < 0 || check_rejects(t, e) < 0)
		return -1;
	if (!t->source)
		t->source = end_source(path, n, &conf, e);
	if (!t->source)
		return -1;
	if (!t->out)
		t->out = end_sink(t->to, LANE_OUT, &conf, e);
	if (!t->out)
		return -1;
	char *dead = t->reject ? NULL : end_of_rejects(n == 1 ? path[0] : NULL);
	t->dead_end = dead;
	const char *end = t->reject ? t->reject : dead;
	*rejects = end_sink(end, LANE_REJECTS, &conf, e);
	if (*rejects && t->progress && strcmp(end, "-") == 0)
		sink_clears_line(*rejects, PROGRESS_CLEAR);
	return *rejects ? 0 : -1;
}

/* Reports, and returns the exit status for what t->counts holds. */
static int finish(struct tool *t, const struct err *failed)
{
	if (failed && failed->kind != ERR_PIPE)
		log_error(failed->msg, NULL);
	if (t->summary_line) {
		struct buf b = {0};
		counts_summary(&t->counts, t->name, t->show, &b);
		buf_char(&b, '\n');
		ssize_t ignored = write(STDERR_FILENO, b.p, b.n);
		(void)ignored;
		buf_free(&b);
	}
	if (failed)
		return failed->kind == ERR_USAGE ? STATUS_USAGE : STATUS_ENVIRONMENT;
	double allowed =
	    t->max_rejects.percent ? t->max_rejects.most / 100 * (double)t->counts.in : t->max_rejects.most;
	if ((double)t->counts.rejected > allowed || t->counts.counter[COUNTER_UNREAD])
		return STATUS_REJECTS;
	return t->exit_if_empty && t->counts.in + t->counts.counter[COUNTER_RESUMED] == 0 ? STATUS_EMPTY : STATUS_OK;
}

/* Keeps the first error. */
static void note(int rc, const struct err *e, bool *failed, struct err *first)
{
	if (rc < 0 && !*failed) {
		*first = *e;
		*failed = true;
	}
}

/* What --metrics serves while the tool runs. */
struct metrics {
	struct tool *tool;
	struct registry *registry;
	struct endpoint *endpoint;
};

static void write_counts(void *arg, struct buf *out)
{
	struct tool *t = arg;
	counts_expose(&t->counts, t->model, t->show, out);
}

/* As senti-serve without tokens: a page whose name is rebound to this machine must not read them. */
static bool knows_host(void *arg, const char *bound, struct str host)
{
	const struct tool *t = arg;
	const struct guard_names names = {.listen = t->metrics, .bound = bound, .more = t->hosts};
	return guard_knows_host(&names, host);
}

/* Before the ends, so that a port in use costs nobody an output file. */
static int open_metrics(struct tool *t, struct metrics *m, struct err *e)
{
	if (!t->metrics)
		return 0;
	m->registry = registry_new();
	process_build_info(m->registry, t->name);
	registry_collect(m->registry, write_counts, t);
	registry_collect(m->registry, process_write, NULL);
	const struct endpoint_conf conf = {.where = t->metrics, .registry = m->registry, .knows = knows_host, .arg = t};
	m->endpoint = endpoint_open(&conf, e);
	return m->endpoint ? 0 : -1;
}

static void close_metrics(struct metrics *m)
{
	if (m->endpoint)
		endpoint_close(m->endpoint);
	registry_free(m->registry);
}

int tool_run(struct tool *t, const struct step *step, size_t nsteps)
{
	struct err first = {0}, e = {0};
	struct sink *rejects = NULL;
	struct progress progress = {.tool = t, .terminal = isatty(STDERR_FILENO)};
	struct metrics metrics = {.tool = t};
	bool failed = false;
	note(open_metrics(t, &metrics, &e), &e, &failed, &first);
	if (!failed)
		note(open_ends(t, &rejects, &e), &e, &failed, &first);
	if (failed && first.kind == ERR_USAGE) {
		close_metrics(&metrics);
		if (t->source)
			note(t->source->close(t->source, &e), &e, &failed, &first);
		if (t->out)
			note(t->out->close(t->out, &e), &e, &failed, &first);
		free(t->dead_end);
		return tool_fail(t, &first);
	}
	if (!failed) {
		struct pump p = {
		    .source = t->source,
		    .step = step,
		    .nsteps = nsteps,
		    .out = t->out,
		    .rejects = rejects,
		    .limits = t->limits,
		    .jobs = t->jobs,
		    .counts = &t->counts,
		    .tick = t->progress ? progress_show : NULL,
		    .tick_arg = &progress,
		};
		note(pump(&p, &e), &e, &failed, &first);
	}
	progress_end(&progress);
	if (t->source)
		note(t->source->close(t->source, &e), &e, &failed, &first);
	if (rejects)
		note(rejects->close(rejects, &e), &e, &failed, &first);
	free(t->dead_end);
	close_metrics(&metrics);
	/* The summary comes before stdout closes, so that whoever waits for our end of output has everything. */
	int status = finish(t, failed ? &first : NULL);
	if (t->out && t->out->close(t->out, &e) < 0 && !failed) {
		failed = true;
		first = e;
		status = STATUS_ENVIRONMENT;
		if (e.kind != ERR_PIPE)
			log_error(e.msg, NULL);
	}
	if (failed && first.kind == ERR_PIPE)
		return tool_fail(t, &first);
	return status;
}
