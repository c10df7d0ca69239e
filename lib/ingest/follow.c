/* follow.c - files that grow, move away and come anew.
 *
 *     text   [ partial line | block ]     read and not yet given; at most a line and a block
 */
#include "lib/ingest/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/base/sig.h"
#include "lib/text/hash.h"

enum { BLOCK = 64 << 10, LOOK_MS = 1000, LOOK_ALONE_MS = 250, FIRST_BYTES = 256 };

/* One file that a name has stood for. */
struct life {
	struct life *next;
	char hash[HASH_HEX];
};

struct followed {
	const char *path;
	int fd, watch;
	struct stat st; /* as opened */
	uint64_t read, lineno, truncations;
	bool fresh;   /* nothing of it has been cut into lines */
	bool said;    /* that it is not there */
	bool leaving; /* another file has its name; what remains is read first */
	bool idle;    /* all that was there has been read */
	struct buf text;
	struct buf head; /* its first bytes, as read */
	struct life *life;
};

struct follow {
	struct source port;
	struct followed *file;
	size_t n, turn;
	struct followed *in_long;
	struct buf piece;
	struct life *lives;
	int inotify; /* -1: look again and again */
};

/* --- watching --- */

static void watch_folder(struct follow *s, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? str_dup((struct str){path, slash == path ? 1 : (size_t)(slash - path)}) : xstrdup(".");
	/* A folder that is missing is looked for by time. */
	if (inotify_add_watch(s->inotify, folder, IN_CREATE | IN_MOVED_TO) < 0)
		log_debug("a folder cannot be watched", "folder", folder, "reason", strerror(errno), NULL);
	free(folder);
}

static void watch_file(struct follow *s, struct followed *f)
{
	/* By descriptor: the path may mean another file by now. */
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
	f->watch = s->inotify < 0 ? -1 : inotify_add_watch(s->inotify, path, IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB);
}

static enum io_wait wait_change(const struct follow *s, int wake)
{
	char events[4096];
	enum io_wait w =
	    io_wait_readable(s->inotify, wake, clock_mono_ms() + (s->inotify < 0 ? LOOK_ALONE_MS : LOOK_MS));
	if (w == IO_READY)
		while (read(s->inotify, events, sizeof events) > 0)
			;
	return w;
}

/* --- opening and leaving --- */

static void begin(struct followed *f)
{
	f->read = f->lineno = 0;
	f->fresh = true;
	f->leaving = f->idle = false;
	f->life = NULL;
	buf_clear(&f->text);
	buf_clear(&f->head);
}

/* 1 open, 0 not there, -1. */
static int open_file(struct follow *s, struct followed *f, struct err *e)
{
	f->fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (f->fd < 0) {
		if (!f->said)
			log_warn("waiting for a file", "path", f->path, "reason", strerror(errno), NULL);
		f->said = true;
		return 0;
	}
	if (fstat(f->fd, &f->st) < 0)
		return err_sys(e, "cannot read '%s'", f->path);
	if (!S_ISREG(f->st.st_mode))
		return err_set(e, ERR_ENV, "cannot follow '%s': it is no regular file; pipe it in instead", f->path);
	f->said = false;
	f->truncations = 0;
	begin(f);
	watch_file(s, f);
	log_info("following", "path", f->path, NULL);
	return 1;
}

static void leave_file(struct follow *s, struct followed *f)
{
	if (f->watch >= 0)
		inotify_rm_watch(s->inotify, f->watch);
	close(f->fd);
	f->fd = f->watch = -1;
	f->idle = false;
}

enum change { UNCHANGED, TRUNCATED, REPLACED };

/* A file may be truncated and grow beyond its old size before anyone looks; then its beginning is another one. */
static bool rewritten(const struct followed *f)
{
	char now[FIRST_BYTES];
	return pread(f->fd, now, f->head.n, 0) != (ssize_t)f->head.n ||
	       (f->head.n && memcmp(now, f->head.p, f->head.n) != 0);
}

/* An empty successor shows that the writer has not moved yet: it may still write to this file. */
static bool replaced(const struct follow *s, const struct followed *f)
{
	struct stat named;
	for (int look = 0; look < 2; look++) {
		if (stat(f->path, &named) < 0 || (named.st_dev == f->st.st_dev && named.st_ino == f->st.st_ino))
			return false;
		if (named.st_size > 0)
			return true;
		/* Its first line shall wake us, so look again once it is watched. */
		if (look == 0 && (s->inotify < 0 || inotify_add_watch(s->inotify, f->path, IN_MODIFY) < 0))
			return false;
	}
	return false;
}

