/* graphql_http.c - GET and POST /graphql: what is asked, in which form the answer goes (GraphQL over HTTP).
 *
 * A request that is not a GraphQL request is 400. A document that is wrong is 400 as application/graphql-response+json,
 * and 200 as application/json, which older clients take for a transport that works.
 */
#include "lib/http/lists.h"
#include "lib/serve/routes/event_stream.h"
#include "lib/serve/routes/graphql_internal.h"
#include "lib/serve/thread_context.h"

#define MEDIA_RESPONSE "application/graphql-response+json"

#define STREAM_TOKEN "X-GraphQL-Event-Stream-Token"

struct asking {
	struct graphql_ask ask;
	struct str document, id; /* the hash of a trusted document; extensions.operationId */
	struct arena mem;
};

static void drop(void *state)
{
	struct asking *a = state;
	if (a->ask.streamed)
		graphql_streamed_drop(a->ask.streamed);
	if (a->ask.reservation)
		graphql_reservation_release(a->ask.reservation);
	if (a->ask.is_prepared)
		gql_request_free(&a->ask.prepared);
	arena_free(&a->mem);
	free(a);
}

struct str graphql_stream_token(struct request *r)
{
	const char *named = request_header(r, STREAM_TOKEN);
	return named ? str_of(named) : request_query(r, "token");
}

/* ---- the form of the answer ---- */

/* The weight of the type where the list names it, or else all of its kind. */
static int weight_of(struct str accept, const char *type, const char *kind)
{
	int w = list_weight(accept, type);
	if (w < 0 && kind)
		w = list_weight(accept, kind);
	return w < 0 && kind ? list_weight(accept, "*/*") : w;
}

/* As application/json unless another is named. */
static enum graphql_media media_of(struct request *r)
{
	struct str accept = request_header_list(r, "Accept");
	if (!accept.p || !accept.n)
		return GRAPHQL_JSON;
	int json = weight_of(accept, MEDIA_JSON, "application/*"), response = weight_of(accept, MEDIA_RESPONSE, NULL),
	    events = weight_of(accept, MEDIA_EVENTS, NULL);
	if (events > 0 && events >= json && events >= response)
		return GRAPHQL_EVENTS;
	if (response > 0 && response >= json)
		return GRAPHQL_RESPONSE;
	return json > 0 ? GRAPHQL_JSON : GRAPHQL_NO_MEDIA;
}

/* The form, or GRAPHQL_NO_MEDIA with the request answered. */
static enum graphql_media choose_media(struct request *r)
{
	enum graphql_media media = media_of(r);
	if (media == GRAPHQL_NO_MEDIA)
		graphql_refuse(r, GRAPHQL_JSON, 406, "NOT_ACCEPTABLE",
		    "answers are " MEDIA_RESPONSE ", " MEDIA_JSON " or " MEDIA_EVENTS);
	return media;
}

/* ---- what is asked ---- */

static void work(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	for (size_t i = 0; i < n; i++)
		graphql_answer(app, c, r[i], &((struct asking *)r[i]->state)->ask);
}

/* Finds the reservation that the request names: true if it names none or there is one. */
static bool find_reservation(struct request *r, struct graphql *g, struct graphql_ask *ask)
{
	struct str token = graphql_stream_token(r);
	if (!token.n)
		return true;
	ask->reservation = graphql_reservation_find(g->streams, r, token);
	if (!ask->reservation)
		graphql_refuse(r, GRAPHQL_JSON, 404, "STREAM_NOT_FOUND", "there is no such reservation");
	return ask->reservation != NULL;
}

static struct asking *begin(struct request *r, struct graphql *g)
{
	enum graphql_media media = choose_media(r);
	if (media == GRAPHQL_NO_MEDIA)
		return NULL;
	struct asking *a = xcalloc(1, sizeof *a);
	a->ask.media = media;
	r->state = a;
	r->drop = drop;
	return find_reservation(r, g, &a->ask) ? a : NULL;
}

/* Makes it an operation of its reservation: false with the request answered. */
static bool begin_streamed(struct request *r, struct asking *a, struct str id)
{
	unsigned status = 400;
	if (id.n)
		a->ask.streamed = graphql_streamed_begin(a->ask.reservation, id, &status);
	if (a->ask.streamed)
		return true;
	graphql_refuse(r, GRAPHQL_JSON, status,
	    status == 404   ? "STREAM_NOT_FOUND"
	    : status == 409 ? "OPERATION_EXISTS"
	    : status == 429 ? "TOO_MANY_OPERATIONS"
			    : "BAD_REQUEST",
	    status == 404   ? "there is no such reservation"
	    : status == 409 ? "an operation of this id is running"
	    : status == 429 ? "too many operations of this reservation are running"
			    : "the member operationId of the extensions, a string, is missing");
	return false;
}

/* Puts the document that was named in the place of the query, or holds the query to the trusted ones: false with the
 * request answered. */
