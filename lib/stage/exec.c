/* exec.c - a batch through a command, whatever the command does.
 *
 * A batch is tried whole; after a failure the open records are tried one by one, in rounds, so that one that kills the
 * command holds up no other. Each try is one conversation: feed, and poll stdin, stdout, the socket and the command's
 * end until all that was fed is settled. No descriptor blocks, so the command's buffering cannot cause a deadlock.
 */
#include "lib/stage/exec.h"

#include <errno.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/io.h"
#include "lib/base/log.h"
#include "lib/stage/child.h"
#include "lib/stage/inflight.h"
#include "lib/stage/reject_socket.h"

/* UNASKED: most reads of output between two batches. */
enum {
	UNASKED = 1000,
	BLOCK = 256 << 10,
	GRACE_MS = 1000,
	TRIES = 3,
	BACKOFF_MS = 20,
	BACKOFF_MOST_MS = 30000,
	END_MS = 5000
};
/* How much longer than its record an answer may be: times and bytes. */
enum { ANSWER_TIMES = 16, ANSWER_MORE = 1 << 20 };

extern char **environ;

/* How a conversation ended. */
enum outcome {
	SETTLED,
	DIED,	   /* it ended by itself */
	HUNG,	   /* no answer in time, and it had to be killed */
	SWALLOWED, /* no answer in time; it then ended at the end of its input, as a filter does */
	STRAYED,   /* its output answers nothing */
	FAILED,	   /* *e says why */
};

struct exec {
	const struct exec_conf *conf;
	struct child child;
	bool running;
	bool fresh; /* it has settled nothing yet */
	struct reject_socket rejects;
	char **envp;
	char *reject; /* the variable in envp */
	struct inflight inflight;
	struct buf feed, got;
	size_t fed; /* bytes of feed written */

	bool progress;	       /* something was settled since this was last cleared */
	bool answered;	       /* the same, since the first failure of the batch */
	unsigned fails;	       /* in a row, without progress, since the last dead letter */
	unsigned dead_letters; /* records in a row, without progress */
	char stray[128];
	int status; /* of the last command that ended */
	uint64_t restarts, duplicates;
	bool said_duplicate, said_late;
};

/* When any context first saw a stop; 0: not yet. */
static atomic_llong stop_seen;

static int64_t give_up_at(const struct exec *x)
{
	if (!stop_raised(x->conf->stop))
		return INT64_MAX;
	long long none = 0, now = clock_mono_ms();
	atomic_compare_exchange_strong(&stop_seen, &none, now);
	int64_t margin = x->conf->drain_ms > 4 * GRACE_MS ? 2 * GRACE_MS : x->conf->drain_ms / 2;
	return atomic_load(&stop_seen) + x->conf->drain_ms - margin;
}

/* ---- the command's output ---- */

static void note_progress(struct exec *x)
{
	x->progress = x->answered = true;
	x->fails = x->dead_letters = 0;
}

static void take_reject(void *arg, struct str line)
{
	struct exec *x = arg;
	if (inflight_reject(&x->inflight, line))
		note_progress(x);
	else
		log_info("a reject belongs to no record in flight", NULL);
}

static void take_rejects(struct exec *x)
{
	reject_socket_drain(&x->rejects, take_reject, x);
}

/* False if it is a stray. */
static bool take_answer(struct exec *x, struct str line)
{
	enum answer a = inflight_answer(&x->inflight, line, false);
	if (a == ANSWER_UNSURE) {
		take_rejects(x);
		a = inflight_answer(&x->inflight, line, true);
	}
	if (a == ANSWER_TAKEN)
		note_progress(x);
	if (a == ANSWER_DUPLICATE) {
		x->duplicates++;
		if (!x->said_duplicate)
			log_warn(
			    "the command answers a record more than once, or too late; only the first answer counts",
			    NULL);
		x->said_duplicate = true;
	}
	if (a == ANSWER_STRAY)
		snprintf(x->stray, sizeof x->stray, "%.*s", (int)(line.n > 100 ? 100 : line.n), line.p);
	return a != ANSWER_STRAY;
}

