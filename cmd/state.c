/* state.c - names the state of a run over a queue, and removes it once the result is safe. */
#include "cmd/state.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/schemes.h"
#include "lib/base/log.h"
#include "lib/base/redact.h"

/* Escapes what a file's name cannot hold, and "%". */
static void put_name(struct buf *out, const char *name)
{
	for (const unsigned char *p = (const unsigned char *)name; *p; p++)
		if ((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') ||
		    strchr("._-", *p))
			buf_char(out, (char)*p);
		else
			buf_printf(out, "%%%02X", *p);
}

/* New. NULL with *e. */
static char *default_path(const struct tool *t, const char *queue, struct err *e)
{
	struct buf b = {0};
	const char *home = env_get("XDG_STATE_HOME");
	if (home) {
		buf_printf(&b, "%s/senti%c", home, 0);
		if (mkdir(b.p, 0700) < 0 && errno != EEXIST) {
			err_sys(e, "cannot make the folder '%s' ($XDG_STATE_HOME)", b.p);
			buf_free(&b);
			return NULL;
		}
		b.p[b.n - 1] = '/';
	}
	buf_printf(&b, "%s.", t->name);
	put_name(&b, queue);
	buf_printf(&b, ".state%c", 0);
	return b.p;
}

int state_of_queue(const struct tool *t, const char *path, char **file, char **owner, struct err *e)
{
	char *shown, *queue = end_queue(t->from, &shown, e);
	if (!queue)
		return -1;
	*file = path ? xstrdup(path) : default_path(t, queue, e);
	struct buf b = {0};
	buf_printf(&b, "%s %s?queue=%s%c", t->name, shown, queue, 0);
	*owner = b.p;
	free(queue);
	free(shown);
	if (*file)
		log_info("what is taken in is kept until the result is out", "state", REDACTED(*file), NULL);
	else
		free(*owner);
	return *file ? 0 : -1;
}

int state_open(const struct tool *t, const char *path, struct checkpoint **checkpoint, struct err *e)
{
	char *file, *owner;
	*checkpoint = NULL;
	if (!t->from || !scheme_is_source(t->from))
		return path ? err_set(e, ERR_USAGE,
				  "--state is for a queue (-i amqp:QUEUE): other inputs can be read again")
			    : 0;
	if (state_of_queue(t, path, &file, &owner, e) < 0)
		return -1;
	*checkpoint = checkpoint_open(file, owner, e);
	free(file);
	free(owner);
	return *checkpoint ? 0 : -1;
}

int state_sync_output(const struct tool *t, struct err *e)
{
	const char *to = t->to;
	struct stat st;
	if (strcmp(to, "-") == 0 || stat(to, &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	int fd = open(to, O_RDONLY | O_CLOEXEC), rc = 0;
	if (fd < 0 || fsync(fd) < 0)
		rc = err_sys(e, "cannot make '%s' safe", to);
	if (fd >= 0)
		close(fd);
	return rc;
}

int state_close(const struct tool *t, struct checkpoint *checkpoint, int status)
{
	struct err e;
	bool done = status == STATUS_OK || status == STATUS_REJECTS || status == STATUS_EMPTY;
	if (checkpoint && done && state_sync_output(t, &e) < 0) {
		status = tool_fail(t, &e);
		done = false;
	}
	checkpoint_close(checkpoint, done);
	return status;
}
