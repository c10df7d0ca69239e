/* pg_outbox.c - readers of the outbox, waiting for changes, and trimming.
 *
 * A transaction can commit after one that began later and took higher numbers, so a number is not a cursor. A snapshot
 * is: it says of each transaction whether it was visible (xmin:xmax:those between that were still running). A reader
 * has one, `base`, and has handled all that it shows. New are the entries that a later snapshot, `target`, shows beyond
 * it:
 *
 *     of transactions that were running in base       a few look-ups by xid
 *     of transactions from base's xmax on             a range of the index
 *
 * in the order of (xid, seq). A page without all of them is remembered as a place between the two; once all are
 * handled, target becomes base. So every entry is given as soon as it is visible, and none twice.
 *
 * xids grow within one cluster. In a database restored into another cluster they may start lower; then all readers get
 * its entries again.
 */
#include "lib/net/pg_db.h"

#include <poll.h>

#include "lib/base/clock.h"

enum {
	LOOK_MS = 50,	     /* how often a waiting reader looks through a pooler, where nobody wakes it */
	PRUNE_CHUNK = 10000, /* entries deleted in one transaction */
};

static struct pg *pg_of(struct outbox *outbox)
{
	return (struct pg *)((char *)outbox - offsetof(struct pg, outbox));
}

/* ---- pages ---- */

static struct pg_page *page_of(struct pg *s, const char *reader)
{
	struct pg_page *p = s->pages;
	while (p && strcmp(p->reader, reader) != 0)
		p = p->next;
	if (p)
		return p;
	p = xcalloc(1, sizeof *p);
	p->reader = xstrdup(reader);
	p->next = s->pages;
	s->pages = p;
	return p;
}

void pg_pages_free(struct pg *s)
{
	for (struct pg_page *p = s->pages, *next; p; p = next) {
		next = p->next;
		free(p->reader);
		free(p->base);
		free(p->target);
		free(p);
	}
}

/* ---- changes ---- */

struct found_changes {
	const char *reader;
	struct change *out;
	size_t n, max;
	struct arena *mem;
};

/* Both statements see the same snapshot. */
#define READER                                                                                                         \
	"SELECT base::text, coalesce(target, pg_current_snapshot())::text, target IS NOT NULL,"                        \
	" alive_at < now() - interval '1 minute', pg_snapshot_xmax(coalesce(target, base)) > "                         \
	"pg_snapshot_xmax(pg_current_snapshot())"                                                                      \
	" FROM senti.reader WHERE name = $1"
#define NEWS                                                                                                           \
	"WITH r AS MATERIALIZED (SELECT base, coalesce(target, pg_current_snapshot()) AS target,"                      \
	" coalesce(at_xid, '0') AS xid, coalesce(at_seq, 0) AS seq FROM senti.reader WHERE name = $1)"                 \
	" SELECT o.seq, o.xid, o.version, o.id, o.op FROM r CROSS JOIN LATERAL ("                                      \
	"(SELECT o.* FROM pg_snapshot_xip(r.base) AS late (xid) JOIN senti.outbox o ON o.xid = late.xid"               \
	" WHERE pg_visible_in_snapshot(o.xid, r.target) AND (o.xid, o.seq) > (r.xid, r.seq)"                           \
	" ORDER BY o.xid, o.seq LIMIT $2)"                                                                             \
	" UNION ALL "                                                                                                  \
	"(SELECT o.* FROM senti.outbox o WHERE o.xid >= pg_snapshot_xmax(r.base) AND o.xid < "                         \
	"pg_snapshot_xmax(r.target)"                                                                                   \
	" AND pg_visible_in_snapshot(o.xid, r.target) AND (o.xid, o.seq) > (r.xid, r.seq)"                             \
	" ORDER BY o.xid, o.seq LIMIT $2)) AS o ORDER BY o.xid, o.seq LIMIT $2"