static bool take_answers(struct exec *x)
{
	size_t at = 0;
	bool ok = true;
	for (const char *nl; ok && (nl = memchr(x->got.p + at, '\n', x->got.n - at));
	     at = (size_t)(nl - x->got.p) + 1) {
		struct str line = {x->got.p + at, (size_t)(nl - x->got.p) - at};
		line.n -= line.n && line.p[line.n - 1] == '\r';
		ok = line.n == 0 || take_answer(x, line);
	}
	buf_shift(&x->got, at);
	if (ok && x->got.n > x->conf->max_record * ANSWER_TIMES + ANSWER_MORE) {
		snprintf(x->stray, sizeof x->stray, "a line of over %zu bytes", x->got.n);
		ok = false;
	}
	return ok;
}

enum heard { HEARD_SOME, HEARD_NOTHING, HEARD_END, HEARD_STRAY };

static enum heard read_answers(struct exec *x)
{
	buf_reserve(&x->got, BLOCK + JSON_PAD);
	ssize_t r = read(x->child.out, x->got.p + x->got.n, BLOCK);
	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return HEARD_NOTHING;
	if (r <= 0)
		return HEARD_END;
	x->got.n += (size_t)r;
	return take_answers(x) ? HEARD_SOME : HEARD_STRAY;
}

/* ---- starting and ending it ---- */

/* Ends the command, after taking in its output if `listen`. */
static void end_child(struct exec *x, int64_t wait_ms, bool listen)
{
	if (wait_ms == 0)
		child_kill(&x->child);
	else
		child_close_in(&x->child);
	int64_t until = clock_mono_ms() + (wait_ms ? wait_ms : GRACE_MS);
	while (listen) {
		struct pollfd f = {.fd = x->child.out, .events = POLLIN};
		int64_t left = until - clock_mono_ms();
		if (left <= 0 || poll(&f, 1, (int)left) == 0)
			break;
		enum heard h = read_answers(x);
		while (h == HEARD_STRAY && !take_answers(x))
			;
		listen = h != HEARD_END;
	}
	int64_t left = until - clock_mono_ms();
	x->status = child_end(&x->child, left > 0 ? left : 0);
	take_rejects(x);
	reject_socket_cut(&x->rejects);
	x->running = false;
	buf_clear(&x->got);
	buf_clear(&x->feed);
	x->fed = 0;
}

static int start_child(struct exec *x, struct err *e)
{
	child_forget(&x->child);
	if (child_start(&x->child, x->conf->argv, x->envp, e) < 0)
		return -1;
	x->running = x->fresh = true;
	return 0;
}

/* Waits after failures; a stop ends the wait. */
static void back_off(const struct exec *x)
{
	if (!x->fails)
		return;
	io_wait_readable(
	    -1, -1, clock_mono_ms() + backoff_ms(x->fails - 1, BACKOFF_MS, BACKOFF_MOST_MS), x->conf->stop);
}

/* Makes sure that a command runs, without unasked-for output. */
static int ready_child(struct exec *x, struct err *e)
{
	for (unsigned reads = 0; x->running; reads++) {
		enum heard h = read_answers(x);
		if (h == HEARD_NOTHING)
			return 0;
		if (h == HEARD_SOME && reads < UNASKED)
			continue;
		if (h == HEARD_STRAY)
			log_warn(
			    "the command wrote a line that answers no record, restarting it", "line", x->stray, NULL);
		end_child(x, h == HEARD_END ? GRACE_MS : 0, false);
		x->restarts++;
	}
	back_off(x);
	return start_child(x, e);
}

/* ---- a conversation ---- */

static bool write_feed(struct exec *x)
{
	while (x->fed < x->feed.n) {
		ssize_t w = write(x->child.in, x->feed.p + x->fed, x->feed.n - x->fed);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return errno == EAGAIN;
		x->fed += (size_t)w;
	}
	return true;
}

struct session {
	int64_t deadline;
	bool closing; /* the time for an answer is over, and its input closed */
	bool leaving; /* it has ended, or takes no more input */
};

