/* systemd.h - the two protocols by which a service manager starts and watches a server, sd_listen_fds(3) and
 * sd_notify(3).
 *
 * Both are a few variables of the environment and datagrams, so the library of their name, and what it brings, is not
 * needed.
 */
#ifndef SENTI_SYSTEMD_H
#define SENTI_SYSTEMD_H

#include "lib/base/err.h"

/* A listening stream socket that was opened for us: 0 with *fd, which is -1 if there is none; or -1 with *e. The
 * variables are removed, so that no child takes them for its own. */
MUST_USE int systemd_socket(int *fd, struct err *e);
/* Tells the manager, as in "READY=1"; does nothing if there is none. */
void systemd_notify(const char *state);
/* How often the manager wants to hear WATCHDOG=1, at least; 0: never. */
int64_t systemd_watchdog_ms(void);

#endif
