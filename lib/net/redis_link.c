/* redis_link.c - connecting and connecting again, and the meaning of Redis' errors. */
#include "lib/net/redis_link.h"

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/data/cache.h"

enum { CONNECT_MS = 1000, FIRST_PAUSE_MS = 100, LAST_PAUSE_MS = 5000 };

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

/* ---- the connection ---- */

static void disconnect(struct redis_link *l)
{
	redis_wire_close(&l->wire);
	l->open = l->replica = false;
	if (l->given_ms >= l->floor_ms)
		l->floor_ms = l->given_ms + 1;
}

void redis_leave(struct redis_link *l)
{
	disconnect(l);
}

/* The limit that the owner or the address sets; 0: none. */
static int64_t limit_ms(const struct redis_link *l)
{
	return l->address.timeout_ms ? l->address.timeout_ms : l->call_ms;
}

/* Leaves a server that is no longer in charge, with all links of this process. */
static int check_moved(struct redis_link *l, struct err *e)
{
	for (size_t i = 0; l->wire.errors && i < l->wire.nreplies; i++) {
		const struct redis_reply *r = &l->wire.reply[i];
		const struct meaning *m = r->type == REDIS_REPLY_ERROR ? meaning_of(r) : NULL;
		if (!m || !m->moved)
			continue;
		redis_refused(l, r, e);
		if (l->open)
			redis_leave_all();
		disconnect(l);
		return -1;
	}
	return 0;
}

int redis_call(struct redis_link *l, struct arena *mem, struct err *e)
{
	if (l->open)
		l->wire.until_ms = limit_ms(l) ? clock_mono_ms() + limit_ms(l) : 0;
	if (redis_wire_call(&l->wire, mem, e) == 0)
		return check_moved(l, e);
	disconnect(l);
	return -1;
}

static void greet(struct redis_link *l)
{
	const struct redis_address *a = &l->address;
	struct redis_wire *w = &l->wire;
	redis_begin(w);
	if (a->password)
		redis_auth(w, a->user, a->password);
	if (a->db) {
		redis_command(w, 2);
		redis_word(w, STR("SELECT"));
		redis_number(w, (int64_t)a->db);
	}
	redis_command(w, 1);
	redis_word(w, STR("TIME"));
	redis_command(w, 1);
	redis_word(w, STR("INFO"));
	redis_command(w, 2); /* refused by a server that is still loading, or a node of a broken cluster */
	redis_word(w, STR("MGET"));
	redis_word(w, STR(CACHE_MESSAGE));
}