/* Polls once and takes in what there is. True when over, with *out. */
static bool session_once(struct exec *x, struct session *t, enum outcome *out)
{
	struct child *c = &x->child;
	const struct stop *stop = x->conf->stop;
	struct pollfd f[4 + REJECT_SENDERS] = {
	    {.fd = c->out, .events = POLLIN},
	    {.fd = x->fed < x->feed.n ? c->in : -1, .events = POLLOUT},
	    {.fd = t->leaving ? -1 : c->pidfd, .events = POLLIN},
	    {.fd = stop_raised(stop) ? -1 : stop_fd(stop), .events = POLLIN},
	};
	size_t n = 4 + reject_socket_watch(&x->rejects, f + 4);
	int64_t until = t->deadline < give_up_at(x) ? t->deadline : give_up_at(x), left = until - clock_mono_ms();
	int got = poll(f, n, left < 0 ? 0 : left > 1 << 30 ? 1 << 30 : (int)left);
	for (size_t i = 4; i < n; i++)
		if (f[i].revents) {
			take_rejects(x);
			break;
		}
	enum heard h = f[0].revents ? read_answers(x) : HEARD_NOTHING;
	if (h == HEARD_STRAY || h == HEARD_END) {
		*out = h == HEARD_STRAY ? STRAYED : DIED;
		return true;
	}
	if (f[1].revents && !write_feed(x))
		child_close_in(c);
	/* Still read what it has written and its group will write. */
	if (!t->leaving && (f[2].revents || c->in < 0) && !t->closing) {
		t->leaving = true;
		t->deadline = clock_mono_ms() + GRACE_MS;
	}
	*out = HUNG;
	return got == 0 && left <= 0;
}

static enum outcome session_run(struct exec *x, struct err *e)
{
	struct session t = {.deadline = clock_mono_ms() + x->conf->timeout_ms};
	enum outcome out = SETTLED;
	x->progress = false;
	if (!write_feed(x))
		child_close_in(&x->child);
	while (x->inflight.open) {
		bool over = session_once(x, &t, &out);
		if (x->progress && !t.closing)
			t.deadline = clock_mono_ms() + (t.leaving ? GRACE_MS : x->conf->timeout_ms);
		x->progress = false;
		if (!x->inflight.open)
			break;
		if (!over)
			continue;
		if (out == HUNG && clock_mono_ms() >= give_up_at(x)) {
			err_set(e, ERR_ENV,
			    "the command did not answer all records within the time to drain; those stay with their "
			    "source");
			end_child(x, 0, false);
			return FAILED;
		}
		if (out == HUNG && t.leaving)
			out = DIED;
		if (out != HUNG || t.closing)
			break;
		/* A command that buffers its output will answer now. */
		child_close_in(&x->child);
		t.closing = true;
		t.deadline = clock_mono_ms() + GRACE_MS;
	}
	if (t.closing && out == DIED)
		out = SWALLOWED;
	x->fresh = false;
	if (!x->inflight.open && !t.closing && !t.leaving)
		return SETTLED;
	end_child(x, x->inflight.open && (out == STRAYED || out == HUNG) ? 0 : GRACE_MS, true);
	x->restarts++;
	if (out == SWALLOWED && !(WIFEXITED(x->status) && WEXITSTATUS(x->status) <= STATUS_REJECTS))
		out = DIED;
	if (x->inflight.open)
		return out;
	if (t.closing && !x->said_late)
		log_warn("the command answers only at the end of its input: make it flush each line", NULL);
	x->said_late |= t.closing;
	return SETTLED;
}

/* ---- a batch ---- */

static const char *spell(enum outcome out)
{
	switch (out) {
	case DIED:
		return "died";
	case HUNG:
		return "gave no answer in time and was killed";
	case SWALLOWED:
		return "gave no answer in time";
	case STRAYED:
		return "wrote a line that answers no record";
	case SETTLED:
	case FAILED:
		break;
	}
	return "failed";
}

static void spell_status(const struct exec *x, enum outcome out, char *text, size_t size)
{
	size_t n = child_spell_status(x->status, text, size);
	if (out == STRAYED)
		snprintf(text + n, size - n, ", having written '%s'", x->stray);
}

