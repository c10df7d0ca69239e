/* io.h - reading and writing descriptors so that no byte and no error is lost. */
#ifndef SENTI_IO_H
#define SENTI_IO_H

#include <sys/types.h>

#include "lib/base/err.h"
#include "lib/base/buf.h"
#include "lib/base/stop.h"

/* Writes all n bytes, waiting where the descriptor would block; `name` is for the message ("stdout"). */
MUST_USE int io_write(int fd, const void *p, size_t n, const char *name, struct err *e);
/* close(2), whose failure is a failed write (a full disk over NFS says so only here). */
MUST_USE int io_close(int fd, const char *name, struct err *e);
/* Puts n bytes in the place of the file at `path`, as a whole and on the disk: whoever opens it gets the old file or
 * the new one. They are written to a new file beside it, through no symbolic link; one at `path` is itself replaced.
 * `mode` is that of a file that is not there yet; another keeps its own. */
MUST_USE int io_replace_file(const char *path, const void *p, size_t n, mode_t mode, struct err *e);
/* Reads a whole file of at most `max` bytes, appending it to *out. */
MUST_USE int io_read_file(const char *path, size_t max, struct buf *out, struct err *e);
enum io_wait { IO_TIMEOUT, IO_READY, IO_STOP, IO_WOKEN };
/* Waits until `fd` is readable or at its end (IO_READY), `wake` is readable (IO_WOKEN), a stop comes, or `deadline` has
 * passed (clock_mono_ms; -1: never). Descriptors may be -1 and `stop` NULL. */
enum io_wait io_wait_readable(int fd, int wake, int64_t deadline, const struct stop *stop);
/* For the start of a program, before it opens anything: descriptors 0, 1 and 2 must be open, or files and events would
 * get their numbers. A closed one becomes /dev/null if `fill`, else it is an error. */
MUST_USE int io_check_standard(bool fill, struct err *e);

#endif
