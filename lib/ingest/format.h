/* format.h - what all formats of senti-ingest share: the options, and the contract of a format.
 *
 * A format turns the lines of one file into records. decode.h feeds it; it knows no files or descriptors.
 */
#ifndef SENTI_FORMAT_H
#define SENTI_FORMAT_H

#include "lib/base/err.h"
#include "lib/flow/port.h"
#include "lib/ingest/encoding.h"
#include "lib/ingest/ids.h"
#include "lib/ingest/timeparse.h"
#include "lib/ingest/wide.h"

struct format;

/* The options of senti-ingest. Strings are lent for the run; NULL if not given. */
struct ingest {
	const struct format *format; /* NULL: detected for each file */
	const char *text, *id, *time;
	struct time_formats times; /* n 0: the forms that timeparse.h knows */
	struct str source;	   /* UTF-8 */
	const char *pattern;	   /* a preset's name or a regular expression */
	const char *join;	   /* a regular expression that the first line of each record matches */
	char delimiter;		   /* 0: the format's own */
	bool no_header;
	struct encoding *encoding; /* of lines; NULL: UTF-8 */
	enum wide wide;		   /* of a file without a byte-order mark, if it is UTF-16 or UTF-32 */
	bool unescape;		   /* HTML's entities in the text */
	struct id_conf ids;
	const char *const *path; /* the files; lent */
	size_t npaths;		 /* 0: stdin */
	/* For each path, the Maildir in which it is a message, or NULL; NULL: no path is in one. */
	const char *const *maildir;
	enum date_order *probe; /* not NULL: only looks for the order of dates (record_builder.h) */
};

/* Where a format puts its records: a batch and its limits. `counted` and `bytes` belong to batch_room_full. */
struct batch_room {
	struct batch *b;
	const struct limits *limits;
	size_t counted, bytes;
};

/* True if the batch is full. */
bool batch_room_full(struct batch_room *r);

struct record_builder;

struct format {
	const char *name;
	bool headed; /* the first line names the columns, unless no_header */
	bool blanks; /* a blank line can be part of a record */
	/* New: reads one file from its beginning. The builder is lent. NULL and *e (ERR_USAGE) if the options do not
	 * fit. */
	void *(*open)(const struct ingest *conf, struct record_builder *builder, struct err *e);
	/* Takes a line with its end; it is never blank unless `blanks`. A line gives at most one record, unless there
	 * is `work`. -1: the file cannot be read with these options. */
	int (*line)(void *ctx, struct batch_room *r, struct str line, uint64_t number, struct err *e);
	/* For formats whose records span lines: makes records of the lines taken. 1: the room is full, call again; 0:
	 * done, or it needs more lines; -1. May be NULL, like those below. */
	int (*work)(void *ctx, struct batch_room *r, struct err *e);
	/* No further line belongs to those taken: an open record is cut here. `work` then gives the rest. `too_long`:
	 * the line that is in the way, before it passes as a reject of its own, and again after that; NULL at the
	 * end. */
	void (*cut)(void *ctx, const struct rec *too_long);
	/* The number of the first line that has been taken and is not in a record yet; 0: none. */
	uint64_t (*held)(const void *ctx);
	/* The lines that have to precede a rejected record when it is read again; empty if none. Lent. */
	struct str (*header)(const void *ctx);
	void (*close)(void *ctx);
};

extern const struct format format_csv, format_tsv, format_text, format_json, format_log, format_journal, format_reject;
/* Makes records of several lines for conf->format. */
extern const struct format format_join;
/* A mailbox; a file of a Maildir; and what makes records of their messages. */
extern const struct format format_mbox, format_maildir, format_message;

/* Finds a format by its name ("csv"), or returns NULL. */
const struct format *format_named(const char *name);

/* The line without "\n" or "\r\n". */
struct str line_content(struct str line);
bool line_blank(struct str line);
/* True if it begins with a line as before each message of a mailbox: "From ann@example.org Fri Nov 27 10:00:00 2026" */
bool mbox_begins(struct str line);

#endif