/* -1 with *e after too many failures. */
static int check_failures(const struct exec *x, enum outcome out, bool environment, struct err *e)
{
	unsigned n = x->dead_letters > x->fails ? x->dead_letters : x->fails;
	if (n < x->conf->give_up || (x->answered && !environment))
		return 0;
	char status[256];
	spell_status(x, out, status, sizeof status);
	return err_set(e, ERR_ENV, "the command '%s' failed %s%u %s without an answer; at last it %s, with %s",
	    x->conf->argv[0], n > x->fails ? "with " : "", n, n > x->fails ? "records in a row" : "times", spell(out),
	    status);
}

static void note_failure(struct exec *x, enum outcome out)
{
	char status[256];
	spell_status(x, out, status, sizeof status);
	x->fails++;
	log_warn("the command is restarted", "because it", spell(out), "with", status, NULL);
	inflight_recall(&x->inflight);
}

static void dead_letter(struct exec *x, size_t i, enum outcome out)
{
	struct arena *mem = &x->inflight.b->mem;
	char status[256];
	spell_status(x, out, status, sizeof status);
	struct rec_cause *cause = arena_alloc(mem, sizeof *cause);
	*cause =
	    (struct rec_cause){.status = WIFEXITED(x->status) ? arena_printf(mem, "%d", WEXITSTATUS(x->status))
							      : arena_printf(mem, "signal %d", WTERMSIG(x->status)),
		.words = arena_str(mem, buf_view(&x->child.tail.last))};
	unsigned tries = x->inflight.pending[i].tries;
	if (out == SWALLOWED || out == HUNG)
		inflight_dead_letter(&x->inflight, i, CODE_LOST_BY_PIPELINE, cause,
		    "the command neither answered nor rejected the record within %lld ms, with no other record in "
		    "flight",
		    (long long)x->conf->timeout_ms);
	else
		inflight_dead_letter(&x->inflight, i, CODE_COMMAND_FAILED, cause,
		    "the command %s %u times with no other record in flight: %s", spell(out), tries, status);
}

/* Feeds the waiting records, or only record `only` if that is in the batch. */
static size_t feed(struct exec *x, size_t only)
{
	size_t n = x->inflight.b->n, from = only < n ? only : 0, to = only < n ? only + 1 : n, count = 0;
	buf_clear(&x->feed);
	x->fed = 0;
	for (size_t i = from; i < to; i++)
		if (x->inflight.pending[i].state == PENDING_WAITING) {
			inflight_feed(&x->inflight, i, &x->feed);
			count++;
		}
	return count;
}

/* True if the status does not blame the record: the environment failed (as in our tools), or a shell could not run a
 * command. */
static bool blames_nobody(const struct exec *x, enum outcome out)
{
	int status = out == DIED && WIFEXITED(x->status) ? WEXITSTATUS(x->status) : -1;
	return status == STATUS_ENVIRONMENT || status == 126 || status == 127;
}

/* Tries one record alone. A command that worked before may have been about to end: only the failure of one started for
 * this record counts. */
static int try_alone(struct exec *x, size_t i, struct err *e)
{
	struct pending *pending = &x->inflight.pending[i];
	for (bool fresh = false; !fresh;) {
		if (ready_child(x, e) < 0)
			return -1;
		fresh = x->fresh;
		feed(x, i);
		enum outcome out = session_run(x, e);
		if (out == SETTLED || out == FAILED)
			return out == SETTLED ? 0 : -1;
		note_failure(x, out);
		bool nobody = blames_nobody(x, out);
		fresh = fresh || out == HUNG || out == SWALLOWED;
		pending->tries += fresh && !nobody;
		if (out == SWALLOWED || pending->tries >= TRIES) {
			dead_letter(x, i, out);
			x->dead_letters++;
			x->fails = 0;
		}
		if (check_failures(x, out, nobody, e) < 0)
			return -1;
	}
	return 0;
}

