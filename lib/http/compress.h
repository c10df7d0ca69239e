/* compress.h - gzip for answers. */
#ifndef SENTI_COMPRESS_H
#define SENTI_COMPRESS_H

#include "lib/base/buf.h"

/* True if a body of this size is worth compressing and zlib takes it at once. */
bool gzip_worth(size_t n);
/* Compresses the buffer in place. False, with the buffer unchanged, if that would not make it smaller. */
bool gzip_compress(struct buf *body);
/* Appends the expanded content, which must have `size` bytes; false if it has not, or is not gzip. */
MUST_USE bool gzip_expand(struct str compressed, size_t size, struct buf *out);

#endif
