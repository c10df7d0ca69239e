/* graphql_internal.h - what the files of /graphql share: the schema with who resolves its fields, the operation that
 * runs, and objects as they are shown.
 *
 *     connection's thread   graphql_http.c reads the request, and chooses the form of the answer; graphql.c prepares a
 *                           small operation, and runs what is quick and waits for nobody
 *     db_context thread     graphql.c prepares the others and runs all others; graphql_*.c resolve their fields
 *     connection's thread   graphql_events.c and graphql_stream.c send what subscriptions come to
 */
#ifndef SENTI_GRAPHQL_INTERNAL_H
#define SENTI_GRAPHQL_INTERNAL_H

#include <stdatomic.h>

#include "lib/data/store.h"
#include "lib/graphql/execute.h"
#include "lib/serve/db_context.h"
#include "lib/serve/documents.h"
#include "lib/serve/routes/routes.h"

struct graphql {
	struct graphql_conf conf;
	struct gql_schema *schema;
	struct graphql_streams *streams;
	struct gql_cache *cache;
	struct documents *documents; /* NULL: any document may be run */
	atomic_uint waiting;	     /* threads that wait for results of workers */
};

enum graphql_media { GRAPHQL_JSON, GRAPHQL_RESPONSE, GRAPHQL_EVENTS, GRAPHQL_NO_MEDIA };

/* What resolvers get as `app`. */
struct graphql_operation {
	struct graphql *g;
	struct db_context *db; /* NULL: in a connection's thread */
	struct json_scan *scan;
	/* Without db: of records from the process's own cache so many bytes may still be shown; */
	size_t room;
	bool missed; /* and one was not there or too long: the operation must run elsewhere. */
};

/* Who answers for a field; `bound` reaches the resolver in place of the operation if it is not NULL. */
struct graphql_binding {
	const char *type, *field;
	gql_resolve *resolve;
	const void *bound;
};
/* Each ends with an entry without a type. */
extern const struct graphql_binding graphql_sentiment_fields[], graphql_message_fields[], graphql_stats_fields[],
    graphql_mutation_fields[], graphql_event_fields[];

/* For fields that show a member of their object as it is: `bound` is its offset. */
#define GRAPHQL_MEMBER(type, member) (&(const size_t){offsetof(type, member)})
/* A struct str: text, null where it is absent. */
void graphql_text(struct gql_call *call, size_t n, void *bound);
/* A struct str that spells a number: Float, null where it is absent. */
void graphql_number(struct gql_call *call, size_t n, void *bound);
/* A uint64_t: Int. */
void graphql_count(struct gql_call *call, size_t n, void *bound);
/* A bool. */
void graphql_truth(struct gql_call *call, size_t n, void *bound);

/* The store has failed, or the operation's time is over: the same for all n. */
void graphql_unavailable(const struct graphql_operation *op, struct gql_call *call, size_t n, const struct err *e);
struct gql_out graphql_bad_input(struct gql_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);
struct gql_out graphql_not_supported(struct gql_call *call, const char *what);
/* True unless the argument is absent or null. */
static inline bool graphql_given(const struct gql_value *v)
{
	return v->kind != GQL_ABSENT && v->kind != GQL_NULL;
}
/* `first`: true and *out, or false with call->out set. */
bool graphql_first(struct gql_call *call, const struct gql_value *v, int64_t most, size_t *out);
/* A MessageFilter: true and *f, or false with call->out set. */
bool graphql_filter(struct gql_call *call, const struct gql_value *v, struct filter *f);
/* POSITIVE as "positive". Constant. */
struct str graphql_label(struct str name);
/* Texts that mean nothing to clients: new in mem; and back, where absent means that it is none of ours. */
struct str graphql_cursor(struct str text, struct arena *mem);
struct str graphql_cursor_read(struct str cursor, struct arena *mem);

/* A result: members of its JSON object, numbers as spelled; all lent. */
struct shown_sentiment {
	struct str label, score, neg, neu, pos, subjectivity, model, why;
	bool corrected; /* a person has set the label */
};
/* New in mem; NULL if it is not a result with a label and a score. `json` has JSON_PAD readable bytes after it. */
const struct shown_sentiment *graphql_sentiment(struct str json, struct json_scan *s, struct arena *mem);

