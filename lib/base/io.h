/* io.h - reading and writing descriptors without losing a byte or an error. */
#ifndef SENTI_IO_H
#define SENTI_IO_H

#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/buf.h"
#include "lib/base/stop.h"

/* Writes all n bytes, waiting where the descriptor would block. `name` is for the message ("stdout"). */
MUST_USE int io_write(int fd, const void *p, size_t n, const char *name, struct err *e);
/* The same; *done: how many bytes were written, also on failure. */
MUST_USE int io_write_counted(int fd, const void *p, size_t n, size_t *done, const char *name, struct err *e);
/* close(2). A failure is a failed write (NFS reports a full disk only here). */
MUST_USE int io_close(int fd, const char *name, struct err *e);
/* Replaces the file at `path` atomically: readers get the old file or the new one, which is synced first. Writes a new
 * file beside it and renames that; a symbolic link at `path` is itself replaced. A new file gets `mode`; an existing
 * one keeps its own. */
MUST_USE int io_replace_file(const char *path, const void *p, size_t n, mode_t mode, struct err *e);
/* Makes safe what was made, renamed or removed in the folder of the file at `path`. */
MUST_USE int io_sync_folder(const char *path, struct err *e);
/* Reads a whole file of at most `max` bytes and appends it to *out. */
MUST_USE int io_read_file(const char *path, size_t max, struct buf *out, struct err *e);
enum io_wait { IO_TIMEOUT, IO_READY, IO_STOP, IO_WOKEN };
/* Waits until `fd` is readable or at its end (IO_READY), `wake` is readable (IO_WOKEN), a stop is raised, or `deadline`
 * passes (clock_mono_ms; -1: never). Descriptors may be -1 and `stop` NULL. */
enum io_wait io_wait_readable(int fd, int wake, int64_t deadline, const struct stop *stop);
/* Call at startup, before opening anything: ensures that descriptors 0, 1 and 2 are open, since files and events would
 * otherwise get their numbers. A closed one becomes /dev/null if `fill`, and is an error if not. */
MUST_USE int io_check_standard(bool fill, struct err *e);

#endif
