/* stdio.c - descriptors and files as ports.
 *
 * The source reads blocks into the batch's own buffer and cuts them there, so that lines are not copied. Only what
 * remains after the batch's last line (at most a block and a line) moves to the next batch:
 *
 *     batch.in   [ carried | block | block ... ]
 *                  line\nline\n ...  line\n  rest -> carried by the source
 *
 * The buffer is reserved once, at its largest, so that slices stay valid while it fills; untouched pages cost nothing.
 */
#include "lib/flow/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/json/write.h"

enum { BLOCK = 64 << 10, WRITE_AT = 256 << 10, GRACE_MS = 1000, MARK_DONE = 4, KINDS = 32, SHOWN = 20 };

static const char byte_order_mark[3] = "\xef\xbb\xbf";

struct line_source {
	struct source port;
	struct lines_conf conf;
	size_t at;	     /* index of the path that is open, or to be opened next */
	int fd;		     /* -1: none */
	struct bytes *bytes; /* what is in it; NULL: its bytes as they are */
	bool regular, in_long, ended;
	bool cr;     /* a "\r" of a long line is held back, since it may be part of the line end */
	size_t mark; /* bytes of a byte-order mark seen at the start of the file; MARK_DONE: no longer looked for */
	const char *name;
	uint64_t lineno;
	struct buf carry;	      /* bytes read but not given yet */
	struct buf piece;	      /* what `rest` lends */
	uint64_t done, total, before; /* before: all files before this one */
	const struct stop *stop;      /* from the last call of next */
};

static bool is_stdin(const char *path)
{
	return strcmp(path, "-") == 0;
}

static void close_file(struct line_source *s)
{
	if (s->bytes)
		s->bytes->close(s->bytes);
	s->bytes = NULL;
	if (s->fd > STDIN_FILENO)
		close(s->fd);
	s->fd = -1;
}

/* Opens the next file: 1, 0 if there is none, -1. */
static int open_next(struct line_source *s, struct err *e)
{
	size_t n = s->conf.npaths ? s->conf.npaths : 1;
	if (s->at == n)
		return 0;
	const char *path = s->conf.npaths ? s->conf.path[s->at] : "-";
	s->at++;
	s->name = is_stdin(path) ? "stdin" : path;
	s->fd = is_stdin(path) ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	struct stat st;
	int failed = fstat(s->fd, &st);
	if (failed < 0)
		err_sys(e, "cannot read '%s'", path);
	else if (S_ISDIR(st.st_mode))
		failed = err_set(e, ERR_ENV, "cannot read '%s': it is a directory", path);
	if (failed < 0) {
		close_file(s);
		return -1;
	}
	s->regular = S_ISREG(st.st_mode);
	if (s->regular)
		posix_fadvise(s->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	if (s->conf.open)
		s->bytes = s->conf.open(s->conf.open_arg, s->name, s->fd);
	s->before = s->done;
	s->mark = 0;
	s->lineno = 0;
	return 1;
}

/* Removes a byte-order mark from the first bytes of a file, which are at in->p[at..] and may arrive one by one. */
static void drop_mark(struct line_source *s, struct buf *in, size_t at)
{
	size_t n = in->n - at, same = 0;
	while (
	    s->mark + same < sizeof byte_order_mark && same < n && in->p[at + same] == byte_order_mark[s->mark + same])
		same++;
	if (s->mark + same == sizeof byte_order_mark || same == n) {
		in->n -= same;
		memmove(in->p + at, in->p + at + same, in->n - at);
		s->mark += same;
	} else { /* not a mark: restores the bytes taken for its beginning */
		memmove(in->p + at + s->mark, in->p + at, n);
		memcpy(in->p + at, byte_order_mark, s->mark);
		in->n += s->mark;
		s->mark = MARK_DONE;
	}
	if (s->mark == sizeof byte_order_mark)
		s->mark = MARK_DONE;
}

static bool pending(const struct line_source *s)
{
	return s->bytes && s->bytes->pending(s->bytes);
}

/* The same as read_plain, where BYTES_LATER is a further result. */
static ssize_t read_bytes(struct line_source *s, struct buf *in, struct err *e)
{
	ssize_t r = s->bytes->read(s->bytes, in->p + in->n, BLOCK, e);
	if (s->regular)
		s->done = s->before + (uint64_t)lseek(s->fd, 0, SEEK_CUR);
	else if (r > 0)
		s->done += (uint64_t)r;
	return r;
}

static ssize_t read_plain(struct line_source *s, struct buf *in, struct err *e)
{
	ssize_t r;
	do
		r = read(s->fd, in->p + in->n, BLOCK);
	while (r < 0 && errno == EINTR && !stop_raised(s->stop));
	if (r < 0 && errno == EINTR)
		return 0;
	if (r < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		io_wait_readable(s->fd, -1, -1, s->stop);
		return read_plain(s, in, e);
	}
	if (r < 0)
		return err_sys(e, "cannot read '%s'", s->name);
	s->done += (uint64_t)r;
	return r;
}

/* Appends up to a block to `in`: returns the number of bytes, 0 at the end of the file, BYTES_LATER, -1. */
static ssize_t read_block(struct line_source *s, struct buf *in, struct err *e)
{
	buf_reserve(in, BLOCK + JSON_PAD);
	ssize_t r = s->bytes ? read_bytes(s, in, e) : read_plain(s, in, e);
	if (r <= 0)
		return r;
	in->n += (size_t)r;
	if (s->mark != MARK_DONE)
		drop_mark(s, in, in->n - (size_t)r);
	return r;
}

static bool blank(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] != ' ' && line.p[i] != '\t')
			return false;
	return true;
}

