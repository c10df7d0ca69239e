/* ingest_source.c - the source of senti-ingest: files or a queue, decoded, at a limited rate. */
#include "cmd/ingest_source.h"

#include "cmd/run.h"
#include "lib/base/url.h"
#include "lib/ingest/follow.h"
#include "lib/ingest/input.h"

/* Refuses options that the formats would ignore. */
static int check(const struct ingest_options *o, const struct tool *t, struct err *e)
{
	const struct ingest *i = &o->ingest;
	const struct format *f = i->format;
	if (i->join &&
	    ((f && f != &format_text && f != &format_log) || (i->pattern && strcmp(i->pattern, "journal") == 0)))
		return err_set(e, ERR_USAGE, "--join is for text and logs, not for %s", f ? f->name : i->pattern);
	if (i->pattern && f && f != &format_log)
		return err_set(e, ERR_USAGE, "--pattern is for logs, not for -F %s", f->name);
	if (f == &format_log && !i->pattern)
		return err_set(
		    e, ERR_USAGE, "-F log needs --pattern: common, combined, syslog, journal, or a regular expression");
	if ((i->delimiter || i->no_header) && (i->pattern || (f && !f->headed)))
		return err_set(e, ERR_USAGE, "--delimiter and --no-header are for csv and tsv");
	if ((i->text && i->id && strcmp(i->text, i->id) == 0) ||
	    (i->text && i->time && strcmp(i->text, i->time) == 0) || (i->id && i->time && strcmp(i->id, i->time) == 0))
		return err_set(e, ERR_USAGE, "--text, --id and --time must name different columns");
	if (o->follow && i->wide > WIDE_NONE)
		return err_set(e, ERR_USAGE, "--follow reads no UTF-16 or UTF-32");
	if (f == &format_reject && (i->encoding || i->wide > WIDE_NONE || i->unescape))
		return err_set(
		    e, ERR_USAGE, "-F reject gives lines back as they were: without --encoding and --unescape");
	if (tool_given(t, "rotate-wait") && !o->follow)
		return err_set(e, ERR_USAGE, "--rotate-wait goes with --follow");
	for (size_t k = 0; k < i->npaths; k++) {
		if (o->follow && strcmp(i->path[k], "-") == 0)
			return err_set(e, ERR_USAGE, "--follow needs files; a pipe is followed without it");
		if (!url_has_scheme(i->path[k]))
			continue;
		if (!scheme_find(i->path[k], ROLE_SOURCE, e))
			return -1;
		if (i->npaths > 1)
			return err_set(e, ERR_USAGE, "a queue is read alone, not beside other inputs");
		if (o->follow)
			return err_set(e, ERR_USAGE, "--follow needs files; a queue is followed without it");
		if (i->join || (f && f != &format_json && f != &format_reject))
			return err_set(e, ERR_USAGE, "a queue holds records or rejects: -F json or -F reject, not %s",
			    i->join ? "--join" : f->name);
	}
	return 0;
}

/* Puts the messages of Maildirs in their place. */
static int expand(struct ingest_options *o, struct err *e)
{
	struct ingest *i = &o->ingest;
	bool any = false;
	for (size_t k = 0; k < i->npaths; k++) {
		bool maildir = maildir_is(i->path[k]);
		any |= maildir;
		if (maildir && i->format && i->format != &format_maildir)
			return err_set(e, ERR_USAGE, "'%s' is a Maildir, not for -F %s", i->path[k], i->format->name);
		if (!maildir && i->format == &format_maildir)
			return err_set(
			    e, ERR_USAGE, "'%s' is not a Maildir: it has no folders cur and new", i->path[k]);
		if (maildir && o->follow)
			return err_set(e, ERR_USAGE, "--follow needs files, and '%s' is a Maildir", i->path[k]);
	}
	for (size_t k = 0; any && k < i->npaths; k++)
		if (maildir_add(&o->files, i->path[k], e) < 0)
			return -1;
	if (!any)
		return 0;
	static const char *const nothing[] = {"/dev/null"};
	i->path = o->files.n ? o->files.path : nothing;
	i->npaths = o->files.n ? o->files.n : 1;
	i->maildir = o->files.n ? o->files.maildir : NULL;
	return 0;
}

static struct source *open_inner(struct ingest_options *o, struct tool *t, struct err *e)
{
	struct ingest *i = &o->ingest;
	if (o->follow) {
		const struct follow_conf follow = {
		    .path = i->path, .npaths = i->npaths, .rotate_wait_ms = o->rotate_wait_ms, .counts = &t->counts};
		return source_follow(&follow);
	}
	if (i->npaths && scheme_is_source(i->path[0]) && !i->format)
		i->format = &format_json;
	struct end_conf conf = tool_ends(t);
	conf.keep_end = true;
	conf.open = input_open;
	conf.open_arg = i;
	conf.rejects = i->format == &format_reject;
	return end_source(i->path, i->npaths, &conf, e);
}

int ingest_source(struct ingest_options *o, struct tool *t, struct err *e)
{
	struct ingest *i = &o->ingest;
	i->ids.by_content = o->id_by == 1;
	if (i->ids.by_content && i->ids.path)
		return err_set(e, ERR_USAGE, "--id-path is for ids by position, not by content");
	if (!t->from && !t->noperands)
		t->from = "-";
	i->path = t->noperands ? t->operand : &t->from;
	i->npaths = t->noperands ? t->noperands : 1;
	if (check(o, t, e) < 0)
		return -1;
	if (i->join && !i->format)
		i->format = &format_text;
	if (i->pattern)
		i->format = strcmp(i->pattern, "journal") == 0 ? &format_journal : &format_log;
	if (expand(o, e) < 0)
		return -1;
	struct source *from = open_inner(o, t, e);
	if (!from)
		return -1;
	t->source = source_decode(i, from, o->follow);
	if (o->rate.records)
		t->source = source_rate(t->source, o->rate);
	return 0;
}
