/* follow.h - files read as they grow, as `tail -F` does, from their beginning and until a stop is asked for.
 *
 * A file that was renamed is read to its end, and left for the one that has taken its name once that one is not empty.
 * A file that was truncated is read again from its beginning; one that is not there is waited for. Changes are seen by
 * inotify, and every second (or where there is no inotify, every quarter of one) by looking. The last line waits for
 * its end, unless its file has been replaced.
 */
#ifndef SENTI_FOLLOW_H
#define SENTI_FOLLOW_H

#include "lib/flow/port.h"

/* New. The paths are lent for its life. Lines come with their ends, each batch from one file; r->origin is the path. */
struct source *source_follow(const char *const *path, size_t npaths);
/* The same for files of records: lines without their ends, blank ones left out. With `state` (lent; else NULL) the
 * place in each file is saved in the file of that name when a batch is accepted, and reading begins there when it
 * exists: in the same file, wherever in its folder that was moved to meanwhile; a file that is gone is done with. NULL
 * with *e where the state cannot be read. */
struct source *source_follow_records(const char *const *path, size_t npaths, const char *state, struct err *e);
/* What tells the file that a record of such a source came from from its predecessors and successors of that name: the
 * same when the program is started again. Lent for the source's life. */
struct str follow_identity(const struct rec *r);

#endif
