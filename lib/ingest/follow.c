/* follow.c - files that grow, move and are replaced.
 *
 *     text   [ partial line | block ]     read but not given yet; at most a line and a block
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
#include "lib/ingest/place.h"
#include "lib/ingest/rotation.h"
#include "lib/json/write.h"
#include "lib/text/hash.h"

enum { BLOCK = 64 << 10, LOOK_MS = 1000, LOOK_ALONE_MS = 250, LEFT_MS = 60000 };

/* One of the files that had this name. */
struct life {
	struct life *next;
	char hash[HASH_HEX];
};

/* The place after a batch that was given but not accepted yet. */
struct given {
	struct given *next;
	struct followed *file;
	struct file_place place;
	bool more; /* the batch ends in a long_line, whose end is known on acceptance */
};

struct followed {
	const char *path, *base;   /* base: the path's last part */
	int fd, watch, folder;	   /* watch, folder: of inotify; -1: none */
	struct stat st;		   /* as opened */
	struct rotated self, left; /* the open file, and the one before it */
	int left_fd;		   /* the latter, for a minute: it must not grow; -1: none */
	uint64_t left_read;
	int64_t left_ms,
	    replaced_ms;	/* clock_mono_ms; replaced_ms: the open file's name was first seen to be another's */
	uint64_t begun, opened; /* files that got this name, and files opened, since they were last compared */
	uint64_t read, lineno, truncations;
	bool fresh;   /* none of it has been cut into lines */
	bool said;    /* that it is missing */
	bool leaving; /* another file has its name; the rest is read first */
	bool has_left;
	bool idle; /* read up to its current end */
	struct buf text;
	struct buf head; /* its first bytes */
	struct life *life;
	struct file_place saved;
	bool has_saved, resume; /* resume: open it at `saved` */
	bool catching_up;	/* after that, files that were renamed meanwhile are read */
};

struct file_follow {
	struct source port;
	struct follow_conf conf;
	struct followed *file;
	size_t n, turn;
	struct followed *in_long;
	struct buf piece;
	struct life *lives;
	int inotify;  /* -1: poll */
	bool records; /* lines without their ends, no blank lines */
	const char *state;
	struct given *given, **given_end;
	const struct stop *stop; /* from the last call of next */
};

/* --- watching --- */

static void watch_folder(const struct file_follow *s, struct followed *f)
{
	size_t n = (size_t)(f->base - f->path);
	char *folder = n ? str_dup((struct str){f->path, n}) : xstrdup(".");
	/* What goes is watched too: equal events that follow each other are reported once. */
	f->folder = inotify_add_watch(s->inotify, folder, IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE);
	/* A missing folder is polled for. */
	if (f->folder < 0)
		log_debug("a folder cannot be watched", "folder", folder, "reason", strerror(errno), NULL);
	free(folder);
}

static void watch_file(struct file_follow *s, struct followed *f)
{
	/* By descriptor, since the path may mean another file by now. */
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", f->fd);
	f->watch = s->inotify < 0 ? -1 : inotify_add_watch(s->inotify, path, IN_MODIFY | IN_MOVE_SELF | IN_ATTRIB);
}

/* Counts the files that get a name that is followed. */
static void note_event(struct file_follow *s, const struct inotify_event *ev)
{
	for (size_t i = 0; i < s->n; i++) {
		struct followed *f = &s->file[i];
		if (ev->mask & IN_Q_OVERFLOW)
			f->begun = 0;
		else if (ev->wd == f->folder && ev->len && ev->mask & (IN_CREATE | IN_MOVED_TO))
			f->begun += strcmp(ev->name, f->base) == 0;
	}
}

static void read_events(struct file_follow *s)
{
	_Alignas(struct inotify_event) char events[4096];
	ssize_t n;
	while (s->inotify >= 0 && (n = read(s->inotify, events, sizeof events)) > 0)
		for (const char *at = events; at < events + n;) {
			const struct inotify_event *ev = (const struct inotify_event *)at;
			note_event(s, ev);
			at += sizeof *ev + ev->len;
		}
}

static void count_unread(const struct file_follow *s, uint64_t files)
{
	counts_add(s->conf.counts, COUNTER_UNREAD, files);
}

/* Once the open file is the one that has the name, and all events before that are known: every file that got the name
 * has been opened, or is gone. */
