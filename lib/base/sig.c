/* sig.c - the stop flag. Handlers do nothing but raise it, write to an eventfd and set the alarm. */
#include "lib/base/sig.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "lib/base/event.h"

static volatile sig_atomic_t stopping;
static int event = -1;
static unsigned drain;

static void on_stop(int number)
{
	int saved = errno;
	if (stopping && number == SIGINT)
		_exit(128 + SIGINT);
	stopping = 1;
	event_signal(event);
	alarm(drain ? drain : 1);
	errno = saved;
}

static void on_alarm(int number)
{
	(void)number;
	static const char msg[] = "senti: could not drain in time; what was not delivered stays with its source\n";
	ssize_t ignored = write(2, msg, sizeof msg - 1);
	(void)ignored;
	_exit(STATUS_ENVIRONMENT);
}

void sig_init(unsigned drain_s)
{
	drain = drain_s;
	if (event < 0)
		event = event_open();
	struct sigaction a = {.sa_handler = on_stop};
	sigemptyset(&a.sa_mask);
	sigaction(SIGTERM, &a, NULL);
	sigaction(SIGINT, &a, NULL);
	a.sa_handler = on_alarm;
	sigaction(SIGALRM, &a, NULL);
	a.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &a, NULL);
}

bool sig_stopping(void)
{
	return stopping;
}

int sig_fd(void)
{
	return event;
}

int sig_hup_fd(void)
{
	sigset_t hup;
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &hup, NULL) < 0) /* threads inherit that */
		return -1;
	return signalfd(-1, &hup, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool sig_hup_taken(int fd)
{
	struct signalfd_siginfo info;
	return read(fd, &info, sizeof info) == (ssize_t)sizeof info;
}

void sig_stop(void)
{
	on_stop(SIGTERM);
}
