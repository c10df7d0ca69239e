/* saved.h - the state of an aggregate on disk: a snapshot, and after it a journal of what came since.
 *
 *     s = saved_open(path, owner, &e);                     creates it, or finds what a killed run has left
 *     saved_read(s, line, arg, &e);                        hands that out, group by group: 0 is the snapshot
 *     saved_add(s, text); ... saved_commit(s, &e);         a group more; on disk when commit returns
 *     if (saved_is_large(s)) saved_replace(s, put, arg, &e);
 *     saved_close(s, done);
 *
 * A group ends with the hash of its lines. One that is cut off at the end of the file was never committed and is
 * dropped; any other damage is an error. A new snapshot takes the place of the file as a whole, so a kill leaves the
 * old file or the new one. One process at a time uses a file.
 */
#ifndef SENTI_SAVED_H
#define SENTI_SAVED_H

#include "lib/base/buf.h"
#include "lib/base/err.h"

struct saved;

/* New. `owner` says whose it is, and of which options: a file of another is refused. NULL with *e. */
struct saved *saved_open(const char *path, const char *owner, struct err *e);
/* True if there was something in it. */
bool saved_found(const struct saved *s);
/* Hands out each line: the number of its group, and how many there are. The line is lent, with 64 readable bytes after
 * it. Before the first line of a group it is called with an absent one. */
typedef int saved_line(void *arg, size_t group, size_t groups, struct str line, struct err *e);
MUST_USE int saved_read(struct saved *s, saved_line *line, void *arg, struct err *e);
/* A line of the group to come; it has no line end in it and does not begin with "=". */
void saved_add(struct saved *s, struct str line);
/* Nothing was added: nothing is written. */
MUST_USE int saved_commit(struct saved *s, struct err *e);
/* The journal has outgrown the snapshot. */
bool saved_is_large(const struct saved *s);
/* Writes a new snapshot: `put` hands its lines to saved_snapshot_line, with the same s. */
MUST_USE int saved_replace(struct saved *s, int (*put)(void *arg, struct err *e), void *arg, struct err *e);
MUST_USE int saved_snapshot_line(struct saved *s, struct str line, struct err *e);
/* Closes it. `done`: all is out, so the file goes; it also goes if nothing is in it. `s` may be NULL. */
void saved_close(struct saved *s, bool done);

#endif
