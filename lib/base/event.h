/* event.h - an event descriptor: one thread signals, another waits for it with poll(2) beside other descriptors. */
#ifndef SENTI_EVENT_H
#define SENTI_EVENT_H

#include "lib/base/base.h"

/* New, not blocking, closed on exec; the caller closes it. -1 with errno if the system has no descriptor left. */
int event_open(void);
/* Makes it readable until it is cleared. Safe in a signal handler. */
void event_signal(int fd);
/* Clear it before looking at what it announces, so that whatever comes after the look signals again. */
void event_clear(int fd);

#endif
