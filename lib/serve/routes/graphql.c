/* graphql.c - the schema bound to its resolvers, and one operation from its text to its answer. */
#include <stdarg.h>

#include "lib/base/clock.h"
#include "lib/base/embed.h"
#include "lib/base/log.h"
#include "lib/graphql/introspect.h"
#include "lib/json/write.h"
#include "lib/serve/routes/graphql_internal.h"
#include "lib/serve/subscribers.h"
#include "lib/serve/thread_context.h"
#include "lib/serve/tokens.h"

EMBED(graphql_sdl, "lib/serve/schema.graphql")

#define MEDIA_GRAPHQL_JSON "application/json; charset=utf-8"
#define MEDIA_GRAPHQL_RESPONSE "application/graphql-response+json; charset=utf-8"

enum { CACHED_DOCUMENTS = 1 << 20, PART_OF_MEMORY = 64 }; /* bytes, some hundred documents, but no more than a part */

/* ---- the schema ---- */

static bool is_time(const struct gql_value *v)
{
	int64_t ms;
	return v->kind == GQL_TEXT && time_parse(v->text, &ms) == 0;
}

static int bind_all(struct gql_schema *s, const struct graphql_binding *b, struct err *e)
{
	for (; b->type; b++)
		if (gql_schema_bind(s, str_of(b->type), str_of(b->field), b->resolve, (void *)(uintptr_t)b->bound, e) <
		    0)
			return -1;
	return 0;
}

static int bind_fields(struct gql_schema *s, struct err *e)
{
	static const struct graphql_binding *const all[] = {graphql_sentiment_fields, graphql_message_fields,
	    graphql_stats_fields, graphql_mutation_fields, graphql_event_fields};
	for (size_t i = 0; i < COUNT_OF(all); i++)
		if (bind_all(s, all[i], e) < 0)
			return -1;
	for (size_t i = 0; i < s->ntypes; i++)
		if (str_eq(s->types[i]->name, STR("DateTime")))
			s->types[i]->check = is_time;
	gql_introspection_bind(s);
	return 0;
}

/* A trusted document fits the schema; limits hold for it when it is run. */
static int check_document(struct str text, void *arg, struct err *e)
{
	const struct graphql *g = arg;
	struct arena mem = {0};
	struct gql_document doc = {0};
	struct gql_errors errors;
	int rc = 0;
	gql_errors_init(&errors, &mem, text, 1);
	if (gql_parse(&doc, text, &(struct gql_parse_limits){0}, &mem) < 0)
		rc = err_set(e, ERR_USAGE, "%.*s", STR_FMT(doc.error));
	else if (!gql_validate(g->schema, &doc, &errors))
		rc = err_set(e, ERR_USAGE, "%.*s", STR_FMT(errors.first->message));
	gql_document_free(&doc);
	arena_free(&mem);
	return rc;
}

int graphql_reload(struct graphql *g, struct err *e)
{
	if (g->documents && documents_reload(g->documents, e) < 0)
		return -1;
	return g->documents ? (int)documents_count(g->documents) : 0;
}

struct graphql *graphql_new(const struct graphql_conf *conf, struct err *e)
{
	struct gql_schema *s = gql_schema_new(graphql_sdl(), e);
	if (!s || bind_fields(s, e) < 0) {
		gql_schema_free(s);
		return NULL;
	}
	struct graphql *g = xcalloc(1, sizeof *g);
	g->conf = *conf;
	g->schema = s;
	uint64_t part = conf->memory->limit / PART_OF_MEMORY;
	g->cache = gql_cache_new(part < CACHED_DOCUMENTS ? part : CACHED_DOCUMENTS, conf->memory);
	g->streams = graphql_streams_new(g);
	if (!conf->documents || (g->documents = documents_open(conf->documents, check_document, g, e)))
		return g;
	graphql_free(g);
	return NULL;
}

void graphql_free(struct graphql *g)
{
	if (!g)
		return;
	graphql_streams_free(g->streams);
	documents_free(g->documents);
	gql_cache_free(g->cache);
	gql_schema_free(g->schema);
	free(g);
}

/* ---- what resolvers share ---- */

void graphql_text(struct gql_call *call, size_t n, void *bound)
{
	const size_t *at = bound;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_text(*(const struct str *)((const char *)call[i].parent + *at));
}

void graphql_number(struct gql_call *call, size_t n, void *bound)
{
	const size_t *at = bound;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_spelled(*(const struct str *)((const char *)call[i].parent + *at));
}

