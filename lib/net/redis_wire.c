/* redis_wire.c - connecting, sending and receiving.
 *
 * hiredis connects and parses. Our functions for its reader append replies to one flat array and copy strings into the
 * caller's arena, so that a batch of values costs no allocations.
 */
#include "lib/net/redis_wire.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/base/clock.h"
#include "lib/json/scan.h"
#include "lib/net/tls.h"

enum { CONNECT_MS = 1000, WAIT_MS = 3000, READ_BYTES = 256 << 10, SEND_BYTES = 256 << 10 };

/* ---- replies ---- */

static struct redis_reply *add_reply(const redisReadTask *t)
{
	struct redis_wire *w = t->privdata;
	w->reply = xgrow(w->reply, w->nreplies, &w->cap, 256, sizeof *w->reply);
	struct redis_reply *r = &w->reply[w->nreplies++];
	*r = (struct redis_reply){.type = t->type};
	w->errors = w->errors || t->type == REDIS_REPLY_ERROR;
	return r;
}

/* The reader's object, which only must not be NULL. */
static char object;

static void *create_string(const redisReadTask *t, char *p, size_t n)
{
	struct redis_wire *w = t->privdata;
	add_reply(t)->text = json_padded(w->mem, (struct str){p, n});
	return &object;
}

static void *create_array(const redisReadTask *t, int n)
{
	add_reply(t)->n = n;
	return &object;
}

static void *create_integer(const redisReadTask *t, long long n)
{
	add_reply(t)->n = n;
	return &object;
}

static void *create_nil(const redisReadTask *t)
{
	add_reply(t)->type = REDIS_REPLY_NIL; /* the task still has the type of a reply that is not nil */
	return &object;
}

static void free_object(void *o)
{
	(void)o;
}

static redisReplyObjectFunctions functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
    .freeObject = free_object,
};

const struct redis_reply *reply_next(const struct redis_reply *r)
{
	int64_t below = r->type == REDIS_REPLY_ARRAY ? r->n : 0;
	for (r++; below > 0; below--)
		r = reply_next(r);
	return r;
}

int64_t reply_time(const struct redis_reply *r)
{
	static const uint64_t most_s = INT64_MAX / 1000 - 1, most_us = 999999;
	uint64_t s, us;
	if (r->type != REDIS_REPLY_ARRAY || r->n != 2 || str_u64(r[1].text, &s) < 0 || str_u64(r[2].text, &us) < 0)
		return -1;
	if (s > most_s || us > most_us)
		return -1;
	return (int64_t)(s * 1000 + us / 1000);
}

/* ---- commands ---- */

void redis_begin(struct redis_wire *w)
{
	buf_clear(&w->out);
	w->commands = 0;
}

static char *put_digits(char *end, uint64_t n)
{
	do
		*--end = (char)('0' + n % 10);
	while (n /= 10);
	return end;
}

static void put_head(struct buf *b, char type, uint64_t n)
{
	char digits[24], *end = digits + sizeof digits - 2, *p = put_digits(end, n);
	end[0] = '\r';
	end[1] = '\n';
	*--p = type;
	buf_add(b, p, (size_t)(end + 2 - p));
}

void redis_command(struct redis_wire *w, size_t words)
{
	put_head(&w->out, '*', words);
	w->commands++;
}

void redis_word(struct redis_wire *w, struct str word)
{
	put_head(&w->out, '$', word.n);
	buf_reserve(&w->out, word.n + 2);
	buf_str(&w->out, word);
	buf_add(&w->out, "\r\n", 2);
}

void redis_number(struct redis_wire *w, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
	redis_word(w, (struct str){digits, (size_t)len});
}

void redis_auth(struct redis_wire *w, const char *user, const char *password)
{
	redis_command(w, user ? 3 : 2);
	redis_word(w, STR("AUTH"));
	if (user)
		redis_word(w, str_of(user));
	redis_word(w, str_of(password));
}

void redis_wipe(struct redis_wire *w)
{
	if (w->out.p)
		explicit_bzero(w->out.p, w->out.n);
}

/* ---- the connection ---- */

struct redis_place redis_place_of(const struct redis_host *h)
{
	struct redis_place p = {.port = h->port};
	snprintf(p.host, sizeof p.host, "%s", h->name);
	return p;
}

void redis_wire_close(struct redis_wire *w)
{
	tls_free(w->tls);
	if (w->context)
		redisFree(w->context);
	w->tls = NULL;
	w->context = NULL;
}

/* `why` may be the connection's own. */
static int broken(struct redis_wire *w, const char *why, struct err *e)
{
	err_set(e, ERR_ENV, "%s: %s", w->shown, why);
	redis_wire_close(w);
	return -1;
}

static const char *why_errno(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? "no answer in time" : strerror(errno);
}

static void set_limit(struct redis_wire *w)
{
	tls_until(w->tls, w->until_ms ? w->until_ms : clock_mono_ms() + WAIT_MS);
}

/* In pieces: without a limit of the call, each has its own, so that a slow connection may take longer in all. */
static int send_by_tls(struct redis_wire *w, struct err *e)
{
	for (size_t done = 0; done < w->out.n;) {
		size_t n = w->out.n - done < SEND_BYTES ? w->out.n - done : SEND_BYTES;
		set_limit(w);
		if (tls_send(w->tls, w->out.p + done, n) < 0)
			return broken(w, tls_why(w->tls), e);
		done += n;
	}
	return 0;
}

