/* progress.c - how far a run has come, on stderr. */
#include "cmd/progress.h"

#include <unistd.h>

#include "lib/base/clock.h"

enum { PROGRESS_TERMINAL_MS = 200, PROGRESS_LINES_MS = 10000, PROGRESS_FIRST_MS = 1000 };

static bool is_due(struct progress *p, int64_t now)
{
	if (p->any && now - p->shown_ms < (p->terminal ? PROGRESS_TERMINAL_MS : PROGRESS_LINES_MS))
		return false;
	p->shown_ms = now;
	p->any = true;
	return true;
}

static void begin(const struct progress *p, struct buf *b)
{
	buf_printf(b, "%s%s: ", p->terminal ? PROGRESS_CLEAR.p : "", p->tool->name);
}

/* Writes and frees the line. */
static void end(const struct progress *p, struct buf *b)
{
	if (!p->terminal)
		buf_char(b, '\n');
	ssize_t ignored = write(STDERR_FILENO, b->p, b->n);
	(void)ignored;
	buf_free(b);
}

void progress_show(void *arg, const struct counts *c)
{
	struct progress *p = arg;
	int64_t now = clock_mono_ms(), spent = now - c->started_ms;
	if (spent < PROGRESS_FIRST_MS || !is_due(p, now))
		return;
	struct buf b = {0};
	uint64_t done = 0, total = 0;
	const struct source *s = p->tool->source;
	if (s->position)
		s->position(s, &done, &total);
	begin(p, &b);
	buf_printf(&b, "%llu records, %.0f/s", (unsigned long long)c->in, (double)c->in * 1000 / (double)spent);
	if (total && done)
		buf_printf(&b, ", %.0f%%, %.0f s left", 100.0 * (double)done / (double)total,
		    (double)spent / 1000 * ((double)total / (double)done - 1));
	if (c->rejected)
		buf_printf(&b, ", %llu rejected", (unsigned long long)c->rejected);
	end(p, &b);
}

void progress_step(void *arg, const char *what, unsigned done, unsigned total)
{
	struct progress *p = arg;
	struct buf b = {0};
	if (!is_due(p, clock_mono_ms()))
		return;
	begin(p, &b);
	buf_printf(&b, "%s, %u of %u", what, done, total);
	end(p, &b);
}

void progress_end(const struct progress *p)
{
	if (p->any && p->terminal) {
		ssize_t ignored = write(STDERR_FILENO, PROGRESS_CLEAR.p, PROGRESS_CLEAR.n);
		(void)ignored;
	}
}
