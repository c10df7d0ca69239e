/* window_conf.c - which windows the options ask for, and where their state is. */
#include "cmd/window_conf.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/schemes.h"
#include "cmd/state.h"
#include "lib/flow/stdio.h"

enum { RECENT_COST = 32, DEFAULT_DEDUPE = 1000000 };

/* ---- the windows ---- */

static int usage(struct err *e, const char *message)
{
	return err_set(e, ERR_USAGE, "%s", message);
}

/* --every: a duration, or a period of the calendar. */
static int read_every(struct window_options *o, struct err *e)
{
	static const char *const period[] = {"hour", "day", "week", "month", "quarter", "year"};
	static const struct option_def duration = {.name = "every", .type = OPTION_DURATION, .min = 1};
	struct windows_conf *w = &o->conf.windows;
	for (size_t i = 0; i < COUNT_OF(period); i++)
		if (strcmp(o->every, period[i]) == 0) {
			w->shape = SHAPE_CALENDAR;
			w->period = (enum period)i;
			return o->of_ms ? usage(e, "--of is for --every with a duration such as 1m") : 0;
		}
	w->shape = SHAPE_STEPS;
	if (option_value(&duration, &w->every_ms, o->every, e) < 0)
		return err_set(e, ERR_USAGE,
		    "--every takes a duration such as 1m, or hour, day, week, month, quarter or year, not '%s'",
		    o->every);
	w->of_ms = o->of_ms ? o->of_ms : w->every_ms;
	return w->of_ms % w->every_ms ? usage(e, "--of takes a multiple of --every") : 0;
}

static int read_shape(struct window_options *o, const struct tool *t, struct err *e)
{
	struct windows_conf *w = &o->conf.windows;
	if (o->every && (o->merge || o->gap_ms))
		return usage(e, o->merge ? "--merge takes its windows from the input: --every is of no use"
					 : "--every and --gap exclude each other");
	if (!o->every && !o->merge && !o->gap_ms)
		return usage(e, "which windows? --every D, --every month, --gap D or --merge");
	if (o->of_ms && !o->every)
		return usage(e, "--of needs --every");
	w->gap_ms = o->gap_ms;
	w->shape = o->gap_ms ? SHAPE_SESSIONS : SHAPE_GIVEN;
	if (o->every && read_every(o, e) < 0)
		return -1;
	if (o->tz && w->shape != SHAPE_CALENDAR && !o->merge)
		return usage(e, "--tz is for windows of the calendar (--every day)");
	w->late_ms = o->merge && !tool_given(t, "late") ? -1 : o->late_ms;
	w->half_life_ms = o->half_life_ms;
	w->memory = o->memory;
	o->conf.line.local = o->tz != NULL;
	return zone_use(o->tz ? o->tz : "UTC", e);
}

/* --by: names, also several in one word. */
static void read_names(struct window_options *o)
{
	size_t n = 0;
	for (size_t i = 0; i < o->by.n; i++)
		for (const char *p = o->by.word[i];; p++) {
			size_t length = strcspn(p, ",");
			o->names = xreallocarray(o->names, n + 1, sizeof *o->names);
			if (length)
				o->names[n++] = (struct str){p, length};
			p += length;
			if (!*p)
				break;
		}
	o->conf.line.by = o->names;
	o->conf.line.nby = n;
}

static int read_alert(struct window_options *o, struct err *e)
{
	if (o->clear && !o->alert)
		return usage(e, "--clear needs --alert");
	if (o->alert && !(o->alert_condition = condition_parse(o->alert, "alert", e)))
		return -1;
	if (o->clear && !(o->clear_condition = condition_parse(o->clear, "clear", e)))
		return -1;
	o->conf.alert = o->alert_condition;
	o->conf.clear = o->clear_condition;
	o->conf.alert_text = o->alert;
	return 0;
}

/* ---- the state ---- */

static bool is_regular(const char *path)
{
	struct stat st;
	return (strcmp(path, "-") == 0 ? fstat(STDIN_FILENO, &st) : stat(path, &st)) == 0 && S_ISREG(st.st_mode);
}

/* Whether all inputs are files, in which lines tell what is known. Each has to be named once. */
static int check_inputs(const struct tool *t, bool *files, struct err *e)
{
	const char *const *path = t->noperands ? t->operand : &t->from;
	size_t n = t->noperands ? t->noperands : t->from != NULL;
	*files = n || is_regular("-");
	for (size_t i = 0; i < n; i++) {
		*files &= !scheme_is_source(path[i]) && is_regular(path[i]);
		for (size_t j = 0; j < i; j++)
			if (strcmp(path[i], path[j]) == 0)
				return err_set(e, ERR_USAGE,
				    "'%s' is named twice: a state tells its inputs apart by their names", path[i]);
	}
	return 0;
}

