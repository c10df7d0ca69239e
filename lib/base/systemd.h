/* systemd.h - sd_listen_fds(3) and sd_notify(3), by which a service manager starts and watches a server.
 *
 * Both protocols are a few environment variables and datagrams, so libsystemd and its dependencies are not needed.
 */
#ifndef SENTI_SYSTEMD_H
#define SENTI_SYSTEMD_H

#include "lib/base/err.h"

/* Returns 0 and the listening stream socket that was opened for us in *fd, or -1 there if there is none; or -1 with *e.
 * Removes the variables, so that no child process uses them. */
MUST_USE int systemd_socket(int *fd, struct err *e);
/* Sends a state such as "READY=1" to the manager, if there is one. */
void systemd_notify(const char *state);
/* The longest allowed interval between WATCHDOG=1 messages; 0: none are wanted. */
int64_t systemd_watchdog_ms(void);

#endif
