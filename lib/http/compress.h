/* compress.h - gzip for answers. */
#ifndef SENTI_COMPRESS_H
#define SENTI_COMPRESS_H

#include "lib/base/buf.h"

/* True if a body of this size is worth compressing, and within what zlib takes at once. */
bool gzip_worth(size_t n);
/* Compresses the buffer in place; false, and the buffer is as it was, if that would not make it smaller. */
bool gzip_compress(struct buf *body);
/* Appends what was compressed, `size` bytes; false if that is not what this is. */
MUST_USE bool gzip_expand(struct str compressed, size_t size, struct buf *out);

#endif