static struct rec *add_line(struct line_source *s, struct batch *b, struct str line)
{
	s->lineno++;
	if (!s->conf.keep_end) {
		if (line.n && line.p[line.n - 1] == '\n')
			line.n--;
		if (line.n && line.p[line.n - 1] == '\r')
			line.n--;
		if (unlikely(line.n == 0 || line.p[0] == ' ' || line.p[0] == '\t') && blank(line))
			return NULL;
	}
	struct rec *r = batch_add(b);
	r->line = line;
	r->lineno = s->lineno;
	r->origin = s->name;
	return r;
}

static void reject_long(struct batch *b, struct rec *r, size_t max)
{
	rec_reject(b, r, CODE_TOO_LONG, "the line is longer than %zu bytes (--max-record)", max);
}

/* Takes whole lines from in.p[*from..] until the batch is full. True if it is. */
static bool cut_lines(struct line_source *s, struct batch *b, const struct limits *l, size_t *from)
{
	const char *p = b->in.p + *from, *end = b->in.p + b->in.n;
	bool full = false;
	while (!full && p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		if (!nl)
			break;
		struct str line = {p, (size_t)(nl - p) + 1};
		p = nl + 1;
		size_t ending = line.n > 1 && nl[-1] == '\r' ? 2 : 1;
		struct rec *r = add_line(s, b, line);
		if (r && unlikely(line.n - ending > l->max_record))
			reject_long(b, r, l->max_record);
		full = b->n >= l->records || (size_t)(p - b->in.p) >= l->bytes;
	}
	*from = (size_t)(p - b->in.p);
	return full && b->n;
}

/* At the end of a file, what follows the last line end is a line too. */
static void last_line(struct line_source *s, struct batch *b, const struct limits *l, size_t *from)
{
	if (s->mark != MARK_DONE) /* a file that ends within a byte-order mark */
		buf_add(&b->in, byte_order_mark, s->mark);
	s->mark = MARK_DONE;
	struct str line = {b->in.p + *from, b->in.n - *from};
	*from = b->in.n;
	if (!line.n)
		return;
	struct rec *r = add_line(s, b, line);
	if (r && line.n > l->max_record)
		reject_long(b, r, l->max_record);
}

/* A stop came after the beginning of a line was taken from a pipe: waits briefly for its end, byte by byte, so that
 * nothing after it is taken. (A file still has its lines.) The stop is raised already, so this polls by itself. */
