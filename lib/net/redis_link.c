/* redis_link.c - connecting, round trips, and the meaning of Redis' errors.
 *
 * hiredis connects and parses. Our functions for its reader append replies to one flat array and copy strings into the
 * caller's arena, so that a batch of values costs no allocations.
 */
#include "lib/net/redis_link.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/data/cache.h"

enum { CONNECT_MS = 1000, CALL_MS = 3000, FIRST_PAUSE_MS = 100, LAST_PAUSE_MS = 5000, READ_BYTES = 256 << 10 };

/* ---- replies ---- */

static struct redis_reply *add_reply(const redisReadTask *t)
{
	struct redis_link *l = t->privdata;
	l->reply = xgrow(l->reply, l->nreplies, &l->cap, 256, sizeof *l->reply);
	struct redis_reply *r = &l->reply[l->nreplies++];
	*r = (struct redis_reply){.type = t->type};
	return r;
}

/* The reader's object, which only must not be NULL. */
static char object;

static void *create_string(const redisReadTask *t, char *p, size_t n)
{
	struct redis_link *l = t->privdata;
	add_reply(t)->text = json_padded(l->mem, (struct str){p, n});
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

/* ---- errors ---- */

static const struct {
	const char *code, *meaning;
} errors[] = {
    {"MOVED", "it is a node of a cluster; senti needs a single Redis, or a proxy before several"},
    {"ASK", "it is a node of a cluster; senti needs a single Redis, or a proxy before several"},
    {"CROSSSLOT", "it is a node of a cluster; senti needs a single Redis, or a proxy before several"},
    {"CLUSTERDOWN", "it is a node of a cluster; senti needs a single Redis, or a proxy before several"},
    {"NOAUTH", "it needs a password, in the address or in REDISCLI_AUTH"},
    {"WRONGPASS", "it refuses this user and password"},
    {"NOPERM", "its user lacks a permission; senti-cache(1) lists those needed"},
    {"OOM", "it is full, and its maxmemory-policy evicts nothing; allkeys-lfu does"},
    {"READONLY", "it is a read-only replica; name the primary"},
    {"LOADING", "it is still loading its data"},
    {"MISCONF", "it refuses to write because it cannot save its data to disk"},
    {"NOREPLICAS", "it refuses to write because too few replicas follow it"},
};

int redis_refused(const struct redis_link *l, const struct redis_reply *r, struct err *e)
{
	if (r->type != REDIS_REPLY_ERROR)
		return err_set(e, ERR_ENV, "%s gives an answer that Redis never gives", l->address.shown);
	const char *meaning = "it refuses";
	/* A script's error has the failed command's code after some words. */
	for (size_t i = 0; i < COUNT_OF(errors); i++)
		if (memmem(r->text.p, r->text.n, errors[i].code, strlen(errors[i].code))) {
			meaning = errors[i].meaning;
			break;
		}
	return err_set(e, ERR_ENV, "%s: %s (%.*s)", l->address.shown, meaning, (int)(r->text.n > 200 ? 200 : r->text.n),
	    r->text.p);
}

bool trouble_pause(const struct trouble *t)
{
	return t->tries && clock_mono_ms() < t->retry_ms;
}

void trouble_failed(struct trouble *t, struct notice *n, const struct err *e)
{
	t->retry_ms = clock_mono_ms() + backoff_ms(t->tries++, FIRST_PAUSE_MS, LAST_PAUSE_MS);
	if (!t->said && atomic_fetch_add(&n->handles, 1) == 0)
		log_warn(n->gone, "reason", e->msg, NULL);
	t->said = true;
}

void trouble_over(struct trouble *t, struct notice *n, const struct redis_link *l)
{
	if (likely(!t->tries))
		return;
	if (t->said && atomic_fetch_sub(&n->handles, 1) == 1)
		log_warn(n->back, "cache", l->address.shown, NULL);
	*t = (struct trouble){0};
}

void trouble_end(struct trouble *t, struct notice *n)
{
	if (t->said)
		atomic_fetch_sub(&n->handles, 1);
	*t = (struct trouble){0};
}

/* ---- commands ---- */

void redis_begin(struct redis_link *l)
{
	buf_clear(&l->out);
	l->commands = 0;
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

void redis_command(struct redis_link *l, size_t words)
{
	put_head(&l->out, '*', words);
	l->commands++;
}

void redis_word(struct redis_link *l, struct str word)
{
	put_head(&l->out, '$', word.n);
	buf_reserve(&l->out, word.n + 2);
	buf_str(&l->out, word);
	buf_add(&l->out, "\r\n", 2);
}

void redis_number(struct redis_link *l, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)n);
	redis_word(l, (struct str){digits, (size_t)len});
}

