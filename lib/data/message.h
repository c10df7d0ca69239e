/* message.h - a message as a store keeps it: how a record becomes one, and how it is shown as a record again.
 *
 *     {"id","text","source","time", the other members as spelled..., "sentiment":{...},"version":N}
 *
 * is the record of a stored message, in this order, without what it lacks. Strings have as few escapes as JSON allows,
 * the time is in UTC with milliseconds; the result and the other members are as they came. `label` is the truth: if a
 * person has changed it, the result shows it with "corrected":true beside it.
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
	MESSAGE_CHANGED, /* its row has another version than only_version */
};

/* Absent strings have p NULL. All are lent by the arena or line that they come from. */
struct message {
	struct str id, text, source, label, model;
	struct str sentiment; /* the result, a JSON object as spelled; absent: not scored */
	struct str extra;     /* the other members, a JSON object; absent: none */
	int64_t time;	      /* ms since 1970 */
	double score;
	bool has_time, has_score;
	bool shown_corrected; /* read from a record whose result carries "corrected":true */
	bool had_version;     /* read from a record with a member "version" */
	bool had_id;	      /* read from a record with a member "id", maybe null */
	bool from_record;     /* sentiment and extra come from a record: valid, and without members that have columns */
	uint64_t version;
	struct str corrected;  /* set by put: a person's label, shown instead of `label`; or absent */
	bool remove;	       /* edit: delete the row instead of setting its label */
	uint64_t only_version; /* edit: only if the row has this version; 0: any */
	enum message_fate fate;
	struct str why; /* of a refusal: the database's message */
};

/* Scans the record into *m and r, or rejects it and returns -1. A missing id stays absent. `s` and `inner` are scratch.
 */
int message_read(struct message *m, struct batch *b, struct rec *r, struct json_scan *s, struct json_scan *inner);

/* Returns the member of an object of other members (`extra`, with JSON_PAD readable bytes after it) as text: what a
 * string means, a number, true or false as spelled; absent otherwise. Lent by `extra` or new in mem. */
struct str message_member(struct str extra, struct str name, struct json_scan *s, struct arena *mem);

/* Sets what put learns of the message's row. `label` is copied if kept. */
void message_put(struct message *m, uint64_t version, struct str label, struct arena *mem);
/* Takes the columns of a row; what only put and edit set stays. */
void message_take_row(struct message *m, const struct message *row);

/* Appends the message as a record on one line, without its end: 0, or -1, with nothing appended, if its `sentiment` or
 * `extra` is not a JSON object (which only SQL can cause). Other things that only SQL can put into a column are
 * replaced: line ends inside `sentiment` and `extra` by blanks, NUL and bytes that are not UTF-8 by U+FFFD. `sentiment`
 * and `extra` need JSON_PAD readable bytes after them. */
MUST_USE int message_write(const struct message *m, struct buf *out, struct json_scan *s);
/* Appends the result as a record shows it; nothing if the message is neither scored nor labelled. 0 or -1 as above. */
MUST_USE int message_write_sentiment(const struct message *m, struct buf *out, struct json_scan *s);

#endif