static void read_on(const struct line_source *s, struct buf *in, size_t max)
{
	int64_t grace = clock_mono_ms() + GRACE_MS;
	if (s->bytes && !s->bytes->plain(s->bytes)) /* a filter cannot leave bytes unread */
		return;
	for (size_t had = in->n; in->n - had < max; in->n++) {
		int64_t left = grace - clock_mono_ms();
		struct pollfd f = {.fd = s->fd, .events = POLLIN};
		if (left <= 0 || poll(&f, 1, (int)left) <= 0 || read(s->fd, in->p + in->n, 1) <= 0)
			return;
		if (in->p[in->n] == '\n') {
			in->n++;
			return;
		}
	}
}

/* True if a regular file has not been read to its end. */
static bool left_in_file(const struct line_source *s)
{
	struct stat st;
	return fstat(s->fd, &st) == 0 && lseek(s->fd, 0, SEEK_CUR) < st.st_size;
}

/* Waits as long as the limits allow for more input. */
static enum io_wait wait_more(
    struct line_source *s, const struct batch *b, const struct limits *l, int wake, int64_t *deadline)
{
	if (s->regular)
		return stop_raised(s->stop) && left_in_file(s) ? IO_STOP : IO_READY;
	if (pending(s)) /* which a stop would lose */
		return IO_READY;
	if (b->n == 0)
		return io_wait_readable(s->fd, wake, -1, s->stop);
	if (*deadline < 0)
		*deadline = clock_mono_ms() + l->wait_ms;
	return io_wait_readable(s->fd, -1, *deadline, s->stop);
}

static enum next finish(struct line_source *s, struct batch *b, size_t from, enum flush_reason why)
{
	buf_clear(&s->carry);
	buf_add(&s->carry, b->in.p + from, b->in.n - from);
	/* The scanner may read JSON_PAD bytes past its input. */
	memset(b->in.p + b->in.n, 0, JSON_PAD);
	b->flush_reason = why;
	return b->n ? NEXT_BATCH : why == FLUSH_END ? NEXT_END : NEXT_WOKEN;
}

static bool more_files(const struct line_source *s)
{
	return s->at < (s->conf.npaths ? s->conf.npaths : 1);
}

/* On a stop, a line whose beginning was taken from a pipe is read to its end; a file keeps the rest of its lines. */
static void stop_here(struct line_source *s, struct batch *b, const struct limits *l, size_t *from)
{
	if (b->in.n > *from && !s->regular) {
		read_on(s, &b->in, l->max_record);
		if (!cut_lines(s, b, l, from))
			last_line(s, b, l, from);
	}
	*from = b->in.n;
	s->ended = true;
	s->port.interrupted = s->regular || more_files(s);
}

static enum next lines_next(struct source *port, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct line_source *s = (struct line_source *)port;
	size_t from = 0;
	int64_t deadline = -1;
	s->stop = l->stop;
	buf_reserve(&b->in, s->carry.n + l->bytes + l->max_record + 3 * BLOCK + JSON_PAD);
	buf_add(&b->in, s->carry.p, s->carry.n);
	for (;;) {
		if (cut_lines(s, b, l, &from))
			return finish(s, b, from, b->n >= l->records ? FLUSH_FULL : FLUSH_BYTES);
		if (b->in.n - from > l->max_record + 1) { /* +1: it may end in "\r" */
			s->lineno++;
			struct rec *r = batch_add(b);
			s->cr = b->in.p[b->in.n - 1] == '\r';
			*r = (struct rec){.line = {b->in.p + from, b->in.n - from - s->cr},
			    .lineno = s->lineno,
			    .origin = s->name,
			    .long_line = true};
			reject_long(b, r, l->max_record);
			s->in_long = b->more = true;
			return finish(s, b, b->in.n, FLUSH_BYTES);
		}
		if (s->ended)
			return finish(s, b, from, FLUSH_END);
		if (s->fd < 0) {
			if (stop_raised(l->stop) && more_files(s)) {
				s->port.interrupted = s->ended = true;
				continue;
			}
			int opened = open_next(s, e);
			if (opened < 0 && b->n) { /* what precedes the failing file goes out first */
				s->at--;
				return finish(s, b, from, FLUSH_END);
			}
			if (opened < 0)
				return NEXT_ERROR;
			s->ended = opened == 0;
			continue;
		}
		switch (wait_more(s, b, l, wake, &deadline)) {
		case IO_WOKEN:
			return finish(s, b, from, FLUSH_IDLE);
		case IO_TIMEOUT:
			return finish(s, b, from, l->wait_ms ? FLUSH_TIME : FLUSH_IDLE);
		case IO_STOP:
			stop_here(s, b, l, &from);
			continue;
		case IO_READY:
			break;
		}
		ssize_t r = read_block(s, &b->in, e);
		if (r == BYTES_LATER)
			continue;
		if (r < 0 && b->n) /* what precedes the damage goes out first */
			return finish(s, b, from, FLUSH_END);
		if (r < 0)
			return NEXT_ERROR;
		if (r == 0 && (s->regular || !stop_raised(s->stop))) {
			last_line(s, b, l, &from);
			close_file(s);
		}
	}
}

