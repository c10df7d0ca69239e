/* io.h - reading and writing descriptors so that no byte and no error is lost. */
#ifndef SENTI_IO_H
#define SENTI_IO_H

#include "lib/base/err.h"
#include "lib/base/buf.h"

/* Writes all n bytes, waiting where the descriptor would block; `name` is for the message ("stdout"). */
MUST_USE int io_write(int fd, const void *p, size_t n, const char *name, struct err *e);
/* close(2), whose failure is a failed write (a full disk over NFS says so only here). */
MUST_USE int io_close(int fd, const char *name, struct err *e);
/* Reads a whole file of at most `max` bytes, appending it to *out. */
MUST_USE int io_read_file(const char *path, size_t max, struct buf *out, struct err *e);
/* 1 readable (or at its end), 0 not before `deadline` (clock_mono_ms; -1: wait for ever), 2 a stop was asked for, 3 `wake` is readable.
 * `wake` may be -1. */
enum io_wait { IO_TIMEOUT, IO_READY, IO_STOP, IO_WOKEN };
enum io_wait io_wait_readable(int fd, int wake, int64_t deadline);

#endif
