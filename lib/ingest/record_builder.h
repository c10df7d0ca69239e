/* record_builder.h - makes records of fields: names their members, derives ids, normalizes times.
 *
 * A layout says which of a file's columns (or a pattern's groups) become text, id, time and source; it is determined
 * once per file. The members of a record are ordered: id, text, time, source, then the other columns in file order.
 */
#ifndef SENTI_RECORD_BUILDER_H
#define SENTI_RECORD_BUILDER_H

#include "lib/ingest/format.h"
#include "lib/ingest/ids.h"

/* A reject code of mail. */
#define CODE_BAD_MAIL "bad_mail"

struct record_builder {
	struct origin origin;
	struct ids *ids;       /* shared by the whole run; lent */
	bool unescape;	       /* HTML's entities in texts; ids are of the text as spelled */
	struct buf line, text; /* scratch */
	const struct time_formats *times;
	struct buf *replayed; /* -F reject: the header that went before all rows of the run; lent */
	/* The order of dates such as 03/04/2015 in this file. When it is first needed, find_order looks for it in the
	 * file, unless it is NULL: DATES_UNKNOWN if its dates leave both open. */
	enum date_order order;
	enum date_order (*find_order)(struct record_builder *);
	void *arg;   /* of find_order */
	bool looked; /* it was called */
	bool timed;  /* a time of this file has been read */
	/* Not NULL: nothing is built. The first date that tells the order puts it here, and `failed` ends the
	 * reading. */
	enum date_order *probe;
	bool failed; /* the input cannot be read with these options: see `error` */
	struct err error;
};

void builder_free(struct record_builder *builder);
/* Forgets what is known of the file. */
void builder_begin(struct record_builder *builder);

/* Reads a time by --time-format, or as timeparse_read does; if it was `asked` for (by an option or a preset) also
 * 03/04/2015, for which the file's order is found out. TIMEPARSE_BAD with builder->failed set: the order cannot be
 * found, and the option has to name it. */
enum timeparse builder_time(struct record_builder *builder, struct str s, bool asked, char out[TIME_LEN]);

/* What to add to the message about a time that builder_time could not read: "", or what its order has to do with it.
 * Constant. */
const char *builder_time_hint(const struct record_builder *builder, struct str s);

/* The names to use if the options give none. */
struct defaults {
	const char *const *text; /* in order of preference, NULL-terminated */
	const char *time;
	bool strict_time; /* reject an unreadable `time` even if no option names it */
};

enum column_role { ROLE_OTHER, ROLE_TEXT, ROLE_ID, ROLE_TIME, ROLE_SOURCE };

struct layout {
	size_t n;
	enum column_role *role;
	struct buf *name;		  /* as written in a record: ,"name": */
	ptrdiff_t text, id, time, source; /* the column's index; -1: none */
	bool strict_time;
};

/* Fills *l, which layout_free clears. `what` is "column" or "group"; `where` names the file or pattern in messages. A
 * name that is empty, repeated, or that of a member made from another column is replaced by cN. Options may name a
 * column by its number, from 1. */
MUST_USE int layout_init(struct layout *l, const struct str *name, size_t n, const struct ingest *conf,
    const struct defaults *d, const char *what, const char *where, struct err *e);
void layout_free(struct layout *l);

/* Appends a record of l->n fields to the batch, or a reject that holds `raw` if a time is bad. A field whose p is NULL
 * gives no member. All bytes are copied; fields must be UTF-8 without NUL (see builder_check). */
void builder_put(struct record_builder *builder, struct batch *b, const struct layout *l, const struct str *field,
    struct str raw, struct line_place at);
/* NULL if raw is UTF-8 without NUL, else a reject code and the column (from 1) of the first bad byte. */
const char *builder_fault(struct str raw, size_t *column);
/* True if raw is well-formed; else appends a reject. */
bool builder_check(struct batch *b, struct str raw, struct line_place at);
/* Appends a rejected record with a copy of raw. */
void builder_reject(struct batch *b, struct str raw, struct line_place at, const char *code, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
/* Appends a record with a copy of `line`, JSON_PAD readable bytes after it. Lent until the next is added. */
struct rec *builder_add(struct batch *b, struct str line, struct line_place at);

/* The id of a record: its own or, if that is empty, a hash, after --id-prefix. New in mem. */
struct str builder_id(struct record_builder *builder, struct str own, struct line_place at, struct str time,
    struct str text, struct arena *mem);

#endif