/* Reads the rest of an over-long line, block by block; what follows its end is carried. */
static int lines_rest(struct source *port, struct str *chunk, struct err *e)
{
	struct line_source *s = (struct line_source *)port;
	if (!s->in_long)
		return 0;
	buf_clear(&s->piece);
	if (s->cr)
		buf_char(&s->piece, '\r');
	if (!s->regular && !pending(s) && io_wait_readable(s->fd, -1, -1, s->stop) == IO_STOP)
		s->ended = true; /* what has not arrived by now stays unread */
	ssize_t r = s->ended ? 0 : read_block(s, &s->piece, e);
	if (r < 0 && r != BYTES_LATER)
		return -1;
	const char *nl = s->piece.n ? memchr(s->piece.p, '\n', s->piece.n) : NULL;
	size_t n = nl ? (size_t)(nl - s->piece.p) : s->piece.n;
	if (nl)
		buf_add(&s->carry, nl + 1, s->piece.n - n - 1);
	s->cr = n && s->piece.p[n - 1] == '\r'; /* dropped at the line end, else part of the next piece */
	n -= s->cr;
	if (r == 0 && !s->ended)
		close_file(s);
	s->in_long = !nl && r != 0;
	*chunk = (struct str){s->piece.p, n};
	return n > 0 || s->in_long;
}

static void lines_position(const struct source *port, uint64_t *done, uint64_t *total)
{
	const struct line_source *s = (const struct line_source *)port;
	*done = s->done;
	*total = s->total;
}

static int lines_close(struct source *port, struct err *e)
{
	struct line_source *s = (struct line_source *)port;
	(void)e;
	close_file(s);
	buf_free(&s->carry);
	buf_free(&s->piece);
	free(s);
	return 0;
}

/* The sum of the sizes if all inputs are regular files, else 0. */
static uint64_t total_size(const struct lines_conf *c)
{
	uint64_t total = 0;
	for (size_t i = 0; i < (c->npaths ? c->npaths : 1); i++) {
		struct stat st;
		bool in = !c->npaths || is_stdin(c->path[i]);
		if ((in ? fstat(STDIN_FILENO, &st) : stat(c->path[i], &st)) < 0 || !S_ISREG(st.st_mode))
			return 0;
		total += (uint64_t)st.st_size;
	}
	return total;
}

struct source *source_lines(const struct lines_conf *conf)
{
	struct line_source *s = xcalloc(1, sizeof *s);
	s->port =
	    (struct source){.next = lines_next, .rest = lines_rest, .position = lines_position, .close = lines_close};
	s->conf = *conf;
	s->fd = -1;
	s->total = total_size(conf);
	return &s->port;
}

