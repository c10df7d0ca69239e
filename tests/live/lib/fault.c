/* fault.c - kills the program that it is preloaded into at a named step of its loop: a tool stops where a test wants
 * it, without a line of its own.
 *
 *     LD_PRELOAD=fault.so FAULT=PROGRAM:STEP:N FAULT_MARK=FILE senti-worker ...
 *
 * When PROGRAM comes to STEP the N-th time, STEP is written to FILE, and the program's process group and the
 * senti-worker above it, if there is one, get SIGKILL. The steps, as they show in the calls of the C library and of
 * SQLite:
 *
 *     deliver   a delivery has come from the broker        publish   before a message is sent to it
 *     answer    a result has come out of a command         confirm   its confirm of messages has come
 *     commit    SQLite has committed a transaction         ack       before an acknowledgement is sent
 *                                                          acked     after it was sent
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FDS = 1024, HEAD = 7, METHOD = 4, METHOD_FRAME = 1 };
enum way { IN, OUT, WAYS };

#define BASIC(method) (60u << 16 | (method))
enum { PUBLISH = 40, DELIVER = 60, ACK = 80 };

/* One direction of a connection: how much of a frame has passed. */
struct stream {
	unsigned char head[HEAD + METHOD];
	size_t got, left;
};

static struct {
	bool armed;
	char step[16];
	long n;
	_Atomic long seen;
	const char *mark;
} fault;
static bool is_amqp[FDS];
static struct stream streams[FDS][WAYS];

/* ---- what may have to be done ---- */

__attribute__((constructor)) static void arm(void)
{
	char pid[16], *end;
	if (strcmp(program_invocation_short_name, "senti-worker") == 0) {
		snprintf(pid, sizeof pid, "%d", (int)getpid());
		setenv("FAULT_WORKER", pid, 1);
	}
	const char *said = getenv("FAULT");
	size_t n = strlen(program_invocation_short_name);
	if (!said || strncmp(said, program_invocation_short_name, n) != 0 || said[n] != ':')
		return;
	said += n + 1;
	const char *colon = strchr(said, ':');
	fault.mark = getenv("FAULT_MARK");
	if (!colon || (size_t)(colon - said) >= sizeof fault.step || !fault.mark)
		abort();
	memcpy(fault.step, said, (size_t)(colon - said));
	fault.n = strtol(colon + 1, &end, 10);
	fault.armed = true;
}

static bool due(const char *step)
{
	return fault.armed && strcmp(fault.step, step) == 0 && atomic_fetch_add(&fault.seen, 1) + 1 == fault.n;
}

static void die(void)
{
	int fd = open(fault.mark, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0 || write(fd, fault.step, strlen(fault.step)) < 0)
		abort();
	close(fd);
	const char *worker = getenv("FAULT_WORKER");
	if (worker)
		kill((pid_t)atoi(worker), SIGKILL);
	kill(0, SIGKILL);
	for (;;)
		pause();
}

/* ---- AMQP's frames ---- */

/* Goes on in p until the class and the method of a frame are known: both in one number, and in *start where the frame
 * begins (0: before p). 0 at the end of p. */
static uint32_t next_method(struct stream *s, const unsigned char *p, size_t n, size_t *at, size_t *start)
{
	*start = 0;
	while (*at < n) {
		if (s->got < HEAD || (s->head[0] == METHOD_FRAME && s->got < HEAD + METHOD)) {
			if (s->got == 0)
				*start = *at;
			if (s->got >= HEAD)
				s->left--;
			s->head[s->got++] = p[(*at)++];
			const unsigned char *h = s->head;
			if (s->got == HEAD)
				s->left = ((size_t)h[3] << 24 | (size_t)h[4] << 16 | (size_t)h[5] << 8 | h[6]) + 1;
			if (s->got == HEAD + METHOD)
				return (uint32_t)h[7] << 24 | (uint32_t)h[8] << 16 | (uint32_t)h[9] << 8 | h[10];
			continue;
		}
		size_t k = s->left < n - *at ? s->left : n - *at;
		*at += k;
		s->left -= k;
		if (s->left == 0)
			s->got = 0;
	}
	return 0;
}