static void take_changes(struct found_changes *c, const PGresult *r)
{
	c->n = (size_t)PQntuples(r);
	for (int row = 0; row < PQntuples(r); row++) {
		struct change *out = &c->out[row];
		out->seq = (uint64_t)pg_i64(r, row, 0);
		out->xid = (uint64_t)pg_i64(r, row, 1);
		out->version = (uint64_t)pg_i64(r, row, 2);
		out->id = arena_str(c->mem, pg_str(r, row, 3));
		out->op = change_op_parse(pg_str(r, row, 4));
	}
}

/* What `seen` needs to know. */
static void note_page(struct pg *s, const struct found_changes *c, struct str base, struct str target)
{
	struct pg_page *p = page_of(s, c->reader);
	free(p->base);
	free(p->target);
	p->base = str_dup(base);
	p->target = str_dup(target);
	p->whole = c->n < c->max;
	p->last_xid = c->n ? c->out[c->n - 1].xid : 0;
	p->last_seq = c->n ? c->out[c->n - 1].seq : 0;
}

/* One statement for the reader, in its own transaction. $2 is `target`, if given. */
static int tell(struct pg *s, const char *sql, const char *reader, const char *target, struct err *e)
{
	pg_args_clear(&s->args);
	pg_arg_str(&s->args, str_of(reader));
	if (target)
		pg_arg_str(&s->args, str_of(target));
	pg_begin(s);
	pg_queue_skip(s, sql, &s->args);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	return pg_end(s, e);
}

#define NEW_READER "INSERT INTO senti.reader (name, base) VALUES ($1, '1:1:') ON CONFLICT (name) DO NOTHING"
#define ALIVE "UPDATE senti.reader SET alive_at = now() WHERE name = $1"
/* Only if this is still the target: another reader of the same name may have begun a new one. */
#define ARRIVED                                                                                                        \
	"UPDATE senti.reader SET base = target, target = NULL, at_xid = NULL, at_seq = NULL"                           \
	" WHERE name = $1 AND target::text = $2"

/* Entries and readers from another cluster start anew in this one. */
static int settle_in(struct pg *s, const char *reader, struct err *e)
{
	pg_begin(s);
	pg_queue_skip(s,
	    "UPDATE senti.outbox SET xid = pg_current_xact_id() WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())",
	    NULL);
	pg_queue_skip(s,
	    "UPDATE senti.reader SET base = '1:1:', target = NULL, at_xid = NULL, at_seq = NULL"
	    " WHERE pg_snapshot_xmax(base) > pg_snapshot_xmax(pg_current_snapshot())"
	    " OR pg_snapshot_xmax(target) > pg_snapshot_xmax(pg_current_snapshot())",
	    NULL);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	return pg_end(s, e) == PG_OK ? tell(s, ALIVE, reader, NULL, e) : s->outcome;
}

enum reader_state { UNKNOWN, FOREIGN, HALFWAY, QUIET, FINE };

