/* compress.c - gzip for answers and bodies. */
#include "lib/http/compress.h"

#include <errno.h>
#include <unistd.h>
#include <zlib.h>

enum { WORTH_FROM = 1024, LEVEL = 1, WINDOW_BITS = 15, WITH_GZIP_HEADER = 16, MEMORY_LEVEL = 8 };

bool gzip_worth(size_t n)
{
	return n >= WORTH_FROM && n < UINT32_MAX / 2;
}

bool gzip_compress(struct buf *body)
{
	z_stream z = {0};
	if (deflateInit2(&z, LEVEL, Z_DEFLATED, WINDOW_BITS + WITH_GZIP_HEADER, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) !=
	    Z_OK)
		return false;
	struct buf small = {0};
	size_t room = deflateBound(&z, body->n);
	z.next_in = (unsigned char *)body->p;
	z.avail_in = (unsigned)body->n;
	z.next_out = (unsigned char *)buf_reserve(&small, room);
	z.avail_out = (unsigned)room;
	bool done = deflate(&z, Z_FINISH) == Z_STREAM_END;
	small.n = room - z.avail_out;
	deflateEnd(&z);
	if (!done || small.n >= body->n) {
		buf_free(&small);
		return false;
	}
	buf_free(body);
	*body = small;
	return true;
}

bool gzip_expand(struct str compressed, size_t size, struct buf *out)
{
	z_stream z = {0};
	if (inflateInit2(&z, WINDOW_BITS + WITH_GZIP_HEADER) != Z_OK)
		return false;
	z.next_in = (unsigned char *)(uintptr_t)compressed.p;
	z.avail_in = (unsigned)compressed.n;
	z.next_out = (unsigned char *)buf_reserve(out, size);
	z.avail_out = (unsigned)size;
	bool whole = inflate(&z, Z_FINISH) == Z_STREAM_END && z.avail_out == 0;
	inflateEnd(&z);
	out->n += whole ? size : 0;
	return whole;
}

struct gzipper {
	z_stream z;
	int fd;
	bool ended; /* the file has been read to its end */
	bool done;
	unsigned char in[16384];
};

struct gzipper *gzipper_new(int fd)
{
	struct gzipper *g = xcalloc(1, sizeof *g);
	g->fd = fd;
	if (deflateInit2(&g->z, LEVEL, Z_DEFLATED, WINDOW_BITS + WITH_GZIP_HEADER, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) ==
	    Z_OK)
		return g;
	close(fd);
	free(g);
	return NULL;
}

void gzipper_free(struct gzipper *g)
{
	if (!g)
		return;
	deflateEnd(&g->z);
	close(g->fd);
	free(g);
}

static int gzipper_read(struct gzipper *g)
{
	ssize_t n;
	do
		n = read(g->fd, g->in, sizeof g->in);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -1;
	g->ended = n == 0;
	g->z.next_in = g->in;
	g->z.avail_in = (unsigned)n;
	return 0;
}

ssize_t gzipper_next(struct gzipper *g, char *out, size_t max)
{
	g->z.next_out = (unsigned char *)out;
	g->z.avail_out = (unsigned)max;
	while (g->z.avail_out && !g->done) {
		if (!g->z.avail_in && !g->ended && gzipper_read(g) < 0)
			return -1;
		g->done = deflate(&g->z, g->ended ? Z_FINISH : Z_NO_FLUSH) == Z_STREAM_END;
	}
	return (ssize_t)(max - g->z.avail_out);
}