static int try_each(struct exec *x, struct err *e)
{
	for (bool any = true; any;) {
		any = false;
		for (size_t i = 0; i < x->inflight.b->n; i++) {
			if (x->inflight.pending[i].state != PENDING_WAITING)
				continue;
			if (try_alone(x, i, e) < 0)
				return -1;
			any = true;
		}
	}
	return 0;
}

static size_t count_waiting(const struct inflight *f)
{
	size_t n = 0;
	for (size_t i = 0; i < f->b->n; i++)
		n += f->pending[i].state == PENDING_WAITING;
	return n;
}

static int try_all(struct exec *x, struct err *e)
{
	if (count_waiting(&x->inflight) < 2)
		return try_each(x, e);
	if (ready_child(x, e) < 0)
		return -1;
	feed(x, SIZE_MAX);
	enum outcome out = session_run(x, e);
	x->answered = false;
	if (out == SETTLED)
		return 0;
	if (out == FAILED)
		return -1;
	note_failure(x, out);
	return try_each(x, e);
}

static int exec_run(void *ctx, struct batch *b, struct err *e)
{
	struct exec *x = ctx;
	x->answered = false;
	x->restarts = x->duplicates = 0;
	inflight_begin(&x->inflight, b);
	int rc = try_all(x, e);
	inflight_finish(&x->inflight);
	b->counter[COUNTER_RESTARTS] += x->restarts;
	b->counter[COUNTER_DUPLICATES] += x->duplicates;
	return rc;
}

/* ---- contexts ---- */

static void make_environment(struct exec *x)
{
	size_t n = 0, k = 0;
	while (environ[n])
		n++;
	x->envp = xcalloc(n + 2, sizeof *x->envp);
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "SENTI_REJECT=", 13) != 0)
			x->envp[k++] = environ[i];
	struct buf b = {0};
	buf_printf(&b, "SENTI_REJECT=%s%c", x->rejects.path, 0);
	x->reject = x->envp[k] = b.p;
}

static void *exec_open(const void *conf, struct err *e)
{
	static atomic_uint count;
	struct exec *x = xcalloc(1, sizeof *x);
	struct buf path = {0};
	x->conf = conf;
	buf_printf(&path, "%s/%u%c", x->conf->folder, atomic_fetch_add(&count, 1), 0);
	int rc = reject_socket_open(&x->rejects, path.p, e);
	buf_free(&path);
	if (rc < 0) {
		free(x);
		return NULL;
	}
	inflight_init(&x->inflight);
	make_environment(x);
	return x;
}

static void exec_close(void *ctx)
{
	struct exec *x = ctx;
	if (x->running) {
		int64_t left = give_up_at(x) == INT64_MAX ? x->conf->drain_ms : give_up_at(x) - clock_mono_ms();
		end_child(x,
		    left < GRACE_MS				  ? GRACE_MS
		    : left > END_MS && stop_raised(x->conf->stop) ? END_MS
								  : left,
		    true);
		log_info("the command has ended", NULL);
	}
	child_forget(&x->child);
	reject_socket_close(&x->rejects);
	inflight_free(&x->inflight);
	buf_free(&x->feed);
	buf_free(&x->got);
	free(x->reject);
	free(x->envp);
	free(x);
}

const struct stage stage_exec = {
    .name = "exec", .pure = true, .waits = true, .open = exec_open, .run = exec_run, .close = exec_close};

int exec_conf_open(struct exec_conf *c, struct err *e)
{
	if (child_find(c->argv[0], e) < 0)
		return -1;
	const char *tmp = env_get("TMPDIR");
	struct buf b = {0};
	buf_printf(&b, "%s/senti-worker.XXXXXX%c", tmp ? tmp : "/tmp", 0);
	if (!mkdtemp(b.p)) { /* mode 0700 */
		err_sys(e, "cannot make a private folder in '%s' (TMPDIR)", tmp ? tmp : "/tmp");
		buf_free(&b);
		return -1;
	}
	c->folder = b.p;
	return 0;
}

void exec_conf_close(struct exec_conf *c)
{
	if (c->folder && rmdir(c->folder) < 0)
		log_debug("cannot remove a folder", "path", c->folder, NULL);
	free(c->folder);
	c->folder = NULL;
}
