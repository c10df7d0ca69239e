/* decode.c - gives each file's lines to its format, and tracks which batches of the inner source are done.
 *
 *     inner   [ batch 1 | batch 2 | batch 3 ...    kept only if the inner source wants accept or abandon
 *     file              ^held_from: the oldest batch with lines that its format still holds
 *     outer   each batch given out remembers the first inner batch not done; accept passes on all before it
 */
#include "lib/ingest/decode.h"

#include <sys/stat.h>

#include "lib/base/utf8.h"
#include "lib/flow/stdio.h"
#include "lib/ingest/follow.h"
#include "lib/ingest/input.h"
#include "lib/ingest/maildir.h"
#include "lib/ingest/record_builder.h"
#include "lib/ingest/sniff.h"
#include "lib/text/hash.h"

struct inner {
	struct inner *next;
	uint64_t number;
	struct batch batch;
	size_t at; /* the next line to take */
};

struct file {
	const char *origin; /* as in the inner source */
	struct record_builder builder;
	struct ingest conf;	     /* with the detected pattern */
	const struct format *format; /* NULL: not begun, or only blank lines so far */
	void *ctx;
	bool begun, stream;	       /* stream: what it gave is gone from there */
	uint64_t taken, taken_from;    /* the last line, and its batch */
	uint64_t held_line, held_from; /* the first line that its format holds (0: none), and the batch of that */
	struct buf salt, source;
};

struct decode {
	struct source port;
	const struct ingest *conf;
	struct ids ids;
	struct buf replayed; /* the header of the rows that -F reject gives back */
	struct source *from;
	bool following, keeps; /* keeps: the inner source wants accept or abandon */
	struct inner *first, *last, *spare;
	uint64_t count;
	struct file *file;
	size_t nfiles;
	struct file *current, *busy; /* busy: its format has more to give */
	bool closing;		     /* and will then be closed */
	bool ended;
	uint64_t *due; /* for each batch given out and not accepted: the first inner batch not done */
	size_t ndue, capdue;
	bool failed;
	struct err error;
	const struct limits *limits; /* from the last call of next */
};

/* --- inner batches --- */

static struct inner *inner_new(struct decode *d)
{
	struct inner *i = d->spare;
	if (i)
		d->spare = i->next;
	else
		i = xcalloc(1, sizeof *i);
	i->next = NULL;
	i->at = 0;
	i->number = d->count++;
	batch_reset(&i->batch);
	return i;
}

static void inner_shift(struct decode *d)
{
	struct inner *i = d->first;
	d->first = i->next;
	if (!d->first)
		d->last = NULL;
	i->next = d->spare;
	d->spare = i;
}

static void inner_free(struct inner *i)
{
	while (i) {
		struct inner *next = i->next;
		batch_free(&i->batch);
		free(i);
		i = next;
	}
}

static bool inner_left(const struct decode *d)
{
	return d->last && d->last->at < d->last->batch.n;
}

/* The number of the first inner batch that is not completely in records yet. */
static uint64_t first_undone(const struct decode *d)
{
	uint64_t n = inner_left(d) ? d->last->number : d->count;
	for (size_t i = 0; i < d->nfiles; i++) {
		const struct file *f = &d->file[i];
		if (f->held_line && f->held_from < n)
			n = f->held_from;
	}
	return n;
}

static int accept_before(struct decode *d, uint64_t number, struct err *e)
{
	while (d->first && d->first->number < number) {
		if (d->from->accept && d->from->accept(d->from, &d->first->batch, e) < 0)
			return -1;
		inner_shift(d);
	}
	return 0;
}

/* --- files --- */

static struct file *file_of(struct decode *d, const char *origin)
{
	/* Files that are not followed come in turn. */
	for (size_t i = !d->following && d->current ? (size_t)(d->current - d->file) : 0; i < d->nfiles; i++) {
		if (!d->file[i].origin)
			d->file[i].origin = origin;
		if (d->file[i].origin == origin)
			return &d->file[i];
	}
	return &d->file[0]; /* more names than paths: cannot happen */
}

