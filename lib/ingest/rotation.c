/* rotation.c - lists the files beside a log that its rotations have left, in the order in which they were begun. */
#include "lib/ingest/rotation.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/statx.h"

struct sibling {
	struct rotated file;
	uint64_t number; /* the N of app.log.N, which grows with age; 0: it bears a date */
	char *name;
};

struct siblings {
	struct sibling *at;
	size_t n, cap;
};

static bool read_file(int folder, const char *name, struct rotated *out)
{
	struct statx x = {0};
	int flags = *name ? AT_SYMLINK_NOFOLLOW : AT_EMPTY_PATH;
	if (statx(folder, name, flags, STATX_BASIC_STATS | STATX_BTIME, &x) < 0 || !S_ISREG(x.stx_mode))
		return false;
	bool born = x.stx_mask & STATX_BTIME;
	struct statx_timestamp t = born ? x.stx_btime : x.stx_mtime;
	*out = (struct rotated){.inode = x.stx_ino, .made = t.tv_sec * INT64_C(1000000000) + t.tv_nsec, .born = born};
	return true;
}

bool rotation_of(int fd, struct rotated *out)
{
	return read_file(fd, "", out);
}

/* What a rotation adds to a name: a separator, then digits, which separators may part. */
static bool is_mark(struct str s, uint64_t *number)
{
	if (s.n < 2 || !strchr(".-_", s.p[0]) || s.p[1] < '0' || s.p[1] > '9')
		return false;
	for (size_t i = 1; i < s.n; i++)
		if (!s.p[i] || !strchr("0123456789.-_:T", s.p[i]))
			return false;
	*number = 0;
	return s.n > 4 || str_u64((struct str){s.p + 1, s.n - 1}, number) == 0;
}

/* True if `name` is `base` with a mark at its end or before its extension. */
static bool is_rotated(struct str name, struct str base, uint64_t *number)
{
	const char *dot = memrchr(base.p, '.', base.n);
	size_t stem = dot && dot > base.p ? (size_t)(dot - base.p) : base.n, extension = base.n - stem;
	if (name.n <= base.n || memcmp(name.p, base.p, stem) != 0)
		return false;
	if (memcmp(name.p, base.p, base.n) == 0 && is_mark((struct str){name.p + base.n, name.n - base.n}, number))
		return true;
	return extension && memcmp(name.p + name.n - extension, base.p + stem, extension) == 0 &&
	       is_mark((struct str){name.p + stem, name.n - base.n}, number);
}

static int by_age(const void *a, const void *b)
{
	const struct sibling *x = a, *y = b;
	if (x->file.made != y->file.made)
		return x->file.made < y->file.made ? -1 : 1;
	/* The clock of file systems is coarse: quick rotations share its time. */
	if (x->number != y->number)
		return x->number > y->number ? -1 : 1;
	return strcmp(x->name, y->name);
}

static void list(DIR *dir, struct str base, struct siblings *s)
{
	for (struct dirent *d; (d = readdir(dir));) {
		struct sibling one = {0};
		if (!is_rotated(str_of(d->d_name), base, &one.number) || !read_file(dirfd(dir), d->d_name, &one.file))
			continue;
		one.name = xstrdup(d->d_name);
		s->at = xgrow(s->at, s->n, &s->cap, 16, sizeof *s->at);
		s->at[s->n++] = one;
	}
	sort(s->at, s->n, sizeof *s->at, by_age);
}

static bool same(const struct rotated *a, const struct rotated *b)
{
	return a->inode == b->inode && (!a->born || !b->born || a->made == b->made);
}

/* The first after `last`, which may be gone. */
static const struct sibling *after(const struct siblings *s, const struct rotated *last)
{
	size_t i = 0;
	while (i < s->n && !same(&s->at[i].file, last))
		i++;
	if (i < s->n)
		return i + 1 < s->n ? &s->at[i + 1] : NULL;
	for (i = 0; i < s->n; i++)
		if (s->at[i].file.made > last->made)
			return &s->at[i];
	return NULL;
}

/* The N of app.log.N shrinks by one from a file to its successor, and the one that has the name follows N = 1. */
static uint64_t missing_between(const struct siblings *s, const struct rotated *last, const struct sibling *next)
{
	for (size_t i = 0; i < s->n; i++)
		if (same(&s->at[i].file, last)) {
			uint64_t from = s->at[i].number, to = next ? next->number : 0;
			return from > to + 1 && (!next || to) ? from - to - 1 : 0;
		}
	return 0;
}

char *rotation_next(const char *path, const struct rotated *last, uint64_t *gone)
{
	const char *slash = strrchr(path, '/');
	struct str base = str_of(slash ? slash + 1 : path);
	char *folder = slash ? str_dup((struct str){path, (size_t)(slash - path) + 1}) : xstrdup("./"), *found = NULL;
	DIR *dir = opendir(folder);
	struct siblings all = {0};
	if (dir) {
		list(dir, base, &all);
		closedir(dir);
	}
	const struct sibling *next = after(&all, last);
	if (gone)
		*gone = missing_between(&all, last, next);
	if (next) {
		struct buf b = {0};
		buf_printf(&b, "%s%s%c", folder, next->name, 0);
		found = b.p;
	}
	for (size_t i = 0; i < all.n; i++)
		free(all.at[i].name);
	free(all.at);
	free(folder);
	return found;
}
