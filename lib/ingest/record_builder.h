/* record_builder.h - makes records of fields: names their members, derives ids, normalises times.
 *
 * A layout says which of a file's columns (or a pattern's groups) become text, id, time and source; it is found once a
 * file. The members of a record stand in this order: id, text, time, source, then the other columns in theirs.
 */
#ifndef SENTI_RECORD_BUILDER_H
#define SENTI_RECORD_BUILDER_H

#include "lib/ingest/format.h"

/* What the ids and `source` of one file's records are made of. */
struct origin {
	const char *name;  /* of the file, for messages */
	struct str source; /* the member; absent on stdin without --source */
	struct str file;   /* tells files under one --source apart: the last part of the path; else empty */
	struct str salt;   /* tells one stream, or one rotation of a file, from the next; else empty */
};

struct record_builder {
	struct origin origin;
	struct buf line; /* scratch */
};

void builder_free(struct record_builder *builder);

/* Where in its file a record stands: a line, and which row within it (old Mac line ends make several). */
struct line_place {
	uint64_t line;
	unsigned sub;
};

/* Which names are taken where the options say nothing. */
struct defaults {
	const char *const *text; /* in order of preference, NULL at the end */
	const char *time;
	bool strict_time; /* a `time` that cannot be understood is rejected although no option names it */
};

enum role { ROLE_OTHER, ROLE_TEXT, ROLE_ID, ROLE_TIME, ROLE_SOURCE };

struct layout {
	size_t n;
	enum role *role;
	struct buf *name;		  /* as they stand in a record: ,"name": */
	ptrdiff_t text, id, time, source; /* which column; -1: none */
	bool strict_time;
};

/* Fills *l, which layout_free clears. `what` is "column" or "group", `where` names the file or pattern in messages. A
 * name that is empty, occurs before, or is that of a member which another column becomes, is replaced by cN. A column
 * may be named by its number, from 1. */
MUST_USE int layout_init(struct layout *l, const struct str *name, size_t n, const struct ingest *conf,
    const struct defaults *d, const char *what, const char *where, struct err *e);
void layout_free(struct layout *l);

/* Appends a record of l->n fields to the batch, or a reject that holds `raw` where a time is bad. A field whose p is
 * NULL gives no member. All bytes are copied; fields must be UTF-8 without NUL (see builder_check). */
void builder_put(struct record_builder *builder, struct batch *b, const struct layout *l, const struct str *field,
    struct str raw, struct line_place at);
/* NULL if raw is UTF-8 without NUL, else the code of a reject and the column (from 1) of the first byte at fault. */
const char *builder_fault(struct str raw, size_t *column);
/* True if there is no fault; else appends a reject. */
bool builder_check(struct batch *b, struct str raw, struct line_place at);
/* Appends a rejected record with a copy of raw. */
void builder_reject(struct batch *b, struct str raw, struct line_place at, const char *code, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* Appends a record with a copy of `line`, with JSON_PAD readable bytes after it. Lent until the next is added. */
struct rec *builder_add(struct batch *b, struct str line, struct line_place at);

/* The id of a record that has none, from its origin, place, time as spelled and text. */
#define BUILDER_ID_LEN 32
void builder_id(const struct record_builder *builder, struct line_place at, struct str time, struct str text,
    char out[BUILDER_ID_LEN]);

#endif
