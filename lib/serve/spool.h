/* spool.h - an answer that grows while a body arrives: in memory at first, in an unlinked file once it is large. */
#ifndef SENTI_SPOOL_H
#define SENTI_SPOOL_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

#define SPOOL_FROM ((size_t)256 << 10) /* bytes held in memory */

struct spool {
	int fd; /* -1: none yet */
};
#define SPOOL_INIT ((struct spool){.fd = -1})

/* Moves what `out` holds to the file if it is large, or if there is a file and this is the end: 0, or -1 with *e. */
MUST_USE int spool_take(struct spool *s, struct buf *out, bool end, struct err *e);
/* The file at its beginning, new; or -1 where `out` held all. */
int spool_give(struct spool *s);
void spool_free(struct spool *s);

#endif
