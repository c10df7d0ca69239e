/* io.c - descriptors. */
#include "lib/base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"

int io_write(int fd, const void *p, size_t n, const char *name, struct err *e)
{
	size_t done;
	return io_write_counted(fd, p, n, &done, name, e);
}

int io_write_counted(int fd, const void *p, size_t n, size_t *done, const char *name, struct err *e)
{
	*done = 0;
	while (*done < n) {
		ssize_t w = write(fd, (const char *)p + *done, n - *done);
		if (w < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			struct pollfd f = {.fd = fd, .events = POLLOUT};
			poll(&f, 1, -1);
		} else if (w < 0 && errno != EINTR) {
			return err_sys(e, "cannot write to %s", name);
		} else if (w > 0) {
			*done += (size_t)w;
		}
	}
	return 0;
}

int io_close(int fd, const char *name, struct err *e)
{
	if (close(fd) < 0 && errno != EINTR)
		return err_sys(e, "cannot close %s", name);
	return 0;
}

/* Creates a file beside `path` under an unguessable name: its descriptor, or -1. */
static int open_beside(const char *path, mode_t mode, struct buf *name, struct err *e)
{
	uint64_t salt;
	if (getrandom(&salt, sizeof salt, 0) != (ssize_t)sizeof salt)
		return err_sys(e, "cannot get random bytes");
	buf_printf(name, "%s.%016llx.new%c", path, (unsigned long long)salt, 0);
	int fd = open(name->p, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? err_sys(e, "cannot make a file beside '%s'", path) : fd;
}

int io_replace_file(const char *path, const void *p, size_t n, mode_t mode, struct err *e)
{
	struct stat old;
	struct buf name = {0};
	struct err ignored;
	int rc = -1, fd = open_beside(path, mode, &name, e);
	if (fd < 0)
		goto out;
	if (lstat(path, &old) == 0 && S_ISREG(old.st_mode) && fchmod(fd, old.st_mode & 07777) < 0)
		err_sys(e, "cannot set the mode of '%s' to that of '%s'", name.p, path);
	else if (io_write(fd, p, n, name.p, e) == 0)
		rc = fdatasync(fd) < 0 ? err_sys(e, "cannot write to %s", name.p) : 0;
	if (io_close(fd, name.p, rc == 0 ? e : &ignored) < 0)
		rc = -1;
	if (rc == 0 && rename(name.p, path) < 0)
		rc = err_sys(e, "cannot rename '%s' to '%s'", name.p, path);
	if (rc < 0)
		unlink(name.p);
out:
	buf_free(&name);
	return rc;
}

int io_sync_folder(const char *path, struct err *e)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? str_dup((struct str){path, slash == path ? 1 : (size_t)(slash - path)}) : xstrdup(".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;
	if (fd < 0 || fsync(fd) < 0)
		rc = err_sys(e, "cannot sync '%s'", folder);
	if (fd >= 0)
		close(fd);
	free(folder);
	return rc;
}

int io_read_file(const char *path, size_t max, struct buf *out, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(e, "cannot open '%s'", path);
	size_t before = out->n;
	int rc = -1;
	for (;;) {
		buf_reserve(out, 64 << 10);
		ssize_t r = read(fd, out->p + out->n, out->cap - out->n);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0) {
			err_sys(e, "cannot read '%s'", path);
			break;
		}
		if (r == 0) {
			rc = 0;
			break;
		}
		out->n += (size_t)r;
		if (out->n - before > max) {
			err_set(e, ERR_ENV, "'%s' is larger than %zu bytes", path, max);
			break;
		}
	}
	close(fd);
	return rc;
}

enum io_wait io_wait_readable(int fd, int wake, int64_t deadline, const struct stop *stop)
{
	for (;;) {
		if (stop_raised(stop))
			return IO_STOP;
		struct pollfd f[3] = {{.fd = fd, .events = POLLIN}, {.fd = stop_fd(stop), .events = POLLIN},
		    {.fd = wake, .events = POLLIN}};
		int64_t left = deadline < 0 ? -1 : deadline - clock_mono_ms();
		int timeout = deadline < 0 ? -1 : left < 0 ? 0 : left > 1 << 30 ? 1 << 30 : (int)left;
		int r = poll(f, 3, timeout);
		if (r < 0 && errno == EINTR)
			continue;
		if (f[1].revents)
			return IO_STOP;
		if (r < 0 || f[0].revents) /* where poll fails, read(2) reports the error */
			return IO_READY;
		if (f[2].revents)
			return IO_WOKEN;
		if (r == 0)
			return IO_TIMEOUT;
	}
}

int io_check_standard(bool fill, struct err *e)
{
	static const char *const name[] = {"stdin", "stdout", "stderr"};
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			continue;
		if (!fill)
			return err_set(
			    e, ERR_ENV, "%s is closed; redirect it to /dev/null if it is not wanted", name[fd]);
		if (open("/dev/null", O_RDWR) != fd) /* open takes the lowest free number, which is fd */
			return err_sys(e, "cannot open /dev/null for %s", name[fd]);
	}
	return 0;
}
