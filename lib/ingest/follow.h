/* follow.h - reads files as they grow, like `tail -F`, from their beginning until a stop.
 *
 * A renamed file is read to its end, and left for its successor once that is not empty. Successors that were renamed
 * too before anybody looked are found beside it (rotation.h); those that are gone are counted, and so are files that
 * grow after they were left. A truncated file is read again from its beginning,
 * without the NUL bytes that a writer's old offset leaves there; a missing one is waited for. Changes are noticed by
 * inotify, and by polling every second (every quarter of a second without inotify). The last line waits for its end,
 * unless its file has been replaced.
 */
#ifndef SENTI_FOLLOW_H
#define SENTI_FOLLOW_H

#include "lib/flow/counts.h"
#include "lib/flow/port.h"

/* Half a second is enough for a writer that is told to reopen its log. */
#define FOLLOW_ROTATE_WAIT_MS 500

struct follow_conf {
	const char *const *path; /* lent for the source's life */
	size_t npaths;
	/* A renamed file is left for its successor only so long after that was noticed, or after its last change if
	 * that is longer ago: for writers that don't reopen at once. */
	int64_t rotate_wait_ms;
	/* Lent; NULL: not counted. COUNTER_UNREAD: files that had the name and were gone before they were read, and
	 * files that grew after they were left. */
	struct counts *counts;
};

/* New. Lines include their ends; each batch comes from one file; r->origin is the path. */
struct source *source_follow(const struct follow_conf *conf);
/* The same for files of records: lines without their ends, no blank lines. With `state` (lent; else NULL), the place in
 * each file is saved in the file of that name whenever a batch is accepted, and reading resumes there: in the same
 * file, even if it was renamed within its folder. A file that no longer exists is considered finished. NULL with *e if
 * the state cannot be read. */
struct source *source_follow_records(const struct follow_conf *conf, const char *state, struct err *e);
/* Identifies the file of a record among its predecessors and successors of the same name, across restarts. Lent for the
 * source's life. */
struct str follow_identity(const struct rec *r);

#endif