static void file_close(struct file *f)
{
	if (f->ctx)
		f->format->close(f->ctx);
	f->ctx = NULL;
	f->format = NULL;
	f->begun = false;
	f->held_line = 0;
	builder_free(&f->builder);
	buf_free(&f->salt);
	buf_free(&f->source);
}

/* A line that was taken before the last may be of an older batch: then the one noted first stands. */
static void note_held(struct file *f)
{
	f->held_line = f->format->held ? f->format->held(f->ctx) : 0;
	if (f->held_line == f->taken)
		f->held_from = f->taken_from;
}

/* The file's place among the paths; npaths for stdin, which the inner source calls "stdin". */
static size_t path_index(const struct decode *d, const struct file *f)
{
	size_t i = d->following ? 0 : (size_t)(f - d->file); /* no earlier one: files come in turn, if not empty */
	while (i < d->conf->npaths && d->conf->path[i] != f->origin)
		i++;
	return i;
}

static const char *path_of(const struct decode *d, const struct file *f)
{
	return path_index(d, f) < d->conf->npaths ? f->origin : NULL;
}

/* The Maildir of which the file is a message, or NULL. */
static const char *maildir_of(const struct decode *d, const struct file *f)
{
	size_t i = d->conf->maildir ? path_index(d, f) : d->conf->npaths;
	return i < d->conf->npaths ? d->conf->maildir[i] : NULL;
}

/* Nothing guarantees that a pipe, a socket or a terminal gives the same data again, whatever its name. */
static bool is_stream(const char *path)
{
	struct stat st;
	return !path || strncmp(path, "/dev/", 5) == 0 || strncmp(path, "/proc/", 6) == 0 ||
	       (stat(path, &st) == 0 && !S_ISREG(st.st_mode));
}

static struct str last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return str_of(slash ? slash + 1 : path);
}

/* A path may be any bytes, a member's value is UTF-8: a byte that is not becomes \xff. */
static struct str path_as_text(const char *path, struct buf *b)
{
	struct str rest = str_of(path);
	buf_clear(b);
	for (size_t n; (n = utf8_valid_prefix(rest)) < rest.n; rest = (struct str){rest.p + n + 1, rest.n - n - 1}) {
		buf_add(b, rest.p, n);
		buf_printf(b, "\\x%02x", (unsigned char)rest.p[n]);
	}
	buf_str(b, rest);
	return buf_view(b);
}

/* Reads the builder's file from its beginning until a date tells the order. */
static enum date_order find_order(struct record_builder *builder)
{
	const struct decode *d = builder->arg;
	enum date_order order = DATES_UNKNOWN;
	struct err e;
	struct ingest conf = *d->conf;
	const char *path = builder->origin.name;
	conf.path = &path;
	conf.npaths = 1;
	conf.probe = &order;
	/* What it lends for the line at hand must stay. */
	conf.encoding = conf.encoding ? encoding_again(conf.encoding) : NULL;
	const struct lines_conf lines = {
	    .path = &path, .npaths = 1, .keep_end = true, .open = input_open, .open_arg = &conf};
	struct source *s = source_decode(&conf, source_lines(&lines), false);
	struct batch b = {0};
	while (!order && s->next(s, &b, d->limits, -1, &e) == NEXT_BATCH)
		batch_reset(&b);
	s->close(s, &e);
	batch_free(&b);
	encoding_free(conf.encoding);
	return order;
}

