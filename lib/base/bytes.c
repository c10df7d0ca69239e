/* bytes.c - a descriptor as a stream of bytes, and the buffer that each filter reads from. */
#include "lib/base/bytes.h"

#include <errno.h>
#include <unistd.h>

enum { BLOCK = 64 << 10 };

struct fd_bytes {
	struct bytes port;
	int fd;
	const char *name;
};

static ssize_t fd_read(struct bytes *port, char *to, size_t n, struct err *e)
{
	struct fd_bytes *b = (struct fd_bytes *)port;
	ssize_t r = read(b->fd, to, n);
	if (r < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK))
		return BYTES_LATER;
	return r < 0 ? err_sys(e, "cannot read '%s'", b->name) : r;
}

static bool fd_pending(const struct bytes *port)
{
	(void)port;
	return false;
}

static bool fd_plain(const struct bytes *port)
{
	(void)port;
	return true;
}

static void fd_close(struct bytes *port)
{
	free(port);
}

struct bytes *bytes_fd(int fd, const char *name)
{
	struct fd_bytes *b = xcalloc(1, sizeof *b);
	*b = (struct fd_bytes){.port = {.read = fd_read, .pending = fd_pending, .plain = fd_plain, .close = fd_close},
	    .fd = fd,
	    .name = name};
	return &b->port;
}

struct filtered {
	struct bytes port;
	struct bytes *from;
	const struct byte_filter *filter;
	void *ctx;
	struct str in; /* within `block`: what the filter has left */
	bool ended, full, failed;
	struct err error;
	char *block; /* allocated by the first read */
};

static ssize_t run(struct filtered *f, char *to, size_t n, struct err *e)
{
	ssize_t made = f->filter->run(f->ctx, &f->in, to, n, f->ended, e);
	f->full = made > 0 && (size_t)made + BYTES_ROOM > n;
	f->failed = made < 0;
	if (f->failed)
		f->error = *e;
	return made;
}

/* Appends to what the filter has left. */
static ssize_t fetch(struct filtered *f, struct err *e)
{
	if (!f->block)
		f->block = xmalloc(BLOCK);
	if (f->in.n)
		memmove(f->block, f->in.p, f->in.n);
	f->in.p = f->block;
	ssize_t r = f->from->read(f->from, f->block + f->in.n, BLOCK - f->in.n, e);
	f->ended = r == 0;
	f->in.n += r > 0 ? (size_t)r : 0;
	return r;
}

static bool passes(const struct filtered *f)
{
	return !f->in.n && f->filter->plain && f->filter->plain(f->ctx);
}

static ssize_t filtered_read(struct bytes *port, char *to, size_t n, struct err *e)
{
	struct filtered *f = (struct filtered *)port;
	if (f->failed) {
		*e = f->error;
		return -1;
	}
	if (passes(f))
		return f->from->read(f->from, to, n, e);
	ssize_t made = f->in.n || f->full || f->ended ? run(f, to, n, e) : 0;
	if (made || f->ended)
		return made;
	ssize_t r = fetch(f, e);
	if (r < 0)
		return r;
	made = run(f, to, n, e);
	return made || f->ended ? made : BYTES_LATER;
}

static bool filtered_pending(const struct bytes *port)
{
	const struct filtered *f = (const struct filtered *)port;
	return f->full || f->from->pending(f->from);
}

static bool filtered_plain(const struct bytes *port)
{
	const struct filtered *f = (const struct filtered *)port;
	return passes(f) && f->from->plain(f->from);
}

static void filtered_close(struct bytes *port)
{
	struct filtered *f = (struct filtered *)port;
	f->from->close(f->from);
	f->filter->free(f->ctx);
	free(f->block);
	free(f);
}

struct bytes *bytes_filter(struct bytes *from, const struct byte_filter *filter, void *ctx)
{
	struct filtered *f = xcalloc(1, sizeof *f);
	f->port = (struct bytes){
	    .read = filtered_read, .pending = filtered_pending, .plain = filtered_plain, .close = filtered_close};
	f->from = from;
	f->filter = filter;
	f->ctx = ctx;
	return &f->port;
}
