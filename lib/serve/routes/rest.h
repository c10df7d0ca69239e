/* rest.h - what the REST routes share: media types, queries, problems of records, entity tags. */
#ifndef SENTI_REST_H
#define SENTI_REST_H

#include "lib/data/store.h"
#include "lib/flow/record.h"
#include "lib/http/request.h"
#include "lib/score/engine.h"

/* Answers 415, with the accepted types. */
void rest_unsupported(struct request *r);
/* The status for a single record rejected with this code: 400, 413 or 422. */
unsigned rest_status_of(const char *code);
void rest_problem(struct request *r, const struct rec *rec);
/* Parameters of the query: true, with *out set if given; or false with the request answered (400). */
bool rest_query_bool(struct request *r, const char *name, bool *out);
bool rest_query_number(struct request *r, const char *name, uint64_t least, uint64_t most, uint64_t *out);
/* What restricts messages, and room for it. */
struct rest_filter {
	struct filter filter;
	struct member_is where[FILTER_MEMBERS];
};
/* label, source, model, since, until, q, score_min, score_max, unscored, corrected, and each where; *f stays where it
 * is as long as its filter is used. */
bool rest_query_filter(struct request *r, struct rest_filter *f);
/* Appends "&NAME=VALUE", if the request has it: for the address of a next page. */
void rest_put_query(struct buf *out, struct request *r, const char *name);
/* The same for all that restricts messages. */
void rest_put_filter(struct buf *out, struct request *r);
/* Appends /v1/messages/ID, percent-encoded. */
void rest_put_path(struct buf *out, struct str id);
/* Sets ETag: the version of a message. */
void rest_set_tag(struct request *r, uint64_t version);
/* True if the request has preconditions that ask for versions. */
bool rest_is_conditional(const struct request *r);
/* Evaluates them for a message of this version, in the order of RFC 9110, 13.2.2: true if the request may go on, or
 * false with it answered (412, or 304 for a read). A message has no time of its last change, so the headers that name
 * times mean nothing. */
bool rest_condition(struct request *r, uint64_t version);
/* Answers 412: the message has this version. */
void rest_changed(struct request *r, uint64_t version);

#endif
