/* stats.h - groups of messages, the same from every store and for everybody who asks: by what, when periods begin, in
 * which order and pages they come, and how they are shown.
 *
 *     struct stats_question q = {.filter = &filter};
 *     if (stats_by(&q, STR("source,month"), &e) == 0 && (n = store->aggregate(store, &q, group, 100, &mem, &e)) > 0)
 *             stats_put(&out, &q, &group[0]);
 *
 * Groups come in the order of their periods if there is one, then the largest first, then in the order of their keys,
 * byte by byte; without a key last. Messages without a time are in no period.
 */
#ifndef SENTI_DATA_STATS_H
#define SENTI_DATA_STATS_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/zone.h"

/* From STATS_TIME on they are periods. */
enum stats_key {
	STATS_LABEL,
	STATS_SOURCE,
	STATS_MODEL,
	STATS_MEMBER, /* a member of the record that has no column of its own, as message_member gives it */
	STATS_TIME,   /* steps, aligned to 1970-01-01T00:00:00Z */
	STATS_HOUR,
	STATS_DAY,
	STATS_WEEK, /* from Monday on */
	STATS_MONTH,
};

enum { STATS_KEYS = 8 };

/* A group, or the place after it. Strings live in the arena of who made it. */
struct stats_group {
	struct str key[STATS_KEYS]; /* absent: of messages that have none; and of the period */
	int64_t start;		    /* of the period: its first moment, ms since 1970 */
	uint64_t count, positive, neutral, negative;
	bool has_mean;	    /* of the scores; false if none is scored */
	double mean, stdev; /* the latter of the population */
};

struct filter;

/* What is asked; all strings and pointers are lent. */
struct stats_question {
	const struct filter *filter; /* but for its place and order */
	struct stats_by {
		enum stats_key key;
		struct str member; /* of STATS_MEMBER: its name */
	} by[STATS_KEYS];
	size_t nby;		 /* 0: one group of all */
	int64_t step_ms;	 /* of STATS_TIME; 0: an hour */
	const struct zone *zone; /* of the other periods; NULL: UTC */
	bool has_after;
	struct stats_group after; /* only the groups after this one: its start, count and keys */
	struct str after_hash;	  /* if `after` has only the beginnings of keys: of the group's whole place */
};

/* Adds what to group by, one or a list ("label,day,product"): label, source, model, time, hour, day, week, month, or
 * the name of another member, which "member:" may precede. 0, or -1 with *e (ERR_USAGE): too many, twice, two periods,
 * or a member by which nobody groups. */
MUST_USE int stats_add(struct stats_question *q, enum stats_key key, struct str member, struct err *e);
MUST_USE int stats_by(struct stats_question *q, struct str list, struct err *e);
/* Reads a step such as 90s, 15m, 1h, 1d or 1w: true and *ms. */
bool stats_step(struct str text, int64_t *ms);

static inline int64_t stats_step_of(const struct stats_question *q)
{
	return q->step_ms ? q->step_ms : INT64_C(3600000);
}

/* The period of by[]: its index, or nby if there is none. */
size_t stats_period(const struct stats_question *q);
/* Numbers of periods, which rise with time: of the one that a moment is in, and back to its first moment (of those that
 * RFC 3339 can express). */
int64_t stats_period_at(const struct stats_question *q, int64_t ms);
int64_t stats_period_start(const struct stats_question *q, int64_t number);

/* Appends {"key":...,"start":...,"keys":[...],"count":...,"mean":...,"stdev":...,"positive":...,"neutral":...,
 * "negative":...,"labels":{...}}: `start` if there is a period, else `key` if there is one; numbers with six decimals;
 * `labels` are shares of the labelled ones. */
void stats_put(struct buf *out, const struct stats_question *q, const struct stats_group *g);
/* The same without nested values, for a table: {"product":...,"month":"2024-05","count":...,"mean":...}: what is
 * grouped by under its own names; days and weeks (their Monday) as dates, months as 2024-05, on the zone's calendar. */
void stats_put_flat(struct buf *out, const struct stats_question *q, const struct stats_group *g);
/* Appends the place after a group as a text, and reads it back: false if it is none of this question. Keys may be of
 * any length, but the text has some 2 KiB at most: a longer one has the beginnings of the keys and a hash. */
void stats_put_place(struct buf *out, const struct stats_question *q, const struct stats_group *g);
bool stats_read_place(struct stats_question *q, struct str text, struct arena *mem);
/* Of a place with the beginnings of keys (after_hash): 1 if the group is at it, 0 if one that follows may be, -1 if
 * none can. */
int stats_at_place(const struct stats_question *q, const struct stats_group *g);

#endif
