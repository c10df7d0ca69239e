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
/* Whether If-Match or If-None-Match names a message of this version: 1 or 0; -1 if the header is absent. */
int rest_tag_matches(struct request *r, const char *header, uint64_t version);

#endif
