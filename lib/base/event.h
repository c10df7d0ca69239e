/* event.h - an event descriptor: one thread signals it, another polls it together with other descriptors. */
#ifndef SENTI_EVENT_H
#define SENTI_EVENT_H

#include "lib/base/base.h"

/* New: non-blocking, close-on-exec. -1 with errno if the system is out of descriptors. */
int event_open(void);
/* Makes it readable until it is cleared. Safe in a signal handler. */
void event_signal(int fd);
/* Clear it before looking at what it announces: anything that arrives after the look then signals again. */
void event_clear(int fd);

#endif