static void put_duration(struct buf *b, const char *name, int64_t ms)
{
	if (ms > 0)
		buf_printf(b, " --%s %llds", name, (long long)ms / 1000);
}

/* The options that a state belongs to. New. */
static char *owner_of(const struct window_options *o, const char *queue)
{
	struct buf b = {0};
	buf_str(&b, queue ? str_of(queue) : STR("senti-window"));
	if (o->every)
		buf_printf(&b, " --every %s", o->every);
	put_duration(&b, "of", o->of_ms);
	put_duration(&b, "gap", o->gap_ms);
	put_duration(&b, "late", o->conf.windows.late_ms);
	put_duration(&b, "half-life", o->half_life_ms);
	for (size_t i = 0; i < o->conf.line.nby; i++)
		buf_printf(&b, " --by %.*s", STR_FMT(o->names[i]));
	buf_printf(&b, " --terms %u --result %.*s", o->terms, STR_FMT(o->result));
	if (o->tz)
		buf_printf(&b, " --tz %s", o->tz);
	if (o->merge)
		buf_str(&b, STR(" --merge"));
	if (o->alert)
		buf_printf(&b, " --alert '%s'", o->alert);
	if (o->clear)
		buf_printf(&b, " --clear '%s'", o->clear);
	buf_char(&b, 0);
	for (char *p = b.p; *p; p++)
		*p = *p == '\n' ? ' ' : *p;
	return b.p;
}

static int open_state(struct window_options *o, struct tool *t, struct err *e)
{
	bool queue = t->from && scheme_is_source(t->from), files;
	char *file = o->state ? xstrdup(o->state) : NULL, *of_queue = NULL;
	if (queue) {
		free(file);
		if (state_of_queue(t, o->state, &file, &of_queue, e) < 0)
			return -1;
	}
	int rc = file ? check_inputs(t, &files, e) : 0;
	if (file && rc == 0) {
		char *owner = owner_of(o, of_queue);
		if (!files && !tool_given(t, "dedupe"))
			o->conf.dedupe = DEFAULT_DEDUPE;
		o->conf.saved = saved_open(file, owner, e);
		rc = o->conf.saved ? 0 : -1;
		free(owner);
	}
	bool path = strcmp(t->to, "-") != 0 && is_regular(t->to);
	if (rc == 0 && o->conf.saved && saved_found(o->conf.saved) && path)
		rc = (t->out = sink_append(t->to, t->name, e)) ? 0 : -1;
	free(file);
	free(of_queue);
	return rc;
}

/* ---- all of it ---- */

static unsigned width_of(int fd)
{
	struct winsize w;
	return ioctl(fd, TIOCGWINSZ, &w) == 0 && w.ws_col >= 60 ? w.ws_col : 80;
}

int window_conf_make(struct window_options *o, struct tool *t, struct err *e)
{
	struct window_conf *c = &o->conf;
	read_names(o);
	c->line.form = (struct rec_form){.text_name = STR("text"), .result_name = o->result};
	c->windows.aggregate.terms = o->terms;
	c->windows.aggregate.sketch = !o->no_sketch;
	c->merge = o->merge;
	c->ahead_ms = o->merge ? -1 : o->ahead_ms;
	c->dedupe = o->dedupe;
	c->stop = t->limits.stop;
	c->chart = o->chart;
	c->colour = strcmp(t->to, "-") == 0 && wants_colour(STDOUT_FILENO);
	c->width = width_of(STDOUT_FILENO);
	c->done = &o->done;
	if (o->merge && o->dedupe)
		return usage(e, "--dedupe is for records: lines of windows have no id");
	if (o->dedupe * RECENT_COST > o->memory / 2)
		return usage(e, "--dedupe needs 32 bytes an id, of at most half of --memory");
	if (read_shape(o, t, e) < 0 || read_alert(o, e) < 0)
		return -1;
	return open_state(o, t, e);
}

int window_conf_close(struct window_options *o, struct tool *t, int status)
{
	struct err e;
	bool done = o->done && (status == STATUS_OK || status == STATUS_REJECTS || status == STATUS_EMPTY);
	if (o->conf.saved && done && state_sync_output(t, &e) < 0) {
		status = tool_fail(t, &e);
		done = false;
	}
	saved_close(o->conf.saved, done);
	condition_free(o->alert_condition);
	condition_free(o->clear_condition);
	free(o->names);
	free(o->by.word);
	return status;
}
