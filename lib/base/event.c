/* event.c - eventfd(2). Its counter cannot overflow here, so failures of write and read can be ignored. */
#include "lib/base/event.h"

#include <sys/eventfd.h>
#include <unistd.h>

int event_open(void)
{
	return eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
}

void event_signal(int fd)
{
	uint64_t one = 1;
	ssize_t ignored = write(fd, &one, sizeof one);
	(void)ignored;
}

void event_clear(int fd)
{
	uint64_t n;
	ssize_t ignored = read(fd, &n, sizeof n);
	(void)ignored;
}
