/* systemd.c - inherited sockets, and datagrams to the service manager. */
#include "lib/base/systemd.h"

#include <fcntl.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { FIRST_FD = 3 };

/* Reads a variable; true if it is a number. */
static bool number(const char *name, uint64_t *out)
{
	const char *v = env_get(name);
	return v && str_u64(str_of(v), out) == 0;
}

static bool listens(int fd)
{
	int yes = 0, type = 0;
	socklen_t n = sizeof yes, m = sizeof type;
	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &yes, &n) == 0 && yes &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &m) == 0 && type == SOCK_STREAM;
}

int systemd_socket(int *fd, struct err *e)
{
	uint64_t pid, n;
	*fd = -1;
	bool ours = number("LISTEN_PID", &pid) && pid == (uint64_t)getpid() && number("LISTEN_FDS", &n) && n > 0;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours)
		return 0;
	if (n > 1)
		return err_set(e, ERR_ENV,
		    "LISTEN_FDS gives %llu sockets, but one is served: leave one in the socket unit",
		    (unsigned long long)n);
	if (!listens(FIRST_FD))
		return err_set(e, ERR_ENV,
		    "the inherited descriptor %d is not a listening stream socket: the socket unit needs ListenStream= "
		    "and "
		    "Accept=no",
		    FIRST_FD);
	if (fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(FIRST_FD, F_SETFL, fcntl(FIRST_FD, F_GETFL) | O_NONBLOCK) < 0)
		return err_sys(e, "cannot use the inherited socket");
	*fd = FIRST_FD;
	return 0;
}

void systemd_notify(const char *state)
{
	const char *path = env_get("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	size_t n = path ? strlen(path) : 0;
	if (n < 2 || n >= sizeof a.sun_path || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(a.sun_path, path, n);
	if (path[0] == '@') /* an abstract name begins with NUL */
		a.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	ssize_t ignored = sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&a,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (path[0] == '/')));
	(void)ignored; /* if the manager is gone, nothing is lost */
	close(fd);
}

int64_t systemd_watchdog_ms(void)
{
	uint64_t us, pid;
	if (!env_get("NOTIFY_SOCKET") || !number("WATCHDOG_USEC", &us) || us < 1000 || us > (uint64_t)INT64_MAX)
		return 0;
	if (env_get("WATCHDOG_PID") && !(number("WATCHDOG_PID", &pid) && pid == (uint64_t)getpid()))
		return 0;
	return (int64_t)(us / 1000);
}
