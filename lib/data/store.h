/* store.h - the one contract of a store of messages: SQLite (lib/net/sqlite) and later PostgreSQL.
 *
 * A store keeps one row a message id: text, source, time, the result and all other members of the record as spelled. Each change of
 * a row gives it a new version, from one sequence of the store, and leaves an entry in the outbox in the same transaction, whoever made it.
 * A person may correct a row's label; the correction outlives later puts of the same id and text.
 *
 * One handle belongs to one thread.
 */
#ifndef SENTI_STORE_H
#define SENTI_STORE_H

#include "lib/base/err.h"
#include "lib/flow/record.h"

enum order { ORDER_OLDEST, ORDER_NEWEST };

/* Which messages; absent members (p NULL, or has_ false) do not restrict. */
struct filter {
	struct str label, source, model, not_model;
	struct str text;  /* a substring, compared without regard to case */
	struct str after; /* the cursor that a query gave for its last record: continue behind it */
	bool has_since, has_until, unscored, corrected;
	int64_t since, until; /* ms since 1970; since <= time < until */
	uint64_t limit;	      /* 0: none */
	enum order order;     /* by time, then id; rows without a time come last in either order */
};

/* One entry of the outbox. */
struct change {
	uint64_t seq, xid, version;
	struct str id;
	enum change_op { CHANGE_INSERT, CHANGE_UPDATE, CHANGE_DELETE } op;
};

struct store_stats {
	uint64_t messages, positive, neutral, negative, unscored, corrected, outbox;
	uint64_t version; /* the newest given */
};

struct store {
	/* Stores all records of the batch with FATE_OUT in one transaction; each then has its `version` member set (rec_set). Duplicates inside a
	 * batch: the last wins, and all get its version. A record that the database refuses is rejected alone. A record without id gets a fresh
	 * UUID. On return 0 all is durable. Tallies: stored, unchanged. */
	int (*put)(struct store *, struct batch *, struct err *);
	/* Sets each record of the batch (its `id` is given) to what is stored under it, or rejects it as not_found. */
	int (*get)(struct store *, struct batch *, struct err *);
	/* The next rows of a query, at most `max`, are added to the batch: how many, 0 at the end, -1. The first call with a filter starts
	 * it; query_end ends it early. Constant memory. */
	int (*query)(struct store *, const struct filter *, struct batch *, size_t max, struct err *);
	void (*query_end)(struct store *);
	/* Sets the label of record i's message to label[i] (a name of label_parse), and the record to what is then stored; or
	 * rejects it as not_found. Tally: corrected. */
	int (*correct)(struct store *, struct batch *, const struct str *label, struct err *);
	/* Deletes each record's message, or rejects it as not_found. Tally: deleted. */
	int (*remove)(struct store *, struct batch *, struct err *);
	int (*stats)(struct store *, struct store_stats *, struct err *);
	/* Entries of the outbox that `reader` has not seen, in an order in which none can be missed; at most max into *out (ids in mem). The
	 * count, or -1. */
	int (*changes)(
	    struct store *, const char *reader, struct change *out, size_t max, struct arena *mem, struct err *);
	int (*seen)(struct store *, const char *reader, const struct change *c, size_t n, struct err *);
	/* Trims the outbox below what every reader has seen (or, for readers that have not moved since `dead_before` ms, drops the reader);
	 * *gone is how many entries went. */
	int (*prune)(struct store *, int64_t dead_before, uint64_t *gone, struct err *);
	/* Brings the schema to this program's version: how many steps were applied, or -1. Opening does so too unless told otherwise. */
	int (*migrate)(struct store *, struct err *);
	int (*close)(struct store *, struct err *);
};

#endif