struct line_sink {
	struct sink port;
	int fd;
	bool owned;
	enum lane lane;
	char *name;
	const char *tool;
	struct buf buf;
	bool terminal; /* of rejects: those of a kind beyond the first few are only counted */
	struct {
		const char *code;
		uint64_t n;
	} kind[KINDS];
	struct str before; /* what goes before each write: clears the line of --progress */
	size_t unfinished; /* bytes written of a line whose end has not been */
};

/* How much of an unfinished line has been written, when `done` more bytes of the buffer have been. */
static size_t unfinished(const struct line_sink *s, size_t done)
{
	const char *nl = done ? memrchr(s->buf.p, '\n', done) : NULL;
	return nl ? done - (size_t)(nl - s->buf.p) - 1 : s->unfinished + done;
}

/* Removes the part of a line that a full disk or a limit has left at the end of the file, unless others have written
 * after it. */
static void remove_part(struct line_sink *s)
{
	struct stat st;
	off_t part = (off_t)s->unfinished, at = lseek(s->fd, 0, SEEK_CUR);
	if (part && fstat(s->fd, &st) == 0 && S_ISREG(st.st_mode) && at == st.st_size && at >= part &&
	    ftruncate(s->fd, at - part) == 0)
		lseek(s->fd, -part, SEEK_CUR);
}

static int write_out(struct line_sink *s, struct err *e)
{
	size_t done = 0;
	int rc = s->before.n ? io_write(s->fd, s->before.p, s->before.n, s->name, e) : 0;
	rc = rc < 0 ? rc : io_write_counted(s->fd, s->buf.p, s->buf.n, &done, s->name, e);
	s->unfinished = unfinished(s, done);
	if (rc < 0)
		remove_part(s);
	buf_clear(&s->buf);
	return rc;
}

/* Streams an over-long line as base64, in groups of three bytes whatever the size of the pieces. */
static int put_long(struct line_sink *s, const struct rec *r, struct source *from, struct err *e)
{
	struct buf left = {0};
	struct str chunk = r->line;
	int rc;
	rec_put_reject_head(&s->buf, r, s->tool);
	buf_str(&s->buf, STR(",\"input_base64\":\""));
	do {
		buf_str(&left, chunk);
		size_t whole = left.n / 3 * 3;
		json_put_base64(&s->buf, (struct str){left.p, whole});
		buf_shift(&left, whole);
		rc = s->buf.n > WRITE_AT ? write_out(s, e) : 0;
		if (rc == 0)
			rc = from->rest(from, &chunk, e);
	} while (rc > 0);
	json_put_base64(&s->buf, buf_view(&left));
	buf_str(&s->buf, STR("\"}\n"));
	if (rc < 0)
		buf_clear(&s->buf); /* not a whole line */
	buf_free(&left);
	return rc;
}

/* True if so many rejects of this kind have been shown on the terminal that this one is only counted. */
static bool is_hidden(struct line_sink *s, const struct rec *r)
{
	size_t i = 0;
	while (i < KINDS - 1 && s->kind[i].code && strcmp(s->kind[i].code, r->code) != 0)
		i++;
	if (!s->kind[i].code)
		s->kind[i].code = r->code;
	return ++s->kind[i].n > SHOWN;
}

static int skip_rest(struct source *from, struct err *e)
{
	struct str chunk;
	int rc;
	while ((rc = from->rest(from, &chunk, e)) > 0)
		;
	return rc;
}

static void tell_hidden(const struct line_sink *s)
{
	for (size_t i = 0; i < KINDS && s->kind[i].code; i++) {
		char n[24];
		if (s->kind[i].n <= SHOWN)
			continue;
		snprintf(n, sizeof n, "%llu", (unsigned long long)(s->kind[i].n - SHOWN));
		log_warn(
		    "more rejects are not shown; --reject FILE keeps all", "code", s->kind[i].code, "rejects", n, NULL);
	}
}

