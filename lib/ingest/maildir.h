/* maildir.h - the messages of Maildirs, as files to read. */
#ifndef SENTI_MAILDIR_H
#define SENTI_MAILDIR_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

/* Files to read, and the Maildir, as it was given, of which each is a message; NULL: it was given itself. */
struct maildir_files {
	const char **path, **maildir;
	size_t n, cap;
	struct arena mem;
};

/* Adds what is in `new` and `cur` of a Maildir, by their names, which begin with the time of delivery; or `path` itself
 * if it is not a Maildir. -1 with *e: a folder cannot be read. `path` is lent. */
MUST_USE int maildir_add(struct maildir_files *f, const char *path, struct err *e);
/* True if it is a folder with `cur` and `new` in it. */
bool maildir_is(const char *path);
/* The name of a message without its folder and its flags: it stays the same when the message is read or moved. */
struct str maildir_unique(const char *path);
void maildir_free(struct maildir_files *f);

#endif