static uint32_t hex_of(struct str s)
{
	uint32_t n = 0;
	for (size_t i = 0; i < REDIS_RUN && i < s.n; i++) {
		char c = s.p[i];
		n = n << 4 | (uint32_t)(c >= '0' && c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
	}
	return n;
}

/* Both change with each start, the second one also when a replica takes over or a primary without replicas forgets what
 * it has sent them. Neither does in a primary that slept while another one stood in for it, and then takes over again
 * before it was made a replica: the Sentinels' epoch tells its entries of before. */
static void take_run(struct redis_link *l, struct str info)
{
	struct str start = info_value(info, "run_id"), history = info_value(info, "master_replid");
	if (start.n < REDIS_RUN)
		snprintf(l->run, sizeof l->run, "-");
	else if (history.n < REDIS_RUN)
		snprintf(l->run, sizeof l->run, "%.*s", REDIS_RUN, start.p);
	else
		snprintf(l->run, sizeof l->run, "%08x",
		    hex_of(start) ^ hex_of(history) ^ (uint32_t)l->at.epoch * 0x9E3779B1U);
}

static void take_info(struct redis_link *l, const struct redis_reply *r)
{
	struct str info = r->type == REDIS_REPLY_STRING ? r->text : STR_NONE;
	buf_clear(&l->info);
	buf_str(&l->info, info);
	take_run(l, info);
	l->replica = str_eq(info_value(info, "role"), STR("slave"));
}

/* A primary that the Sentinels name has to be one; and the run must be known, for a replica that takes over has the
 * entries of its predecessor, but perhaps not all tombstones. */
static int check_primary(const struct redis_link *l, struct err *e)
{
	const struct redis_place *at = &l->at;
	if (!l->sentinels || (!l->replica && strcmp(l->run, "-") != 0))
		return 0;
	if (l->replica)
		return err_set(e, ERR_ENV,
		    "%s: %s:%u is a replica, though the Sentinels name it; is a failover going on?", l->address.shown,
		    at->host, at->port);
	return err_set(e, ERR_ENV, "%s: %s:%u does not let this user call INFO, which Sentinels require",
	    l->address.shown, at->host, at->port);
}

/* Reads the replies to greet: the first error counts, but INFO and MGET may be refused. */
static int greeted(struct redis_link *l, struct err *e)
{
	const struct redis_reply *r = l->wire.reply;
	for (size_t i = 0; i + 3 < l->wire.commands; i++, r++)
		if (r->type == REDIS_REPLY_ERROR)
			return redis_refused(l, r, e);
	int64_t now = reply_time(r), limit = limit_ms(l);
	if (now < 0)
		return redis_refused(l, r, e);
	l->floor_ms = now > l->floor_ms ? now : l->floor_ms;
	take_info(l, reply_next(r));
	if (check_primary(l, e) < 0)
		return -1;
	return limit ? redis_wire_patience(&l->wire, limit, e) : 0;
}

/* What asking the Sentinels may take: half of the limit, if there is one, for the rest is for what follows. */
static int64_t asking_ms(const struct redis_link *l)
{
	return limit_ms(l) ? limit_ms(l) / 2 : CONNECT_MS;
}

/* Where the server is. What is counted of moves must be from before another link can be told of another place. */
static int find(struct redis_link *l, struct err *e)
{
	int64_t now = clock_mono_ms();
	if (l->sentinels)
		return sentinels_ask(l->sentinels, now, now + asking_ms(l), &l->at, &l->moves, e);
	l->moves = redis_moves();
	return 0;
}

/* Finding, connecting and the greeting share a limit, if there is one. */
static int open_link(struct redis_link *l, struct err *e)
{
	struct arena mem = {0};
	int64_t until = limit_ms(l) ? clock_mono_ms() + limit_ms(l) : 0;
	if (find(l, e) < 0 || redis_wire_open(&l->wire, &l->address, &l->at, until, e) < 0)
		return -1;
	greet(l);
	int rc = redis_call(l, &mem, e);
	if (rc == 0 && (rc = greeted(l, e)) < 0)
		disconnect(l);
	redis_wipe(&l->wire);
	arena_free(&mem);
	l->open = rc == 0;
	l->fresh = l->fresh || l->open;
	return rc;
}

int redis_ready(struct redis_link *l, bool force, struct err *e)
{
	if (l->wire.context && l->sentinels)
		sentinels_look(l->sentinels, asking_ms(l));
	/* Notices a server that has stopped or hung up on an idle client, before something is sent and lost. */
	if (l->wire.context && (l->moves != redis_moves() || !redis_wire_is_idle(&l->wire)))
		disconnect(l);
	if (l->wire.context)
		return 0;
	if (!force && trouble_pause(&l->away))
		return err_set(e, ERR_ENV, "%s is unreachable", l->address.shown);
	return open_link(l, e);
}

int redis_confirm(struct redis_link *l, struct err *e)
{
	if (!l->sentinels || sentinels_confirm(l->sentinels, &l->at, asking_ms(l)))
		return 0;
	disconnect(l);
	return err_set(
	    e, ERR_ENV, "%s: the Sentinels do not confirm that this server is still the primary", l->address.shown);
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
	redis_wire_init(&l->wire, l->address.shown);
	if (l->address.primary)
		l->sentinels = sentinels_join(&l->address);
	else if (l->address.nhosts)
		l->at = redis_place_of(l->address.host);
	return 0;
}

void redis_link_free(struct redis_link *l)
{
	if (l->sentinels)
		sentinels_leave(l->sentinels);
	redis_wire_free(&l->wire);
	redis_address_free(&l->address);
	buf_free(&l->info);
}
