/* saved.c - groups of lines, each sealed by its hash.
 *
 *     senti-window 1 OWNER
 *     LINE ...
 *     =HASH                  of the lines above, from the first or the last '='
 */
#include "lib/window/saved.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/lockfile.h"
#include "lib/base/log.h"
#include "lib/text/sha256.h"

enum { PIECE = 256 << 10, SEAL = 1 + 2 * SHA256_BYTES + 1, PADDING = 64 };

struct saved {
	int fd;
	char *path;
	struct buf head; /* the first line */
	uint64_t start;	 /* of the journal: the snapshot's end */
	uint64_t end;	 /* of what is committed */
	bool found;
	struct buf text; /* of the group to come, or a piece of the snapshot */
	int next_fd;	 /* the snapshot in the making */
	uint64_t written;
	struct sha256 sum; /* of its lines */
};

static void put_seal(struct buf *b, struct sha256 *sum)
{
	unsigned char digest[SHA256_BYTES];
	sha256_end(sum, digest);
	buf_char(b, '=');
	for (size_t i = 0; i < sizeof digest; i++)
		buf_printf(b, "%02x", digest[i]);
	buf_char(b, '\n');
}

static int write_out(struct saved *s, int fd, struct err *e)
{
	return io_write(fd, s->text.p, s->text.n, s->path, e);
}

/* ---- reading ---- */

/* The end of the group at p, after its seal: NULL if the file ends before. *sound: the seal is right. */
static const char *group_end(const char *p, const char *end, bool *sound)
{
	const char *from = p;
	for (const char *nl; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		struct buf seal = {0};
		struct sha256 sum;
		if (*p != '=')
			continue;
		sha256_init(&sum);
		sha256_add(&sum, from, (size_t)(p - from));
		put_seal(&seal, &sum);
		*sound = (size_t)(nl + 1 - p) == seal.n && memcmp(p, seal.p, seal.n) == 0;
		buf_free(&seal);
		return nl + 1;
	}
	return NULL;
}

/* Finds the ends of what was committed, and cuts off what was not. */
static int check_groups(struct saved *s, const char *p, size_t n, struct err *e)
{
	const char *at = p + s->head.n, *end = p + n;
	s->start = s->end = s->head.n;
	while (at < end) {
		bool sound = false;
		const char *next = group_end(at, end, &sound);
		if (!sound && next && next < end)
			return err_set(e, ERR_ENV, "the state '%s' is damaged after byte %zu (remove it to begin anew)",
			    s->path, (size_t)(at - p));
		if (!sound)
			break;
		at = next;
		s->end = (uint64_t)(at - p);
		if (s->start == s->head.n)
			s->start = s->end;
		s->found = true;
	}
	if (at < end && ftruncate(s->fd, (off_t)s->end) < 0)
		return err_sys(e, "cannot cut '%s'", s->path);
	return 0;
}

static int refuse(const struct saved *s, struct str text, struct err *e)
{
	static const char magic[] = "senti-window 1 ";
	size_t m = sizeof magic - 1;
	const char *nl = memchr(text.p, '\n', text.n);
	if (!nl || text.n < m || memcmp(text.p, magic, m) != 0)
		return err_set(e, ERR_ENV, "'%s' is not a state of senti-window", s->path);
	struct str owner = {text.p + m, (size_t)(nl - text.p) - m};
	return err_set(e, ERR_ENV,
	    "the state '%s' is of other options: %.*s, not %.*s (name another file, or remove it to begin anew)",
	    s->path, STR_FMT(owner), (int)(s->head.n - 1 - m), s->head.p + m);
}

static int read_whole(struct saved *s, struct buf *all, struct err *e)
{
	struct stat st;
	if (fstat(s->fd, &st) < 0)
		return err_sys(e, "cannot read '%s'", s->path);
	buf_reserve(all, (size_t)st.st_size + PADDING);
	while (all->n < (size_t)st.st_size) {
		ssize_t r = pread(s->fd, all->p + all->n, (size_t)st.st_size - all->n, (off_t)all->n);
		if (r < 0 && errno != EINTR)
			return err_sys(e, "cannot read '%s'", s->path);
		if (r == 0)
			break;
		all->n += r > 0 ? (size_t)r : 0;
	}
	memset(all->p + all->n, 0, PADDING);
	return 0;
}

static int write_head(struct saved *s, struct err *e)
{
	if (ftruncate(s->fd, 0) < 0 || pwrite(s->fd, s->head.p, s->head.n, 0) != (ssize_t)s->head.n ||
	    fdatasync(s->fd) < 0)
		return err_sys(e, "cannot write to '%s'", s->path);
	s->start = s->end = s->head.n;
	return 0;
}

/* What is there, if it is ours. A file whose first line was cut off has nothing in it. */
static int check_file(struct saved *s, struct err *e)
{
	struct buf all = {0};
	int rc = read_whole(s, &all, e);
	if (rc == 0 && all.n < s->head.n && memcmp(all.p, s->head.p, all.n) == 0)
		rc = write_head(s, e);
	else if (rc == 0 && (all.n < s->head.n || memcmp(all.p, s->head.p, s->head.n) != 0))
		rc = refuse(s, buf_view(&all), e);
	else if (rc == 0)
		rc = check_groups(s, all.p, all.n, e);
	buf_free(&all);
	return rc;
}