void graphql_count(struct gql_call *call, size_t n, void *bound)
{
	const size_t *at = bound;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_integer((int64_t) * (const uint64_t *)((const char *)call[i].parent + *at));
}

void graphql_truth(struct gql_call *call, size_t n, void *bound)
{
	const size_t *at = bound;
	for (size_t i = 0; i < n; i++)
		call[i].out = gql_truth(*((const bool *)call[i].parent + *at));
}

void graphql_unavailable(const struct graphql_operation *op, struct gql_call *call, size_t n, const struct err *e)
{
	bool late = op->db->interrupt.why != INTERRUPT_NONE;
	if (!late)
		log_warn("the store does not answer", "error", e->msg, NULL);
	for (size_t i = 0; i < n; i++)
		call[i].out = late ? gql_failure(STR("The operation takes too long."), "TIMEOUT")
				   : gql_failure(STR("the store does not answer"), "STORE_UNAVAILABLE");
}

struct gql_out graphql_bad_input(struct gql_call *call, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct str why = arena_vprintf(call->mem, fmt, ap);
	va_end(ap);
	return gql_failure(why, "BAD_USER_INPUT");
}

struct gql_out graphql_not_supported(struct gql_call *call, const char *what)
{
	return gql_failure(arena_printf(call->mem, "this server does not support %s", what), "NOT_SUPPORTED");
}

bool graphql_first(struct gql_call *call, const struct gql_value *v, int64_t most, size_t *out)
{
	if (!graphql_given(v))
		return true;
	*out = (size_t)v->integer;
	if (v->integer >= 0 && v->integer <= most)
		return true;
	call->out = graphql_bad_input(call, "first is a number from 0 to %lld", (long long)most);
	return false;
}

struct str graphql_label(struct str name)
{
	return name.p[0] == 'P' ? STR("positive") : name.p[2] == 'G' ? STR("negative") : STR("neutral");
}

struct str graphql_cursor(struct str text, struct arena *mem)
{
	static const char digit[] = "0123456789abcdef";
	char *out = arena_alloc(mem, 2 * text.n);
	for (size_t i = 0; i < text.n; i++) {
		out[2 * i] = digit[(unsigned char)text.p[i] >> 4];
		out[2 * i + 1] = digit[(unsigned char)text.p[i] & 15];
	}
	return (struct str){out, 2 * text.n};
}

