/* spool.h - a growing answer: kept in memory, then in an unlinked file once it is large. All files share one budget. */
#ifndef SENTI_SPOOL_H
#define SENTI_SPOOL_H

#include "lib/base/budget.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"

#define SPOOL_FROM ((size_t)256 << 10) /* bytes kept in memory */

/* The budget of all files together. */
struct spools {
	struct budget bytes, files;
};

struct spool {
	struct spools *all; /* lent; NULL: no limit */
	int fd;		    /* -1: none yet */
	uint64_t bytes;	    /* in the file */
	bool counted;	    /* the budget is charged for a file and its bytes */
};
#define SPOOL_OF(spools) ((struct spool){.all = (spools), .fd = -1})

/* FULL: other files use the budget, so a retry may succeed. HUGE: one file may not be this large. */
enum spool_result { SPOOL_FAILED = -1, SPOOL_DONE, SPOOL_FULL, SPOOL_HUGE };
/* Moves `out` to the file if it is large, or at the end if a file exists. On any result but DONE, `out` is unchanged
 * and *e is filled. */
MUST_USE enum spool_result spool_take(struct spool *s, struct buf *out, bool end, struct err *e);
/* The same whatever the size. */
MUST_USE enum spool_result spool_put(struct spool *s, struct buf *out, struct err *e);
/* Returns the file, positioned at its start, or -1 if there is none. The caller closes it, and calls spool_free soon
 * before or after. */
int spool_give(struct spool *s);
/* Closes the file and gives back its budget. */
void spool_free(struct spool *s);

#endif
