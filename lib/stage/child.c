/* child.c - starting and ending a command. */
#include "lib/stage/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/clock.h"

enum { PIPE_BYTES = 256 << 10 };

static bool may_run(const char *path)
{
	struct stat st;
	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

int child_find(const char *command, struct err *e)
{
	if (strchr(command, '/')) {
		errno = EACCES;
		return may_run(command) ? 0 : err_sys(e, "cannot run '%s'", command);
	}
	const char *path = env_get("PATH");
	struct buf b = {0};
	bool found = false;
	for (const char *p = path ? path : "/bin:/usr/bin"; !found; p++) {
		size_t n = strcspn(p, ":");
		buf_clear(&b);
		buf_printf(&b, "%.*s%s%s%c", (int)n, p, n ? "/" : "", command, 0);
		found = may_run(b.p);
		p += n;
		if (!*p)
			break;
	}
	buf_free(&b);
	return found ? 0 : err_set(e, ERR_ENV, "cannot run '%s': no such command in PATH", command);
}

struct pipes {
	int fd[3][2];
};

static void close_pipes(struct pipes *p)
{
	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < 2; k++)
			if (p->fd[i][k] >= 0)
				close(p->fd[i][k]);
}

static int open_pipes(struct pipes *p, struct err *e)
{
	memset(p, -1, sizeof *p);
	for (size_t i = 0; i < 3; i++)
		if (pipe2(p->fd[i], O_CLOEXEC) < 0) {
			err_sys(e, "cannot make a pipe");
			close_pipes(p);
			return -1;
		}
	/* A larger pipe is only faster. */
	fcntl(p->fd[0][1], F_SETPIPE_SZ, PIPE_BYTES);
	fcntl(p->fd[1][0], F_SETPIPE_SZ, PIPE_BYTES);
	return 0;
}

/* The command gets signals as from a shell: SIGPIPE, which is ignored here, must not be there. */
static int spawn(struct child *c, const struct pipes *p, char *const *argv, char *const *envp)
{
	posix_spawnattr_t attr;
	posix_spawn_file_actions_t files;
	sigset_t none, usual;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGTERM);
	sigaddset(&usual, SIGINT);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setpgroup(&attr, 0);
	posix_spawnattr_setsigdefault(&attr, &usual);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, p->fd[0][0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, p->fd[1][1], STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, p->fd[2][1], STDERR_FILENO);
	pid_t pid;
	int failed = posix_spawnp(&pid, argv[0], &files, &attr, argv, envp);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	c->pid = pid;
	return failed;
}

int child_start(struct child *c, char *const *argv, char *const *envp, struct err *e)
{
	struct pipes p;
	*c = (struct child){.in = -1, .out = -1, .pidfd = -1};
	if (open_pipes(&p, e) < 0)
		return -1;
	int failed = spawn(c, &p, argv, envp);
	if (failed) {
		close_pipes(&p);
		errno = failed;
		return err_sys(e, "cannot run '%s'", argv[0]);
	}
	close(p.fd[0][0]);
	close(p.fd[1][1]);
	close(p.fd[2][1]);
	c->in = p.fd[0][1];
	c->out = p.fd[1][0];
	fcntl(c->in, F_SETFL, O_NONBLOCK);
	fcntl(c->out, F_SETFL, O_NONBLOCK);
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0); /* older C libraries lack the call */
	if (stderr_tail_start(&c->tail, p.fd[2][0], e) == 0)
		return 0;
	child_kill(c);
	waitpid(c->pid, NULL, 0);
	close(c->in);
	close(c->out);
	if (c->pidfd >= 0)
		close(c->pidfd);
	return -1;
}

void child_close_in(struct child *c)
{
	if (c->in >= 0)
		close(c->in);
	c->in = -1;
}

void child_kill(struct child *c)
{
	kill(-c->pid, SIGKILL);
}

/* True once the leader has ended. It is not reaped yet, so that no other process can get its number, which is the
 * group's. */
static bool ended(const struct child *c, int64_t deadline)
{
	for (;;) {
		siginfo_t info = {0};
		if (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid)
			return true;
		int64_t left = deadline - clock_mono_ms();
		if (left <= 0)
			return false;
		struct pollfd f = {.fd = c->pidfd, .events = POLLIN};
		poll(&f, 1, c->pidfd < 0 && left > 20 ? 20 : (int)left);
	}
}

int child_end(struct child *c, int64_t wait_ms)
{
	int status = 0;
	child_close_in(c);
	ended(c, clock_mono_ms() + wait_ms);
	child_kill(c);
	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	close(c->out);
	c->out = -1;
	if (c->pidfd >= 0)
		close(c->pidfd);
	stderr_tail_stop(&c->tail);
	return status;
}

void child_forget(struct child *c)
{
	stderr_tail_free(&c->tail);
}

size_t child_spell_status(int status, char *out, size_t size)
{
	int n = WIFSIGNALED(status)
		    ? snprintf(out, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)))
		    : snprintf(out, size, "exit status %d", WEXITSTATUS(status));
	return n < 0 ? 0 : (size_t)n < size ? (size_t)n : size - 1;
}
