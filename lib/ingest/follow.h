/* follow.h - reads files as they grow, like `tail -F`, from their beginning until a stop.
 *
 * A renamed file is read to its end, and left for its successor once that is not empty. Successors that were renamed
 * too before anybody looked are found beside it (rotation.h). A truncated file is read again from its beginning,
 * without the NUL bytes that a writer's old offset leaves there; a missing one is waited for. Changes are noticed by
 * inotify, and by polling every second (every quarter of a second without inotify). The last line waits for its end,
 * unless its file has been replaced.
 */
#ifndef SENTI_FOLLOW_H
#define SENTI_FOLLOW_H

#include "lib/flow/port.h"

/* New. The paths are lent for its life. Lines include their ends; each batch comes from one file; r->origin is the
 * path. */
struct source *source_follow(const char *const *path, size_t npaths);
/* The same for files of records: lines without their ends, no blank lines. With `state` (lent; else NULL), the place in
 * each file is saved in the file of that name whenever a batch is accepted, and reading resumes there: in the same
 * file, even if it was renamed within its folder. A file that no longer exists is considered finished. NULL with *e if
 * the state cannot be read. */
struct source *source_follow_records(const char *const *path, size_t npaths, const char *state, struct err *e);
/* Identifies the file of a record among its predecessors and successors of the same name, across restarts. Lent for the
 * source's life. */
struct str follow_identity(const struct rec *r);

#endif
