/* life.h - a server from being ready to having drained: what the service manager is told, what signals mean.
 *
 * SIGHUP reads the tokens again. At SIGTERM or SIGINT /readyz says no first, so that whoever spreads requests sends no more of them; event streams end;
 * for drain_delay_s those requests that come nonetheless are served; then the listener goes, and the rest is answered. sig.h's alarm
 * ends a drain that takes too long.
 */
#ifndef SENTI_LIFE_H
#define SENTI_LIFE_H

#include "lib/serve/service.h"

/* Returns once the last request has been answered; h is then freed. `hup` is sig_hup_fd()'s. */
void life_run(struct service *s, struct http *h, unsigned drain_delay_s, int hup);

#endif