static int digit_of(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

struct str graphql_cursor_read(struct str cursor, struct arena *mem)
{
	char *out = arena_alloc(mem, cursor.n / 2 + 1);
	for (size_t i = 0; i + 1 < cursor.n; i += 2) {
		int high = digit_of(cursor.p[i]), low = digit_of(cursor.p[i + 1]);
		if (high < 0 || low < 0)
			return STR_NONE;
		out[i / 2] = (char)(high << 4 | low);
	}
	out[cursor.n / 2] = 0;
	return cursor.n % 2 ? STR_NONE : (struct str){out, cursor.n / 2};
}

/* ---- an operation ---- */

static const char *media_name(enum graphql_media media)
{
	return media == GRAPHQL_RESPONSE ? MEDIA_GRAPHQL_RESPONSE : MEDIA_GRAPHQL_JSON;
}

void graphql_refuse(
    struct request *r, enum graphql_media media, unsigned status, const char *code, const char *fmt, ...)
{
	char why[512];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	buf_clear(&r->out);
	buf_str(&r->out, STR("{\"errors\":[{\"message\":"));
	json_put_lossy(&r->out, str_of(why));
	buf_printf(&r->out, ",\"extensions\":{\"code\":\"%s\"}}]}\n", code);
	request_answer(r, status, media_name(media));
}

/* r->out is the answer of an operation that was not run: a transport that takes no part in errors says 200. */
static void answer_refused(struct request *r, const struct graphql_ask *ask)
{
	if (ask->media == GRAPHQL_EVENTS && !ask->streamed)
		graphql_events_answer(r);
	else
		request_answer(r, ask->streamed || ask->media == GRAPHQL_RESPONSE ? 400 : 200, media_name(ask->media));
}

static void accepted(struct request *r)
{
	buf_clear(&r->out);
	request_answer(r, 202, NULL);
}

/* r->out is what an operation has come to. */
static void answer_result(struct request *r, struct graphql_ask *ask)
{
	struct graphql_streamed *streamed = ask->streamed;
	ask->streamed = NULL;
	if (streamed) {
		graphql_streamed_result(streamed, buf_view(&r->out));
		accepted(r);
	} else if (ask->media == GRAPHQL_EVENTS) {
		graphql_events_answer(r);
	} else {
		request_answer(r, 200, media_name(ask->media));
	}
}

static void subscribe_to(struct graphql *g, struct request *r, struct graphql_ask *ask)
{
	struct subscriber_conf conf;
	struct graphql_streamed *streamed = ask->streamed;
	struct subscription *s = subscription_new(g, &ask->prepared, &conf, &r->out);
	if (!s) {
		answer_refused(r, ask);
		return;
	}
	ask->streamed = NULL;
	if (!streamed)
		graphql_subscribe(g, r, s, &conf);
	else if (graphql_streamed_subscribe(streamed, s, &conf))
		accepted(r);
	else
		request_busy(r);
}

/* What this request may not do: true, and it is answered. */
static bool refuse(const struct graphql *g, struct request *r, const struct graphql_ask *ask, enum gql_operation kind)
{
	if (kind == GQL_MUTATION && ask->get) {
		request_set(r, "Allow", "POST");
		graphql_refuse(r, ask->media, 405, "METHOD_NOT_ALLOWED", "mutations are sent by POST");
	} else if (kind == GQL_MUTATION && g->conf.read_only) {
		graphql_refuse(r, ask->media, 403, "READ_ONLY", "this server only reads (--read-only)");
	} else if (kind == GQL_MUTATION && r->granted < SCOPE_WRITE) {
		graphql_refuse(r, ask->media, 403, "FORBIDDEN", "this needs a token with the scope 'write'");
	} else if (kind == GQL_SUBSCRIPTION && ask->media != GRAPHQL_EVENTS && !ask->streamed) {
		graphql_refuse(r, ask->media, ask->media == GRAPHQL_RESPONSE ? 400 : 200, "BAD_USER_INPUT",
		    "subscriptions are answered as text/event-stream");
	} else {
		return false;
	}
	return true;
}

/* What a value among the variables takes beside its bytes while they are read, before limits can look at them: a node
 * of the tree that is parsed, and what it is coerced to. */
enum { VARIABLE_COST = 192 };

static size_t variables_cost(struct str json)
{
	size_t values = 1;
	for (size_t i = 0; i < json.n; i++)
		values += json.p[i] == ',' || json.p[i] == ':';
	return json.n ? values * VARIABLE_COST + json.n : 0;
}

/* What an operation takes while it runs, of its request's memory. */
struct op_memory {
	struct request *r;
	size_t bytes;
};

static bool hold(void *arg, size_t bytes)
{
	struct op_memory *h = arg;
	if (bytes > h->bytes && !request_hold(h->r, bytes - h->bytes))
		return false;
	h->bytes = bytes > h->bytes ? bytes : h->bytes;
	return true;
}

/* Reads the document and the variables: false with the request answered, if there is no memory for them. */
static bool prepare(struct graphql *g, struct request *r, struct graphql_ask *ask)
{
	size_t cost = variables_cost(ask->variables);
	if (!request_hold(r, cost)) {
		request_too_much(r, cost);
		return false;
	}
	ask->held = cost;
	gql_request_init(&ask->prepared, g->schema, ask->query, &g->conf.limits);
	ask->prepared.cache = g->cache;
	ask->is_prepared = true;
	ask->good = gql_request_prepare(&ask->prepared, ask->operation, ask->variables);
	return true;
}

static void unhold(struct request *r, struct graphql_ask *ask)
{
	request_unhold(r, ask->held);
	ask->held = 0;
}

enum { KEPT = 64 << 10 }; /* bytes that a connection's thread keeps for the next operation */

static void swap_arenas(struct arena *a, struct arena *b)
{
	struct arena own = *a;
	if (!b)
		return;
	*a = *b;
	*b = own;
}

/* Runs what has been prepared; false, with nothing answered, if it must run elsewhere. */
static bool run(struct graphql_operation *op, struct request *r, struct graphql_ask *ask)
{
	struct op_memory held = {.r = r};
	struct gql_limits *limits = &ask->prepared.limits;
	limits->hold = hold;
	limits->hold_arg = &held;
	limits->deadline_ms = op->g->conf.timeout_ms ? clock_mono_ms() + op->g->conf.timeout_ms : 0;
	struct arena *kept = op->db ? NULL : &thread_context_get(op->g->conf.threads)->mem;
	swap_arenas(&ask->prepared.run, kept);
	gql_request_run(&ask->prepared, NULL, op, &r->out);
	swap_arenas(&ask->prepared.run, kept);
	if (kept && arena_size(kept) > KEPT)
		arena_free(kept);
	if (op->missed) {
		request_unhold(r, held.bytes);
		buf_clear(&r->out);
		return false;
	}
	/* All of it is in r->out now, which a client may read slowly. */
	gql_request_free(&ask->prepared);
	ask->is_prepared = false;
	request_unhold(r, held.bytes);
	unhold(r, ask);
	answer_result(r, ask);
	return true;
}

/* Answers what is not a query or mutation that runs: true, and the request's state may be gone. */
static bool answer_others(struct graphql *g, struct request *r, struct graphql_ask *ask)
{
	if (!ask->good) {
		gql_request_refuse(&ask->prepared, &r->out);
		answer_refused(r, ask);
		return true;
	}
	enum gql_operation kind = ask->prepared.operation->operation;
	if (refuse(g, r, ask, kind))
		return true;
	if (kind != GQL_SUBSCRIPTION)
		return false;
	unhold(r, ask);
	subscribe_to(g, r, ask);
	return true;
}

void graphql_answer(struct graphql *g, struct db_context *db, struct request *r, struct graphql_ask *ask)
{
	struct graphql_operation op = {.g = g, .db = db, .scan = &db->scan};
	if ((ask->is_prepared || prepare(g, r, ask)) && !answer_others(g, r, ask))
		run(&op, r, ask);
}

/* ---- in the connection's thread ---- */

enum {
	SMALL_QUERY = 4 << 10, /* is as quick to read as to hand to another thread */
	SMALL_VARIABLES = 16 << 10,
	QUICK = 1 << 20,  /* bytes of texts or records, times the tokens of the document that may show each of them */
	FEW_TOKENS = 100, /* in a document that shows records, whose length nobody knows before */
	FEW_READS = DB_BATCH
};

enum graphql_lane { LANE_LONG, LANE_POINTS, LANE_HERE };

/* Bytes of text that may be scored: literals, and all that is in the variables at each place where one is used. */
static size_t text_bytes(const struct graphql_ask *ask)
{
	size_t used = 0;
	for (size_t i = 0; i < ask->query.n; i++)
		used += ask->query.p[i] == '$';
	return ask->query.n + used * ask->variables.n;
}

/* A root field that scores texts without reasons, whose number nobody knows before. */
static bool scores(const struct gql_node *field)
{
	if (!str_eq(field->name, STR("sentiment")) && !str_eq(field->name, STR("sentiments")))
		return false;
	for (const struct gql_node *a = field->arguments; a; a = a->next)
		if (str_eq(a->name, STR("explain")))
			return false;
	return true;
}

/* Where an operation runs: scoring like POST /v1/sentiment, look-ups by id like GET /v1/messages/{id}, as long as it
 * comes to no more than such a request; what takes as long as the store is large, or multiplies what was sent, in the
 * threads of GraphQL. */
static enum graphql_lane lane_of(const struct graphql_ask *ask)
{
	const struct gql_request *q = &ask->prepared;
	size_t tokens = q->document->doc.tokens, scored = 0, read = 0;
	if (q->operation->operation != GQL_QUERY || text_bytes(ask) * tokens > QUICK)
		return LANE_LONG;
	for (const struct gql_node *n = q->operation->selections; n; n = n->next) {
		bool reads = n->kind == GQL_FIELD && str_eq(n->name, STR("message"));
		if (!reads && (n->kind != GQL_FIELD || !scores(n)))
			return LANE_LONG;
		read += reads;
		scored += !reads;
	}
	if (!read)
		return LANE_HERE;
	return !scored && read <= FEW_READS && tokens <= FEW_TOKENS ? LANE_POINTS : LANE_LONG;
}

struct db_pool *graphql_answer_here(struct graphql *g, struct request *r, struct graphql_ask *ask)
{
	if (ask->query.n > SMALL_QUERY || ask->variables.n > SMALL_VARIABLES)
		return g->conf.pool;
	if (!prepare(g, r, ask) || answer_others(g, r, ask))
		return NULL;
	enum graphql_lane lane = lane_of(ask);
	struct graphql_operation op = {.g = g,
	    .scan = &thread_context_get(g->conf.threads)->scan,
	    .room = QUICK / ask->prepared.document->doc.tokens};
	if (lane == LANE_LONG)
		return g->conf.pool;
	if ((lane == LANE_HERE || g->conf.local) && run(&op, r, ask))
		return NULL;
	return g->conf.points;
}