static void settle(struct file_follow *s, struct followed *f)
{
	struct stat named;
	if (f->fd < 0 || stat(f->path, &named) < 0 || named.st_dev != f->st.st_dev || named.st_ino != f->st.st_ino)
		return;
	/* If none was opened, the same file came back. */
	if (f->opened && f->begun > f->opened) {
		char files[24];
		snprintf(files, sizeof files, "%llu", (unsigned long long)(f->begun - f->opened));
		log_warn("files were gone before they could be read", "path", f->path, "files", files, NULL);
		count_unread(s, f->begun - f->opened);
	}
	f->begun = f->opened = 0;
	f->catching_up = false;
}

/* Watches the file that was left last, for a while. */
static void check_left(struct file_follow *s, struct followed *f)
{
	struct stat now;
	if (f->left_fd < 0)
		return;
	bool grown = fstat(f->left_fd, &now) == 0 && (uint64_t)now.st_size > f->left_read;
	if (grown) {
		log_warn("a renamed file has grown after it was left: what was added is not read (--rotate-wait)",
		    "path", f->path, NULL);
		count_unread(s, 1);
	}
	if (grown || clock_mono_ms() - f->left_ms > LEFT_MS) {
		close(f->left_fd);
		f->left_fd = -1;
	}
}

/* When to look again without an event. */
static int64_t next_look(const struct file_follow *s)
{
	int64_t now = clock_mono_ms(), at = now + (s->inotify < 0 ? LOOK_ALONE_MS : LOOK_MS);
	for (size_t i = 0; i < s->n; i++) {
		int64_t left = s->file[i].replaced_ms ? s->file[i].replaced_ms + s->conf.rotate_wait_ms : at;
		at = left < at ? left : at;
	}
	return at;
}

static enum io_wait wait_change(struct file_follow *s, int wake)
{
	read_events(s);
	for (size_t i = 0; i < s->n; i++) {
		settle(s, &s->file[i]);
		check_left(s, &s->file[i]);
	}
	return io_wait_readable(s->inotify, wake, next_look(s), s->stop);
}

/* --- lives --- */

static struct life *keep_life(struct file_follow *s, struct life *life)
{
	life->next = s->lives;
	s->lives = life;
	return life;
}

/* --- places --- */