/* A record, in the members that are shown. */
struct shown_message {
	struct str id, text, source, time, version, seq;
	const struct shown_sentiment *sentiment; /* NULL: it is not scored */
};
/* New in mem, of a stored record; NULL if that is not JSON. */
struct shown_message *graphql_message(struct str record, struct json_scan *s, struct arena *mem);
/* The messages of these ids, a look each in mem: NULL if the store has failed, with *e. */
struct look;
struct look *graphql_look(
    struct graphql_operation *op, const struct str *id, size_t n, struct arena *mem, struct err *e);

/* What was asked, and how. Strings live with the request. */
struct graphql_ask {
	struct str query, operation, variables; /* absent: not given; variables are a JSON object */
	bool get;				/* mutations are refused */
	enum graphql_media media;		/* of the answer */
	struct graphql_reservation *reservation;
	struct graphql_streamed *streamed; /* where results go; NULL: into the answer */
	/* Once it is prepared. */
	struct gql_request prepared; /* whoever drops this frees it */
	bool is_prepared, good;	     /* good: it can run */
	size_t held;		     /* of the request's memory */
};
/* In a db_context thread: answers the request, and may drop its state. Takes ask->streamed, and leaves NULL. */
void graphql_answer(struct graphql *g, struct db_context *db, struct request *r, struct graphql_ask *ask);
/* In the connection's thread: answers what is quick and waits for nobody, likewise; or returns the pool of threads for
 * graphql_answer. */
struct db_pool *graphql_answer_here(struct graphql *g, struct request *r, struct graphql_ask *ask);
/* In the same thread, for a client that takes events: what is in r->out is the whole answer. */
void graphql_events_answer(struct request *r);

/* ---- graphql_events.c: a subscription ---- */

struct subscription;
struct subscriber_conf;
/* New, of a prepared request, which is moved; *conf, lent by it, is what it asks for but for the callbacks. NULL: it
 * cannot be, and {"errors":...} is appended to *refusal. */
struct subscription *subscription_new(
    struct graphql *g, struct gql_request *q, struct subscriber_conf *conf, struct buf *refusal);
void subscription_free(struct subscription *s); /* NULL is allowed */
/* Bytes that it holds from event to event. */
size_t subscription_bytes(const struct subscription *s);
/* Appends the answer for an event, without a line end; false, and nothing is appended: it does not ask for this one. */
struct feed_event;
bool subscription_put(struct subscription *s, struct buf *out, const struct feed_event *ev);
/* Answers with its events. The subscription is taken. */
void graphql_subscribe(
    struct graphql *g, struct request *r, struct subscription *s, const struct subscriber_conf *conf);

/* ---- graphql_stream.c: all operations of a client in one stream ---- */

struct graphql_streams;
struct graphql_streams *graphql_streams_new(struct graphql *g);
void graphql_streams_free(struct graphql_streams *all); /* NULL is allowed */
/* The token that a request names; empty if it does not. */
struct str graphql_stream_token(struct request *r);
/* The reservation, for whoever made it: a reference, or NULL. */
struct graphql_reservation *graphql_reservation_find(
    struct graphql_streams *all, const struct request *r, struct str token);
void graphql_reservation_release(struct graphql_reservation *v);
/* Answers with its stream, and takes the reference. */
void graphql_stream_open(struct request *r, struct graphql_reservation *v);
/* A new operation of this id; or NULL, and the status of the refusal: 404 (the reservation has ended), 409 (there is
 * one), 429 (there are too many). To be given to one of the following, before the reservation is released. */
struct graphql_streamed *graphql_streamed_begin(struct graphql_reservation *v, struct str id, unsigned *status);
void graphql_streamed_drop(struct graphql_streamed *s);
/* It is a query or mutation with this answer, which ends with a line end. */
void graphql_streamed_result(struct graphql_streamed *s, struct str answer);
/* It is a subscription, which is taken. False: there is no memory for it. */
bool graphql_streamed_subscribe(
    struct graphql_streamed *s, struct subscription *subscription, struct subscriber_conf *conf);

/* Answers with one error: {"errors":[...]}. */
void graphql_refuse(struct request *r, enum graphql_media media, unsigned status, const char *code, const char *fmt,
    ...) PRINTF_LIKE(5, 6);

#endif
