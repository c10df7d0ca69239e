/* sig.c - signals. Handlers only raise the stop and set the alarm. */
#include "lib/base/sig.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static struct stop stop;
static unsigned drain;

static void on_stop(int number)
{
	int saved = errno;
	if (stop.raised && number == SIGINT)
		_exit(128 + SIGINT);
	stop_raise(&stop);
	alarm(drain ? drain : 1);
	errno = saved;
}

/* With a handler, unlike SIG_IGN, commands that are started have the usual action. */
static void on_file_size(int number)
{
	(void)number;
}

static void on_alarm(int number)
{
	(void)number;
	static const char msg[] = "senti: could not drain in time; what was not delivered stays with its source\n";
	ssize_t ignored = write(2, msg, sizeof msg - 1);
	(void)ignored;
	_exit(STATUS_ENVIRONMENT);
}

/* A shell without job control starts background commands with SIGINT ignored, nohup(1) with SIGHUP ignored: keep
 * that. */
static void handle_unless_ignored(int number, const struct sigaction *a)
{
	struct sigaction old;
	if (sigaction(number, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
		sigaction(number, a, NULL);
}

const struct stop *sig_init(unsigned drain_s)
{
	drain = drain_s;
	stop_init(&stop);
	struct sigaction a = {.sa_handler = on_stop};
	sigemptyset(&a.sa_mask);
	handle_unless_ignored(SIGTERM, &a);
	handle_unless_ignored(SIGINT, &a);
	a.sa_handler = on_file_size;
	handle_unless_ignored(SIGXFSZ, &a);
	a.sa_handler = on_alarm;
	sigaction(SIGALRM, &a, NULL);
	a.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &a, NULL);
	return &stop;
}

int sig_hup_fd(void)
{
	sigset_t hup;
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &hup, NULL) < 0) /* threads inherit the mask */
		return -1;
	return signalfd(-1, &hup, SFD_CLOEXEC | SFD_NONBLOCK);
}

bool sig_hup_taken(int fd)
{
	struct signalfd_siginfo info;
	return read(fd, &info, sizeof info) == (ssize_t)sizeof info;
}
