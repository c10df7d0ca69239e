/* unpack.h - gzip and Zstandard, recognized by their first bytes; anything else passes as it is.
 *
 * zlib and libzstd are loaded when a file needs them. Memory is bounded: gzip takes 40 KB, Zstandard at most its
 * largest window without --long (128 MiB; 8 MiB unless --ultra made the file).
 */
#ifndef SENTI_UNPACK_H
#define SENTI_UNPACK_H

#include "lib/base/bytes.h"

/* New, with `from` taken. Members and frames that follow each other are one stream. Data that is damaged or ends too
 * early is an error (ERR_ENV). The name is for messages, lent. */
struct bytes *unpack(struct bytes *from, const char *name);

#endif
