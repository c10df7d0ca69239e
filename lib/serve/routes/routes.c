/* routes.c - which handler answers what. */
#include "lib/serve/routes/routes.h"

#include "lib/serve/tokens.h"

/* What restricts messages (rest_query_filter). Probes are answered however they are asked. */
#define FILTER "label source model since until q score_min score_max unscored corrected where "

static void refuse_write(struct request *r, void *app)
{
	(void)app;
	request_problem(r, 403, "read_only", "this server only reads (--read-only)");
}

void routes_only_read(struct route table[ROUTES + 1])
{
	for (struct route *r = table; r->path; r++)
		if (r->access >= SCOPE_WRITE)
			r->begin = refuse_write;
}

void routes_fill(struct route table[ROUTES + 1], struct routes *r)
{
	const struct route filled[ROUTES + 1] = {
	    {"POST", "/v1/sentiment", SCOPE_READ, sentiment_begin, sentiment_piece, sentiment_end, &r->sentiment, false,
		"model explain "},
	    {"POST", "/v1/messages", SCOPE_WRITE, post_begin, post_piece, post_end, &r->post, false, ""},
	    {"GET", "/v1/messages", SCOPE_READ, NULL, NULL, messages_list, &r->messages, false,
		FILTER "order limit sample after "},
	    {"GET", "/v1/messages/{id}", SCOPE_READ, NULL, NULL, message_get, &r->messages, false, ""},
	    {"PATCH", "/v1/messages/{id}", SCOPE_WRITE, message_patch_begin, NULL, message_patch, &r->messages, false,
		""},
	    {"DELETE", "/v1/messages/{id}", SCOPE_WRITE, NULL, NULL, message_delete, &r->messages, false, ""},
	    {"GET", "/v1/events", SCOPE_TICKET, NULL, NULL, events_get, &r->events, false,
		"label source last-event-id ticket "},
	    {"POST", "/v1/tickets", SCOPE_READ, NULL, NULL, tickets_post, NULL, false, ""},
	    {"GET", "/v1/stats", SCOPE_READ, NULL, NULL, stats_get, r->scans, false, FILTER "by step tz limit after "},
	    {"GET", "/v1/terms", SCOPE_READ, NULL, NULL, terms_get, &r->terms, false, FILTER "limit sample "},
	    {"GET", "/v1/status", SCOPE_READ, NULL, NULL, status_get, &r->status, false, ""},
	    {"GET", "/v1/models", SCOPE_READ, NULL, NULL, models_get, r->models, false, ""},
	    {"GET", "/graphql", SCOPE_READ, NULL, NULL, graphql_get, r->graphql, true,
		"query operationName variables extensions documentId token "},
	    {"POST", "/graphql", SCOPE_READ, graphql_post_begin, NULL, graphql_post, r->graphql, true, "token "},
	    {"PUT", "/graphql", SCOPE_READ, NULL, NULL, graphql_put, r->graphql, true, ""},
	    {"DELETE", "/graphql", SCOPE_READ, NULL, NULL, graphql_delete, r->graphql, true, "operationId token "},
	    {"GET", "/livez", SCOPE_NONE, NULL, NULL, livez_get, NULL, false, NULL},
	    {"GET", "/readyz", SCOPE_NONE, NULL, NULL, readyz_get, r->health, false, NULL},
	    {"GET", "/metrics", SCOPE_READ, NULL, NULL, metrics_get, r->registry, false, ""},
	    {"GET", "/openapi.json", SCOPE_NONE, NULL, NULL, openapi_get, r->models, false, ""},
	    {"GET", "/docs", SCOPE_NONE, NULL, NULL, docs_get, NULL, false, ""},
	    {"GET", "/graphiql", SCOPE_NONE, NULL, NULL, assets_get, NULL, false, ""},
	    {"GET", "/assets/{name}", SCOPE_NONE, NULL, NULL, assets_get, NULL, false, ""},
	    {"GET", "/", SCOPE_NONE, NULL, NULL, assets_get, NULL, false, ""},
	};
	memcpy(table, filled, sizeof filled);
}
