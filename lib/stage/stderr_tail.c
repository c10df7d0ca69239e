/* stderr_tail.c - a thread between a command's stderr and ours. */
#include "lib/stage/stderr_tail.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "lib/base/event.h"

enum { BLOCK = 16 << 10, LONGEST = 4096 };

static void forget_first(struct stderr_tail *r)
{
	const char *nl = memchr(r->last.p, '\n', r->last.n);
	buf_shift(&r->last, nl ? (size_t)(nl - r->last.p) + 1 : r->last.n);
	r->lines--;
}

static void keep(struct stderr_tail *r, struct str line)
{
	line.n = line.n > STDERR_TAIL_BYTES / 4 ? STDERR_TAIL_BYTES / 4 : line.n;
	buf_str(&r->last, line);
	if (line.p[line.n - 1] != '\n')
		buf_char(&r->last, '\n');
	r->lines++;
	while (r->lines > STDERR_TAIL_LINES || r->last.n > STDERR_TAIL_BYTES)
		forget_first(r);
}

/* Passes on whole lines in one write, so that lines of several writers do not mix. */
static void pass_on(struct stderr_tail *r, bool rest)
{
	size_t at = 0;
	while (at < r->line.n) {
		const char *p = r->line.p + at, *nl = memchr(p, '\n', r->line.n - at);
		size_t n = nl ? (size_t)(nl - p) + 1 : r->line.n - at;
		if (!nl && !rest && n < LONGEST)
			break;
		keep(r, (struct str){p, n});
		at += n;
	}
	ssize_t ignored = at ? write(STDERR_FILENO, r->line.p, at) : 0; /* a closed stderr does not matter */
	(void)ignored;
	buf_shift(&r->line, at);
}

/* False at the end. */
static bool read_some(struct stderr_tail *r)
{
	buf_reserve(&r->line, BLOCK);
	ssize_t n = read(r->fd, r->line.p + r->line.n, BLOCK);
	if (n <= 0)
		return n < 0 && errno == EINTR;
	r->line.n += (size_t)n;
	pass_on(r, false);
	return true;
}

static void *tail_main(void *arg)
{
	struct stderr_tail *r = arg;
	for (bool quit = false; !quit;) {
		struct pollfd f[2] = {{.fd = r->fd, .events = POLLIN}, {.fd = r->quit, .events = POLLIN}};
		if (poll(f, 2, -1) < 0 && errno != EINTR)
			break;
		quit = f[1].revents;
		if (f[0].revents && !read_some(r))
			break;
	}
	while (read_some(r))
		;
	pass_on(r, true);
	return NULL;
}

int stderr_tail_start(struct stderr_tail *r, int fd, struct err *e)
{
	*r = (struct stderr_tail){.fd = fd, .quit = event_open()};
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (r->quit >= 0 && pthread_create(&r->thread, NULL, tail_main, r) == 0)
		return 0;
	if (r->quit >= 0)
		close(r->quit);
	close(fd);
	return err_set(e, ERR_ENV, "cannot start a thread for the messages of the command");
}

void stderr_tail_stop(struct stderr_tail *r)
{
	event_signal(r->quit);
	pthread_join(r->thread, NULL);
	close(r->quit);
	close(r->fd);
}

void stderr_tail_free(struct stderr_tail *r)
{
	buf_free(&r->line);
	buf_free(&r->last);
	*r = (struct stderr_tail){0};
}