static bool find_document(struct request *r, struct graphql *g, struct asking *a)
{
	static const char prefix[] = "sha256:";
	struct str named = a->document;
	char hash[DOCUMENT_HASH];
	if (named.p && !g->documents && !a->ask.query.p) {
		graphql_refuse(r, a->ask.media, 400, "DOCUMENT_NOT_FOUND", "this server has no trusted documents");
		return false;
	}
	if (!g->documents || (!named.p && !a->ask.query.p))
		return true;
	if (!named.p) {
		documents_hash(a->ask.query, hash);
		named = (struct str){hash, DOCUMENT_HASH};
	} else if (named.n >= sizeof prefix - 1 && memcmp(named.p, prefix, sizeof prefix - 1) == 0) {
		named = (struct str){named.p + sizeof prefix - 1, named.n - (sizeof prefix - 1)};
	}
	a->ask.query = documents_find(g->documents, named, &a->mem);
	if (!a->ask.query.p)
		graphql_refuse(r, a->ask.media, 400, a->document.p ? "DOCUMENT_NOT_FOUND" : "DOCUMENT_NOT_TRUSTED",
		    a->document.p ? "no trusted document has this SHA-256" : "this server runs trusted documents only");
	return a->ask.query.p != NULL;
}

static void hand_over(struct request *r, struct graphql *g, struct asking *a)
{
	if (!find_document(r, g, a))
		return;
	if (!a->ask.query.p) {
		graphql_refuse(r, a->ask.media, 400, "BAD_REQUEST", "the parameter 'query', a string, is missing");
		return;
	}
	if (a->ask.reservation && !begin_streamed(r, a, a->id))
		return;
	struct db_pool *pool = a->ask.reservation ? g->conf.pool : graphql_answer_here(g, r, &a->ask);
	if (pool)
		db_pool_do(pool, r, work);
}

static struct str text_member(const struct json_scan *s, const char *name, struct arena *mem)
{
	const struct json_member *m = json_find(s, str_of(name));
	return m && m->type == JSON_STRING ? json_decode(m, mem) : STR_NONE;
}

/* Reads {"operationId":ID,"persistedQuery":{"sha256Hash":HASH}}: false if it is not an object. */
static bool read_extensions(struct asking *a, struct str extensions, struct json_scan *s)
{
	if (!extensions.n)
		return true;
	if (json_scan(s, json_padded(&a->mem, extensions)) < 0)
		return false;
	a->id = text_member(s, "operationId", &a->mem);
	const struct json_member *persisted = json_find(s, STR("persistedQuery"));
	if (persisted && persisted->type == JSON_OBJECT && !a->document.p &&
	    json_scan(s, json_padded(&a->mem, persisted->value)) == 0)
		a->document = text_member(s, "sha256Hash", &a->mem);
	return true;
}

void graphql_get(struct request *r, void *app)
{
	struct graphql *g = app;
	struct asking *a = begin(r, g);
	if (!a)
		return;
	if (a->ask.reservation && a->ask.media == GRAPHQL_EVENTS) {
		struct graphql_reservation *v = a->ask.reservation;
		a->ask.reservation = NULL;
		graphql_stream_open(r, v); /* which drops the rest */
		return;
	}
	a->ask.query = request_query(r, "query");
	a->ask.operation = request_query(r, "operationName");
	a->ask.variables = request_query(r, "variables");
	a->ask.get = true;
	a->document = request_query(r, "documentId");
	if (read_extensions(a, request_query(r, "extensions"), &thread_context_get(g->conf.threads)->scan))
		hand_over(r, g, a);
	else
		graphql_refuse(r, a->ask.media, 400, "BAD_REQUEST", "the parameter 'extensions' is not a JSON object");
}

void graphql_post_begin(struct request *r, void *app)
{
	(void)app;
	if (strcmp(r->media, MEDIA_JSON) == 0)
		return;
	request_set(r, "Accept-Post", MEDIA_JSON);
	request_problem(r, 415, "unsupported_media_type", "send requests as " MEDIA_JSON ", not as '%s'", r->media);
}

/* A member of this type or null: true, and *out; false with the request answered. */
static bool read_member(struct request *r, struct asking *a, const struct json_scan *s, const char *name,
    enum json_type type, struct str *out)
{
	const struct json_member *m = json_find(s, str_of(name));
	if (!m || m->type == JSON_NULL)
		return true;
	if (m->type != type) {
		graphql_refuse(r, a->ask.media, 400, "BAD_REQUEST", "the parameter '%s' is not %s", name,
		    type == JSON_STRING ? "a string" : "an object");
		return false;
	}
	*out = type == JSON_STRING ? json_decode(m, &a->mem) : m->value;
	return true;
}

static bool read_body(struct request *r, struct asking *a, struct json_scan *s)
{
	struct str extensions = STR_NONE;
	size_t n = r->body.n;
	json_pad(&r->body);
	if (json_scan(s, (struct str){r->body.p, n}) < 0) {
		graphql_refuse(r, a->ask.media, 400, "BAD_REQUEST", "the body is not a JSON object: %s at byte %zu",
		    s->message, s->column);
		return false;
	}
	return read_member(r, a, s, "query", JSON_STRING, &a->ask.query) &&
	       read_member(r, a, s, "operationName", JSON_STRING, &a->ask.operation) &&
	       read_member(r, a, s, "variables", JSON_OBJECT, &a->ask.variables) &&
	       read_member(r, a, s, "documentId", JSON_STRING, &a->document) &&
	       read_member(r, a, s, "extensions", JSON_OBJECT, &extensions) && read_extensions(a, extensions, s);
}

void graphql_post(struct request *r, void *app)
{
	struct graphql *g = app;
	struct asking *a = begin(r, g);
	if (a && read_body(r, a, &thread_context_get(g->conf.threads)->scan))
		hand_over(r, g, a);
}
