/* record.h - a record on its way through a tool, and the batch that it travels in.
 *
 * A record is the input line, slices of the members that tools use, and what they add. Other members are never looked
 * at: the output is the input line with `add` spliced in before its closing brace, so that the spelling of numbers,
 * escapes and order pass byte for byte.
 *
 *     line   {"id":"7","text":"fine","n":1.50}
 *     add                                     ,"sentiment":{"label":"positive",...}
 *     out    {"id":"7","text":"fine","n":1.50,"sentiment":{"label":"positive",...}}
 *
 * The batch owns all bytes that its records point to, until the source has accepted it.
 */
#ifndef SENTI_RECORD_H
#define SENTI_RECORD_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/flow/label.h"
#include "lib/json/scan.h"

enum fate {
	FATE_OUT,      /* goes on to the sink */
	FATE_REJECTED, /* goes to the reject sink, with code and message */
	FATE_HELD,     /* counted, and consumed by an aggregating stage; nothing comes out for it */
};

/* Reject codes (senti-record(5)). A tool may add its own. */
#define CODE_BAD_JSON "bad_json"
#define CODE_BAD_UTF8 "bad_utf8"
#define CODE_LONE_SURROGATE "lone_surrogate"
#define CODE_NUL "nul"
#define CODE_NOT_OBJECT "not_object"
#define CODE_NO_TEXT "no_text"
#define CODE_BAD_TEXT "bad_text"
#define CODE_TOO_LONG "too_long"
#define CODE_BAD_ROW "bad_row"
#define CODE_NO_MATCH "no_match"
#define CODE_NO_ID "no_id"
#define CODE_NOT_FOUND "not_found"
#define CODE_NO_TIME "no_time"
#define CODE_BAD_TIME "bad_time"
#define CODE_NO_SENTIMENT "no_sentiment"
#define CODE_LATE "late"
#define CODE_TOO_MANY "too_many"
#define CODE_BAD_WINDOW "bad_window"
#define CODE_BAD_LABEL "bad_label"
#define CODE_BAD_CODING "bad_coding"
#define CODE_LOST_BY_PIPELINE "lost_by_pipeline"
#define CODE_COMMAND_FAILED "command_failed"
/* The code for a scanner error. Constant. */
const char *code_of_json(enum json_error error);

/* More about a reject: if a command or a tool inside it gave the verdict, or if a table's row needs its header. */
struct rec_cause {
	struct str tool;   /* the tool that rejected it; p is NULL: the tool that writes the reject */
	struct str status; /* how the command ended: "7" (its exit status), "signal 9"; p is NULL: it did not end */
	struct str words;  /* the last lines of its stderr */
	struct str header; /* p is NULL: none */
};

/* What came with a record that was (part of) a message. Owned by the batch. */
struct envelope {
	struct str body;  /* the original bytes: in a pack, this record's line; of an over-long body, the first 8 MiB */
	struct str id;	  /* message_id, with .N appended for the Nth line of a pack; empty: none */
	struct str trace; /* traceparent, likewise */
	int64_t tries;	  /* how often it was delivered, including this time */
};

struct rec {
	struct str line; /* the input without its line end */
	struct str add;	 /* to be spliced in, beginning with a comma; empty: the line passes unchanged */

	/* Set by rec_scan; p is NULL if the member is absent. Strings are decoded. */
	struct str text;
	struct str id;
	struct str result; /* the sentiment object (--into NAME: that member) as spelled, old or just made */
	bool has_old;	   /* `line` contains `result`; rec_set replaces it */
	bool crowded;	   /* a known name occurs twice: rec_set must look for all of them */

	/* Where it came from, for messages and for the source's accept. */
	const char *origin;		 /* a file's name, "stdin", a queue; lent by the source for its whole life */
	uint64_t lineno;		 /* 1-based; 0: has none */
	uint64_t token;			 /* the source's (a delivery tag) */
	void *caller;			 /* gather's */
	const struct envelope *envelope; /* NULL unless the record came from a queue */

