/* statx.h - statx(2), which tells when a file was made: of the C library, or of the kernel where that lacks it
 * (musl before 1.2.4). */
#ifndef SENTI_STATX_H
#define SENTI_STATX_H

#include <fcntl.h>
#include <sys/stat.h>

#ifndef STATX_BTIME
#include <linux/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline int statx(int folder, const char *path, int flags, unsigned mask, struct statx *out)
{
	return (int)syscall(SYS_statx, folder, path, flags, mask, out);
}
#endif

#endif
