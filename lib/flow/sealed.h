/* sealed.h - an append-only file of groups of lines, each sealed by its hash: what an aggregate keeps on disk.
 *
 *     KIND 1 OWNER           the first line: what the file is, and whose
 *     LINE ...
 *     =HASH                  of the group's lines above: SHA-256, or the first digits of it
 *
 * A group that is cut off at the end of the file was never committed and is dropped; any other damage is an error. One
 * process at a time uses a file.
 */
#ifndef SENTI_SEALED_H
#define SENTI_SEALED_H

#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/text/sha256.h"

struct sealed_kind {
	const char *word;
	size_t digits; /* of a hash: at most 64 */
};

struct sealed {
	const struct sealed_kind *kind;
	int fd; /* stands at the end */
	char *path;
	struct buf head;     /* the first line */
	uint64_t first, end; /* where the first group ends, and where all that is committed does */
	size_t groups;
};

/* Opens the file or makes it (0600). One of another kind or owner is refused. -1 with *e; nothing is open then. */
MUST_USE int sealed_open(
    struct sealed *s, const struct sealed_kind *kind, const char *path, const char *owner, struct err *e);
/* Hands out the lines of each group, in order; they are lent until it returns. What follows them is the seal. */
typedef int sealed_group(void *arg, size_t number, struct str lines, struct err *e);
MUST_USE int sealed_read(struct sealed *s, sealed_group *group, void *arg, struct err *e);
/* Appends the lines as a group and clears them; it is on disk when this returns. A line does not begin with "=". */
MUST_USE int sealed_append(struct sealed *s, struct buf *lines, struct err *e);
/* The seal of lines that were summed elsewhere. */
void sealed_put_seal(const struct sealed *s, struct buf *out, struct sha256 *sum);
/* Goes on with another file, which has taken its name and stands at `end`: a first line and one group. */
void sealed_take(struct sealed *s, int fd, uint64_t end);
/* Closes it, and removes the file if `done` or if nothing is in it. */
void sealed_close(struct sealed *s, bool done);

#endif
