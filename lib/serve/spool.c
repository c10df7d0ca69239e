/* spool.c - large answers go through an unlinked file. */
#include "lib/serve/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include "lib/base/io.h"

/* In a directory that needs no cleaning up after a crash: the file has no name. */
static int open_nameless(struct err *e)
{
	const char *dir = env_get("TMPDIR");
	dir = dir ? dir : "/tmp";
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd < 0 ? err_sys(e, "cannot make a temporary file in '%s'", dir) : fd;
}

int spool_take(struct spool *s, struct buf *out, bool end, struct err *e)
{
	if (s->fd < 0 && out->n < SPOOL_FROM)
		return 0;
	if (s->fd >= 0 && !end && out->n < SPOOL_FROM)
		return 0;
	if (s->fd < 0 && (s->fd = open_nameless(e)) < 0)
		return -1;
	int rc = io_write(s->fd, out->p, out->n, "a temporary file", e);
	buf_clear(out);
	return rc;
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
	s->fd = -1;
}
