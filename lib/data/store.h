/* store.h - the contract of a store of messages: SQLite (lib/net/sqlite) and PostgreSQL (lib/net/pg).
 *
 * A store keeps a row for each message id: text, source, time, the result and all other members of the record as
 * spelled (message.h). Each change gives a row a new version, from one sequence of the store, and leaves an entry in
 * the outbox (outbox.h). A person may correct a row's label; the correction outlives later puts of the same id and
 * text.
 *
 * The functions take messages; lib/stage decides what a record means. Each call is one transaction, or none: nothing
 * stays open between calls, so a reader that pauses holds up nobody, and a pooler may be in between. A handle belongs
 * to one thread. Strings that are filled in live in `mem`.
 */
#ifndef SENTI_STORE_H
#define SENTI_STORE_H

#include "lib/base/err.h"
#include "lib/data/interrupt.h"
#include "lib/data/message.h"
#include "lib/data/outbox.h"
#include "lib/data/stats.h"

enum order { ORDER_OLDEST, ORDER_NEWEST, ORDER_ID, ORDER_SCORE_UP, ORDER_SCORE_DOWN };

/* A place in the order of a query: after the message with this time (or, in an order of scores, score) and id. */
struct place {
	bool set, has_time, has_score;
	int64_t time;
	double score;
	struct str id;
};

static inline struct place place_after(const struct message *m)
{
	return (struct place){.set = true,
	    .has_time = m->has_time,
	    .has_score = m->has_score,
	    .time = m->time,
	    .score = m->score,
	    .id = m->id};
}

/* Appends the place after a message as a text: MS:ID, in an order of scores sSCORE:ID, with "-" for what it lacks; and
 * reads it back, lent by the text: false if it is none of this order. */
void place_put(struct buf *out, const struct message *m, enum order order);
bool place_read(struct str text, enum order order, struct place *p);

/* A member of a record that has no column of its own, as message_member gives it. */
struct member_is {
	struct str name, value;
};
enum { FILTER_MEMBERS = 16 };

/* Which messages; absent members (p NULL, or has_ false) restrict nothing. */
struct filter {
	struct str label, source, model;
	struct str not_model;	       /* another model or none */
	struct str text;	       /* a substring, both sides folded (fold.h) */
	bool unscored, scored;	       /* without a result, with one */
	bool corrected, not_corrected; /* a person has set the label, or not */
	bool has_least, has_most;
	double least, most;	       /* least <= score <= most */
	const struct member_is *where; /* all of them; lent */
	size_t nwhere;		       /* at most FILTER_MEMBERS */
	bool has_since, has_until;
	int64_t since, until; /* ms since 1970; since <= time < until */
	struct place after;   /* only the rows after it */
	/* By time, then id, with rows without a time last in either direction; the same by score; or by id alone. Ids
	 * compare bytewise. */
	enum order order;
};

/* Reads a score, from -1 to 1 as JSON or C spell it. */
bool filter_read_score(struct str text, double *score);
/* Reads NAME=VALUE, whose name is not empty; lent by the text. */
bool filter_read_member(struct str text, struct member_is *member);

struct store_stats {
	uint64_t messages, positive, neutral, negative, unscored, corrected;
	uint64_t outbox, readers;
	uint64_t version; /* the newest that a row has got */
	uint64_t schema;  /* number of the newest migration */
};

/* What put may return beside 0 and -1. */
#define STORE_REFUSED 1

/* How a store is opened. */
enum store_mode {
	STORE_CREATE,	/* creates it if missing, and brings its schema up to date */
	STORE_EXISTING, /* must exist; brings its schema up to date if it may be written */
	STORE_READ,	/* must exist, with the current schema; opening it writes nothing */
};

struct store {
	struct outbox *outbox; /* the log of its changes; part of this handle */
	/* Ends query, sample, aggregate and stats early: they then return -1, and set its `why`. The handle's owner
	 * sets and clears it between calls; lent; NULL at first. */
	struct interrupt *interrupt;
	/* Upserts n messages of n different ids in one durable transaction. On 0 each message is MESSAGE_STORED,
	 * MESSAGE_UNCHANGED (the row was equal, and not touched) or MESSAGE_REFUSED with its `why`; the first two have
	 * the row's version, and its label if a person has set it (`corrected`). A message without a result and with
	 * the text of its row keeps the row's result. If triggers that are not senti's may have changed the row, the
	 * whole message is read back. STORE_REFUSED: nothing is stored because the database refuses some of them (*e
	 * says why); store_put then halves them. */
	int (*put)(struct store *, struct message *const *m, size_t n, struct arena *mem, struct err *e);
	/* Fills each message from the row of its id (MESSAGE_FOUND) or leaves it MESSAGE_MISSING. Its id may still be
	 * the caller's bytes: a row that outlives them needs a copy of its id. */
	int (*get)(struct store *, struct message *const *m, size_t n, struct arena *mem, struct err *e);
	/* The filter's first rows in its order, at most `max`, ending once they hold max_bytes. Returns how many, 0 if
	 * there are no more, or -1. For the next page set `after` to the last row. */
	int (*query)(struct store *, const struct filter *f, struct message *out, size_t max, size_t max_bytes,
	    struct arena *mem, struct err *e);
	/* The ids of at most `max` of the filter's messages (without its place and order), drawn at random: each set of
	 * so many is as likely as any other. Returns how many, or -1, as aggregate. */
	int (*sample)(
	    struct store *, const struct filter *f, struct str *id, size_t max, struct arena *mem, struct err *e);
	/* Edits rows in this order, in one transaction. With `remove` it deletes the row: MESSAGE_FOUND or
	 * MESSAGE_MISSING. Otherwise it sets the row's label to m->label and fills the rest as get does.
	 * MESSAGE_CHANGED if only_version forbids it, with the row's version; without `remove` then also with the whole
	 * row. */
	int (*edit)(struct store *, struct message *const *m, size_t n, struct arena *mem, struct err *e);
	int (*stats)(struct store *, struct store_stats *out, struct err *e);
	/* 0 if it can be written now; -1 and *e if not, because it is a replica or its disk is read-only, or if it does
	 * not answer. Writes nothing. */
	int (*writable)(struct store *, struct err *e);
	/* The first groups that the question (stats.h) asks for, at most `max`. Returns how many, or -1; ERR_USAGE if
	 * the text to look for is too long for that. For the next page set `after` to the last one. */
	int (*aggregate)(struct store *, const struct stats_question *q, struct stats_group *out, size_t max,
	    struct arena *mem, struct err *e);
	/* Brings the schema to this program's version. Returns how many steps it applied, or -1. Opening does so by
	 * itself. */
	int (*migrate)(struct store *, struct err *e);
	/* Frees it. */
	int (*close)(struct store *, struct err *e);
};

/* aggregate, after a place that may have only the beginnings of keys (stats_read_place). If its group has gone, all
 * groups whose keys begin alike come again. */
int store_groups(
    struct store *s, struct stats_question *q, struct stats_group *out, size_t max, struct arena *mem, struct err *e);

/* put, halving what the database refuses until each refused message is alone: 0, with each message's fate, or -1. */
int store_put(struct store *s, struct message *const *m, size_t n, struct arena *mem, struct err *e);

#endif