static void file_begin(struct decode *d, struct file *f, const struct rec *first)
{
	struct origin *o = &f->builder.origin;
	const struct ingest *c = d->conf;
	const char *path = path_of(d, f), *maildir = maildir_of(d, f);
	f->stream = is_stream(path);
	bool stream = c->ids.scheme == 1 ? !path : f->stream;
	f->builder.ids = &d->ids;
	f->builder.unescape = c->unescape;
	f->builder.replayed = &d->replayed;
	f->builder.times = &c->times;
	f->builder.probe = c->probe;
	builder_begin(&f->builder);
	f->builder.arg = d;
	f->builder.find_order = path && !stream && !d->following && !c->probe ? find_order : NULL;
	*o = (struct origin){.name = f->origin, .path = STR(""), .file = STR(""), .salt = STR("")};
	f->begun = true;
	buf_clear(&f->salt);
	o->source = c->source.p ? c->source : path ? path_as_text(maildir ? maildir : path, &f->source) : STR_NONE;
	if (c->ids.path)
		o->path = str_of(c->ids.path);
	else if (!stream)
		o->path = maildir ? maildir_unique(path) : str_of(path);
	if (c->source.p && path)
		o->file = last_part(path);
	if (d->following) {
		o->salt = follow_identity(first);
	} else if (stream && !c->source.p && !c->ids.path) {
		/* Distinguishes this stream from the next. */
		char uuid[UUID_LEN];
		uuid_new(uuid);
		buf_add(&f->salt, uuid, sizeof uuid);
		o->salt = buf_view(&f->salt);
	}
}

static int file_open(struct decode *d, struct file *f, struct str line, struct err *e)
{
	struct sniffed found = {.format = d->conf->format, .pattern = d->conf->pattern};
	if (maildir_of(d, f))
		found.format = &format_maildir;
	if (!found.format && sniff(d->conf, path_of(d, f), line, &found, e) < 0)
		return -1;
	f->conf = *d->conf;
	f->conf.pattern = found.pattern;
	f->format = d->conf->join ? &format_join : found.format;
	f->ctx = f->format->open(&f->conf, &f->builder, e);
	return f->ctx ? 0 : -1;
}

/* --- lines --- */

/* A rejected record cannot be read again without its header. */
static void keep_header(const struct file *f, struct batch *b, struct rec *r)
{
	struct str header = f->ctx && f->format->header ? f->format->header(f->ctx) : STR("");
	if (!header.n)
		return;
	struct rec_cause *cause = arena_alloc(&b->mem, sizeof *cause);
	*cause = (struct rec_cause){.header = arena_str(&b->mem, header)};
	r->cause = cause;
}

/* Completes the records from `from` on, which are of a line with this envelope or none. */
static void complete(const struct file *f, struct batch *b, size_t from, const struct envelope *envelope)
{
	for (struct rec *r = b->rec + from, *end = b->rec + b->n; r < end; r++) {
		r->origin = f->origin;
		r->envelope = envelope;
		if (r->fate == FATE_REJECTED)
			keep_header(f, b, r);
	}
}

/* Passes on what was rejected earlier (an over-long line); its rest comes from the inner source. */
static void pass(struct decode *d, const struct file *f, struct batch_room *room, const struct rec *in)
{
	size_t before = room->b->n;
	struct rec *r = builder_add(
	    room->b, in->long_line ? in->line : line_content(in->line), (struct line_place){.line = in->lineno});
	r->fate = in->fate;
	r->code = in->code;
	r->why = arena_str(&room->b->mem, in->why);
	r->column = in->column;
	r->long_line = in->long_line;
	r->truncated = in->truncated;
	complete(f, room->b, before, in->envelope);
	room->b->more = d->last->batch.more;
}

/* Ends what precedes `in`: the previous file or, if `in` cannot be part of a record, an open record. True if there is
 * work to do first. */
static bool cut_before(struct decode *d, struct file *f, const struct rec *in)
{
	struct file *old = in->lineno == 1 && f->begun ? f : NULL;
	if (!old && !d->following && d->current && d->current != f && d->current->begun)
		old = d->current;
	if (old && !old->ctx) {
		file_close(old);
		old = NULL;
	}
	bool only_cut = !old && in->fate == FATE_REJECTED && f->held_line;
	if (!old && !only_cut)
		return false;
	d->busy = old ? old : f;
	d->closing = old != NULL;
	if (d->busy->format->cut)
		d->busy->format->cut(d->busy->ctx, old ? NULL : in);
	return true;
}