static enum change look(const struct follow *s, const struct followed *f)
{
	struct stat now;
	if ((fstat(f->fd, &now) == 0 && (uint64_t)now.st_size < f->read) || rewritten(f))
		return TRUNCATED;
	return replaced(s, f) ? REPLACED : UNCHANGED;
}

/* --- lines --- */

/* Inode and birth tell files apart that have had one name, wherever a restart finds them; the beginning does where a file system knows no birth. Of one
 * inode that is written anew from its start, only the count of truncations tells. */
static struct life *name_life(struct follow *s, const struct followed *f, struct str first)
{
	struct statx x = {0};
	char inode[24], birth[48], count[24];
	struct life *life = xcalloc(1, sizeof *life);
	if (statx(f->fd, "", AT_EMPTY_PATH, STATX_BTIME, &x) < 0 || !(x.stx_mask & STATX_BTIME))
		x.stx_btime = (struct statx_timestamp){0};
	int i = snprintf(inode, sizeof inode, "%llu", (unsigned long long)f->st.st_ino);
	int b = snprintf(birth, sizeof birth, "%lld.%u", (long long)x.stx_btime.tv_sec, x.stx_btime.tv_nsec);
	int c = snprintf(count, sizeof count, "%llu", (unsigned long long)f->truncations);
	first.n = first.n > FIRST_BYTES ? FIRST_BYTES : first.n;
	const struct str field[] = {{inode, (size_t)i}, {birth, (size_t)b}, first, {count, (size_t)c}};
	hash_list(field, COUNT_OF(field), life->hash);
	life->next = s->lives;
	s->lives = life;
	return life;
}

struct str follow_identity(const struct rec *r)
{
	const struct life *life = (const struct life *)(uintptr_t)r->token;
	return (struct str){life->hash, sizeof life->hash};
}

static struct rec *add_line(struct follow *s, struct followed *f, struct batch *b, struct str line)
{
	if (!f->life)
		f->life = name_life(s, f, line);
	f->fresh = false;
	char *p = arena_alloc(&b->mem, line.n + JSON_PAD);
	memcpy(p, line.p, line.n);
	memset(p + line.n, 0, JSON_PAD);
	struct rec *r = batch_add(b);
	r->line = (struct str){p, line.n};
	r->lineno = ++f->lineno;
	r->origin = f->path;
	r->token = (uint64_t)(uintptr_t)f->life;
	return r;
}

static void reject_long(struct batch *b, struct rec *r, size_t max)
{
	rec_reject(b, r, CODE_TOO_LONG, "the line is longer than %zu bytes (--max-record)", max);
}

