/* spool.c - large answers in an unlinked file. */
#include "lib/base/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/io.h"

/* The file has no name, so a crash leaves nothing to clean up. */
static int open_nameless(struct err *e)
{
	const char *dir = env_get("TMPDIR");
	dir = dir ? dir : "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, "cannot make a temporary file in '%s'", dir) : fd;
}

/* Reserves n more bytes, and a descriptor if the file is new. */
static bool reserve(const struct spool *s, uint64_t n)
{
	struct share bytes = {.of = &s->all->bytes, .held = s->bytes}, file = {.of = &s->all->files};
	if (!share_take(&bytes, n))
		return false;
	if (s->fd >= 0 || share_take(&file, 1))
		return true;
	share_give(&bytes, n);
	return false;
}

static void give_back(struct spools *all, uint64_t bytes, uint64_t files)
{
	share_give(&(struct share){.of = &all->bytes, .held = bytes}, bytes);
	share_give(&(struct share){.of = &all->files, .held = files}, files);
}

static enum spool_result write_out(struct spool *s, struct buf *out, struct err *e)
{
	bool opened = s->fd < 0;
	if (opened && (s->fd = open_nameless(e)) < 0)
		return SPOOL_FAILED;
	if (io_write(s->fd, out->p, out->n, "a temporary file", e) == 0) {
		s->bytes += out->n;
		s->counted = true;
		buf_clear(out);
		return SPOOL_DONE;
	}
	if (opened) {
		close(s->fd);
		s->fd = -1;
	}
	return SPOOL_FAILED;
}

enum spool_result spool_put(struct spool *s, struct buf *out, struct err *e)
{
	uint64_t n = out->n;
	bool opens = s->fd < 0;
	if (s->all && s->bytes + n > s->all->bytes.limit / 4 * 3) {
		err_set(e, ERR_ENV, "the answer is too large for the temporary files");
		return SPOOL_HUGE;
	}
	if (s->all && !reserve(s, n)) {
		err_set(e, ERR_ENV, "the temporary files have reached their limit");
		return SPOOL_FULL;
	}
	enum spool_result rc = write_out(s, out, e);
	if (rc == SPOOL_FAILED && s->all)
		give_back(s->all, n, opens);
	return rc;
}

enum spool_result spool_take(struct spool *s, struct buf *out, bool end, struct err *e)
{
	bool keeps = out->n < SPOOL_FROM && (s->fd < 0 || !end);
	return keeps ? SPOOL_DONE : spool_put(s, out, e);
}

int spool_give(struct spool *s)
{
	int fd = s->fd;
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	s->fd = -1;
	return fd;
}

void spool_free(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->all && s->counted)
		give_back(s->all, s->bytes, 1);
	*s = SPOOL_OF(s->all);
}
