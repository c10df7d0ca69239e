/* format.h - what all formats of senti-ingest share: the options, and the contract that a format fulfils.
 *
 * A format turns the lines of one file into records. decode.h feeds it; it knows neither files nor descriptors.
 */
#ifndef SENTI_FORMAT_H
#define SENTI_FORMAT_H

#include "lib/base/err.h"
#include "lib/flow/port.h"
#include "lib/ingest/ids.h"

struct format;

/* The options of senti-ingest. Strings are lent for the run; NULL where not given. */
struct ingest {
	const struct format *format; /* NULL: found out for each file */
	const char *text, *id, *time, *source;
	const char *pattern; /* a preset's name or a regular expression */
	char delimiter;	     /* 0: the format's own */
	bool no_header;
	struct id_conf ids;
	const char *const *path; /* the files; lent */
	size_t npaths;		 /* 0: stdin */
};

/* Where a format puts its records: a batch and its limits. `counted` and `bytes` belong to batch_room_full. */
struct batch_room {
	struct batch *b;
	const struct limits *limits;
	size_t counted, bytes;
};

/* True if the batch takes no further record. */
bool batch_room_full(struct batch_room *r);

struct record_builder;

struct format {
	const char *name;
	bool headed; /* the first line names the columns, unless no_header */
	/* New: reads one file, from its beginning. The builder is lent; NULL and *e (ERR_USAGE) where the options do
	 * not fit. */
	void *(*open)(const struct ingest *conf, struct record_builder *builder, struct err *e);
	/* Takes a line with its end, never blank unless `headed`. A line gives at most one record, unless there is
	 * `work`. -1: the file cannot be read with these options. */
	int (*line)(void *ctx, struct batch_room *r, struct str line, uint64_t number, struct err *e);
	/* For formats whose records cross lines: makes records of what `line` took in. 1: the room is full, call again;
	 * 0: done, or it needs more lines; -1. May be NULL, as those below. */
	int (*work)(void *ctx, struct batch_room *r, struct err *e);
	/* No line follows what was taken in: a record that is open is cut here. `work` then gives what is left. */
	void (*cut)(void *ctx);
	/* True while lines that were taken in have not become records. */
	bool (*holds)(const void *ctx);
	void (*close)(void *ctx);
};

extern const struct format format_csv, format_tsv, format_text, format_json, format_log, format_journal, format_reject;

/* By its name ("csv"); NULL if there is none. */
const struct format *format_named(const char *name);

/* The line without "\n" or "\r\n". */
struct str line_content(struct str line);
bool line_blank(struct str line);

#endif