static int line_put(struct sink *port, const struct batch *b, struct source *from, struct err *e)
{
	struct line_sink *s = (struct line_sink *)port;
	for (size_t i = 0; i < b->n; i++) {
		const struct rec *r = &b->rec[i];
		if (r->fate != (s->lane == LANE_OUT ? FATE_OUT : FATE_REJECTED))
			continue;
		if (s->terminal && is_hidden(s, r)) {
			if (r->long_line && skip_rest(from, e) < 0)
				return -1;
			continue;
		}
		if (r->long_line) {
			if (put_long(s, r, from, e) < 0)
				return -1;
			continue;
		}
		if (s->lane == LANE_OUT)
			rec_put(&s->buf, r);
		else
			rec_put_reject(&s->buf, r, s->tool);
		buf_char(&s->buf, '\n');
		if (s->buf.n > WRITE_AT && write_out(s, e) < 0)
			return -1;
	}
	return 0;
}

static int line_flush(struct sink *port, struct err *e)
{
	struct line_sink *s = (struct line_sink *)port;
	return s->buf.n ? write_out(s, e) : 0;
}

static int line_close(struct sink *port, struct err *e)
{
	struct line_sink *s = (struct line_sink *)port;
	int rc = line_flush(port, e);
	tell_hidden(s);
	if (s->owned) {
		struct err other;
		if (io_close(s->fd, s->name, rc < 0 ? &other : e) < 0)
			rc = -1;
	}
	free(s->name);
	buf_free(&s->buf);
	free(s);
	return rc;
}

/* A sink on a descriptor, which it closes if `owned`; `name` is copied. */
static struct sink *sink_lines(int fd, bool owned, const char *name, enum lane lane, const char *tool)
{
	struct line_sink *s = xcalloc(1, sizeof *s);
	s->port = (struct sink){.put = line_put, .flush = line_flush, .close = line_close};
	s->fd = fd;
	s->owned = owned;
	s->lane = lane;
	s->port.reader = lane == LANE_OUT ? fd : 0;
	s->name = xstrdup(name);
	s->tool = tool;
	s->terminal = lane == LANE_REJECTS && isatty(fd);
	return &s->port;
}

void sink_clears_line(struct sink *sink, struct str clear)
{
	struct line_sink *s = (struct line_sink *)sink;
	if (s->terminal)
		s->before = clear;
}

static int connect_unix(const char *path, struct err *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof a.sun_path)
		return err_set(e, ERR_ENV, "cannot connect to '%s': the path of a socket has at most %zu bytes", path,
		    sizeof a.sun_path - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a) < 0) {
		err_sys(e, "cannot connect to '%s'", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

/* A killed run has left half a line, which must not take the next one with it. */
static bool is_torn(const char *path)
{
	struct stat st;
	char c = '\n';
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool torn = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
		    pread(fd, &c, 1, st.st_size - 1) == 1 && c != '\n';
	if (fd >= 0)
		close(fd);
	return torn;
}

struct sink *sink_path(const char *path, enum lane lane, const char *tool, struct err *e)
{
	if (is_stdin(path)) {
		bool out = lane == LANE_OUT;
		return sink_lines(out ? STDOUT_FILENO : STDERR_FILENO, out, out ? "stdout" : "stderr", lane, tool);
	}
	struct stat st;
	if (stat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
		int fd = connect_unix(path, e);
		return fd < 0 ? NULL : sink_lines(fd, true, path, lane, tool);
	}
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (lane == LANE_OUT ? O_TRUNC : O_APPEND), 0666);
	if (fd < 0) {
		err_sys(e, "cannot open '%s' for writing", path);
		return NULL;
	}
	struct sink *sink = sink_lines(fd, true, path, lane, tool);
	if (lane == LANE_REJECTS && is_torn(path))
		buf_char(&((struct line_sink *)sink)->buf, '\n');
	return sink;
}

struct sink *sink_append(const char *path, const char *tool, struct err *e)
{
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END), keep = end;
	char c = 0;
	while (keep > 0 && pread(fd, &c, 1, keep - 1) == 1 && c != '\n')
		keep--;
	if (fd >= 0 && (keep == end || ftruncate(fd, keep) == 0))
		return sink_lines(fd, true, path, LANE_OUT, tool);
	err_sys(e, "cannot open '%s' for writing", path);
	if (fd >= 0)
		close(fd);
	return NULL;
}
