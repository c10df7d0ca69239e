/* message.h - a message as a store keeps it: how a record becomes one, and how it is shown as a record again.
 *
 *     {"id","text","source","time", the other members as spelled..., "sentiment":{...},"version":N}
 *
 * is the record of a stored message, in this order; members that it does not have are left out. Strings are escaped
 * anew with as few escapes as JSON allows, the time is in UTC with milliseconds; the result and the other members are
 * as they came. `label` is the truth: where a person has changed it, the result shows it with "corrected":true beside
 * it.
 */
#ifndef SENTI_MESSAGE_H
#define SENTI_MESSAGE_H

#include "lib/flow/record.h"

enum message_fate {
	MESSAGE_PENDING,
	MESSAGE_STORED,
	MESSAGE_UNCHANGED,
	MESSAGE_REFUSED,
	MESSAGE_FOUND,
	MESSAGE_MISSING,
	MESSAGE_CHANGED, /* its row is of another version than only_version */
};

/* Absent strings have p NULL. All are lent by the arena or line that they were made from. */
struct message {
	struct str id, text, source, label, model;
	struct str sentiment; /* the result, a JSON object as spelled; absent: not scored */
	struct str extra;     /* the members that are none of the above, a JSON object; absent: none */
	int64_t time;	      /* ms since 1970 */
	double score;
	bool has_time, has_score;
	bool shown_corrected; /* read from a record whose result carries "corrected":true */
	bool had_version;     /* read from a record with a member of that name */
	bool had_id;	      /* so, though it may be null */
	bool from_record;     /* sentiment and extra came from a record: valid, and without members that have columns */
	uint64_t version;
	struct str corrected;  /* set by put: the label that a person has set, shown instead of `label`; absent: none */
	bool remove;	       /* edit: delete the row instead of setting its label */
	uint64_t only_version; /* edit: leave the row alone unless it has this version; 0: whatever it has */
	enum message_fate fate;
	struct str why; /* of a refusal: the database's words */
};

/* Scans the record into *m and r, or rejects it and returns -1. An id that the record lacks stays absent. `s` and
 * `inner` are scratch. */
int message_read(struct message *m, struct batch *b, struct rec *r, struct json_scan *s, struct json_scan *inner);

/* What put has been told of the message's row. `label` is copied where it is kept. */
void message_put(struct message *m, uint64_t version, struct str label, struct arena *mem);
/* Takes the columns of a row that was read; what only put and edit know of the message stays. */
void message_take_row(struct message *m, const struct message *row);

/* Appends the message as a record on one line, without its end: 0, or -1 if its `sentiment` or `extra` is not a JSON
 * object (which only SQL can put there); out then holds no more than before. What else SQL can put into a column and a
 * record cannot hold is replaced: line ends inside `sentiment` and `extra` by blanks, NUL and bytes that are not UTF-8
 * by U+FFFD. `sentiment` and `extra` need JSON_PAD readable bytes after them. */
MUST_USE int message_write(const struct message *m, struct buf *out, struct json_scan *s);
/* Appends the result as a record shows it: nothing for a message that is neither scored nor labelled. 0 or -1 as
 * above. */
MUST_USE int message_write_sentiment(const struct message *m, struct buf *out, struct json_scan *s);

#endif