/* Gives whole lines to the batch, as many as it takes. */
static void cut_lines(struct follow *s, struct followed *f, struct batch *b, const struct limits *l)
{
	size_t at = 0;
	if (f->fresh && f->text.n >= 3 && memcmp(f->text.p, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (b->n < l->records && at < f->text.n) {
		const char *p = f->text.p + at, *nl = memchr(p, '\n', f->text.n - at);
		if (!nl)
			break;
		struct str line = {p, (size_t)(nl - p) + 1};
		size_t ending = line.n > 1 && nl[-1] == '\r' ? 2 : 1;
		struct rec *r = add_line(s, f, b, line);
		if (line.n - ending > l->max_record)
			reject_long(b, r, l->max_record);
		at += line.n;
	}
	if (at)
		f->fresh = false;
	buf_shift(&f->text, at);
	if (b->n < l->records && f->text.n > l->max_record + 1 && !memchr(f->text.p, '\n', f->text.n)) {
		struct rec *r = add_line(s, f, b, buf_view(&f->text));
		r->long_line = b->more = true;
		reject_long(b, r, l->max_record);
		buf_clear(&f->text);
		s->in_long = f;
	}
}

static void last_line(struct follow *s, struct followed *f, struct batch *b)
{
	if (f->text.n)
		add_line(s, f, b, buf_view(&f->text));
	buf_clear(&f->text);
}

/* 1 read something, 0 at the end of what is there, -1. */
static int read_block(struct followed *f, struct buf *to, struct err *e)
{
	buf_reserve(to, BLOCK);
	ssize_t r;
	do
		r = read(f->fd, to->p + to->n, BLOCK);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, "cannot read '%s'", f->path);
	size_t head = FIRST_BYTES - f->head.n;
	buf_add(&f->head, to->p + to->n, head < (size_t)r ? head : (size_t)r);
	to->n += (size_t)r;
	f->read += (size_t)r;
	f->idle = r == 0;
	return r > 0;
}

static int restart(struct followed *f, struct err *e)
{
	log_warn("a file was truncated, reading it from its start", "path", f->path, NULL);
	if (lseek(f->fd, 0, SEEK_SET) < 0)
		return err_sys(e, "cannot read '%s'", f->path);
	f->truncations++;
	begin(f);
	return 0;
}

/* At the end of what is there: 1 if there may be more after all, or the file has ended for good (then *ended), 0 if not now. */
static int go_on(const struct follow *s, struct followed *f, bool *ended)
{
	*ended = false;
	switch (look(s, f)) {
	case UNCHANGED:
		return 0;
	case TRUNCATED:
		*ended = true;
		return 1;
	case REPLACED:
		/* Something may have been written between the read and the look: read once more. */
		*ended = f->leaving;
		f->leaving = true;
		return 1;
	}
	return 0;
}

/* The file that was being read is over: its successor, or its own new beginning, comes next. */
static int turn_over(struct follow *s, struct followed *f, struct err *e)
{
	if (!f->leaving)
		return restart(f, e);
	leave_file(s, f);
	return 0;
}

/* Lines of one file, if it has any now. */
static int serve(struct follow *s, struct followed *f, struct batch *b, const struct limits *l, struct err *e)
{
	if (f->idle && look(s, f) == TRUNCATED) {
		last_line(s, f, b);
		if (restart(f, e) < 0)
			return -1;
	}
	for (;;) {
		cut_lines(s, f, b, l);
		if (b->n)
			return 0;
		if (f->fd < 0) {
			int opened = open_file(s, f, e);
			if (opened <= 0)
				return opened;
		}
		int got = read_block(f, &f->text, e);
		if (got < 0)
			return -1;
		if (got)
			continue;
		bool ended;
		if (!go_on(s, f, &ended))
			return 0;
		if (ended) {
			last_line(s, f, b);
			if (turn_over(s, f, e) < 0)
				return -1;
			if (b->n)
				return 0;
		}
	}
}

static enum next follow_next(struct source *port, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct follow *s = (struct follow *)port;
	while (!sig_stopping()) {
		for (size_t i = 0; i < s->n; i++) {
			struct followed *f = &s->file[s->turn];
			s->turn = (s->turn + 1) % s->n;
			if (serve(s, f, b, l, e) < 0)
				return NEXT_ERROR;
			if (b->n) {
				b->closed = b->n >= l->records ? CLOSED_FULL : CLOSED_IDLE;
				return NEXT_BATCH;
			}
		}
		if (wait_change(s, wake) == IO_WOKEN)
			return NEXT_WOKEN;
	}
	return NEXT_END;
}

/* The rest of a line that is longer than any record; it may still be growing. */
static int follow_rest(struct source *port, struct str *chunk, struct err *e)
{
	struct follow *s = (struct follow *)port;
	struct followed *f = s->in_long;
	while (f && !sig_stopping()) {
		buf_clear(&s->piece);
		int got = read_block(f, &s->piece, e);
		if (got < 0)
			return -1;
		if (got) {
			const char *nl = memchr(s->piece.p, '\n', s->piece.n);
			size_t n = nl ? (size_t)(nl - s->piece.p) : s->piece.n;
			if (nl) {
				buf_add(&f->text, nl + 1, s->piece.n - n - 1);
				n -= n && nl[-1] == '\r';
				s->in_long = NULL;
			}
			*chunk = (struct str){s->piece.p, n};
			return 1;
		}
		bool ended;
		if (!go_on(s, f, &ended))
			wait_change(s, -1);
		else if (ended)
			f = NULL; /* `next` will find so again, and turn over */
	}
	s->in_long = NULL;
	return 0;
}

static int follow_close(struct source *port, struct err *e)
{
	struct follow *s = (struct follow *)port;
	(void)e;
	for (size_t i = 0; i < s->n; i++) {
		if (s->file[i].fd >= 0)
			close(s->file[i].fd);
		buf_free(&s->file[i].text);
		buf_free(&s->file[i].head);
	}
	for (struct life *life = s->lives, *next; life; life = next) {
		next = life->next;
		free(life);
	}
	if (s->inotify >= 0)
		close(s->inotify);
	buf_free(&s->piece);
	free(s->file);
	free(s);
	return 0;
}

struct source *source_follow(const char *const *path, size_t npaths)
{
	struct follow *s = xcalloc(1, sizeof *s);
	s->file = xcalloc(npaths, sizeof *s->file);
	s->n = npaths;
	s->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (size_t i = 0; i < npaths; i++) {
		s->file[i] = (struct followed){.path = path[i], .fd = -1, .watch = -1};
		if (s->inotify >= 0)
			watch_folder(s, path[i]);
	}
	s->port = (struct source){.next = follow_next, .rest = follow_rest, .close = follow_close};
	return &s->port;
}
