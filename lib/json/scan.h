/* scan.h - one pass over one JSON object: validates it (RFC 8259 and UTF-8) and finds its members.
 *
 * Nothing is copied and nothing is built: a member is two slices of the input. Numbers are only spelled (1e999
 * passes), nested values are validated and then skipped.
 *
 *     struct json_scan s = {0};
 *     if (json_scan(&s, line) < 0) ... s.error, s.column
 *     const struct json_member *m = json_find(&s, STR("text"));
 *     if (m && m->type == JSON_STRING) text = json_decode(m->value, arena);
 *     ...
 *     json_scan_free(&s);
 *
 * The member array is kept from call to call, so a stream of records allocates nothing.
 * The input needs no NUL, but JSON_PAD readable bytes after its end, of any value.
 */
#ifndef SENTI_JSON_SCAN_H
#define SENTI_JSON_SCAN_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"

#define JSON_PAD 64
#define JSON_MAX_DEPTH 2048 /* the outermost object counts as one; jansson's own limit */

/* A copy in the arena with JSON_PAD zeros after it; an absent slice becomes an empty one. */
struct str json_padded(struct arena *a, struct str s);
/* Makes what the buffer holds readable by the scanner: JSON_PAD zeros follow its end, until it grows. */
void json_pad(struct buf *b);

enum json_type { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_member {
	struct str name;  /* between the quotes, as spelled */
	struct str value; /* as spelled; a string with its quotes */
	enum json_type type;
	bool name_escaped; /* the name has a backslash: compare its decoded form */
	bool escaped;	   /* the value is a string with a backslash in it */
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

/* 0 and the members in their order (duplicates included), or -1 with error, column and message.
 * Where several things are wrong the first byte at fault decides; UTF-8 is judged before the JSON around it. */
MUST_USE int json_scan(struct json_scan *s, struct str line);
/* The same for any JSON value, without collecting members: for documents (a value of an option, a header). */
MUST_USE int json_check(struct json_scan *s, struct str text);
void json_scan_free(struct json_scan *s);

/* The LAST member of that name (escaped spellings of a name compare by what they mean), or NULL. */
const struct json_member *json_find(const struct json_scan *s, struct str name);
bool json_name_is(const struct json_member *m, struct str name);

/* The decoded content of a string value that was scanned (with its quotes). Without escapes it is a slice of
 * the value itself, else new bytes in the arena, JSON_PAD readable bytes after either. */
struct str json_decode(const struct json_member *m, struct arena *a);
/* The same into a buffer, for a raw content between quotes (names). */
void json_unescape(struct str raw, struct buf *out);

#endif
