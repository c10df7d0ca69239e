/* outbox.h - the contract of a store's log of changes: SQLite (lib/net/sqlite) and PostgreSQL (lib/net/pg).
 *
 * Each change of a row leaves an entry in the same transaction, whoever makes it. There are two ways to read them:
 *
 *     changes, seen    a named reader, whose place the store keeps: every entry at least once, as soon
 *                      as it is visible
 *     log              the caller keeps its place: every entry once, in an order that never changes
 *
 *     int n = o->changes(o, "cache", c, COUNT_OF(c), &mem, &e);
 *     ... handle c[0] to c[n - 1], which may come again ...
 *     o->seen(o, "cache", c, n, &e);
 *
 * An outbox is part of its store's handle: store->outbox, with the same thread and the same life. Ids live in `mem`.
 */
#ifndef SENTI_OUTBOX_H
#define SENTI_OUTBOX_H

#include "lib/base/arena.h"
#include "lib/base/err.h"

enum change_op { CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE };

/* One entry. */
struct change {
	uint64_t seq, xid, version;
	struct str id;
	enum change_op op;
};

/* The operation's name in records and columns: "insert"; and back (CHANGE_DELETE if unknown). */
const char *change_op_name(enum change_op op);
enum change_op change_op_parse(struct str name);

/* Which store this is, and the newest version that it has given out: the first changes, or the second falls, only if a
 * back-up was restored. */
struct outbox_age {
	uint64_t identity, newest;
};

/* The place in the log after all that is settled now. */
#define LOG_END UINT64_MAX

struct outbox {
	/* At most `max` entries that `reader` has not seen, in an order in which none can be missed. Returns how many,
	 * or -1. The first call registers the reader, at the oldest entry left; each call shows that it lives. */
	int (*changes)(
	    struct outbox *, const char *reader, struct change *out, size_t max, struct arena *mem, struct err *e);
	/* Marks these, from `changes`, as handled by the reader. */
	int (*seen)(struct outbox *, const char *reader, const struct change *c, size_t n, struct err *e);
	/* Waits until there may be entries beyond those of the last `changes` or `log`: 1, maybe a false alarm; 0 after
	 * timeout_ms (-1: no limit) or once wake_fd (-1: none) is readable; -1. It only saves time: a reader must still
	 * look now and then. */
	int (*wait)(struct outbox *, int timeout_ms, int wake_fd, struct err *e);
	/* At most `max` entries after the one whose seq is *after: only settled ones, which no new entry can precede.
	 * 0, and an entry that was pruned or never existed, start at the oldest one left; LOG_END gives none. *after
	 * moves to the last one given, from LOG_END to the newest settled one. Returns how many, or -1. */
	int (*log)(struct outbox *, uint64_t *after, struct change *out, size_t max, struct arena *mem, struct err *e);
	/* At most `max` entries, in any order, that are visible but not yet given by `log`; the same ones again until
	 * it does. For callers that need to know early which rows have changed. Returns how many, or -1. */
	int (*unsettled)(struct outbox *, struct change *out, size_t max, struct arena *mem, struct err *e);
	/* Drops readers that have not called since `dead_before` (ms since 1970), and the entries that all others have
	 * seen; *gone counts these. */
	int (*prune)(struct outbox *, int64_t dead_before, uint64_t *gone, struct err *e);
	/* 0 or -1. NULL: it is never restored. */
	int (*age)(struct outbox *, struct outbox_age *out, struct err *e);
};

/* Notices that a store was restored under a program that keeps what it has read of it. Zeroed at first. */
struct outbox_watch {
	struct outbox_age last;
	bool known;
	bool restored; /* since the caller last cleared it */
	int64_t looked_at;
};
/* Looks, at most once a second: 0 or -1. */
MUST_USE int outbox_look(struct outbox *o, struct outbox_watch *w, struct err *e);

#endif