	/* Its fate. */
	enum fate fate;
	const char *code;	       /* of a reject: one of the codes above; constant */
	struct str why;		       /* its message, one line */
	size_t column;		       /* 1-based byte in line; 0: the whole record */
	const struct rec_cause *cause; /* NULL: none; lent by the batch */
	bool long_line;		       /* `line` is only the beginning; source->rest gives the rest */
	bool truncated;		       /* `line` is only the beginning, and the rest is lost */
};

/* Counters that a tool adds to its summary, named in counts.c. */
enum counter {
	COUNTER_SCORED,
	COUNTER_KEPT,
	COUNTER_STORED,
	COUNTER_UNCHANGED,
	COUNTER_HITS,
	COUNTER_MISSES,
	COUNTER_SKIPPED,
	COUNTER_DELETED,
	COUNTER_CORRECTED,
	COUNTER_RESTARTS,
	COUNTER_DUPLICATES,
	COUNTER_REDELIVERED,
	COUNTER_BURIED,
	COUNTER_REFUSED,
	COUNTER_RESUMED,
	COUNTER_LATE,
	COUNTER_WINDOWS,
	COUNTER_UNREAD,
	COUNTER_COUNT,
};

/* Why a batch was closed. */
enum flush_reason { FLUSH_FULL, FLUSH_BYTES, FLUSH_TIME, FLUSH_IDLE, FLUSH_END, FLUSH_COUNT };

struct batch {
	struct rec *rec;
	size_t n, cap;
	size_t derived;	  /* the last so many records, which stages made rather than the source */
	uint64_t number;  /* from 1, in input order; set by the pump */
	struct buf in;	  /* the input bytes, for sources that read blocks */
	struct arena mem; /* all other bytes */
	enum flush_reason flush_reason;
	bool more; /* the last record is a long_line whose rest must be drained before the next read */
	uint64_t counter[COUNTER_COUNT];
	uint64_t results[LABELS]; /* how many were made, by their label */
};

/* Appends a zeroed record and returns it, lent until the next batch_add (which may move them). */
struct rec *batch_add(struct batch *b);
/* The same for a record that a stage makes; it passes through the later stages. May move the records before it too. */
struct rec *batch_derive(struct batch *b);
/* Removes the records and keeps the memory. */
void batch_reset(struct batch *b);
void batch_free(struct batch *b);

/* Rejects the record. `code` is constant; the message is formatted into the batch's arena. Returns -1. */
int rec_reject(struct batch *b, struct rec *r, const char *code, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* What a tool needs of each record. */
struct rec_form {
	struct str text_name;	/* "text", or -f NAME */
	struct str result_name; /* "sentiment", or --into NAME */
	bool needs_text, needs_id;
	bool text_fixed; /* there is no -f, so messages do not mention it */
};

/* Scans r->line into r (see struct rec), or rejects it and returns -1. `s` keeps the members, for callers that need
 * more of them, until its next scan. */
int rec_scan(struct batch *b, struct rec *r, struct json_scan *s, const struct rec_form *form);

/* Sets member `name` to `value` (JSON) in the output: removes every member of that name from line and add, then appends
 * it to add. `s` is scratch. A line is copied, into the batch's arena, only if it has such a member. */
void rec_set(struct batch *b, struct rec *r, struct json_scan *s, struct str name, struct str value);

/* Adds a member that the record does not have: `head` is ,"name": and `value` its JSON. */
void rec_append(struct batch *b, struct rec *r, struct str head, struct str value);

/* Appends the output record, without a line end. */
void rec_put(struct buf *out, const struct rec *r);
/* Appends the reject object (senti-record(5)), without a line end. Not for a long_line, whose rest has yet to come
 * (the sink of a path streams it). */
void rec_put_reject(struct buf *out, const struct rec *r, const char *tool);
/* Appends its beginning: {"error":{...} without the comma and the input after it. */
void rec_put_reject_head(struct buf *out, const struct rec *r, const char *tool);

#endif
