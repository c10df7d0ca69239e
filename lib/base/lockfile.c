/* lockfile.c - flock(2) on the file itself, which whoever had it may have removed or replaced meanwhile. */
#include "lib/base/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

int lockfile_open(const char *path, int *fd, struct err *e)
{
	for (;;) {
		bool made = true;
		*fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		if (*fd < 0 && errno == EEXIST) {
			made = false;
			*fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
			if (*fd < 0 && errno == ENOENT)
				continue;
		}
		if (*fd < 0)
			return err_sys(e, "cannot open the state '%s'", path);
		struct stat st;
		if (flock(*fd, LOCK_EX | LOCK_NB) < 0)
			return err_set(
			    e, ERR_ENV, "the state '%s' is in use by another process (--state names another)", path);
		if (fstat(*fd, &st) == 0 && st.st_nlink)
			return made;
		close(*fd);
	}
}
