/* rotation.h - the files that a log has been renamed to.
 *
 * A rotation renames app.log to app.log.1, app.log-20240501, app-20240501.log or the like, and a new app.log begins.
 * Several rotations between two looks leave files that never were seen under the name that is followed.
 */
#ifndef SENTI_ROTATION_H
#define SENTI_ROTATION_H

#include "lib/base/base.h"

/* A file among those that had the name. */
struct rotated {
	uint64_t inode;
	int64_t made; /* nanoseconds since 1970: its birth, or its last change if the file system keeps no births */
	bool born;    /* it is its birth, which tells files apart that had one inode after the other */
};

/* False if it cannot be told. */
bool rotation_of(int fd, struct rotated *out);
/* The path, beside `path`, of the file that was begun next after `last`: new. NULL if that is the one that has the name
 * now. Only names with digits as rotations give them count, so that copies and compressed files are left alone. *gone
 * (unless NULL): how many between the two are missing, as their numbers say. */
char *rotation_next(const char *path, const struct rotated *last, uint64_t *gone);

#endif
