/* maildir.c - lists the messages of Maildirs. */
#include "lib/ingest/maildir.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

static bool has_folder(const char *path, const char *name)
{
	char whole[4096];
	struct stat st;
	int n = snprintf(whole, sizeof whole, "%s/%s", path, name);
	return n > 0 && (size_t)n < sizeof whole && stat(whole, &st) == 0 && S_ISDIR(st.st_mode);
}

bool maildir_is(const char *path)
{
	return has_folder(path, "cur") && has_folder(path, "new");
}

static void add(struct maildir_files *f, const char *path, const char *maildir)
{
	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 16;
		f->path = xreallocarray(f->path, f->cap, sizeof *f->path);
		f->maildir = xreallocarray(f->maildir, f->cap, sizeof *f->maildir);
	}
	f->path[f->n] = path;
	f->maildir[f->n++] = maildir;
}

static int add_folder(struct maildir_files *f, const char *path, const char *name, struct err *e)
{
	const char *folder = arena_printf(&f->mem, "%s/%s%c", path, name, 0).p;
	DIR *d = opendir(folder);
	const struct dirent *entry;
	if (!d)
		return err_sys(e, "cannot read '%s'", folder);
	while ((entry = readdir(d)))
		if (entry->d_name[0] != '.')
			add(f, arena_printf(&f->mem, "%s/%s%c", folder, entry->d_name, 0).p, path);
	closedir(d);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	return strcmp(strrchr(x, '/'), strrchr(y, '/'));
}

int maildir_add(struct maildir_files *f, const char *path, struct err *e)
{
	size_t before = f->n;
	if (!maildir_is(path)) {
		add(f, path, NULL);
		return 0;
	}
	if (add_folder(f, path, "new", e) < 0 || add_folder(f, path, "cur", e) < 0)
		return -1;
	sort(f->path + before, f->n - before, sizeof *f->path, by_name);
	return 0;
}

struct str maildir_unique(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	return (struct str){name, strcspn(name, ":")};
}

void maildir_free(struct maildir_files *f)
{
	free(f->path);
	free(f->maildir);
	arena_free(&f->mem);
}