static int send_all(struct redis_wire *w, struct err *e)
{
	for (size_t done = 0; done < w->out.n;) {
		ssize_t n = send(w->context->fd, w->out.p + done, w->out.n - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return broken(w, why_errno(), e);
		done += (size_t)n;
	}
	return 0;
}

static ssize_t receive(struct redis_wire *w)
{
	ssize_t n;
	if (w->tls) {
		set_limit(w);
		return tls_recv(w->tls, w->in, READ_BYTES);
	}
	do
		n = recv(w->context->fd, w->in, READ_BYTES, 0);
	while (n < 0 && errno == EINTR);
	return n;
}

static int feed(struct redis_wire *w, struct err *e)
{
	ssize_t n = receive(w);
	if (n == 0)
		return broken(w, "the server closed the connection", e);
	if (n < 0)
		return broken(w, w->tls ? tls_why(w->tls) : why_errno(), e);
	if (redisReaderFeed(w->context->reader, w->in, (size_t)n) != REDIS_OK)
		return broken(w, w->context->reader->errstr, e);
	return 0;
}

static int read_replies(struct redis_wire *w, struct err *e)
{
	for (size_t got = 0; got < w->commands;) {
		void *whole = NULL;
		if (redisReaderGetReply(w->context->reader, &whole) != REDIS_OK) {
			err_set(
			    e, ERR_ENV, "%s does not speak Redis' protocol: %s", w->shown, w->context->reader->errstr);
			redis_wire_close(w);
			return -1;
		}
		if (whole)
			got++;
		else if (w->until_ms && clock_mono_ms() > w->until_ms)
			return broken(w, "no answer in time", e);
		else if (feed(w, e) < 0)
			return -1;
	}
	return 0;
}

int redis_wire_call(struct redis_wire *w, struct arena *mem, struct err *e)
{
	w->mem = mem;
	w->nreplies = 0;
	w->errors = false;
	return (w->tls ? send_by_tls(w, e) : send_all(w, e)) < 0 ? -1 : read_replies(w, e);
}

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

int redis_wire_patience(struct redis_wire *w, int64_t ms, struct err *e)
{
	return redisSetTimeout(w->context, timeval_of(ms > 0 ? ms : 1)) == REDIS_OK ? 0
										    : broken(w, w->context->errstr, e);
}

/* How long is left until the limit; otherwise_ms if there is none. */
static int64_t left(const struct redis_wire *w, int64_t otherwise_ms)
{
	int64_t ms = w->until_ms ? w->until_ms - clock_mono_ms() : otherwise_ms;
	return ms > 0 ? ms : 1;
}

static int dial(struct redis_wire *w, const struct redis_address *a, const struct redis_place *at, struct err *e)
{
	const struct timeval t = timeval_of(left(w, CONNECT_MS));
	w->context = a->path ? redisConnectUnixWithTimeout(a->path, t) : redisConnectWithTimeout(at->host, at->port, t);
	if (!w->context)
		return err_set(e, ERR_ENV, "%s: out of memory", w->shown);
	if (!w->context->err)
		return 0;
	err_set(e, ERR_ENV, "cannot connect to %s: %s", w->shown, w->context->errstr);
	redis_wire_close(w);
	return -1;
}

static int start_tls(struct redis_wire *w, const struct redis_address *a, const struct redis_place *at, struct err *e)
{
	const struct tls_files files = {a->cacert, a->cert, a->certkey};
	struct err why;
	w->tls = tls_connect(w->context->fd, at->host, &files, clock_mono_ms() + left(w, WAIT_MS), &why);
	if (w->tls)
		return 0;
	err_set(e, ERR_ENV, "cannot connect to %s: %s", w->shown, why.msg);
	redis_wire_close(w);
	return -1;
}

int redis_wire_open(
    struct redis_wire *w, const struct redis_address *a, const struct redis_place *at, int64_t until_ms, struct err *e)
{
	w->until_ms = until_ms;
	if (dial(w, a, at, e) < 0 || redis_wire_patience(w, left(w, WAIT_MS), e) < 0)
		return -1;
	if (!a->path && redisEnableKeepAlive(w->context) != REDIS_OK)
		return broken(w, w->context->errstr, e);
	if (a->tls && start_tls(w, a, at, e) < 0)
		return -1;
	redisReaderFree(w->context->reader);
	w->context->reader = redisReaderCreateWithFunctions(&functions);
	if (!w->context->reader)
		return broken(w, "out of memory", e);
	w->context->reader->privdata = w;
	return 0;
}

bool redis_wire_is_idle(struct redis_wire *w)
{
	char c;
	if (w->tls)
		return tls_is_idle(w->tls);
	ssize_t n = recv(w->context->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
}

void redis_wire_init(struct redis_wire *w, const char *shown)
{
	*w = (struct redis_wire){.shown = shown, .in = xmalloc(READ_BYTES)};
}

void redis_wire_free(struct redis_wire *w)
{
	redis_wire_close(w);
	buf_free(&w->out);
	free(w->reply);
	free(w->in);
}
