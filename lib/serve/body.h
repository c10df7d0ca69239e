/* body.h - reads the three forms of a body that carries records, for all routes that take them.
 *
 *     application/json     one object: one record; or an array of them
 *     application/x-ndjson one record a line, any number: worked off as it arrives
 *
 * The stages decide what a record is (an object of at most max_record bytes, whose text is a string).
 */
#ifndef SENTI_BODY_H
#define SENTI_BODY_H

#include "lib/flow/record.h"
#include "lib/http/request.h"
#include "lib/json/items.h"

enum body_form { BODY_OTHER, BODY_JSON, BODY_LINES };

/* The form that the request's headers name. */
enum body_form body_form(const struct request *r);

/* The records of a whole JSON body, in slices; they point into r->body. An item that is not an object becomes a
 * rejected record. */
struct body_records {
	bool array;
	size_t max_items;

	/* private */
	struct str text;
	struct json_items items;
	size_t n;
	struct json_scan scan;
};

/* 0, or -1 with the request answered (400: not JSON; 422: neither object nor array). */
int body_records_begin(struct body_records *body, struct request *r, size_t max_items);
/* Adds records to the batch until they have `bytes` bytes. 1; 0 if these were the last; -1 with the request answered
 * (400; 413: more than max_items). */
int body_records_next(struct body_records *body, struct request *r, struct batch *b, size_t bytes);
void body_records_free(struct body_records *body);

/* Lines as they arrive: keeps the one that is not complete yet. */
struct body_lines {
	struct buf rest;
	uint64_t line; /* number of the last line taken */
	size_t max_record;
	bool skipping; /* in a line that is too long, and rejected already */
};

/* Adds each line that `piece` completes to the batch; `end` completes the last one. The records' bytes live as long as
 * the batch. */
void body_lines_add(struct body_lines *l, struct batch *b, struct str piece, bool end);
void body_lines_free(struct body_lines *l);

#endif
