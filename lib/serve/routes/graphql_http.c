/* graphql_http.c - GET and POST /graphql: what is asked, in which form the answer goes (GraphQL over HTTP).
 *
 * A request that is not a GraphQL request is 400. A document that is wrong is 400 as application/graphql-response+json,
 * and 200 as application/json, which older clients take for a transport that works.
 */
#include "lib/http/lists.h"
#include "lib/serve/routes/event_stream.h"
#include "lib/serve/routes/graphql_internal.h"

#define MEDIA_RESPONSE "application/graphql-response+json"

struct asking {
	struct graphql_ask ask;
	enum graphql_media media;
	struct arena mem;
};

static void drop(void *state)
{
	struct asking *a = state;
	arena_free(&a->mem);
	free(a);
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

static struct asking *begin(struct request *r, enum graphql_media media)
{
	struct asking *a = xcalloc(1, sizeof *a);
	a->media = media;
	r->state = a;
	r->drop = drop;
	return a;
}

static void work(struct db_context *c, struct request *const *r, size_t n, void *app)
{
	for (size_t i = 0; i < n; i++) {
		const struct asking *a = r[i]->state;
		graphql_answer(app, c, r[i], &a->ask, a->media);
	}
}

static void hand_over(struct request *r, struct graphql *g, struct asking *a)
{
	if (a->ask.query.p)
		db_pool_do(g->conf.pool, r, work);
	else
		graphql_refuse(r, a->media, 400, "BAD_REQUEST", "the parameter 'query', a string, is missing");
}

void graphql_get(struct request *r, void *app)
{
	enum graphql_media media = choose_media(r);
	if (media == GRAPHQL_NO_MEDIA)
		return;
	struct asking *a = begin(r, media);
	a->ask = (struct graphql_ask){.query = request_query(r, "query"),
	    .operation = request_query(r, "operationName"),
	    .variables = request_query(r, "variables"),
	    .get = true};
	hand_over(r, app, a);
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
		graphql_refuse(r, a->media, 400, "BAD_REQUEST", "the parameter '%s' is not %s", name,
		    type == JSON_STRING ? "a string" : "an object");
		return false;
	}
	*out = type == JSON_STRING ? json_decode(m, &a->mem) : m->value;
	return true;
}

static bool read_body(struct request *r, struct asking *a, struct json_scan *s)
{
	struct str extensions;
	size_t n = r->body.n;
	json_pad(&r->body);
	if (json_scan(s, (struct str){r->body.p, n}) < 0) {
		graphql_refuse(r, a->media, 400, "BAD_REQUEST", "the body is not a JSON object: %s at byte %zu",
		    s->message, s->column);
		return false;
	}
	return read_member(r, a, s, "query", JSON_STRING, &a->ask.query) &&
	       read_member(r, a, s, "operationName", JSON_STRING, &a->ask.operation) &&
	       read_member(r, a, s, "variables", JSON_OBJECT, &a->ask.variables) &&
	       read_member(r, a, s, "extensions", JSON_OBJECT, &extensions);
}

void graphql_post(struct request *r, void *app)
{
	enum graphql_media media = choose_media(r);
	if (media == GRAPHQL_NO_MEDIA)
		return;
	struct asking *a = begin(r, media);
	struct json_scan s = {0};
	bool good = read_body(r, a, &s);
	json_scan_free(&s);
	if (good)
		hand_over(r, app, a);
}
