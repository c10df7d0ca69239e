/* sig.h - signals of a process: SIGTERM and SIGINT ask the tool to stop reading and to finish what it has read. For
 * main alone. */
#ifndef SENTI_SIG_H
#define SENTI_SIG_H

#include "lib/base/stop.h"

/* Installs the handlers, once, and returns the stop that they raise, lent for the process' life. A signal that is
 * ignored at the start stays ignored. SIGPIPE is ignored, so that a closed pipe is an error of write(2) (see ERR_PIPE).
 * When a stop is asked for, the process ends by itself with status 3 after drain_s seconds at the latest. A second
 * SIGINT ends it at once. */
const struct stop *sig_init(unsigned drain_s);
/* SIGHUP asks to read configuration again: from now on it kills nothing, but makes the descriptor that is returned
 * readable (-1 if the system has none left). Called once, before any thread. */
int sig_hup_fd(void);
/* True if one has come since the last call. */
bool sig_hup_taken(int fd);

#endif