static int check_builder(const struct file *f, struct err *e)
{
	if (f->builder.failed)
		*e = f->builder.error;
	return f->builder.failed ? -1 : 0;
}

static int work(struct decode *d, struct batch_room *room, struct err *e)
{
	struct file *f = d->busy;
	size_t before = room->b->n;
	int rc = f->format->work ? f->format->work(f->ctx, room, e) : 0;
	note_held(f);
	if (room->b->n > before)
		complete(f, room->b, before, NULL);
	if (rc < 0 || check_builder(f, e) < 0)
		return -1;
	if (rc)
		return 0;
	d->busy = NULL;
	if (d->closing)
		file_close(f);
	d->closing = false;
	return 0;
}

static int take(struct decode *d, struct batch_room *room, struct err *e)
{
	struct inner *i = d->last;
	const struct rec *in = &i->batch.rec[i->at];
	struct file *f = file_of(d, in->origin);
	if (cut_before(d, f, in))
		return 0;
	i->at++;
	d->current = f;
	bool rejected = in->fate == FATE_REJECTED;
	struct str line = d->conf->encoding && !rejected ? encoding_utf8(d->conf->encoding, in->line) : in->line;
	if (!f->begun)
		file_begin(d, f, in);
	bool blank = line_blank(line);
	if (!f->ctx && !(blank && !rejected) && file_open(d, f, line, e) < 0)
		return -1;
	if (rejected) {
		if (in->lineno == 1 && f->format->headed && !d->conf->no_header)
			return err_set(e, ERR_USAGE, "%s:1: the header is too long (--max-record)", f->origin);
		pass(d, f, room, in);
		if (f->format->cut)
			f->format->cut(f->ctx, in);
		return 0;
	}
	if (!f->ctx || (blank && !f->format->blanks))
		return 0;
	size_t before = room->b->n;
	f->taken = in->lineno;
	f->taken_from = i->number;
	if (f->format->line(f->ctx, room, line, in->lineno, e) < 0)
		return -1;
	if (room->b->n > before)
		complete(f, room->b, before, in->envelope); /* the inner batch, which has it, outlives this one */
	if (f->format->work) {
		d->busy = f;
		return work(d, room, e);
	}
	note_held(f);
	return check_builder(f, e);
}

/* The input has ended: makes the next open file busy for the last time. False if there is none. If a stop ended it, an
 * open record stays in its file, like an open line. */
static bool end_file(struct decode *d)
{
	for (size_t i = 0; i < d->nfiles && !d->following; i++) {
		struct file *f = &d->file[i];
		if (!f->ctx || (d->port.interrupted && !f->stream))
			continue;
		d->busy = f;
		d->closing = true;
		if (f->format->cut)
			f->format->cut(f->ctx, NULL);
		return true;
	}
	return false;
}

static enum next refill(struct decode *d, const struct limits *l, int wake, struct batch *b, struct err *e)
{
	if (!d->keeps && d->first)
		inner_shift(d);
	struct inner *i = inner_new(d);
	enum next next = d->from->next(d->from, &i->batch, l, wake, e);
	if (next != NEXT_BATCH) {
		d->count--;
		i->next = d->spare;
		d->spare = i;
		d->ended = next == NEXT_END;
		d->port.interrupted = d->from->interrupted;
		return next;
	}
	b->flush_reason = i->batch.flush_reason;
	for (size_t t = 0; t < COUNTER_COUNT; t++)
		b->counter[t] += i->batch.counter[t];
	if (d->last)
		d->last->next = i;
	else
		d->first = i;
	d->last = i;
	return NEXT_BATCH;
}

