/* body.h - turns bodies of messages into lines of records. Knows no broker. */
#ifndef SENTI_NET_BODY_H
#define SENTI_NET_BODY_H

#include "lib/flow/record.h"

/* True for application/x-ndjson and its other names (application/jsonl ...), whatever their parameters. */
bool body_is_lines(struct str content_type);

/* The body of one record as a line: trimmed, line ends between tokens turned into spaces. Those inside a string stay,
 * for the scanner to refuse. `body` must have JSON_PAD readable bytes after it; so has the result, which is `body` or a
 * copy in the arena. */
struct str body_line(struct arena *mem, struct str body);

/* Cuts the next line that is not blank off *left, without its end; false if there is none. */
bool body_next(struct str *left, struct str *line);

/* Gives the record an "id" as its first member if it has none: `message_id` unless empty, else a hash of the bytes (and
 * of nth, the line in a pack; 0: not a pack). What is not an object stays as it is, for others to refuse. */
void body_id(struct batch *b, struct rec *r, struct json_scan *s, struct str message_id, size_t nth);

#endif
