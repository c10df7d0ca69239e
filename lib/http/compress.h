/* compress.h - gzip for answers. Bodies: lib/base/expand.h. */
#ifndef SENTI_COMPRESS_H
#define SENTI_COMPRESS_H

#include <sys/types.h>

#include "lib/base/buf.h"

/* True if a body of this size is worth compressing and zlib takes it at once. */
bool gzip_worth(size_t n);
/* Compresses the buffer in place. False, with the buffer unchanged, if that would not make it smaller. */
bool gzip_compress(struct buf *body);
/* Appends the expanded content, which must have `size` bytes; false if it has not, or is not gzip. */
MUST_USE bool gzip_expand(struct str compressed, size_t size, struct buf *out);

/* Compresses a file piece by piece, from its beginning. */
struct gzipper;
enum { GZIPPER_MEMORY = 300 << 10 }; /* what one takes, about */
/* New; takes the descriptor, also when it returns NULL, without memory. */
struct gzipper *gzipper_new(int fd);
/* NULL is allowed. */
void gzipper_free(struct gzipper *g);
/* How many bytes it has written, at most `max`; 0 at the end; -1 if the file cannot be read. */
MUST_USE ssize_t gzipper_next(struct gzipper *g, char *out, size_t max);

#endif
