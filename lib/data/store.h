/* store.h - the contract of a store of messages: SQLite (lib/net/sqlite) and PostgreSQL (lib/net/pg).
 *
 * A store keeps one row a message id: text, source, time, the result and all other members of the record as spelled
 * (message.h). Each change of a row gives it a new version, from one sequence of the store, and leaves an entry in the
 * outbox (outbox.h). A person may correct a row's label; the correction outlives later puts of the same id and text.
 *
 * The functions take messages, not records: what a record means is decided once, above (lib/stage/store). Each call is
 * one transaction, or none: nothing stays open between two calls, so a reader that pauses holds up nobody, and it works
 * through a pooler. One handle belongs to one thread. "mem" is where strings that are filled in live.
 */
#ifndef SENTI_STORE_H
#define SENTI_STORE_H

#include "lib/base/err.h"
#include "lib/data/interrupt.h"
#include "lib/data/message.h"
#include "lib/data/outbox.h"

enum order { ORDER_OLDEST, ORDER_NEWEST, ORDER_ID };

/* A place in the order of a query: after the message with this time and id. */
struct place {
	bool set, has_time;
	int64_t time;
	struct str id;
};

/* Which messages; absent members (p NULL, or has_ false) do not restrict. */
struct filter {
	struct str label, source, model;
	struct str not_model; /* another model or none */
	struct str text;      /* a substring, both sides folded (fold.h) */
	bool unscored;	      /* without a result */
	bool corrected;	      /* a person has set the label */
	bool has_since, has_until;
	int64_t since, until; /* ms since 1970; since <= time < until */
	struct place after;   /* only the rows after it */
	/* By time, then id, where rows without a time come last whichever comes first; or by id alone. Ids are compared
	 * byte by byte. */
	enum order order;
};

enum stat_by { STAT_LABEL, STAT_SOURCE, STAT_MODEL, STAT_TIME };

/* What the messages of one group come to. */
struct stat_group {
	struct str key; /* absent: those without one; of STAT_TIME always */
	bool has_start;
	int64_t start; /* of STAT_TIME: ms since 1970, a multiple of the step */
	uint64_t count, positive, neutral, negative;
	bool has_mean; /* of the scores; none is scored otherwise */
	double mean;
};

struct store_stats {
	uint64_t messages, positive, neutral, negative, unscored, corrected;
	uint64_t outbox, readers;
	uint64_t version; /* the newest given */
	uint64_t schema;  /* number of the newest migration */
};

/* What put may answer beside 0 and -1. */
#define STORE_REFUSED 1

/* How a store is opened. */
enum store_mode {
	STORE_CREATE,	/* made where it is missing, its schema brought up to date */
	STORE_EXISTING, /* must be there; its schema is brought up to date where it may be written */
};

struct store {
	struct outbox *
	    outbox; /* the log of its changes: part of this handle, so it belongs to the same thread and ends with it */
	/* Ends query and aggregate early: they then return -1, and its `why` is set. Set and cleared between calls by
	 * the handle's owner, lent; NULL at first: nothing does. */
	struct interrupt *interrupt;
	/* Upserts n messages of n different ids in one transaction. When it returns 0 that is durable, and each message
	 * is MESSAGE_STORED, MESSAGE_UNCHANGED (the row was equal and was not touched) or MESSAGE_REFUSED with its
	 * `why`; the first two have the row's version and its label where a person has set it (`corrected`). A message
	 * without a result, of the same text as its row, leaves the row's result alone. Where triggers that are not
	 * senti's may have changed the row, the whole message is read back from it. STORE_REFUSED: the database did not
	 * take these together (the reason is in *e), nothing is stored; store_put then halves them. */
	int (*put)(struct store *, struct message *const *m, size_t n, struct arena *mem, struct err *e);
	/* Fills each message from the row of its id (MESSAGE_FOUND) or leaves it MESSAGE_MISSING. Its id may stay the
	 * caller's bytes, as if lent: a row that outlives them needs a copy of its id. */
	int (*get)(struct store *, struct message *const *m, size_t n, struct arena *mem, struct err *e);
	/* The first rows of the filter, in its order, at most `max` and no further once they hold max_bytes: how many,
	 * 0 when there are no more, or -1. The next page is asked for with `after` at the last row. */
	int (*query)(struct store *, const struct filter *f, struct message *out, size_t max, size_t max_bytes,
	    struct arena *mem, struct err *e);
	/* Edits rows in this order and in one transaction. Deletes the row of a message with `remove`: MESSAGE_FOUND or
	 * MESSAGE_MISSING. Sets the label of any other's row to m->label and fills the rest as get does.
	 * MESSAGE_CHANGED where only_version forbids it, with the row's version; a message whose label was to be set
	 * then shows the whole row. */
	int (*edit)(struct store *, struct message *const *m, size_t n, struct arena *mem, struct err *e);
	int (*stats)(struct store *, struct store_stats *out, struct err *e);
	/* Groups of the messages that the filter lets through (its text, place and order are not looked at): by time in
	 * the order of time (those without one left out), else the largest first. How many, at most `max`, or -1. */
	int (*aggregate)(struct store *, const struct filter *f, enum stat_by by, int64_t step_ms,
	    struct stat_group *out, size_t max, struct arena *mem, struct err *e);
	/* Brings the schema to this program's version: how many steps were applied, or -1. Opening does so by
	 * itself. */
	int (*migrate)(struct store *, struct err *e);
	/* Frees it. */
	int (*close)(struct store *, struct err *e);
};

/* put, where what the database refuses is halved until it stands alone: 0, each message having its fate, or -1. */
int store_put(struct store *s, struct message *const *m, size_t n, struct arena *mem, struct err *e);

#endif
