/* router.h - a table of routes, and which of them takes a request. Pure functions. */
#ifndef SENTI_ROUTER_H
#define SENTI_ROUTER_H

#include "lib/base/buf.h"

struct request;

struct route {
	const char *method; /* "GET" answers HEAD as well */
	const char *path;   /* "/v1/messages/{id}": braces match one non-empty segment */
	unsigned access;    /* interpreted by http_conf.admit alone */
	/* Called after the headers; the body is not read if it answers. May be NULL. */
	void (*begin)(struct request *r, void *app);
	/* Takes the body piece by piece as it arrives; if false, or NULL, r->body collects it. */
	bool (*piece)(struct request *r, void *app, struct str piece);
	/* Called after the body: answers or defers. */
	void (*end)(struct request *r, void *app);
	void *app; /* for the three above; lent */
	/* Web pages of other origins may not even GET this. Methods that change something are always guarded. */
	bool guarded;
	const char *params; /* the names of its query's parameters, each followed by a blank; NULL: any */
};

enum routing { ROUTE_FOUND, ROUTE_NO_PATH, ROUTE_NO_METHOD };

/* Finds the route for this method and path (without a query) in a table that ends with a route without a path. *segment
 * is what matches the braces, percent-encoded, lent by the path; p is NULL if the route has none. */
enum routing route_find(
    const struct route *table, const char *method, const char *path, const struct route **found, struct str *segment);
/* Appends the methods of all routes at this path, as in Allow: "GET, HEAD, OPTIONS". */
void route_methods(const struct route *table, const char *path, struct buf *out);

#endif