/* Opens the file that was begun after `last`: one that was renamed since, or the one that has the name now. */
static int open_next(const char *path, const struct rotated *last, uint64_t *gone)
{
	char *next = rotation_next(path, last, gone);
	int fd = open(next ? next : path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	free(next);
	return fd;
}

/* Opens the file of the saved place, or its successor if that is gone. */
static int open_saved(const struct followed *f)
{
	bool truncated;
	struct rotated gone = {.inode = f->saved.inode};
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0 && place_holds(fd, &f->saved, &truncated))
		return fd;
	char *moved = place_find(f->path, &f->saved);
	bool known = gone.born = place_made(f->saved.birth, &gone.made);
	if ((moved || known) && fd >= 0)
		close(fd);
	if (moved)
		fd = open(moved, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	else if (known)
		fd = open_next(f->path, &gone, NULL);
	free(moved);
	return fd;
}

static int go_to_saved(struct file_follow *s, struct followed *f, struct err *e)
{
	const struct file_place *p = &f->saved;
	bool truncated = false;
	f->catching_up = true;
	if (!place_holds(f->fd, p, &truncated)) {
		log_warn("the file of the saved place is gone, reading its successor from the start; lines may be lost",
		    "path", f->path, NULL);
		count_unread(s, 1);
		return 0;
	}
	f->truncations = p->truncations + truncated;
	if (truncated) {
		log_warn("a file was truncated, reading it from its start", "path", f->path, NULL);
		return 0;
	}
	buf_reserve(&f->head, PLACE_HEAD);
	ssize_t head = pread(f->fd, f->head.p, p->head, 0);
	if (head < 0 || lseek(f->fd, (off_t)p->offset, SEEK_SET) < 0)
		return err_sys(e, "cannot read '%s'", f->path);
	f->head.n = (size_t)head;
	f->read = p->offset;
	f->lineno = p->line;
	f->fresh = p->offset == 0;
	if (p->offset == 0)
		return 0;
	struct life *life = xcalloc(1, sizeof *life);
	memcpy(life->hash, p->life, HASH_HEX);
	f->life = keep_life(s, life);
	return 0;
}

/* The place in the file that is open now. */
static void place_of(const struct followed *f, struct file_place *p)
{
	*p = (struct file_place){
	    .offset = f->read - f->text.n, .line = f->lineno, .inode = f->st.st_ino, .truncations = f->truncations};
	place_of_head(p, f->fd, buf_view(&f->head));
	if (f->life)
		memcpy(p->life, f->life->hash, HASH_HEX);
}

static void note_given(struct file_follow *s, struct followed *f, const struct batch *b)
{
	if (!s->state || !b->n)
		return;
	struct given *g = xcalloc(1, sizeof *g);
	g->file = f;
	g->more = b->more;
	place_of(f, &g->place);
	*s->given_end = g;
	s->given_end = &g->next;
}

static int save(const struct file_follow *s, struct err *e)
{
	struct buf text = {0};
	for (size_t i = 0; i < s->n; i++)
		if (s->file[i].has_saved)
			place_put(&text, s->file[i].path, &s->file[i].saved);
	int rc = io_replace_file(s->state, text.p, text.n, 0600, e);
	buf_free(&text);
	return rc;
}

static int follow_accept(struct source *port, struct batch *b, struct err *e)
{
	struct file_follow *s = (struct file_follow *)port;
	struct given *g = s->given;
	(void)b;
	if (g->more) { /* since then, only the rest of the line was read */
		g->place.offset = g->file->read - g->file->text.n;
		g->place.line = g->file->lineno;
	}
	g->file->saved = g->place;
	g->file->has_saved = true;
	s->given = g->next;
	if (!s->given)
		s->given_end = &s->given;
	free(g);
	return save(s, e);
}

/* Loads a line of the state; files that are not followed now are dropped. */
static bool load_line(struct file_follow *s, struct json_scan *j, struct str line)
{
	struct file_place p = {0};
	struct buf path = {0};
	if (json_scan(j, line) < 0 || !place_read(j, &p))
		return false;
	const struct json_member *m = json_find(j, STR("path"));
	if (!m || m->type != JSON_STRING)
		return false;
	json_unescape((struct str){m->value.p + 1, m->value.n - 2}, &path);
	for (size_t i = 0; i < s->n; i++)
		if (str_eq(buf_view(&path), str_of(s->file[i].path))) {
			s->file[i].saved = p;
			s->file[i].has_saved = s->file[i].resume = true;
		}
	buf_free(&path);
	return true;
}

static int load(struct file_follow *s, struct err *e)
{
	struct buf text = {0};
	struct json_scan j = {0};
	int rc = 0;
	struct stat st;
	if (lstat(s->state, &st) < 0 && errno == ENOENT)
		return 0;
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_ENV, "the state '%s' is a symbolic link; name the file itself", s->state);
	if (io_read_file(s->state, 1 << 20, &text, e) < 0)
		return -1;
	json_pad(&text);
	for (size_t at = 0, number = 1; rc == 0 && at < text.n; number++) {
		const char *nl = memchr(text.p + at, '\n', text.n - at);
		struct str line = {text.p + at, nl ? (size_t)(nl - text.p) - at : text.n - at};
		if (!load_line(s, &j, line))
			rc = err_set(e, ERR_ENV,
			    "%s:%zu: this is not a saved place; remove the file to start from the beginning", s->state,
			    number);
		at += line.n + 1;
	}
	json_scan_free(&j);
	buf_free(&text);
	return rc;
}

/* --- opening and leaving --- */

static void begin(struct followed *f)
{
	f->read = f->lineno = 0;
	f->fresh = true;
	f->leaving = f->idle = false;
	f->replaced_ms = 0;
	f->life = NULL;
	buf_clear(&f->text);
	buf_clear(&f->head);
}