static void came_in(int fd, const void *p, ssize_t n)
{
	if (n <= 0 || fd < 0 || fd >= FDS || !is_amqp[fd])
		return;
	size_t at = 0, start;
	for (uint32_t m; (m = next_method(&streams[fd][IN], p, (size_t)n, &at, &start));)
		if ((m == BASIC(DELIVER) && due("deliver")) || (m == BASIC(ACK) && due("confirm")))
			die();
}

/* True: what is sent has to die after it was sent. */
static bool going_out(int fd, const void *p, size_t n, ssize_t (*out)(int, const void *, size_t))
{
	static const char hello[] = "AMQP\0\0\x09\x01";
	bool after = false;
	if (fd < 0 || fd >= FDS)
		return false;
	if (n == sizeof hello - 1 && memcmp(p, hello, n) == 0) {
		is_amqp[fd] = true;
		memset(streams[fd], 0, sizeof streams[fd]);
		return false;
	}
	size_t at = 0, start;
	for (uint32_t m; is_amqp[fd] && (m = next_method(&streams[fd][OUT], p, n, &at, &start));) {
		if ((m == BASIC(PUBLISH) && due("publish")) || (m == BASIC(ACK) && due("ack"))) {
			ssize_t ignored = start ? out(fd, p, start) : 0;
			(void)ignored;
			die();
		}
		after = after || (m == BASIC(ACK) && due("acked"));
	}
	return after;
}

/* ---- the calls ---- */

#define NEXT(name) ((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

static ssize_t plain_write(int fd, const void *p, size_t n)
{
	return NEXT(write)(fd, p, n);
}

/* The whole, so that "after it was sent" is true. */
static ssize_t send_whole(int fd, const void *p, size_t n)
{
	size_t done = 0;
	while (done < n) {
		ssize_t w = NEXT(send)(fd, (const char *)p + done, n - done, MSG_NOSIGNAL);
		if (w < 0 && errno != EAGAIN && errno != EINTR)
			break;
		done += w > 0 ? (size_t)w : 0;
	}
	return (ssize_t)done;
}

ssize_t send(int fd, const void *p, size_t n, int flags)
{
	if (!fault.armed)
		return NEXT(send)(fd, p, n, flags);
	/* What is counted must be sent at once: a short write would be counted twice. */
	bool last = going_out(fd, p, n, send_whole), whole = fd >= 0 && fd < FDS && is_amqp[fd];
	ssize_t w = whole ? send_whole(fd, p, n) : NEXT(send)(fd, p, n, flags);
	if (last)
		die();
	return w;
}

ssize_t write(int fd, const void *p, size_t n)
{
	if (fault.armed && going_out(fd, p, n, plain_write)) {
		plain_write(fd, p, n);
		die();
	}
	return plain_write(fd, p, n);
}

ssize_t recv(int fd, void *p, size_t n, int flags)
{
	ssize_t r = NEXT(recv)(fd, p, n, flags);
	if (fault.armed && !(flags & MSG_PEEK))
		came_in(fd, p, r);
	return r;
}

ssize_t read(int fd, void *p, size_t n)
{
	static const char result[] = "\"sentiment\"";
	ssize_t r = NEXT(read)(fd, p, n);
	if (!fault.armed)
		return r;
	came_in(fd, p, r);
	if (r > 0 && memmem(p, (size_t)r, result, sizeof result - 1) && due("answer"))
		die();
	return r;
}

/* SQLite's, without its header: 101 is SQLITE_DONE. */
struct sqlite3_stmt;
int sqlite3_step(struct sqlite3_stmt *q);
const char *sqlite3_sql(struct sqlite3_stmt *q);

int sqlite3_step(struct sqlite3_stmt *q)
{
	int rc = NEXT(sqlite3_step)(q);
	const char *sql = fault.armed ? NEXT(sqlite3_sql)(q) : NULL;
	if (rc == 101 && sql && strcmp(sql, "COMMIT") == 0 && due("commit"))
		die();
	return rc;
}
