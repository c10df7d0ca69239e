/* timezone.h - time zones by name. */
#ifndef SENTI_TIMEZONE_H
#define SENTI_TIMEZONE_H

#include "lib/base/base.h"

/* True if the C library can use the value of $TZ: the name of a file of the zone database ("Europe/Berlin", also after
 * a colon), a path, or a rule as POSIX has it ("CET-1CEST,M3.5.0,M10.5.0/3"). Any other value it silently takes for
 * UTC. */
bool timezone_known(const char *tz);

#endif
