/* sig.h - stopping: SIGTERM and SIGINT ask the tool to stop reading and to finish what it has read.
 *
 * The handler only raises a flag and makes a descriptor readable, so a source that waits can wait for both.
 */
#ifndef SENTI_SIG_H
#define SENTI_SIG_H

#include "lib/base/base.h"

/* Installs the handlers; SIGPIPE is ignored, so that a closed pipe is an error of write(2) (see ERR_PIPE).
 * When a stop is asked for, the process ends by itself with status 3 after drain_s seconds at the latest. A second
 * SIGINT ends it at once. */
void sig_init(unsigned drain_s);
bool sig_stopping(void);
/* Readable once a stop was asked for; never read from it. -1 before sig_init (poll(2) then ignores it). */
int sig_fd(void);
/* SIGHUP asks to read configuration again: from now on it kills nothing, but makes the descriptor that is returned readable (-1 where
 * that cannot be had). Called once, before any thread. */
int sig_hup_fd(void);
/* True if one has come since the last call. */
bool sig_hup_taken(int fd);
/* As if a SIGTERM had come (tests, and tools that are told to stop by other means). */
void sig_stop(void);

#endif
