/* outbox.h - the contract of a store's log of changes: SQLite (lib/net/sqlite) and PostgreSQL (lib/net/pg).
 *
 * Each change of a row leaves an entry in the same transaction, whoever made it. There are two ways to read them:
 *
 *     changes, seen    a reader with a name, whose place the store keeps: every entry at least once, as soon
 *                      as it is visible
 *     log              a place that the caller keeps: every entry once, in an order that never changes
 *
 *     int n = o->changes(o, "cache", c, COUNT_OF(c), &mem, &e);
 *     ... handle c[0] to c[n - 1], which may come again ...
 *     o->seen(o, "cache", c, n, &e);
 *
 * An outbox is a part of its store's handle: store->outbox, with the same thread and the same life. "mem" is where ids
 * live.
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

/* The operation's name in records and columns: "insert"; and back, where the default is CHANGE_DELETE. */
const char *change_op_name(enum change_op op);
enum change_op change_op_parse(struct str name);

/* A place in the log after all that is settled now. */
#define LOG_END UINT64_MAX

struct outbox {
	/* Entries that `reader` has not seen, in an order in which none can be missed; at most `max`. How many, or -1.
	 * The first call makes the reader known, at the oldest entry that is left; each call shows that it lives. */
	int (*changes)(
	    struct outbox *, const char *reader, struct change *out, size_t max, struct arena *mem, struct err *e);
	/* The reader has handled these, which `changes` gave. */
	int (*seen)(struct outbox *, const char *reader, const struct change *c, size_t n, struct err *e);
	/* Waits until there may be entries beyond those that the last call of `changes` or `log` gave: 1, which may be
	 * a false alarm; 0 after timeout_ms (-1: no limit) or once wake_fd (-1: none) is readable; -1. It only saves
	 * time: a reader that it never wakes must still look from time to time. */
	int (*wait)(struct outbox *, int timeout_ms, int wake_fd, struct err *e);
	/* Entries after the one whose seq is *after, at most `max`: only settled ones, which no other entry can precede
	 * any more. From 0, or from an entry that was pruned or never existed, it starts at the oldest that is left;
	 * from LOG_END it gives none. *after moves to the last one given, from LOG_END to the newest settled one. How
	 * many, or -1. */
	int (*log)(struct outbox *, uint64_t *after, struct change *out, size_t max, struct arena *mem, struct err *e);
	/* Entries that are visible but that `log` does not give yet, in any order, at most `max`; the same ones again
	 * until it does. For callers that need to know early which rows have changed. How many, or -1. */
	int (*unsettled)(struct outbox *, struct change *out, size_t max, struct arena *mem, struct err *e);
	/* Drops readers that have not called since `dead_before` (ms since 1970), and the entries that every other
	 * reader has seen; *gone is how many entries went. */
	int (*prune)(struct outbox *, int64_t dead_before, uint64_t *gone, struct err *e);
};

#endif
