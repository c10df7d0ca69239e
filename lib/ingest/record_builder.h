/* record_builder.h - makes records of fields: names their members, derives ids, normalises times.
 *
 * A layout says which of a file's columns (or a pattern's groups) become text, id, time and source; it is found once a
 * file. The members of a record stand in this order: id, text, time, source, then the other columns in theirs.
 */
#ifndef SENTI_RECORD_BUILDER_H
#define SENTI_RECORD_BUILDER_H

#include "lib/ingest/format.h"
#include "lib/ingest/ids.h"

struct record_builder {
	struct origin origin;
	struct ids *ids; /* of the whole run; lent */
	struct buf line; /* scratch */
};

void builder_free(struct record_builder *builder);

/* Which names are taken where the options say nothing. */
struct defaults {
	const char *const *text; /* in order of preference, NULL at the end */
	const char *time;
	bool strict_time; /* a `time` that cannot be understood is rejected although no option names it */
};

enum column_role { ROLE_OTHER, ROLE_TEXT, ROLE_ID, ROLE_TIME, ROLE_SOURCE };

struct layout {
	size_t n;
	enum column_role *role;
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

/* The id of a record: what it brings, or if that is empty a hash, after --id-prefix. New in mem. */
struct str builder_id(struct record_builder *builder, struct str own, struct line_place at, struct str time,
    struct str text, struct arena *mem);

#endif