/* One look: PG_OK with what was found and the reader's state, which may require another look. */
static int look(struct pg *s, struct found_changes *c, enum reader_state *state, struct err *e)
{
	pg_args_clear(&s->args);
	pg_arg_str(&s->args, str_of(c->reader));
	pg_queue_skip(s, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", NULL);
	pg_queue(s, READER, &s->args);
	pg_arg_i64(&s->args, (int64_t)c->max);
	pg_queue(s, NEWS, &s->args);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	PGresult *reader = pg_result(s, e), *news = reader ? pg_result(s, e) : NULL;
	if (news) {
		take_changes(c, news);
		if (PQntuples(reader) == 0) {
			*state = UNKNOWN;
		} else {
			note_page(s, c, pg_str(reader, 0, 0), pg_str(reader, 0, 1));
			*state = pg_bool(reader, 0, 4)		      ? FOREIGN
				 : pg_bool(reader, 0, 2) && c->n == 0 ? HALFWAY
				 : pg_bool(reader, 0, 3)	      ? QUIET
								      : FINE;
		}
		pg_end(s, e);
	}
	PQclear(reader);
	PQclear(news);
	return s->outcome;
}

static int find_changes(struct pg *s, void *arg, struct err *e)
{
	struct found_changes *c = arg;
	for (;;) {
		enum reader_state state = FINE;
		if (look(s, c, &state, e) != PG_OK || state == FINE)
			return s->outcome;
		if (state == QUIET)
			return tell(s, ALIVE, c->reader, NULL, e);
		int rc = state == FOREIGN   ? settle_in(s, c->reader, e)
			 : state == UNKNOWN ? tell(s, NEW_READER, c->reader, NULL, e)
					    : tell(s, ARRIVED, c->reader, page_of(s, c->reader)->target, e);
		if (rc != PG_OK)
			return rc;
	}
}

static bool take_notices(struct pg *s);

/* ---- the log ---- */

/* All transactions below xmin have ended, so the order of their (xid, seq) is final. */
#define SETTLED "o.xid < pg_snapshot_xmin(pg_current_snapshot())"
#define LOG                                                                                                            \
	"WITH at AS MATERIALIZED (SELECT xid, seq FROM senti.outbox WHERE seq = $1)"                                   \
	" SELECT o.seq, o.xid, o.version, o.id, o.op FROM senti.outbox o WHERE " SETTLED                               \
	" AND (o.xid, o.seq) > (coalesce((SELECT xid FROM at), '0'), coalesce((SELECT seq FROM at), 0))"               \
	" ORDER BY o.xid, o.seq LIMIT $2"
#define LOG_NEWEST                                                                                                     \
	"SELECT o.seq, o.xid, o.version, o.id, o.op FROM senti.outbox o WHERE " SETTLED                                \
	" ORDER BY o.xid DESC, o.seq DESC LIMIT $1"
#define UNSETTLED                                                                                                      \
	"SELECT o.seq, o.xid, o.version, o.id, o.op FROM senti.outbox o WHERE NOT " SETTLED                            \
	" ORDER BY o.xid, o.seq LIMIT $1"

struct read_log {
	struct found_changes found;
	const char *sql;
	uint64_t after;
	bool placed; /* $1 is `after` */
};

static int read_log(struct pg *s, void *arg, struct err *e)
{
	struct read_log *l = arg;
	pg_args_clear(&s->args);
	if (l->placed)
		pg_arg_i64(&s->args, (int64_t)l->after);
	pg_arg_i64(&s->args, (int64_t)l->found.max);
	pg_queue(s, l->sql, &s->args);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	take_changes(&l->found, r);
	PQclear(r);
	return pg_end(s, e);
}

static int pg_log(
    struct outbox *outbox, uint64_t *after, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	struct pg *s = pg_of(outbox);
	bool end = *after == LOG_END;
	struct change newest;
	struct read_log l = {.found = {.out = end ? &newest : out, .max = end ? 1 : max, .mem = mem},
	    .sql = end ? LOG_NEWEST : LOG,
	    .after = *after,
	    .placed = !end};
	if (s->conn && s->listening && PQconsumeInput(s->conn))
		take_notices(s);
	if (pg_run(s, "follow", read_log, &l, e) < 0)
		return -1;
	if (end)
		*after = 0;
	if (l.found.n)
		*after = l.found.out[l.found.n - 1].seq;
	return end ? 0 : (int)l.found.n;
}

static int pg_unsettled(struct outbox *outbox, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	struct read_log l = {.found = {.out = out, .max = max, .mem = mem}, .sql = UNSETTLED};
	return pg_run(pg_of(outbox), "follow", read_log, &l, e) < 0 ? -1 : (int)l.found.n;
}

static bool take_notices(struct pg *s)
{
	bool any = false;
	for (PGnotify *n; (n = PQnotifies(s->conn)); any = true)
		PQfreemem(n);
	return any;
}

static int pg_changes(
    struct outbox *outbox, const char *reader, struct change *out, size_t max, struct arena *mem, struct err *e)
{
	struct pg *s = pg_of(outbox);
	struct found_changes c = {.reader = reader, .out = out, .max = max, .mem = mem};
	/* The next look finds whatever has woken us so far. */
	if (s->conn && s->listening && PQconsumeInput(s->conn))
		take_notices(s);
	return pg_run(s, "follow", find_changes, &c, e) < 0 ? -1 : (int)c.n;
}

/* ---- seen ---- */

struct seen_mark {
	const struct pg_page *page;
	const struct change *last;
};

static int mark(struct pg *s, void *arg, struct err *e)
{
	const struct seen_mark *w = arg;
	const struct pg_page *p = w->page;
	bool arrived = p->whole && w->last->xid == p->last_xid && w->last->seq == p->last_seq;
	struct pg_args *a = &s->args;
	pg_args_clear(a);
	pg_arg_str(a, str_of(p->reader));
	pg_arg_str(a, str_of(arrived ? p->target : p->base));
	if (!arrived) {
		char xid[24];
		int n = snprintf(xid, sizeof xid, "%llu", (unsigned long long)w->last->xid);
		pg_arg_str(a, str_of(p->target));
		pg_arg_str(a, (struct str){xid, (size_t)n});
		pg_arg_i64(a, (int64_t)w->last->seq);
	}
	pg_begin(s);
	/* No wait for the disk: a crash that loses this mark only repeats the changes. */
	pg_queue_skip(s, "SET LOCAL synchronous_commit = off", NULL);
	pg_queue_skip(s,
	    arrived
		? "UPDATE senti.reader SET base = $2::text::pg_snapshot, target = NULL, at_xid = NULL, at_seq = NULL,"
		  " alive_at = now() WHERE name = $1"
		: "UPDATE senti.reader SET base = $2::text::pg_snapshot, target = $3::text::pg_snapshot,"
		  " at_xid = $4::text::xid8, at_seq = $5, alive_at = now() WHERE name = $1",
	    a);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	return pg_end(s, e);
}

static int pg_seen(struct outbox *outbox, const char *reader, const struct change *c, size_t n, struct err *e)
{
	struct pg *s = pg_of(outbox);
	if (n == 0)
		return 0;
	struct seen_mark w = {.page = page_of(s, reader), .last = &c[n - 1]};
	if (!w.page->base)
		return err_set(e, ERR_ENV, "reader '%s' asked for no changes here", reader);
	return pg_run(s, "follow", mark, &w, e);
}

/* ---- waiting ---- */

/* LISTEN needs a direct connection to a server that is not a replica. A pooler shows another process number than the
 * server's. */
static int listen_now(struct pg *s, void *arg, struct err *e)
{
	(void)arg;
	pg_queue(s, "SELECT pg_backend_pid()::bigint, pg_is_in_recovery()::int::bigint", NULL);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	s->direct = pg_i64(r, 0, 0) == PQbackendPID(s->conn) && !pg_i64(r, 0, 1);
	PQclear(r);
	if (pg_end(s, e) != PG_OK)
		return s->outcome;
	s->listening = true;
	if (!s->direct)
		return PG_OK;
	pg_queue_skip(s, "LISTEN senti", NULL);
	pg_sync(s);
	return pg_end(s, e);
}

static int look_later(int timeout_ms, int wake_fd)
{
	struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
	bool timed = timeout_ms >= 0 && timeout_ms < LOOK_MS;
	return poll(&wake, 1, timed ? timeout_ms : LOOK_MS) == 0 && !timed;
}

static int pg_wait(struct outbox *outbox, int timeout_ms, int wake_fd, struct err *e)
{
	struct pg *s = pg_of(outbox);
	int64_t end = clock_mono_ms() + timeout_ms;
	if (!s->conn || !s->listening) {
		if (pg_run(s, "follow", listen_now, NULL, e) < 0)
			return -1;
		if (s->direct)
			return 1; /* what came before LISTEN has woken nobody */
	}
	if (!s->direct)
		return look_later(timeout_ms, wake_fd);
	for (;;) {
		if (take_notices(s))
			return 1;
		int64_t left = end - clock_mono_ms();
		if (timeout_ms >= 0 && left <= 0)
			return 0;
		struct pollfd f[2] = {{.fd = PQsocket(s->conn), .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
		poll(f, 2, timeout_ms < 0 ? -1 : (int)left);
		if (f[1].revents)
			return 0;
		if (f[0].revents && !PQconsumeInput(s->conn)) {
			pg_drop(s); /* the next look finds the server, or says why not */
			return 1;
		}
	}
}

/* ---- prune ---- */

struct prune {
	int64_t dead_ms; /* this long ago by the server's clock, as is alive_at */
	uint64_t gone;
};

static int prune_chunk(struct pg *s, int64_t *n, struct err *e)
{
	char sql[700];
	snprintf(sql, sizeof sql,
	    "WITH gone AS (DELETE FROM senti.outbox WHERE seq = ANY (ARRAY(SELECT o.seq FROM senti.outbox o"
	    " WHERE o.xid < coalesce((SELECT pg_snapshot_xmax(r.base) AS x FROM senti.reader r ORDER BY x LIMIT 1),"
	    " pg_snapshot_xmax(pg_current_snapshot())) AND NOT EXISTS (SELECT FROM senti.reader r WHERE NOT "
	    "pg_visible_in_snapshot(o.xid, r.base))"
	    " ORDER BY o.xid, o.seq LIMIT %d)) RETURNING seq) SELECT count(*) FROM gone",
	    PRUNE_CHUNK);
	pg_begin(s);
	pg_queue(s, sql, NULL);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	*n = pg_i64(r, 0, 0);
	PQclear(r);
	return pg_end(s, e);
}

static int prune(struct pg *s, void *arg, struct err *e)
{
	struct prune *p = arg;
	pg_args_clear(&s->args);
	pg_arg_i64(&s->args, p->dead_ms);
	pg_begin(s);
	pg_queue_skip(s, "DELETE FROM senti.reader WHERE alive_at < now() - $1 * interval '1 millisecond'", &s->args);
	pg_queue_skip(s, "COMMIT", NULL);
	pg_sync(s);
	if (pg_end(s, e) != PG_OK)
		return s->outcome;
	for (int64_t n = PRUNE_CHUNK; n == PRUNE_CHUNK;) {
		if (prune_chunk(s, &n, e) != PG_OK)
			return s->outcome;
		p->gone += (uint64_t)n;
	}
	return PG_OK;
}

static int pg_prune(struct outbox *outbox, int64_t dead_before, uint64_t *gone, struct err *e)
{
	struct prune p = {.dead_ms = clock_wall_ms() - dead_before};
	int rc = pg_run(pg_of(outbox), "prune", prune, &p, e);
	*gone = p.gone;
	return rc;
}

/* ---- whether it was restored ---- */

/* A table that was made again has another number. A role without a right to the sequence does not see it. */
#define AGE                                                                                                            \
	"SELECT 'senti.outbox'::regclass::oid::bigint, CASE WHEN has_sequence_privilege('senti.version',"              \
	" 'SELECT, USAGE') THEN pg_sequence_last_value('senti.version'::regclass) END"

static int read_age(struct pg *s, void *arg, struct err *e)
{
	struct outbox_age *age = arg;
	pg_queue(s, AGE, NULL);
	pg_sync(s);
	PGresult *r = pg_result(s, e);
	if (!r)
		return s->outcome;
	*age = (struct outbox_age){
	    .identity = (uint64_t)pg_i64(r, 0, 0), .newest = PQgetisnull(r, 0, 1) ? 0 : (uint64_t)pg_i64(r, 0, 1)};
	PQclear(r);
	return pg_end(s, e);
}

static int pg_age(struct outbox *outbox, struct outbox_age *out, struct err *e)
{
	return pg_run(pg_of(outbox), "follow", read_age, out, e);
}

const struct outbox pg_outbox = {
    .changes = pg_changes,
    .seen = pg_seen,
    .wait = pg_wait,
    .log = pg_log,
    .unsettled = pg_unsettled,
    .prune = pg_prune,
    .age = pg_age,
};
