/* sig.h - the process's signals: SIGTERM and SIGINT ask the tool to stop reading and finish what it has read. For main
 * only. */
#ifndef SENTI_SIG_H
#define SENTI_SIG_H

#include "lib/base/stop.h"

/* Installs the handlers, once, and returns the stop that they raise, lent for the life of the process. A signal that is
 * ignored at startup stays ignored. SIGPIPE is ignored, so that a closed pipe becomes an error of write(2) (see
 * ERR_PIPE), and SIGXFSZ has no effect, so that the limit on a file's size becomes one too. The process exits with
 * status 3 at the latest drain_s seconds after a stop. A second SIGINT ends it at once. */
const struct stop *sig_init(unsigned drain_s);
/* Makes SIGHUP a request to reload configuration: it no longer kills, but makes the returned descriptor readable (-1 if
 * the system is out of descriptors). Call once, before starting any thread. */
int sig_hup_fd(void);
/* True if a SIGHUP has arrived since the last call. */
bool sig_hup_taken(int fd);

#endif