/* Opens the file that comes next. No event tells of those that came and went before the start. */
static int open_turn(const struct file_follow *s, const struct followed *f)
{
	uint64_t gone = 0;
	if (f->resume)
		return open_saved(f);
	if (!f->has_left)
		return open(f->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int fd = open_next(f->path, &f->left, &gone);
	if (fd >= 0 && gone && f->catching_up) {
		log_warn("files of a rotation are gone, unread", "path", f->path, NULL);
		count_unread(s, gone);
	}
	return fd;
}

/* 1 open, 0 missing, -1. */
static int open_file(struct file_follow *s, struct followed *f, struct err *e)
{
	f->fd = open_turn(s, f);
	if (f->fd < 0) {
		if (!f->said)
			log_warn("waiting for a file", "path", f->path, "reason", strerror(errno), NULL);
		f->said = true;
		return 0;
	}
	if (fstat(f->fd, &f->st) < 0)
		return err_sys(e, "cannot read '%s'", f->path);
	if (!S_ISREG(f->st.st_mode))
		return err_set(e, ERR_ENV, "cannot follow '%s': it is not a regular file; pipe it in instead", f->path);
	f->said = false;
	f->opened++;
	rotation_of(f->fd, &f->self);
	f->truncations = 0;
	begin(f);
	if (f->resume && go_to_saved(s, f, e) < 0)
		return -1;
	f->resume = false;
	/* Even before anything comes out, because the file may be renamed before the next start. */
	if (s->state && !f->has_saved) {
		place_of(f, &f->saved);
		f->has_saved = true;
		if (save(s, e) < 0)
			return -1;
	}
	watch_file(s, f);
	log_info("following", "path", f->path, NULL);
	return 1;
}

static void leave_file(struct file_follow *s, struct followed *f)
{
	if (f->watch >= 0)
		inotify_rm_watch(s->inotify, f->watch);
	check_left(s, f);
	if (f->left_fd >= 0)
		close(f->left_fd);
	f->left_fd = f->fd;
	f->left_read = f->read;
	f->left_ms = clock_mono_ms();
	f->fd = f->watch = -1;
	f->idle = false;
	f->replaced_ms = 0;
	f->left = f->self;
	f->has_left = true;
}

enum file_change { UNCHANGED, TRUNCATED, REPLACED };

/* A file may be truncated and outgrow its old size before the next check; then its first bytes differ. */
static bool rewritten(const struct followed *f)
{
	char now[PLACE_HEAD];
	return pread(f->fd, now, f->head.n, 0) != (ssize_t)f->head.n ||
	       (f->head.n && memcmp(now, f->head.p, f->head.n) != 0);
}

static bool was_rotated_again(const struct followed *f)
{
	char *next = rotation_next(f->path, &f->self, NULL);
	free(next);
	return next != NULL;
}

/* An empty successor shows that the writer has not switched yet and may still write to this file. */
static bool replaced(const struct file_follow *s, const struct followed *f)
{
	struct stat named;
	for (int look = 0; look < 2; look++) {
		bool there = stat(f->path, &named) == 0;
		if (there && named.st_dev == f->st.st_dev && named.st_ino == f->st.st_ino)
			return false;
		if ((there && named.st_size > 0) || was_rotated_again(f))
			return true;
		/* Its first line must wake us, so check again once it is watched. */
		if (!there || look > 0 || s->inotify < 0 || inotify_add_watch(s->inotify, f->path, IN_MODIFY) < 0)
			return false;
	}
	return false;
}

static enum file_change look(const struct file_follow *s, const struct followed *f)
{
	struct stat now;
	if ((fstat(f->fd, &now) == 0 && (uint64_t)now.st_size < f->read) || rewritten(f))
		return TRUNCATED;
	return replaced(s, f) ? REPLACED : UNCHANGED;
}

/* --- lines --- */

/* Inode and birth time identify a file among all that had the name, across restarts; without a birth time, its first
 * bytes do. If one inode is rewritten from its start, only the truncation count differs. */
static struct life *name_life(struct file_follow *s, const struct followed *f, struct str first)
{
	char inode[24], birth[PLACE_BIRTH], count[24];
	struct life *life = xcalloc(1, sizeof *life);
	int i = snprintf(inode, sizeof inode, "%llu", (unsigned long long)f->st.st_ino);
	size_t b = place_birth(f->fd, birth);
	int c = snprintf(count, sizeof count, "%llu", (unsigned long long)f->truncations);
	first.n = first.n > PLACE_HEAD ? PLACE_HEAD : first.n;
	const struct str field[] = {{inode, (size_t)i}, {birth, b}, first, {count, (size_t)c}};
	hash_list_xxh3(field, COUNT_OF(field), life->hash);
	return keep_life(s, life);
}

struct str follow_identity(const struct rec *r)
{
	const struct life *life = (const struct life *)(uintptr_t)r->token;
	return (struct str){life->hash, sizeof life->hash};
}

/* Removes the line end. False: the line is blank. */
static bool trim(struct str *line)
{
	if (line->n && line->p[line->n - 1] == '\n')
		line->n--;
	if (line->n && line->p[line->n - 1] == '\r')
		line->n--;
	for (size_t i = 0; i < line->n; i++)
		if (line->p[i] != ' ' && line->p[i] != '\t')
			return true;
	return false;
}

static struct rec *add_rec(struct file_follow *s, struct followed *f, struct batch *b, struct str line)
{
	if (!f->life)
		f->life = name_life(s, f, line);
	f->fresh = false;
	struct rec *r = batch_add(b);
	r->line = json_padded(&b->mem, line);
	r->lineno = f->lineno;
	r->origin = f->path;
	r->token = (uint64_t)(uintptr_t)f->life;
	return r;
}

/* Returns NULL if the line is blank. */
static struct rec *add_line(struct file_follow *s, struct followed *f, struct batch *b, struct str line)
{
	f->fresh = false;
	f->lineno++;
	if (s->records && !trim(&line))
		return NULL;
	return add_rec(s, f, b, line);
}

static void reject_long(struct batch *b, struct rec *r, size_t max)
{
	rec_reject(b, r, CODE_TOO_LONG, "the line is longer than %zu bytes (--max-record)", max);
}

/* A writer that does not append continues at its old offset in a truncated file, which leaves a hole before it. */
static void skip_hole(struct followed *f)
{
	size_t n = 0;
	while (f->fresh && f->truncations && n < f->text.n && f->text.p[n] == 0)
		n++;
	buf_shift(&f->text, n);
}

/* Gives the batch as many whole lines as it takes. */
static void cut_lines(struct file_follow *s, struct followed *f, struct batch *b, const struct limits *l)
{
	size_t at = 0;
	skip_hole(f);
	if (f->fresh && f->text.n >= 3 && memcmp(f->text.p, "\xef\xbb\xbf", 3) == 0)
		at = 3;
	while (b->n < l->records && at < f->text.n) {
		const char *p = f->text.p + at, *nl = memchr(p, '\n', f->text.n - at);
		if (!nl)
			break;
		struct str line = {p, (size_t)(nl - p) + 1};
		size_t ending = line.n > 1 && nl[-1] == '\r' ? 2 : 1;
		struct rec *r = add_line(s, f, b, line);
		if (r && line.n - ending > l->max_record)
			reject_long(b, r, l->max_record);
		at += line.n;
	}
	if (at)
		f->fresh = false;
	buf_shift(&f->text, at);
	if (b->n < l->records && f->text.n > l->max_record + 1 && !memchr(f->text.p, '\n', f->text.n)) {
		f->lineno++;
		struct rec *r = add_rec(s, f, b, buf_view(&f->text));
		buf_clear(&f->text);
		s->in_long = f;
		r->long_line = b->more = true;
		reject_long(b, r, l->max_record);
	}
}

static void last_line(struct file_follow *s, struct followed *f, struct batch *b)
{
	if (f->text.n)
		add_line(s, f, b, buf_view(&f->text));
	buf_clear(&f->text);
}

/* 1 read something, 0 at the current end, -1. */
static int read_block(struct followed *f, struct buf *to, struct err *e)
{
	buf_reserve(to, BLOCK);
	ssize_t r;
	do
		r = read(f->fd, to->p + to->n, BLOCK);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, "cannot read '%s'", f->path);
	size_t head = PLACE_HEAD - f->head.n;
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

/* True if the open file, whose name is another's now, may still be written to. One that has not changed for as long is
 * left at once. */
static bool may_grow(const struct file_follow *s, struct followed *f)
{
	struct stat now;
	if (!f->replaced_ms)
		f->replaced_ms = clock_mono_ms();
	if (clock_mono_ms() >= f->replaced_ms + s->conf.rotate_wait_ms || fstat(f->fd, &now) < 0)
		return false;
	int64_t changed_ms = (int64_t)now.st_ctim.tv_sec * 1000 + now.st_ctim.tv_nsec / 1000000;
	return clock_wall_ms() < changed_ms + s->conf.rotate_wait_ms;
}

/* At the current end: 1 if there may be more after all, or the file has ended for good (then *ended); 0 if there is no
 * more now. */
static int go_on(const struct file_follow *s, struct followed *f, bool *ended)
{
	*ended = false;
	switch (look(s, f)) {
	case UNCHANGED:
		f->replaced_ms = 0;
		return 0;
	case TRUNCATED:
		*ended = true;
		return 1;
	case REPLACED:
		if (!f->leaving && may_grow(s, f))
			return 0;
		/* Something may have been written between the read and the check: read once more. */
		*ended = f->leaving;
		f->leaving = true;
		return 1;
	}
	return 0;
}

/* Moves on from a finished file to its successor or its own new beginning. */
static int turn_over(struct file_follow *s, struct followed *f, struct err *e)
{
	if (!f->leaving)
		return restart(f, e);
	leave_file(s, f);
	return 0;
}

/* Gives lines of one file, if it has any now. */
static int serve(struct file_follow *s, struct followed *f, struct batch *b, const struct limits *l, struct err *e)
{
	if (f->idle && look(s, f) == TRUNCATED) {
		last_line(s, f, b);
		note_given(s, f, b);
		if (restart(f, e) < 0)
			return -1;
		if (b->n)
			return 0;
	}
	for (;;) {
		cut_lines(s, f, b, l);
		if (b->n) {
			note_given(s, f, b);
			return 0;
		}
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
			note_given(s, f, b);
			if (turn_over(s, f, e) < 0)
				return -1;
			if (b->n)
				return 0;
		}
	}
}