static enum next fill(struct decode *d, struct batch_room *room, int wake, struct err *e)
{
	struct batch *b = room->b;
	for (;;) {
		enum next next = NEXT_BATCH;
		if (b->more || batch_room_full(room))
			return NEXT_BATCH;
		if (d->busy)
			next = work(d, room, e) < 0 ? NEXT_ERROR : NEXT_BATCH;
		else if (inner_left(d))
			next = take(d, room, e) < 0 ? NEXT_ERROR : NEXT_BATCH;
		else if (!d->ended && b->n)
			return NEXT_BATCH;
		else if (!d->ended)
			next = refill(d, room->limits, wake, b, e);
		else if (!end_file(d))
			return b->n ? NEXT_BATCH : NEXT_END;
		if (next == NEXT_ERROR || next == NEXT_WOKEN)
			return next;
	}
}

static enum next decode_next(struct source *port, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct decode *d = (struct decode *)port;
	struct batch_room room = {.b = b, .limits = l};
	d->limits = l;
	if (d->failed) {
		*e = d->error;
		return NEXT_ERROR;
	}
	enum next next = fill(d, &room, wake, e);
	if (next == NEXT_ERROR && b->n) {
		/* What was read before the error goes out first. */
		d->failed = true;
		d->error = *e;
		next = NEXT_BATCH;
	}
	if (next == NEXT_BATCH && d->keeps) {
		d->due = xgrow(d->due, d->ndue, &d->capdue, 8, sizeof *d->due);
		d->due[d->ndue++] = first_undone(d);
	}
	if (next == NEXT_END && d->ndue == 0 && accept_before(d, first_undone(d), e) < 0)
		return NEXT_ERROR;
	return next;
}

static int decode_accept(struct source *port, struct batch *b, struct err *e)
{
	struct decode *d = (struct decode *)port;
	(void)b;
	uint64_t number = d->due[0];
	memmove(d->due, d->due + 1, --d->ndue * sizeof *d->due);
	if (d->ended && d->ndue == 0) /* lines after the last record are done too */
		number = first_undone(d);
	return accept_before(d, number, e);
}

static void decode_abandon(struct source *port, struct batch *b)
{
	struct decode *d = (struct decode *)port;
	(void)b;
	for (; d->first; inner_shift(d))
		if (d->from->abandon)
			d->from->abandon(d->from, &d->first->batch);
}

static int decode_rest(struct source *port, struct str *chunk, struct err *e)
{
	struct decode *d = (struct decode *)port;
	return d->from->rest(d->from, chunk, e);
}

static void decode_position(const struct source *port, uint64_t *done, uint64_t *total)
{
	const struct decode *d = (const struct decode *)port;
	d->from->position(d->from, done, total);
}

static int decode_close(struct source *port, struct err *e)
{
	struct decode *d = (struct decode *)port;
	int rc = d->from->close(d->from, e);
	for (size_t i = 0; i < d->nfiles; i++)
		file_close(&d->file[i]);
	inner_free(d->first);
	inner_free(d->spare);
	free(d->file);
	free(d->due);
	ids_free(&d->ids);
	buf_free(&d->replayed);
	free(d);
	return rc;
}

struct source *source_decode(const struct ingest *conf, struct source *from, bool following)
{
	struct decode *d = xcalloc(1, sizeof *d);
	d->conf = conf;
	d->ids.conf = &conf->ids;
	d->from = from;
	d->following = following;
	d->keeps = from->accept || from->abandon;
	d->nfiles = conf->npaths ? conf->npaths : 1;
	d->file = xcalloc(d->nfiles, sizeof *d->file);
	d->port = (struct source){.next = decode_next,
	    .accept = d->keeps ? decode_accept : NULL,
	    .abandon = d->keeps ? decode_abandon : NULL,
	    .rest = from->rest ? decode_rest : NULL,
	    .position = from->position ? decode_position : NULL,
	    .close = decode_close};
	return &d->port;
}
