/* stop.c - a flag and an event descriptor. */
#include "lib/base/stop.h"

#include "lib/base/event.h"

void stop_init(struct stop *s)
{
	*s = (struct stop){.fd = event_open()};
}

void stop_raise(struct stop *s)
{
	s->raised = 1;
	event_signal(s->fd);
}
