/* saved.c - a sealed file (lib/flow/sealed.h) whose first group is the snapshot; the others are the journal. */
#include "lib/window/saved.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/flow/sealed.h"

/* A seal is longer than the 64 readable bytes after a line that saved_read promises. */
static const struct sealed_kind kind = {"senti-window", 2 * SHA256_BYTES};

enum { PIECE = 256 << 10 };

struct saved {
	struct sealed file;
	struct buf text; /* of the group to come, or a piece of the snapshot */
	int next_fd;	 /* the snapshot in the making */
	uint64_t written;
	struct sha256 sum; /* of its lines */
};

struct saved *saved_open(const char *path, const char *owner, struct err *e)
{
	struct saved *s = xcalloc(1, sizeof *s);
	s->next_fd = -1;
	if (sealed_open(&s->file, &kind, path, owner, e) == 0)
		return s;
	free(s);
	return NULL;
}

bool saved_found(const struct saved *s)
{
	return s->file.groups;
}

struct handing {
	size_t groups;
	saved_line *line;
	void *arg;
};

static int hand_out(void *arg, size_t number, struct str lines, struct err *e)
{
	const struct handing *h = arg;
	if (h->line(h->arg, number, h->groups, STR_NONE, e) < 0)
		return -1;
	for (const char *p = lines.p, *end = p + lines.n, *nl; p < end; p = nl + 1) {
		nl = memchr(p, '\n', (size_t)(end - p));
		if (h->line(h->arg, number, h->groups, (struct str){p, (size_t)(nl - p)}, e) < 0)
			return -1;
	}
	return 0;
}

int saved_read(struct saved *s, saved_line *line, void *arg, struct err *e)
{
	struct handing h = {.groups = s->file.groups, .line = line, .arg = arg};
	return sealed_read(&s->file, hand_out, &h, e);
}

/* ---- writing ---- */

void saved_add(struct saved *s, struct str line)
{
	buf_str(&s->text, line);
	buf_char(&s->text, '\n');
}

int saved_commit(struct saved *s, struct err *e)
{
	struct buf nothing = {0};
	if (!s->text.n)
		return 0;
	int rc = s->file.groups ? 0 : sealed_append(&s->file, &nothing, e); /* the snapshot of nothing comes first */
	buf_free(&nothing);
	return rc < 0 ? -1 : sealed_append(&s->file, &s->text, e);
}

bool saved_is_large(const struct saved *s)
{
	uint64_t journal = s->file.end - s->file.first, least = 4 * s->file.first;
	return journal > (least > (1 << 20) ? least : 1 << 20);
}

static int flush_piece(struct saved *s, struct err *e)
{
	int rc = io_write(s->next_fd, s->text.p, s->text.n, s->file.path, e);
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
	buf_str(&s->text, buf_view(&s->file.head));
	return 0;
}

static int put_in_place(struct saved *s, const char *name, struct err *e)
{
	sealed_put_seal(&s->file, &s->text, &s->sum);
	if (flush_piece(s, e) < 0)
		return -1;
	if (fsync(s->next_fd) < 0 || rename(name, s->file.path) < 0)
		return err_sys(e, "cannot replace '%s'", s->file.path);
	sealed_take(&s->file, s->next_fd, s->written);
	s->next_fd = -1;
	return io_sync_folder(s->file.path, e);
}

int saved_replace(struct saved *s, int (*put)(void *arg, struct err *e), void *arg, struct err *e)
{
	struct buf name = {0};
	buf_printf(&name, "%s.new%c", s->file.path, 0);
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
	sealed_close(&s->file, done);
	buf_free(&s->text);
	free(s);
}
