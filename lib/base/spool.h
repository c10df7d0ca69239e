/* spool.h - an answer that grows: in memory at first, in an unlinked file once it is large. All files of a process have
 * one budget. */
#ifndef SENTI_SPOOL_H
#define SENTI_SPOOL_H

#include "lib/base/budget.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#define SPOOL_FROM ((size_t)256 << 10) /* bytes held in memory */

/* What all files together may have: bytes, and descriptors. */
struct spools {
	struct budget bytes, files;
};

struct spool {
	struct spools *all; /* lent; NULL: without a limit */
	int fd;		    /* -1: none yet */
	uint64_t bytes;	    /* in the file */
	bool counted;	    /* there is or was a file, whose descriptor and bytes are to be given back */
};
#define SPOOL_OF(spools) ((struct spool){.all = (spools), .fd = -1})

/* FULL: others have what this would need, so it may be tried again. HUGE: one file cannot have so much. */
enum spool_result { SPOOL_FAILED = -1, SPOOL_DONE, SPOOL_FULL, SPOOL_HUGE };
/* Moves what `out` holds to the file if it is large, or if there is a file and this is the end. All but DONE leave
 * `out` as it is and fill *e. */
MUST_USE enum spool_result spool_take(struct spool *s, struct buf *out, bool end, struct err *e);
/* The same whatever its size. */
MUST_USE enum spool_result spool_put(struct spool *s, struct buf *out, struct err *e);
/* The file at its beginning, which the caller closes, shortly before or after spool_free; -1 if there is none. */
int spool_give(struct spool *s);
/* Closes the file, and gives back what it has of the budget. */
void spool_free(struct spool *s);

#endif