static enum next follow_next(struct source *port, struct batch *b, const struct limits *l, int wake, struct err *e)
{
	struct file_follow *s = (struct file_follow *)port;
	s->stop = l->stop;
	while (!stop_raised(s->stop)) {
		for (size_t i = 0; i < s->n; i++) {
			struct followed *f = &s->file[s->turn];
			s->turn = (s->turn + 1) % s->n;
			if (serve(s, f, b, l, e) < 0)
				return NEXT_ERROR;
			if (b->n) {
				b->flush_reason = b->n >= l->records ? FLUSH_FULL : FLUSH_IDLE;
				return NEXT_BATCH;
			}
		}
		if (wait_change(s, wake) == IO_WOKEN)
			return NEXT_WOKEN;
	}
	return NEXT_END;
}

/* Reads the rest of an over-long line, which may still be growing. */
static int follow_rest(struct source *port, struct str *chunk, struct err *e)
{
	struct file_follow *s = (struct file_follow *)port;
	struct followed *f = s->in_long;
	while (f && !stop_raised(s->stop)) {
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
			f = NULL; /* `next` will find this too, and move on */
	}
	s->in_long = NULL;
	return 0;
}

static int follow_close(struct source *port, struct err *e)
{
	struct file_follow *s = (struct file_follow *)port;
	(void)e;
	for (size_t i = 0; i < s->n; i++) {
		if (s->file[i].fd >= 0)
			close(s->file[i].fd);
		check_left(s, &s->file[i]);
		if (s->file[i].left_fd >= 0)
			close(s->file[i].left_fd);
		buf_free(&s->file[i].text);
		buf_free(&s->file[i].head);
	}
	for (struct given *g = s->given, *next; g; g = next) {
		next = g->next;
		free(g);
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

struct source *source_follow(const struct follow_conf *conf)
{
	struct file_follow *s = xcalloc(1, sizeof *s);
	s->conf = *conf;
	s->file = xcalloc(conf->npaths, sizeof *s->file);
	s->n = conf->npaths;
	s->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	for (size_t i = 0; i < s->n; i++) {
		const char *path = conf->path[i], *slash = strrchr(path, '/');
		s->file[i] = (struct followed){
		    .path = path, .base = slash ? slash + 1 : path, .fd = -1, .watch = -1, .folder = -1, .left_fd = -1};
		if (s->inotify >= 0)
			watch_folder(s, &s->file[i]);
	}
	s->port = (struct source){.next = follow_next, .rest = follow_rest, .close = follow_close};
	return &s->port;
}

struct source *source_follow_records(const struct follow_conf *conf, const char *state, struct err *e)
{
	struct source *port = source_follow(conf);
	struct file_follow *s = (struct file_follow *)port;
	s->records = true;
	s->state = state;
	s->given_end = &s->given;
	if (!state)
		return port;
	port->accept = follow_accept;
	if (load(s, e) == 0)
		return port;
	struct err other;
	port->close(port, &other);
	return NULL;
}
