/* lockfile.h - a file that one process at a time uses. */
#ifndef SENTI_LOCKFILE_H
#define SENTI_LOCKFILE_H

#include "lib/base/err.h"

/* Opens the state at `path` for reading and writing and locks it, or makes it (0600): 1 made, 0 found, -1 with *e,
 * also if another process has it; then *fd may be open all the same, else it is -1. The lock goes with the
 * descriptor. */
MUST_USE int lockfile_open(const char *path, int *fd, struct err *e);

#endif