struct saved *saved_open(const char *path, const char *owner, struct err *e)
{
	struct saved *s = xcalloc(1, sizeof *s);
	s->path = xstrdup(path);
	s->next_fd = -1;
	buf_printf(&s->head, "senti-window 1 %s\n", owner);
	int made = lockfile_open(path, &s->fd, e), rc = made < 0 ? -1 : 0;
	if (made == 1 && (rc = write_head(s, e)) == 0)
		rc = io_sync_folder(path, e);
	if (made == 0)
		rc = check_file(s, e);
	if (rc == 0 && lseek(s->fd, (off_t)s->end, SEEK_SET) < 0)
		rc = err_sys(e, "cannot write to '%s'", path);
	if (rc == 0)
		return s;
	s->found = true; /* it is not ours to remove */
	saved_close(s, false);
	return NULL;
}

bool saved_found(const struct saved *s)
{
	return s->found;
}

static int hand_out(struct str group, size_t number, size_t groups, saved_line *line, void *arg, struct err *e)
{
	if (line(arg, number, groups, STR_NONE, e) < 0)
		return -1;
	for (const char *p = group.p, *end = p + group.n, *nl; p < end && *p != '='; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (line(arg, number, groups, (struct str){p, (size_t)(nl - p)}, e) < 0)
			return -1;
	}
	return 0;
}

int saved_read(struct saved *s, saved_line *line, void *arg, struct err *e)
{
	struct buf all = {0};
	size_t groups = 0;
	bool sound;
	int rc = read_whole(s, &all, e);
	const char *from = all.p + s->head.n, *end = all.p + s->end;
	for (const char *p = from; rc == 0 && p < end; groups++)
		p = group_end(p, end, &sound);
	for (size_t i = 0; rc == 0 && i < groups; i++) {
		const char *next = group_end(from, end, &sound);
		rc = hand_out((struct str){from, (size_t)(next - from)}, i, groups, line, arg, e);
		from = next;
	}
	buf_free(&all);
	return rc;
}

/* ---- writing ---- */

void saved_add(struct saved *s, struct str line)
{
	buf_str(&s->text, line);
	buf_char(&s->text, '\n');
}

static void seal(struct saved *s)
{
	struct sha256 sum;
	sha256_init(&sum);
	sha256_add(&sum, s->text.p, s->text.n);
	put_seal(&s->text, &sum);
}

int saved_commit(struct saved *s, struct err *e)
{
	if (!s->text.n)
		return 0;
	if (s->end == s->head.n) { /* the snapshot of nothing comes first */
		struct buf first = {0};
		struct sha256 sum;
		sha256_init(&sum);
		put_seal(&first, &sum);
		int rc = io_write(s->fd, first.p, first.n, s->path, e);
		s->start = s->end += first.n;
		buf_free(&first);
		if (rc < 0)
			return -1;
	}
	seal(s);
	int rc = write_out(s, s->fd, e);
	if (rc == 0 && fdatasync(s->fd) < 0)
		rc = err_sys(e, "cannot sync '%s'", s->path);
	s->end += s->text.n;
	s->found = true;
	buf_clear(&s->text);
	return rc;
}

bool saved_is_large(const struct saved *s)
{
	uint64_t journal = s->end - s->start, least = 4 * s->start;
	return journal > (least > (1 << 20) ? least : 1 << 20);
}

static int flush_piece(struct saved *s, struct err *e)
{
	int rc = write_out(s, s->next_fd, e);
	s->written += s->text.n;
	buf_clear(&s->text);
	return rc;
}

int saved_snapshot_line(struct saved *s, struct str line, struct err *e)
{
	sha256_add(&s->sum, line.p, line.n);
	sha256_add(&s->sum, "\n", 1);
	saved_add(s, line);
	return s->text.n < PIECE ? 0 : flush_piece(s, e);
}

/* The new file, whose lock we have before it gets its name. */
static int open_next(struct saved *s, const char *name, struct err *e)
{
	unlink(name); /* what a killed run has left: nobody else writes here while we have the lock */
	s->next_fd = open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->next_fd < 0 || flock(s->next_fd, LOCK_EX | LOCK_NB) < 0)
		return err_sys(e, "cannot make '%s'", name);
	s->written = 0;
	sha256_init(&s->sum);
	buf_clear(&s->text);
	buf_str(&s->text, buf_view(&s->head));
	return 0;
}

static int put_in_place(struct saved *s, const char *name, struct err *e)
{
	put_seal(&s->text, &s->sum);
	if (flush_piece(s, e) < 0)
		return -1;
	if (fsync(s->next_fd) < 0 || rename(name, s->path) < 0)
		return err_sys(e, "cannot replace '%s'", s->path);
	close(s->fd);
	s->fd = s->next_fd;
	s->next_fd = -1;
	s->start = s->end = s->written;
	s->found = true;
	return io_sync_folder(s->path, e);
}

int saved_replace(struct saved *s, int (*put)(void *arg, struct err *e), void *arg, struct err *e)
{
	struct buf name = {0};
	buf_printf(&name, "%s.new%c", s->path, 0);
	int rc = open_next(s, name.p, e);
	if (rc == 0)
		rc = put(arg, e);
	if (rc == 0)
		rc = put_in_place(s, name.p, e);
	if (rc < 0 && s->next_fd >= 0) {
		close(s->next_fd);
		s->next_fd = -1;
		unlink(name.p);
	}
	buf_free(&name);
	return rc;
}

void saved_close(struct saved *s, bool done)
{
	if (!s)
		return;
	if ((done || !s->found) && s->fd >= 0 && unlink(s->path) < 0)
		log_warn("the state cannot be removed", "state", s->path, "reason", strerror(errno), NULL);
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	buf_free(&s->head);
	buf_free(&s->text);
	free(s);
}