/* ---- the connection ---- */

static void disconnect(struct redis_link *l)
{
	if (l->context)
		redisFree(l->context);
	l->context = NULL;
	if (l->given_ms >= l->floor_ms)
		l->floor_ms = l->given_ms + 1;
}

static int broken(struct redis_link *l, const char *why, struct err *e)
{
	disconnect(l);
	return err_set(e, ERR_ENV, "%s: %s", l->address.shown, why);
}

static const char *why_errno(void)
{
	return errno == EAGAIN || errno == EWOULDBLOCK ? "no answer in time" : strerror(errno);
}

static int send_all(struct redis_link *l, struct err *e)
{
	for (size_t done = 0; done < l->out.n;) {
		ssize_t n = send(l->context->fd, l->out.p + done, l->out.n - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return broken(l, why_errno(), e);
		done += (size_t)n;
	}
	return 0;
}

static int feed(struct redis_link *l, struct err *e)
{
	ssize_t n;
	do
		n = recv(l->context->fd, l->in, READ_BYTES, 0);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return broken(l, n < 0 ? why_errno() : "the server closed the connection", e);
	if (redisReaderFeed(l->context->reader, l->in, (size_t)n) != REDIS_OK)
		return broken(l, l->context->reader->errstr, e);
	return 0;
}

static int read_replies(struct redis_link *l, struct err *e)
{
	for (size_t got = 0; got < l->commands;) {
		void *whole = NULL;
		if (redisReaderGetReply(l->context->reader, &whole) != REDIS_OK) {
			err_set(e, ERR_ENV, "%s does not speak Redis' protocol: %s", l->address.shown,
			    l->context->reader->errstr);
			disconnect(l);
			return -1;
		}
		if (whole)
			got++;
		else if (feed(l, e) < 0)
			return -1;
	}
	return 0;
}

int redis_call(struct redis_link *l, struct arena *mem, struct err *e)
{
	l->mem = mem;
	l->nreplies = 0;
	return send_all(l, e) < 0 || read_replies(l, e) < 0 ? -1 : 0;
}

static redisContext *dial(const struct redis_address *a)
{
	const struct timeval t = {.tv_sec = CONNECT_MS / 1000, .tv_usec = CONNECT_MS % 1000 * 1000};
	return a->path ? redisConnectUnixWithTimeout(a->path, t) : redisConnectWithTimeout(a->host, a->port, t);
}

static int connect_to(struct redis_link *l, struct err *e)
{
	const struct timeval t = {.tv_sec = CALL_MS / 1000, .tv_usec = CALL_MS % 1000 * 1000};
	l->context = dial(&l->address);
	if (!l->context)
		return err_set(e, ERR_ENV, "%s: out of memory", l->address.shown);
	if (l->context->err) {
		err_set(e, ERR_ENV, "cannot connect to %s: %s", l->address.shown, l->context->errstr);
		disconnect(l);
		return -1;
	}
	if (redisSetTimeout(l->context, t) != REDIS_OK ||
	    (l->address.host && redisEnableKeepAlive(l->context) != REDIS_OK))
		return broken(l, l->context->errstr, e);
	redisReaderFree(l->context->reader);
	l->context->reader = redisReaderCreateWithFunctions(&functions);
	if (!l->context->reader)
		return broken(l, "out of memory", e);
	l->context->reader->privdata = l;
	return 0;
}

static void greet(struct redis_link *l)
{
	const struct redis_address *a = &l->address;
	redis_begin(l);
	if (a->password) {
		redis_command(l, a->user ? 3 : 2);
		redis_word(l, STR("AUTH"));
		if (a->user)
			redis_word(l, str_of(a->user));
		redis_word(l, str_of(a->password));
	}
	if (a->db) {
		redis_command(l, 2);
		redis_word(l, STR("SELECT"));
		redis_number(l, (int64_t)a->db);
	}
	redis_command(l, 1);
	redis_word(l, STR("TIME"));
	redis_command(l, 2);
	redis_word(l, STR("INFO"));
	redis_word(l, STR("memory"));
	redis_command(l, 2);
	redis_word(l, STR("INFO"));
	redis_word(l, STR("server"));
}

static void take_run(struct redis_link *l, const struct redis_reply *r)
{
	struct str run = r->type == REDIS_REPLY_STRING ? info_value(r->text, "run_id") : STR_NONE;
	bool known = run.n >= REDIS_RUN;
	snprintf(l->run, sizeof l->run, "%.*s", known ? REDIS_RUN : 1, known ? run.p : "-");
}

/* Reads the replies to greet: the first error counts, but INFO may be refused. */
static int greeted(struct redis_link *l, struct err *e)
{
	const struct redis_reply *r = l->reply;
	for (size_t i = 0; i + 3 < l->commands; i++, r++)
		if (r->type == REDIS_REPLY_ERROR)
			return redis_refused(l, r, e);
	int64_t now = reply_time(r);
	if (now < 0)
		return redis_refused(l, r, e);
	l->floor_ms = now > l->floor_ms ? now : l->floor_ms;
	r = reply_next(r);
	buf_clear(&l->info);
	if (r->type == REDIS_REPLY_STRING)
		buf_str(&l->info, r->text);
	take_run(l, reply_next(r));
	return 0;
}

static int open_link(struct redis_link *l, struct err *e)
{
	struct arena mem = {0};
	if (connect_to(l, e) < 0)
		return -1;
	greet(l);
	int rc = redis_call(l, &mem, e);
	if (rc == 0 && (rc = greeted(l, e)) < 0)
		disconnect(l);
	if (l->out.p)
		explicit_bzero(l->out.p, l->out.n); /* it held the password */
	arena_free(&mem);
	l->fresh = l->fresh || rc == 0;
	return rc;
}

/* Notices a server that has stopped or hung up on an idle client, before something is sent and lost. */
static bool hung_up(struct redis_link *l)
{
	char c;
	ssize_t n = recv(l->context->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
	return !(n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR));
}

int redis_ready(struct redis_link *l, bool force, struct err *e)
{
	if (l->context && hung_up(l))
		disconnect(l);
	if (l->context)
		return 0;
	if (!force && trouble_pause(&l->away))
		return err_set(e, ERR_ENV, "%s is unreachable", l->address.shown);
	return open_link(l, e);
}

struct str info_value(struct str info, const char *name)
{
	size_t n = strlen(name);
	if (!info.n)
		return STR_NONE;
	const char *end = info.p + info.n;
	for (const char *p = info.p; p < end;) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		eol = eol ? eol : end;
		if ((size_t)(eol - p) > n && memcmp(p, name, n) == 0 && p[n] == ':') {
			p += n + 1;
			return (struct str){p, (size_t)(eol - p) - (eol > p && eol[-1] == '\r')};
		}
		p = eol + 1;
	}
	return STR_NONE;
}

int redis_link_init(struct redis_link *l, const char *address, struct err *e)
{
	*l = (struct redis_link){0};
	if (redis_address_parse(&l->address, address, e) < 0)
		return -1;
	l->in = xmalloc(READ_BYTES);
	return 0;
}

void redis_link_free(struct redis_link *l)
{
	disconnect(l);
	redis_address_free(&l->address);
	buf_free(&l->out);
	buf_free(&l->info);
	free(l->reply);
	free(l->in);
}
