/* check.c - what fuzz targets share. */
#include "tests/fuzz/lib/check.h"

#include <fcntl.h>
#include <ftw.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/base/io.h"
#include "lib/json/scan.h"

void fuzz_find(const char *what, const char *file, int line)
{
	fprintf(stderr, "find: %s:%d: %s\n", file, line, what);
	abort();
}

struct str fuzz_cut(struct str *in, size_t n)
{
	struct str head = {in->p, n < in->n ? n : in->n};
	*in = (struct str){in->p + head.n, in->n - head.n};
	return head;
}

uint8_t fuzz_byte(struct str *in)
{
	struct str one = fuzz_cut(in, 1);
	return one.n ? (uint8_t)one.p[0] : 0;
}

struct str fuzz_line(struct str *in)
{
	const char *nl = in->n ? memchr(in->p, '\n', in->n) : NULL;
	struct str line = fuzz_cut(in, nl ? (size_t)(nl - in->p) : in->n);
	fuzz_cut(in, 1);
	return line;
}

char *fuzz_copy(struct str s)
{
	char *copy = xcalloc(s.n + JSON_PAD, 1);
	if (s.n)
		memcpy(copy, s.p, s.n);
	return copy;
}

char *fuzz_cstr(struct str s)
{
	return s.n && memchr(s.p, 0, s.n) ? NULL : str_dup(s);
}

void fuzz_check_json(struct str text)
{
	struct json_scan s = {0};
	char *copy = fuzz_copy(text);
	bool good = json_check(&s, (struct str){copy, text.n}) == 0;
	if (!good)
		fprintf(stderr, "%.*s\n", STR_FMT(text));
	CHECK(good);
	json_scan_free(&s);
	free(copy);
}

void fuzz_check_line(struct str text)
{
	CHECK(!text.n || !memchr(text.p, '\n', text.n));
	fuzz_check_json(text);
}

static char folder[64];

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
	(void)st, (void)kind, (void)where;
	return remove(path);
}

static void remove_folder(void)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *fuzz_folder(void)
{
	if (folder[0])
		return folder;
	/* In memory if there is such a place: nothing here has to last. */
	snprintf(folder, sizeof folder, "%s/senti-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	CHECK(mkdtemp(folder));
	atexit(remove_folder);
	return folder;
}

char *fuzz_file(const char *name, struct str bytes)
{
	struct buf path = {0};
	struct err e;
	buf_printf(&path, "%s/%s%c", fuzz_folder(), name, 0);
	int fd = open(path.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CHECK(fd >= 0 && io_write(fd, bytes.p, bytes.n, path.p, &e) == 0);
	close(fd);
	return path.p;
}
