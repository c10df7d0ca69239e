/* scan.h - validates one JSON object (RFC 8259 and UTF-8) and finds its members, in one pass.
 *
 * Nothing is copied or built: a member is two slices of the input. Numbers are checked for spelling only (1e999
 * passes). Nested values are validated and skipped.
 *
 *     struct json_scan s = {0};
 *     if (json_scan(&s, line) < 0) ... s.error, s.column
 *     const struct json_member *m = json_find(&s, STR("text"));
 *     if (m && m->type == JSON_STRING) text = json_decode(m->value, arena);
 *     ...
 *     json_scan_free(&s);
 *
 * The member array is reused between calls, so a stream of records allocates nothing. The input needs no NUL, but
 * JSON_PAD readable bytes, of any value, after its end.
 */
#ifndef SENTI_JSON_SCAN_H
#define SENTI_JSON_SCAN_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"

#define JSON_PAD 64
#define JSON_MAX_DEPTH 2048 /* counting the outermost object; jansson's own limit */

/* Copies s into the arena with JSON_PAD zeros after it. An absent slice becomes an empty one. */
struct str json_padded(struct arena *a, struct str s);
/* Prepares the buffer for the scanner: JSON_PAD zeros follow its content until it grows. */
void json_pad(struct buf *b);

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member {
	struct str name;  /* between the quotes, as spelled */
	struct str value; /* as spelled; a string with its quotes */
	enum json_type type;
	bool name_escaped; /* the name has a backslash: compare its decoded form */
	bool escaped;	   /* the value is a string with a backslash */
};

enum json_error {
	JSON_OK,
	JSON_BAD,	     /* not RFC 8259, or nested deeper than JSON_MAX_DEPTH */
	JSON_UTF8,	     /* a byte sequence that is not UTF-8 (over-long forms and surrogates are not) */
	JSON_LONE_SURROGATE, /* \ud800 to \udfff without its other half */
	JSON_NUL,	     /* \u0000 in a string or a name */
	JSON_NOT_OBJECT,     /* valid JSON, but another type */
};

struct json_scan {
	struct json_member *member;
	size_t n, cap;
	enum json_error error;
	size_t column;	     /* of the error: 1-based, in bytes */
	const char *message; /* of the error, constant text: "expected ':' after a name" */
};

/* Returns 0 and the members in order, duplicates included, or -1 with error, column and message. The first wrong byte
 * decides; bad UTF-8 takes precedence over bad JSON around it. */
MUST_USE int json_scan(struct json_scan *s, struct str line);
/* Checks any JSON value, without collecting members: for documents (the value of an option, a header). */
MUST_USE int json_check(struct json_scan *s, struct str text);
void json_scan_free(struct json_scan *s);

/* Returns the LAST member of that name, or NULL. Escapes in names are decoded before comparing. */
const struct json_member *json_find(const struct json_scan *s, struct str name);
bool json_name_is(const struct json_member *m, struct str name);

/* Returns the decoded content of a scanned string value: a slice of the value if it has no escapes, else new bytes in
 * the arena. JSON_PAD readable bytes follow either. */
struct str json_decode(const struct json_member *m, struct arena *a);
/* Decodes raw content between quotes (of a name) and appends it. */
void json_unescape(struct str raw, struct buf *out);

#endif
