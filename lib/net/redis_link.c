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
	l->errors = l->errors || t->type == REDIS_REPLY_ERROR;
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

#define A_NODE "it is a node of a cluster; senti needs a single Redis, or a proxy before several"
static const struct meaning {
	const char *code, *meaning;
	bool moved; /* another server is in charge, now or soon */
} meanings[] = {
    {"MOVED", A_NODE, false},
    {"ASK", A_NODE, false},
    {"CROSSSLOT", A_NODE, false},
    {"CLUSTERDOWN", A_NODE, true},
    {"NOAUTH", "it needs a password, in the address or in REDISCLI_AUTH", false},
    {"WRONGPASS", "it refuses this user and password", false},
    {"NOPERM", "its user lacks a permission; senti-cache(1) lists those needed", false},
    {"OOM", "it is full, and its maxmemory-policy evicts nothing; allkeys-lfu does", false},
    {"READONLY", "it is a read-only replica; name the primary", true},
    {"MASTERDOWN", "it is a replica that has lost its primary; name the primary", true},
    {"LOADING", "it is still loading its data", true},
    {"MISCONF", "it refuses to write because it cannot save its data to disk", false},
    {"NOREPLICAS", "it refuses to write because too few replicas follow it", false},
};

/* What an error reply means; NULL if it is not known. A script's error has the failed command's code after some words.
 */
static const struct meaning *meaning_of(const struct redis_reply *r)
{
	for (size_t i = 0; i < COUNT_OF(meanings); i++)
		if (memmem(r->text.p, r->text.n, meanings[i].code, strlen(meanings[i].code)))
			return &meanings[i];
	return NULL;
}

int redis_refused(const struct redis_link *l, const struct redis_reply *r, struct err *e)
{
	if (r->type != REDIS_REPLY_ERROR)
		return err_set(e, ERR_ENV, "%s gives an answer that Redis never gives", l->address.shown);
	const struct meaning *m = meaning_of(r);
	return err_set(e, ERR_ENV, "%s: %s (%.*s)", l->address.shown, m ? m->meaning : "it refuses",
	    (int)(r->text.n > 200 ? 200 : r->text.n), r->text.p);
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

/* How often a server has said that it is no longer in charge: links that connected before connect again. */
static atomic_uint moves;

static void disconnect(struct redis_link *l)
{
	if (l->context)
		redisFree(l->context);
	l->context = NULL;
	l->open = l->replica = false;
	if (l->given_ms >= l->floor_ms)
		l->floor_ms = l->given_ms + 1;
}

static int broken(struct redis_link *l, const char *why, struct err *e)
{
	disconnect(l);
	return err_set(e, ERR_ENV, "%s: %s", l->address.shown, why);
}

void redis_leave(struct redis_link *l)
{
	disconnect(l);
}

void redis_leave_all(void)
{
	atomic_fetch_add(&moves, 1);
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
		else if (l->until_ms && clock_mono_ms() > l->until_ms)
			return broken(l, "no answer in time", e);
		else if (feed(l, e) < 0)
			return -1;
	}
	return 0;
}

/* The limit that the owner or the address sets; 0: none. */
static int64_t limit_ms(const struct redis_link *l)
{
	return l->address.timeout_ms ? l->address.timeout_ms : l->call_ms;
}

/* Leaves a server that is no longer in charge, with all links of this process. */
static int check_moved(struct redis_link *l, struct err *e)
{
	for (size_t i = 0; l->errors && i < l->nreplies; i++) {
		const struct redis_reply *r = &l->reply[i];
		const struct meaning *m = r->type == REDIS_REPLY_ERROR ? meaning_of(r) : NULL;
		if (!m || !m->moved)
			continue;
		redis_refused(l, r, e);
		if (l->open)
			atomic_fetch_add(&moves, 1);
		disconnect(l);
		return -1;
	}
	return 0;
}

int redis_call(struct redis_link *l, struct arena *mem, struct err *e)
{
	l->mem = mem;
	l->nreplies = 0;
	l->errors = false;
	if (l->open)
		l->until_ms = limit_ms(l) ? clock_mono_ms() + limit_ms(l) : 0;
	return send_all(l, e) < 0 || read_replies(l, e) < 0 || check_moved(l, e) < 0 ? -1 : 0;
}

static struct timeval timeval_of(int64_t ms)
{
	return (struct timeval){.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
}

static redisContext *dial(const struct redis_link *l)
{
	const struct redis_address *a = &l->address;
	const struct timeval t = timeval_of(limit_ms(l) ? limit_ms(l) : CONNECT_MS);
	return a->path ? redisConnectUnixWithTimeout(a->path, t) : redisConnectWithTimeout(a->host, a->port, t);
}

/* Connecting and the greeting share a limit, if there is one. */
static int connect_to(struct redis_link *l, struct err *e)
{
	l->moves = atomic_load(&moves);
	l->until_ms = limit_ms(l) ? clock_mono_ms() + limit_ms(l) : 0;
	l->context = dial(l);
	if (!l->context)
		return err_set(e, ERR_ENV, "%s: out of memory", l->address.shown);
	if (l->context->err) {
		err_set(e, ERR_ENV, "cannot connect to %s: %s", l->address.shown, l->context->errstr);
		disconnect(l);
		return -1;
	}
	int64_t left = l->until_ms ? l->until_ms - clock_mono_ms() : CALL_MS;
	if (redisSetTimeout(l->context, timeval_of(left > 0 ? left : 1)) != REDIS_OK ||
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
	redis_command(l, 1);
	redis_word(l, STR("INFO"));
	redis_command(l, 2); /* refused by a server that is still loading, or a node of a broken cluster */
	redis_word(l, STR("MGET"));
	redis_word(l, STR(CACHE_MESSAGE));
}

static void take_info(struct redis_link *l, const struct redis_reply *r)
{
	struct str info = r->type == REDIS_REPLY_STRING ? r->text : STR_NONE, run = info_value(info, "run_id");
	bool known = run.n >= REDIS_RUN;
	buf_clear(&l->info);
	buf_str(&l->info, info);
	snprintf(l->run, sizeof l->run, "%.*s", known ? REDIS_RUN : 1, known ? run.p : "-");
	l->replica = str_eq(info_value(info, "role"), STR("slave"));
}

/* Reads the replies to greet: the first error counts, but INFO and MGET may be refused. */
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
	take_info(l, reply_next(r));
	int64_t limit = limit_ms(l);
	return limit && redisSetTimeout(l->context, timeval_of(limit)) != REDIS_OK ? broken(l, l->context->errstr, e)
										   : 0;
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
	l->open = rc == 0;
	l->fresh = l->fresh || l->open;
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
	if (l->context && (l->moves != atomic_load(&moves) || hung_up(l)))
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
