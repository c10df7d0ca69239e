/* sealed.c - the file is mapped to be read: it may be larger than what the process should hold. */
#include "lib/flow/sealed.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/io.h"
#include "lib/base/lockfile.h"
#include "lib/base/log.h"

void sealed_put_seal(const struct sealed *s, struct buf *out, struct sha256 *sum)
{
	unsigned char digest[SHA256_BYTES];
	sha256_end(sum, digest);
	buf_char(out, '=');
	for (size_t i = 0; i < s->kind->digits / 2; i++)
		buf_printf(out, "%02x", digest[i]);
	buf_char(out, '\n');
}

static void put_seal_of(const struct sealed *s, struct buf *out, const char *p, size_t n)
{
	struct sha256 sum;
	sha256_init(&sum);
	if (n)
		sha256_add(&sum, p, n);
	sealed_put_seal(s, out, &sum);
}

/* Finds the end of the group at p: after its seal. *lines: how many bytes stand before that. *sound: it is right. NULL:
 * the group is incomplete. */
static const char *group_end(const struct sealed *s, const char *p, const char *end, size_t *lines, bool *sound)
{
	const char *from = p;
	for (const char *nl; p < end && (nl = memchr(p, '\n', (size_t)(end - p))); p = nl + 1) {
		struct buf seal = {0};
		if (*p != '=')
			continue;
		*lines = (size_t)(p - from);
		put_seal_of(s, &seal, from, *lines);
		*sound = (size_t)(nl + 1 - p) == seal.n && memcmp(p, seal.p, seal.n) == 0;
		buf_free(&seal);
		return nl + 1;
	}
	return NULL;
}

/* Finds the end of what was committed, and truncates the rest. */
static int check_groups(struct sealed *s, const char *p, size_t n, struct err *e)
{
	const char *at = p + s->head.n, *end = p + n;
	size_t lines;
	while (at < end) {
		bool sound = false;
		const char *next = group_end(s, at, end, &lines, &sound);
		if (!sound && next && next < end)
			return err_set(e, ERR_ENV, "the state '%s' is damaged after byte %zu (remove it to begin anew)",
			    s->path, (size_t)(at - p));
		if (!sound)
			break;
		at = next;
		s->end = (uint64_t)(at - p);
		if (!s->groups++)
			s->first = s->end;
	}
	if (at < end && ftruncate(s->fd, (off_t)s->end) < 0)
		return err_sys(e, "cannot truncate '%s'", s->path);
	return 0;
}

static int refuse(const struct sealed *s, struct str text, struct err *e)
{
	size_t m = strlen(s->kind->word) + strlen(" 1 ");
	const char *nl = memchr(text.p, '\n', text.n);
	if (!nl || text.n < m || memcmp(text.p, s->head.p, m) != 0)
		return err_set(e, ERR_ENV, "'%s' is not a state: its first line does not begin with '%s 1'", s->path,
		    s->kind->word);
	struct str owner = {text.p + m, (size_t)(nl - text.p) - m};
	return err_set(e, ERR_ENV, "the state '%s' belongs to %.*s, not to %.*s (--state names another)", s->path,
	    STR_FMT(owner), (int)(s->head.n - 1 - m), s->head.p + m);
}

static int write_head(struct sealed *s, struct err *e)
{
	if (ftruncate(s->fd, 0) < 0)
		return err_sys(e, "cannot truncate '%s'", s->path);
	if (io_write(s->fd, s->head.p, s->head.n, s->path, e) < 0)
		return -1;
	return fdatasync(s->fd) < 0 ? err_sys(e, "cannot sync '%s'", s->path) : 0;
}

static const char *map_file(const struct sealed *s, size_t n, struct err *e)
{
	void *p = mmap(NULL, n, PROT_READ, MAP_PRIVATE, s->fd, 0);
	if (p != MAP_FAILED)
		return p;
	err_sys(e, "cannot read '%s'", s->path);
	return NULL;
}

/* Reads the file if it is ours. A file whose first line is incomplete is empty. */
static int check_file(struct sealed *s, struct err *e)
{
	struct stat st;
	if (fstat(s->fd, &st) < 0)
		return err_sys(e, "cannot read '%s'", s->path);
	size_t n = (size_t)st.st_size;
	const char *p = n ? map_file(s, n, e) : "";
	if (!p)
		return -1;
	int rc;
	if (n < s->head.n && memcmp(p, s->head.p, n) == 0)
		rc = write_head(s, e);
	else if (n < s->head.n || memcmp(p, s->head.p, s->head.n) != 0)
		rc = refuse(s, (struct str){p, n}, e);
	else
		rc = check_groups(s, p, n, e);
	if (n)
		munmap((void *)p, n);
	return rc;
}

static void let_go(struct sealed *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->path);
	buf_free(&s->head);
}

int sealed_open(struct sealed *s, const struct sealed_kind *kind, const char *path, const char *owner, struct err *e)
{
	*s = (struct sealed){.kind = kind, .fd = -1, .path = xstrdup(path)};
	buf_printf(&s->head, "%s 1 %s\n", kind->word, owner);
	s->first = s->end = s->head.n;
	int made = lockfile_open(path, &s->fd, e), rc = made < 0 ? -1 : 0;
	if (made == 1 && (rc = write_head(s, e)) == 0)
		rc = io_sync_folder(path, e);
	if (made == 0)
		rc = check_file(s, e);
	if (rc == 0 && lseek(s->fd, (off_t)s->end, SEEK_SET) < 0)
		rc = err_sys(e, "cannot write to '%s'", path);
	if (rc < 0)
		let_go(s);
	return rc;
}

int sealed_read(struct sealed *s, sealed_group *group, void *arg, struct err *e)
{
	const char *p = map_file(s, s->end, e);
	if (!p)
		return -1;
	const char *at = p + s->head.n;
	size_t lines;
	bool sound;
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < s->groups; i++) {
		const char *next = group_end(s, at, p + s->end, &lines, &sound);
		rc = group(arg, i, (struct str){at, lines}, e);
		at = next;
	}
	munmap((void *)p, s->end);
	return rc;
}

int sealed_append(struct sealed *s, struct buf *lines, struct err *e)
{
	put_seal_of(s, lines, lines->p, lines->n);
	int rc = io_write(s->fd, lines->p, lines->n, s->path, e);
	if (rc == 0 && fdatasync(s->fd) < 0)
		rc = err_sys(e, "cannot sync '%s'", s->path);
	s->end += lines->n;
	if (!s->groups++)
		s->first = s->end;
	buf_clear(lines);
	return rc;
}

void sealed_take(struct sealed *s, int fd, uint64_t end)
{
	close(s->fd);
	s->fd = fd;
	s->first = s->end = end;
	s->groups = 1;
}

void sealed_close(struct sealed *s, bool done)
{
	if ((done || !s->groups) && unlink(s->path) < 0)
		log_warn("the state cannot be removed", "state", s->path, "reason", strerror(errno), NULL);
	let_go(s);
}
